import type { ProjectConfig } from "../../config/config.schema.ts";
import { practiceOn } from "../../config/practices.rules.ts";
import type { TeamResult } from "../sprint/sprint.schema.ts";
import { holdRetro, writeSprint } from "./artifacts.ts";
import { writeCeremonies, writeDepartures } from "./ceremonies.ts";
import { rollDisturbances } from "./disturbance.rules.ts";
import { decaySwaps } from "./learn.ts";
import type { Output } from "./output.ts";
import { endWaiting, planTeam, provideForOthers } from "./planning.ts";
import { isoAt, type SprintPlay, type TeamPlay, TICKS_PER_DAY, teamPlay, type Worker } from "./play.ts";
import { beginSprint, checkIn, heed, iterationZero } from "./policy.ts";
import { reviewAll } from "./reviewing.ts";
import { type ProductFacts, playSprintZero } from "./sprint-zero.ts";
import { letGo } from "./staff.ts";
import { lead, principalOf, type Stage } from "./stage.ts";
import type { Feedback } from "./stakeholder.rules.ts";
import { follow, isReviewDue, type ReadFeedback, reviewProduct } from "./stakeholder.ts";
import { holdStandup } from "./standup.ts";
import type { Backfill, CoordinationRecord, RunState, SprintRecord, TeamRecord } from "./state.rules.ts";
import { strikeToday } from "./strike.ts";
import { teamRecord } from "./tally.ts";
import { playTick } from "./tick.ts";

export interface SprintOptions {
  readonly stage: Stage;
  readonly config: ProjectConfig;
  readonly state: RunState;
  readonly output: Output;
  readonly feedback: ReadFeedback;
  readonly backfills: readonly Backfill[];
  /** A stakeholder's word that the run has waited for. */
  readonly answered?: Feedback;
  /** The sprints before, oldest first: what a stakeholder is shown. */
  readonly past: () => Promise<readonly SprintRecord[]>;
}

/** Before the first sprint: iteration 0, and the set-up of the teams that have one (OH-04, AG-05). */
export async function playSetUp(options: SprintOptions, product: ProductFacts): Promise<SprintRecord | undefined> {
  const { stage, config, state, output } = options;
  const hasZero = config.teams.some(({ id }) => practiceOn(config, id, "sprint_zero"));
  let record: SprintRecord | undefined;
  if (hasZero) {
    const play = await openPlay(options, 0);
    await playSprintZero(play, product, output);
    record = await closeRecord(play, null);
    await writeSprint(play, record, output);
    writeCeremonies(play, record, output);
  }
  await iterationZero(stage, state);
  state.clock = stage.clock.now;
  return record;
}

/**
 * One sprint of all teams, in the order of AG-01 and in the caller's transaction: planning and technical planning, days of
 * work with disturbances and standups, the check-in, QA, review, retrospective and what is learned from it, files, and then
 * what changes until the next one: swaps fade and people leave. Newcomers come when that begins.
 */
export async function playSprint(options: SprintOptions): Promise<SprintRecord> {
  const { stage, config, state, output } = options;
  const n = state.sprint + 1;
  const round = await beginSprint(stage, state, n);
  const play = await openPlay(options, n);
  if (round) heed(play, round.recommendations);
  if (options.answered) await follow(play, options.answered);
  for (const team of play.teams) await planTeam(play, team);
  await stage.must(lead, "sprint_phase", { phase: "development" });
  const checkin = await days(play);
  stage.clock.now = Math.max(stage.clock.now, play.startedAt + Math.round(config.sprint.minutes * 60_000));
  await stage.must(lead, "sprint_phase", { phase: "review" });
  const ended = await stage.must(lead, "sprint_end", {});
  const coordination: CoordinationRecord | null = round ? { ...round, checkin } : null;
  const record = await closeRecord(play, coordination, ended.teams);
  const review = await reviewSprint(play, record, options);
  for (const team of play.teams) {
    const numbers = record.teams[team.id];
    if (numbers) holdRetro(play, team, numbers, output);
  }
  const whole = { ...record, learnings: play.learnings, review };
  await writeSprint(play, whole, output);
  writeCeremonies(play, whole, output);
  decaySwaps(play);
  for (const team of play.teams) await letGo(play, team); // which adds to what the record tells
  writeDepartures(play, whole, output);
  state.sprint = n;
  state.clock = stage.clock.now;
  return whole;
}

