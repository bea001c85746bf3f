import type { ProjectConfig } from "../../config/config.schema.ts";
import { TeamwrightError } from "../../kernel/errors.ts";
import type { Store } from "../../store/dialect-port.ts";
import { enclose } from "../../store/rehearse.ts";
import { overheadReport } from "../overhead/overhead.store.ts";
import { countPending, PORTFOLIO, productOf } from "../portfolio/story.store.ts";
import { type Backlog, repeated } from "./backlog.rules.ts";
import {
  loadSprint,
  loadSprints,
  loadState,
  type StoredInputs,
  saveInputs,
  saveSprint,
  saveState,
} from "./experiment.store.ts";
import { noOutput, type Output } from "./output.ts";
import { membersOf } from "./people.rules.ts";
import { loadBacklog } from "./policy.ts";
import type { LiveFacts } from "./report.rules.ts";
import { playSetUp, playSprint, type SprintOptions } from "./sprint.ts";
import type { ProductFacts } from "./sprint-zero.ts";
import { fillVacancies, staffed, welcome } from "./staff.ts";
import { openStage, type Stage } from "./stage.ts";
import type { Feedback } from "./stakeholder.rules.ts";
import { feedbackFile, parseFeedback, type ReadFeedback, reviewBy } from "./stakeholder.ts";
import { type Backfill, newRunState, type RunState, type SprintRecord } from "./state.rules.ts";

/** Monday, nine o'clock, in a year of its own: simulated time has nothing to do with the clock on the wall. */
const START = Date.UTC(2026, 0, 5, 9);

export interface RunOptions {
  /** Empty, or one that a run of the same inputs has left behind. */
  readonly store: Store;
  readonly config: ProjectConfig;
  readonly backlogs: readonly Backlog[];
  readonly seed: number;
  readonly variant: string;
  /** Sprints in all when the run is over. */
  readonly sprints: number;
  readonly output?: Output;
  /** Kept with the run, where it is to go on by itself. */
  readonly stored?: StoredInputs;
  readonly feedback?: ReadFeedback;
  /** Told after each sprint. */
  readonly progress?: (done: number, total: number) => void;
  /** Looked at between sprints: true ends the run after the last complete one. */
  readonly isCancelled?: () => boolean;
}

export interface RunOutcome {
  readonly state: RunState;
  /** As it was begun with; who is there now is in `state.members`. */
  readonly config: ProjectConfig;
  readonly sprints: readonly SprintRecord[];
  readonly overhead: Awaited<ReturnType<typeof overheadReport>>;
  readonly isCancelled: boolean;
  /** Of a run of real sessions: whose they are. */
  readonly live?: LiveFacts;
}

/**
 * Plays the sprints that are missing. Each is one transaction with all that belongs to it: a run that is killed goes on
 * after its last complete sprint, and gives the same bytes as one that was not.
 */
export async function runExperiment(options: RunOptions): Promise<RunOutcome> {
  const base = simulated(options.config, options.sprints);
  const { store } = options;
  let state = (await loadState(store.db)) ?? (await setUp(options, base));
  const past = await loadSprints(store.db, state.sprint);
  let isCancelled = false;
  while (state.sprint < options.sprints) {
    if (state.waitsFor && (await options.feedback?.(feedbackFile(state.waitsFor.sprint))) === undefined) break;
    const soFar = { before: state, past };
    state = await enclose(store, (inner) => nextSprint({ ...options, store: inner }, base, soFar));
    await remember(store, past, state.sprint);
    options.progress?.(state.sprint, options.sprints);
    await breath();
    isCancelled = options.isCancelled?.() === true && state.sprint < options.sprints;
    if (isCancelled || state.waitsFor) break; // who has just been asked is asked again when the run goes on
  }
  return {
    state,
    config: base,
    sprints: past,
    overhead: await overheadReport(store.db, base, state.clock),
    isCancelled,
  };
}

/** Signals are heard between two turns of the event loop only, and the embedded store never waits for anything. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Half a day of the simulation is minutes on its clock: leases last as long as they would for live agents. */
function simulated(config: ProjectConfig, sprints: number): ProjectConfig {
  return {
    ...config,
    identity: "strict",
    task_quality: "off",
    claims: { lease_seconds: Math.max(config.claims.lease_seconds, config.sprint.minutes * 60) },
    experiment: { ...config.experiment, sprints },
  };
}

