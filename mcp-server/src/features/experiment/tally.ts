import type { TeamResult } from "../sprint/sprint.schema.ts";
import { doneBetween } from "./experiment.store.ts";
import { develops } from "./people.rules.ts";
import { type SprintPlay, type TeamPlay, TICKS_PER_DAY } from "./play.ts";
import type { TeamRecord } from "./state.rules.ts";
import { round } from "./work.rules.ts";

/** A team's numbers at the end of a sprint: velocity is what its board has closed as done (requirement C-23). */
export async function teamRecord(play: SprintPlay, team: TeamPlay, ended?: TeamResult): Promise<TeamRecord> {
  const { stage, config, n, startedAt, dayMs } = play;
  const { db } = stage.runtime.store;
  const done = await doneBetween(db, team.id, startedAt, stage.clock.now + 1);
  const cycles = done.flatMap((card) => (card.startedAt === null ? [] : [(card.closedAt - card.startedAt) / dayMs]));
  const developers = team.workers.filter((worker) => develops(worker.member)).length;
  const { tally } = team;
  const away = play.state.members.filter(
    (member) => member.home === team.id && !team.workers.some((worker) => worker.member.id === member.id),
  );
  return {
    sprint: n,
    velocity: ended?.velocity ?? done.reduce((sum, card) => sum + (card.points ?? 0), 0),
    features_completed: ended?.done ?? done.length,
    agents: team.workers.length,
    capacity: round(developers * config.sprint.points_per_developer, 1),
    planned_points: tally.planned,
    test_coverage: mean(tally.coverage, 3),
    branch_coverage: mean(tally.branches, 3),
    pairing_sessions: team.sessions.length,
    cycle_time_avg: mean(cycles, 2),
    blocked_count: ended?.blocked ?? 0,
    cards_blocked: team.blocked.size,
    blocked_minutes: round((ended?.blocked_seconds ?? 0) / 60, 2),
    wip: ended?.wip ?? 0,
    dependency_cards: tally.dependencyCards,
    wip_refusals: tally.wipRefusals,
    reviews: tally.reviews,
    rejections: tally.rejections,
    gate_failures: tally.gateFailures,
    escalations: team.escalations.length,
    idle_days: round(tally.idleTicks / TICKS_PER_DAY, 1),
    borrowed_in: team.workers.filter((worker) => worker.member.home !== team.id).map(({ member }) => member.id),
    borrowed_out: away.map(({ id }) => id),
    disturbances: team.disturbances,
    swaps: team.swaps,
    specialists: team.specialists,
    departure_events: team.departures,
    backfill_events: team.backfills,
  };
}

function mean(values: readonly number[], digits: number): number | null {
  if (values.length === 0) return null;
  return round(values.reduce((sum, value) => sum + value, 0) / values.length, digits);
}
