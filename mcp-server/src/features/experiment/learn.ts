import { practiceOn } from "../../config/practices.rules.ts";
import type { SprintPlay, TeamPlay, Worker } from "./play.ts";
import { type Card, fitOf } from "./work.rules.ts";

/** Below this an agent works outside its field. */
const AT_HOME = 0.85;

/** An agent that takes a card outside its field takes on a profile, where that is allowed, or a consultant comes. */
export function noteSwap(play: SprintPlay, team: TeamPlay, worker: Worker, card: Card): void {
  if (fitOf(worker.member, card.domain) >= AT_HOME) return;
  if (consult(play, team, worker, card)) return;
  const { config, state, n } = play;
  if (!practiceOn(config, team.id, "profile_swapping")) return;
  const { mode, allowed_scenarios, proficiency } = config.profile_swapping;
  if (state.swaps.some((swap) => swap.agent === worker.member.id && swap.to === card.domain)) return;
  const scenario = scenarioOf(team, card);
  // a team that has it on where the others have none is held to the scenarios
  if (mode !== "free" && !allowed_scenarios.includes(scenario)) return;
  const swap = {
    agent: worker.member.id,
    team: team.id,
    from: worker.member.primary,
    to: card.domain,
    scenario,
    since: n,
    proficiency,
  };
  state.swaps.push(swap);
  team.swaps.push(swap);
}

function scenarioOf(team: TeamPlay, card: Card) {
  if (card.kind === "hotfix") return "critical_production_incident";
  return isCovered(team, card.domain) ? "deliberate_cross_training" : "specialist_unavailable";
}

function isCovered(team: TeamPlay, domain: string): boolean {
  return team.workers.some(({ member }) => member.primary === domain || member.auxiliary.includes(domain));
}

/** A consultant for a field nobody in the team knows: it costs points now and trains somebody for later (AG-09). */
function consult(play: SprintPlay, team: TeamPlay, worker: Worker, card: Card): boolean {
  const { config, state } = play;
  const { max_per_sprint, velocity_penalty, domains } = config.specialists;
  if (!practiceOn(config, team.id, "specialists") || isCovered(team, card.domain)) return false;
  if (team.specialists.length >= max_per_sprint) return false;
  if (domains.length > 0 && !domains.includes(card.domain)) return false;
  const order = ["junior", "mid", "senior"] as const;
  const [trainee = worker] = team.workers
    .filter((one) => one.member.role === "developer" && one.daysAway === undefined)
    .sort((a, b) => order.indexOf(a.member.seniority) - order.indexOf(b.member.seniority));
  team.debt += velocity_penalty;
  team.specialists.push({ domain: card.domain, trainee: trainee.member.id, points: velocity_penalty });
  const trained = { ...trainee.member, auxiliary: [...trainee.member.auxiliary, card.domain] };
  state.members = state.members.map((member) => (member.id === trained.id ? trained : member));
  trainee.member = trained;
  return true;
}

/** What was taken on fades, and is forgotten when no better than anybody's guess (AG-03). */
export function decaySwaps(play: SprintPlay): void {
  const { knowledge_decay_sprints, decay_per_sprint } = play.config.profile_swapping;
  play.state.swaps = play.state.swaps.flatMap((swap) => {
    if (play.n - swap.since < knowledge_decay_sprints) return [swap];
    const proficiency = swap.proficiency * (1 - decay_per_sprint);
    return proficiency / play.config.profile_swapping.slowdown <= 0.5 ? [] : [{ ...swap, proficiency }];
  });
}