async function setUp(options: RunOptions, base: ProjectConfig): Promise<RunState> {
  return enclose(options.store, async (store) => {
    const { seed, variant, backlogs } = options;
    const clock = { now: START };
    const state = newRunState({ seed, variant, clock: clock.now, members: membersOf(base) });
    const stage = openStage({ store, config: base, clock, seed, sprint: 0 });
    await welcome(stage, state.members);
    for (const { text, name, team } of backlogs) await loadBacklog(stage, text, name, team);
    const product = await productFacts(store);
    const record = await playSetUp(partsOf(options, stage, base, state), product);
    if (record) await saveSprint(store.db, record);
    if (options.stored) await saveInputs(store.db, options.stored);
    await saveState(store.db, state);
    return state;
  });
}

/** Reads what the sprint has left behind, and the one before, which an answer may have changed. */
async function remember(store: Store, past: SprintRecord[], n: number): Promise<void> {
  while ((past.at(-1)?.sprint ?? -1) >= n - 1) past.pop();
  for (const each of [n - 1, n]) {
    const record = await loadSprint(store.db, each);
    if (record) past.push(record);
  }
}

/** How far a run has come: its state, and the records of its sprints, so that none is read again for each sprint. */
interface SoFar {
  readonly before: RunState;
  readonly past: readonly SprintRecord[];
}

async function nextSprint(options: RunOptions, base: ProjectConfig, { before, past }: SoFar): Promise<RunState> {
  const { store, seed } = options;
  if ((await loadState(store.db))?.sprint !== before.sprint)
    throw new TeamwrightError("CONFLICT", "Another process plays this experiment at the same time.");
  const state = structuredClone(before);
  const answered = await answerOf(options, state);
  delete state.waitsFor;
  const n = state.sprint + 1;
  const came = fillVacancies(state, n);
  const config = staffed(base, state.members);
  const stage = openStage({ store, config, clock: { now: state.clock }, seed, sprint: n });
  await welcome(
    stage,
    came.map((one) => one.came),
  );
  await replenish(options, stage, state);
  const backfills = came.map(({ came: { id, home }, vacancy }) => ({
    team: home,
    agent: id,
    replaces: vacancy.like.id,
  }));
  const parts = partsOf(options, stage, config, state, backfills);
  const record = await playSprint({ ...parts, past: async () => past, ...(answered ? { answered } : {}) });
  await saveSprint(store.db, record);
  await saveState(store.db, state);
  return state;
}

/** The word that was waited for, written down with the sprint it is about. */
async function answerOf({ store, feedback }: RunOptions, { waitsFor }: RunState): Promise<Feedback | undefined> {
  if (!waitsFor) return undefined;
  const given = parseFeedback(waitsFor.file, await feedback?.(waitsFor.file));
  const about = await loadSprint(store.db, waitsFor.sprint);
  if (given && about) await saveSprint(store.db, { ...about, review: reviewBy(given) });
  return given;
}

function partsOf(
  options: RunOptions,
  stage: Stage,
  config: ProjectConfig,
  state: RunState,
  backfills: readonly Backfill[] = [],
): SprintOptions {
  return {
    stage,
    config,
    state,
    output: options.output ?? noOutput,
    feedback: options.feedback ?? (() => undefined),
    backfills,
    past: async () => [],
  };
}

/** Where the backlog is to be begun anew, its stories come again under other ids before the teams run out of them. */
async function replenish(options: RunOptions, stage: Stage, state: RunState): Promise<void> {
  if (!options.config.experiment.repeat_backlog) return;
  const { config } = stage;
  for (const backlog of options.backlogs) {
    const teams = backlog.team === undefined ? config.teams.filter((team) => team.backlog === undefined).length : 1;
    const wanted = teams * config.portfolio.stories_per_team;
    const owner = backlog.team ?? PORTFOLIO;
    let pending = await countPending(stage.runtime.store.db, owner);
    while (pending < wanted) {
      const round = (state.rounds[owner] ?? 1) + 1;
      state.rounds[owner] = round;
      await loadBacklog(stage, repeated(backlog.text, round), backlog.name, backlog.team);
      const now = await countPending(stage.runtime.store.db, owner);
      if (now <= pending) break;
      pending = now;
    }
  }
}

async function productFacts(store: Store): Promise<ProductFacts> {
  const product = await productOf(store.db);
  return { ...product, brownfield: product?.repository?.type === "brownfield" } as ProductFacts; // strings as the file has them
}
