import { nearest } from "../kernel/nearest.ts";
import { isRecord } from "../kernel/records.ts";
import { DEFAULT_TEAM, ELLIPSIS, MOST_TEAMS } from "./config.schema.ts";

/** What is wrong where: a path of keys and positions into the file, and a sentence. */
export interface Fault {
  readonly path: readonly string[];
  readonly text: string;
}

/** What the file is for: an experiment compares several teams with agents. */
export interface Purpose {
  readonly forExperiment?: boolean;
}

/**
 * Rules over several values (requirements TC-02, TC-03, TC-06, TC-08, TC-09). They read the file as it is, so that they
 * hold beside values of a wrong type, which are passed over here.
 */
export function crossChecks(file: unknown, purpose: Purpose = {}): Fault[] {
  const teams = teamsOf(file);
  const coordination = isRecord(file) && isRecord(file.coordination) ? file.coordination : {};
  const needsTeams = coordination.enabled === true || purpose.forExperiment === true;
  return [
    ...teamCounts(file, teams, needsTeams, purpose.forExperiment === true),
    ...duplicateTeams(teams),
    ...agentHomes(teams, needsTeams, purpose.forExperiment === true),
    ...takenNames(teams),
    ...unknownPeople(file, teams),
    ...coordinatorFaults(file, teams),
    ...weightFaults(coordination),
    ...unknownOwners(file, teams),
    ...webhookFaults(file),
  ];
}

interface RawTeam {
  readonly position: string;
  readonly id: string | undefined;
  /** Agents with their position; values of other types are left out. */
  readonly agents: readonly (readonly [position: string, name: string])[];
  /** 0 for an empty list; undefined for what is no list, which is told already. */
  readonly listed: number | undefined;
}

function teamsOf(file: unknown): RawTeam[] {
  const list = isRecord(file) && Array.isArray(file.teams) ? (file.teams as unknown[]) : [];
  return list.flatMap((team, index) => {
    if (!isRecord(team)) return [];
    const agents = namesIn(team.agents);
    const id = typeof team.id === "string" ? team.id : undefined;
    return [{ position: String(index), id, agents, listed: listedIn(team.agents) }];
  });
}

function listedIn(list: unknown): number | undefined {
  if (Array.isArray(list)) return list.length;
  return list === undefined ? 0 : undefined;
}

function namesIn(list: unknown): [string, string][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((name: unknown, index): [string, string][] =>
    typeof name === "string" && name !== "" ? [[String(index), name]] : [],
  );
}

function teamCounts(file: unknown, teams: readonly RawTeam[], needsTeams: boolean, forExperiment: boolean): Fault[] {
  const path = ["teams"];
  if (teams.length > MOST_TEAMS)
    return [{ path, text: `teams: ${teams.length} teams, the most is ${MOST_TEAMS}; join some` }];
  const declared = isRecord(file) && Array.isArray(file.teams) ? file.teams.length : 0;
  if (forExperiment && declared === 0)
    return [{ path, text: `teams: an experiment has 2 to ${MOST_TEAMS} teams; name them with their agents` }];
  if (!needsTeams || declared !== 1) return [];
  const remedy = forExperiment ? "add another" : "add another, or set coordination.enabled to false";
  return [{ path, text: `teams: 1 team, where 2 to ${MOST_TEAMS} are to be coordinated; ${remedy}` }];
}

function duplicateTeams(teams: readonly RawTeam[]): Fault[] {
  const first = new Map<string, RawTeam>();
  return teams.flatMap((team) => {
    if (team.id === undefined) return [];
    const earlier = first.get(team.id);
    if (!earlier) {
      first.set(team.id, team);
      return [];
    }
    return [
      {
        path: ["teams", team.position, "id"],
        text: `teams.${team.position}.id: ${team.id} is already team number ${Number(earlier.position) + 1}; give one of them another id`,
      },
    ];
  });
}

/** Each agent in one team, and somebody in each team that is coordinated. */
function agentHomes(teams: readonly RawTeam[], needsTeams: boolean, forExperiment: boolean): Fault[] {
  const homes = new Map<string, string>();
  return teams.flatMap((team) => {
    const label = team.id ?? `number ${Number(team.position) + 1}`;
    const faults: Fault[] = [];
    for (const [position, agent] of team.agents) {
      if (agent === ELLIPSIS) continue;
      const home = homes.get(agent);
      const path = ["teams", team.position, "agents", position];
      if (home === undefined) homes.set(agent, label);
      else
        faults.push({
          path,
          text: `teams.${team.position}.agents: ${agent} is already in team ${home}; an agent is in one team, take it out of the other`,
        });
    }
    const named = forExperiment ? team.agents.filter(([, agent]) => agent !== ELLIPSIS).length : team.listed;
    if (needsTeams && named === 0)
      faults.push({
        path: ["teams", team.position, "agents"],
        text: `teams.${team.position}.agents: team ${label} has no agents; name some, or take the team out`,
      });
    return faults;
  });
}

/** What messages and calls are addressed to; an agent of that name would hear nothing (requirements MB-01). */
const addressed = /^(lead|main|team-lead|portfolio|coordination|team:.*|agent:.*)$/i;

