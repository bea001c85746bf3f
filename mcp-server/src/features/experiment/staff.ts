import type { ProjectConfig } from "../../config/config.schema.ts";
import { practiceOn } from "../../config/practices.rules.ts";
import { isProtected, type Member } from "./people.rules.ts";
import type { SprintPlay, TeamPlay } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { endAgent, type Stage, spawnAgent } from "./stage.ts";
import type { RunState, Vacancy } from "./state.rules.ts";

/** The configuration with the people there are now: who has left is in no team, who has come is (AG-09). */
export function staffed(config: ProjectConfig, members: readonly Member[]): ProjectConfig {
  const agents = { ...config.models.agents };
  for (const member of members) {
    agents[member.id] ??= {
      name: member.name,
      seniority: member.seniority,
      primary_specialization: member.primary,
      auxiliary_specializations: [...member.auxiliary],
      role_archetype: member.role,
    };
  }
  return {
    ...config,
    models: { ...config.models, agents },
    teams: config.teams.map((team) => ({
      ...team,
      agents: members.filter((member) => member.home === team.id).map(({ id }) => id),
    })),
  };
}

/** Places whose time has come are filled with somebody like whoever has left; gives who came for whom. */
export function fillVacancies(state: RunState, n: number): { came: Member; vacancy: Vacancy }[] {
  const due = state.vacancies.filter((vacancy) => vacancy.due <= n);
  state.vacancies = state.vacancies.filter((vacancy) => vacancy.due > n);
  return due.map((vacancy) => {
    const { like, team } = vacancy;
    const came: Member = { ...like, id: freeId(like.id, state), home: team, joined: n, auxiliary: [] };
    const named = { ...came, name: `${like.name.replace(/ \(after .*\)$/, "")} (after ${like.id})` };
    state.members = [...state.members, named];
    return { came: named, vacancy };
  });
}

/** `marcus-2`, `marcus-3` …; nobody gets the name of one who has left. */
function freeId(id: string, state: RunState): string {
  const [, base = id, number = "1"] = /^(.*?)(?:-(\d+))?$/.exec(id) ?? [];
  let next = Number(number) + 1;
  const taken = new Set([...state.left, ...state.members.map((member) => member.id)]);
  while (taken.has(`${base}-${next}`)) next += 1;
  return `${base}-${next}`;
}

export async function welcome(stage: Stage, members: readonly Member[]): Promise<void> {
  for (const member of members) await spawnAgent(stage, member.id, member.role);
}

/** Who leaves after this sprint: never who is protected or away, and no team is left without people (AG-09). */
export async function letGo(play: SprintPlay, team: TeamPlay): Promise<void> {
  const { config, state, n, stage } = play;
  const { starts_in_sprint, probability, max_per_sprint, backfill_delay_sprints } = config.turnover;
  if (!practiceOn(config, team.id, "turnover") || n < starts_in_sprint) return;
  let left = 0;
  for (const { member, daysAway } of team.workers) {
    // each agent's roll is its own, so that who else is there changes nothing
    const leaves = randomStream(state.seed, "turnover", member.id, n).chance(probability);
    if (!leaves || left >= max_per_sprint || daysAway !== undefined || isProtected(config, member)) continue;
    if (team.workers.length - left <= config.coordination.min_team_size) break;
    left += 1;
    await endAgent(stage, member.id, "left the team");
    state.members = state.members.filter(({ id }) => id !== member.id);
    state.left.push(member.id);
    state.swaps = state.swaps.filter(({ agent }) => agent !== member.id);
    delete state.learned[member.id];
    // nobody gets the name again
    for (const pair of Object.keys(state.pairs)) if (pair.split("+").includes(member.id)) delete state.pairs[pair];
    state.vacancies.push({ team: team.id, like: member, due: n + 1 + backfill_delay_sprints });
    team.departures.push({ agent: member.id, reason: "left the team" });
  }
}