/** The stakeholder's part of the review, in the sprints that have one (AG-04). */
async function reviewSprint(play: SprintPlay, record: SprintRecord, options: SprintOptions) {
  if (!isReviewDue(play)) return null;
  return reviewProduct(play, [...(await options.past()), record], options.output, options.feedback);
}

async function closeRecord(
  play: SprintPlay,
  coordination: CoordinationRecord | null,
  results: readonly TeamResult[] = [],
): Promise<SprintRecord> {
  const teams: Record<string, TeamRecord> = {};
  for (const team of play.teams) {
    const ended = results.find((one) => one.team === team.id);
    teams[team.id] = await teamRecord(play, team, ended);
  }
  return {
    sprint: play.n,
    started_at: isoAt(play.startedAt),
    ended_at: isoAt(play.stage.clock.now),
    teams,
    coordination,
    learnings: play.learnings,
    review: null,
  };
}

async function openPlay({ stage, config, state, backfills }: SprintOptions, n: number): Promise<SprintPlay> {
  const workers = await workersByTeam(stage, state);
  const teams = config.teams.map(({ id }): TeamPlay => {
    const own = workers.get(id) ?? [];
    const members = own.map(({ member }) => member);
    const disturbances = n === 0 ? [] : rollDisturbances(config, state.seed, id, n, members);
    const team = teamPlay(config, state.seed, n, { id, workers: own, disturbances });
    team.backfills.push(
      ...backfills.filter((one) => one.team === id).map(({ agent, replaces }) => ({ agent, replaces })),
    );
    return team;
  });
  return {
    stage,
    config,
    state,
    n,
    startedAt: stage.clock.now,
    dayMs: (config.sprint.minutes * 60_000) / config.sprint.days,
    teams,
    learnings: [],
    urgent: new Set(),
  };
}

/** Everybody where they work now: the store says who is on loan. */
async function workersByTeam(stage: Stage, state: RunState): Promise<Map<string, Worker[]>> {
  const teams = new Map<string, Worker[]>();
  for (const member of state.members) {
    const principal = await principalOf(stage, member.id);
    if (!principal?.team) continue;
    const list = teams.get(principal.team) ?? [];
    list.push({ member, principal, daysAway: principal.team === member.home ? undefined : 0, busy: false });
    teams.set(principal.team, list);
  }
  return teams;
}

/** Half days: disturbances strike in the morning; the last half day is QA's, after the check-in (CO-04, AG-01). */
async function days(play: SprintPlay): Promise<string[]> {
  const { config, stage } = play;
  const ticks = config.sprint.days * TICKS_PER_DAY;
  const tickMs = play.dayMs / TICKS_PER_DAY;
  let told: string[] = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    stage.clock.now = Math.max(stage.clock.now, Math.round(play.startedAt + tick * tickMs));
    const isQa = tick === ticks - 1;
    if (isQa) {
      told = await checkIn(play);
      await stage.must(lead, "sprint_phase", { phase: "qa" });
    }
    for (const team of play.teams) {
      if (tick % TICKS_PER_DAY === 0) {
        await strikeToday(play, team);
        if (tick > 0) await provideForOthers(play, team);
        await holdStandup(play, team);
      }
      await endWaiting(play, team);
      await playTick(play, team, { finishing: isQa });
    }
  }
  for (const team of play.teams) await reviewAll(play, team);
  return told;
}