function takenNames(teams: readonly RawTeam[]): Fault[] {
  return teams.flatMap(({ position, agents }) =>
    agents
      .filter(([, name]) => addressed.test(name.trim()))
      .map(([at, name]) => ({
        path: ["teams", position, "agents", at],
        text: `teams.${position}.agents: ${name} is what messages to a lead or a channel are addressed to; give the agent another name`,
      })),
  );
}

function peopleOf(file: unknown): string[] | undefined {
  if (!isRecord(file) || !isRecord(file.models) || !isRecord(file.models.agents)) return undefined;
  return Object.keys(file.models.agents);
}

function unknownPeople(file: unknown, teams: readonly RawTeam[]): Fault[] {
  const people = peopleOf(file);
  if (!people) return [];
  // the schema passes this one over, and nobody would be there
  const nobody = people.includes("__proto__")
    ? [{ path: ["models", "agents", "__proto__"], text: "models.agents: __proto__ is no agent's id; choose another" }]
    : [];
  const unknown = teams.flatMap((team) =>
    team.agents
      .filter(([, agent]) => agent !== ELLIPSIS && !people.includes(agent))
      .map(([position, agent]) => ({
        path: ["teams", team.position, "agents", position],
        text: `teams.${team.position}.agents: ${agent} is not in models.agents${meant(agent, people)}`,
      })),
  );
  return [...nobody, ...unknown];
}

function coordinatorFaults(file: unknown, teams: readonly RawTeam[]): Fault[] {
  const raw = isRecord(file) && isRecord(file.coordination) ? file.coordination.coordinators : undefined;
  const people = peopleOf(file);
  const seen = new Set<string>();
  return namesIn(raw).flatMap(([position, agent]) => {
    const where = "coordination.coordinators";
    const path = ["coordination", "coordinators", position];
    const faults: Fault[] = [];
    if (seen.has(agent)) faults.push({ path, text: `${where}: ${agent} is listed twice; take one out` });
    seen.add(agent);
    if (people && !people.includes(agent))
      faults.push({ path, text: `${where}: ${agent} is not in models.agents${meant(agent, people)}` });
    const home = teams.find((team) => team.agents.some(([, name]) => name === agent));
    if (home)
      faults.push({
        path,
        text: `${where}: ${agent} is in team ${home.id ?? home.position}; a coordinator is in no team, take it out of teams.${home.position}.agents`,
      });
    return faults;
  });
}

const weights = {
  coordination_step_weight: 0.5,
  distribution_step_weight: 0.3,
  checkin_step_weight: 0.2,
} as const;

function weightFaults(coordination: Record<string, unknown>): Fault[] {
  const budget = coordination.overhead_budget;
  if (!isRecord(budget)) return [];
  const given = Object.keys(weights).filter((key) => budget[key] !== undefined);
  const values = Object.entries(weights).map(([key, standard]) => budget[key] ?? standard);
  const areShares = values.every((value) => typeof value === "number" && value >= 0 && value <= 1);
  if (given.length === 0 || !areShares) return [];
  const sum = values.reduce<number>((total, value) => total + Number(value), 0);
  if (Math.abs(sum - 1) <= 1e-9) return [];
  const shown = Number(sum.toPrecision(6));
  const rest = Object.keys(weights)
    .filter((key) => budget[key] === undefined)
    .map((key) => `${key} is ${weights[key as keyof typeof weights]} unless set`);
  return [
    {
      path: ["coordination", "overhead_budget", given[0] ?? ""],
      text: `coordination.overhead_budget: the three step weights sum to ${shown}, and have to sum to 1${rest.length > 0 ? `; ${rest.join(", ")}` : ""}`,
    },
  ];
}

/** Teams that own files and are no teams. */
function unknownOwners(file: unknown, declared: readonly RawTeam[]): Fault[] {
  const list = isRecord(file) && Array.isArray(file.ownership) ? (file.ownership as unknown[]) : [];
  const ids = declared.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const teams = declared.length > 0 ? ids : [DEFAULT_TEAM];
  return list.flatMap((entry, index) => {
    const owner = isRecord(entry) && typeof entry.owner === "string" ? entry.owner : "";
    const team = owner.startsWith("team:") ? owner.slice("team:".length) : undefined;
    if (team === undefined || teams.includes(team)) return [];
    const close = nearest(team, teams);
    return [
      {
        path: ["ownership", String(index), "owner"],
        text: `ownership.${index}.owner: there is no team ${team}${close ? `; did you mean team:${close}?` : ""}`,
      },
    ];
  });
}

function webhookFaults(file: unknown): Fault[] {
  const review = isRecord(file) ? file.stakeholder_review : undefined;
  if (!isRecord(review) || review.feedback !== "webhook" || review.webhook_url !== undefined) return [];
  return [
    {
      path: ["stakeholder_review", "feedback"],
      text: "stakeholder_review.feedback: a webhook has a webhook_url; give it, or take `file`",
    },
  ];
}

function meant(word: string, known: readonly string[]): string {
  const close = nearest(word, known);
  return close ? `; did you mean ${close}?` : "; add it there, or take it out here";
}
