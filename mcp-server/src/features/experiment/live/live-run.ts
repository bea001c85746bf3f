import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadConfig } from "../../../config/config.load.ts";
import { stateFolder } from "../../../config/project-root.ts";
import { ownMark } from "../../../kernel/child-environment.ts";
import { TeamwrightError } from "../../../kernel/errors.ts";
import type { Principal } from "../../../kernel/principal.ts";
import { openStore } from "../../../store/open.ts";
import { overheadReport } from "../../overhead/overhead.store.ts";
import { endSession } from "../../run/session-end.store.ts";
import { loadSprints, loadState, saveInputs, saveSprint, saveState } from "../experiment.store.ts";
import { answer } from "../folder-run.ts";
import { type Asked, findInputs, type Inputs, readInputs } from "../inputs.ts";
import { folderOutput, type Output, sprintFolder } from "../output.ts";
import { membersOf } from "../people.rules.ts";
import { writeReports } from "../reports.ts";
import type { RunOutcome } from "../runner.ts";
import type { RunState } from "../state.rules.ts";
import { type Desk, openDesk, withoutSimulation } from "./desk.ts";
import { endAll, leftOver, markOf } from "./leftovers.ts";
import { playLiveSprint } from "./live-sprint.ts";
import { loadStories } from "./load.ts";
import { projectOf } from "./place.ts";
import { pluginFolder, prepareProject } from "./project.ts";
import { howItEnded, SESSION_MARK, type SessionEnd, type SessionPurpose, sessionArguments } from "./session.rules.ts";
import { checkClient, runSession } from "./session.ts";

/** A run whose teams are real sessions of the client. */
export interface LiveRun {
  readonly desk: Desk;
  readonly output: Output;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  tell(line: string): void;
  /** How things stand, in the place of what was shown before. */
  show(text: string): void;
  /** Runs one session to its end and frees what it held; never throws for what becomes of the session. */
  session(request: SessionRequest): Promise<SessionEnd>;
}

export interface SessionRequest {
  readonly purpose: SessionPurpose;
  /** As the console names it. */
  readonly what: string;
  /** Name of the log, without its ending. */
  readonly file: string;
  readonly sprint: number;
  /** The team whose folder the log is in; the run's own otherwise. */
  readonly team?: string;
  readonly prompt: string;
  readonly timeoutMs: number;
}

export interface LiveAsked extends Omit<Asked, "known"> {
  readonly project?: string | undefined;
}

export interface LiveCaller {
  readonly principal: Principal;
  progress(done: number, total: number, what: string): void;
  tell(line: string): void;
}

/**
 * Runs, or goes on with, an experiment of real sessions. Stopped in the middle, its sessions are ended and the sprint is
 * gone on with the next time.
 */
export async function runLive({ project: source, ...asked }: LiveAsked, caller: LiveCaller) {
  const { folder, here } = asked;
  const project = projectOf(folder);
  checkFree(project);
  const inputs = readInputs({ ...asked, known: await findInputs(project) });
  const binary = programOf(here, inputs.config.experiment.claude.binary);
  const client = await checkClient(binary, here);
  const pluginDir = pluginFolder();
  mkdirSync(folder, { recursive: true });
  await prepareProject({
    folder: project,
    source: source === undefined ? undefined : resolve(here, source),
    config: inputs.stored.config,
    sprints: inputs.sprints,
  });
  const { config, left } = withoutSimulation(loadConfig(project));
  const store = await openStore({ path: join(stateFolder(project), "state.db"), synchronous: "normal" });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of STOPPING) process.on(name, onSignal);
  try {
    const desk = openDesk(store, config, caller.principal);
    const { signal } = stop;
    let done = inputs.done;
    const show = (text: string) => caller.progress(done, inputs.sprints, text);
    const live = openLive({ desk, folder, project, binary, pluginDir, signal, tell: caller.tell, show });
    live.tell(`Claude Code ${client}; the sessions work in ${project}`);
    if (left.length > 0) live.tell(`Only simulated teams have, so left out here: ${left.join(", ")}`);
    const outcome = await play(live, inputs, client, (n) => {
      done = n;
      show("sprints");
    });
    return answer(folder, inputs, outcome);
  } finally {
    for (const name of STOPPING) process.removeListener(name, onSignal);
    await store.close();
  }
}

interface LiveOptions extends Pick<LiveRun, "desk" | "signal" | "tell" | "show"> {
  readonly folder: string;
  readonly project: string;
  readonly binary: string;
  readonly pluginDir: string;
}

function openLive({ desk, signal, tell, show, folder, project, binary, pluginDir }: LiveOptions): LiveRun {
  const { claude } = desk.config.experiment;
  return {
    desk,
    signal,
    tell,
    show,
    output: folderOutput(folder),
    async session(request) {
      const id = randomUUID();
      const ended = await runSession({
        binary,
        args: sessionArguments(claude, { id, pluginDir, purpose: request.purpose }),
        folder: project,
        prompt: request.prompt,
        mark: markOf(project, id),
        timeoutMs: request.timeoutMs,
        log: logOf(folder, request),
        signal,
      });
      await desk.inside((ctx) => endSession(ctx, id, `its session has ${ended.state.replace("_", " ")}`));
      tell(`${request.what}: ${howItEnded(ended)}`);
      return ended;
    },
  };
}

const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function checkFree(project: string): void {
  if (ownMark(SESSION_MARK) !== undefined)
    throw new TeamwrightError("FORBIDDEN", "A session of an experiment starts no experiment of its own.");
  const { runner, pids } = leftOver(project);
  if (runner !== undefined)
    throw new TeamwrightError("CONFLICT", `Process ${runner} plays this experiment at the same time.`);
  endAll(pids);
}

/** A name is looked for on the PATH; anything with a slash begins where the caller stands. */
function programOf(here: string, binary: string): string {
  return /[\\/]/.test(binary) ? resolve(here, binary) : binary;
}

function logOf(folder: string, { team, sprint, file }: SessionRequest): string {
  return join(folder, team ?? "sessions", sprintFolder(sprint), `${file}.jsonl`);
}

async function play(live: LiveRun, inputs: Inputs, client: string, ended: (n: number) => void): Promise<RunOutcome> {
  const { db } = live.desk.runtime.store;
  let state = (await loadState(db)) ?? (await setUp(live, inputs));
  await report(live, state, client);
  while (state.sprint < inputs.sprints && !live.signal.aborted) {
    const n = state.sprint + 1;
    const record = await playLiveSprint(live, inputs, n);
    if (!record) break;
    const after = { ...state, sprint: n, clock: Date.now() };
    const before = state;
    await live.desk.inside(async (ctx) => {
      if ((await loadState(ctx.db))?.sprint !== before.sprint)
        throw new TeamwrightError("CONFLICT", "Another process plays this experiment at the same time.");
      await saveSprint(ctx.db, record);
      await saveState(ctx.db, after);
    });
    state = after;
    await report(live, state, client);
    ended(n);
  }
  return outcomeOf(live, state, client, state.sprint < inputs.sprints);
}

/** What the run is made of. The stories are given out with its first sprint. */
async function setUp(live: LiveRun, inputs: Inputs): Promise<RunState> {
  const { desk } = live;
  await loadStories(desk, inputs.backlogs);
  const state: RunState = {
    version: 1,
    seed: inputs.seed,
    variant: inputs.variant,
    sprint: 0,
    clock: Date.now(),
    members: membersOf(desk.config),
    cards: {},
    pairs: {},
    learned: {},
    swaps: [],
    vacancies: [],
    left: [],
    rounds: {},
  };
  await desk.inside(async (ctx) => {
    await saveInputs(ctx.db, inputs.stored);
    await saveState(ctx.db, state);
  });
  return state;
}

async function outcomeOf(
  { desk }: LiveRun,
  state: RunState,
  client: string,
  isCancelled: boolean,
): Promise<RunOutcome> {
  const { db } = desk.runtime.store;
  return {
    state,
    config: desk.config,
    sprints: await loadSprints(db, state.sprint),
    overhead: await overheadReport(db, desk.config, Date.now()),
    isCancelled,
    live: { agents: "claude", client },
  };
}

/** After each sprint, so that a long run can be looked at, and compared, while it goes on. */
async function report(live: LiveRun, state: RunState, client: string): Promise<void> {
  await writeReports(live.desk.runtime.store.db, await outcomeOf(live, state, client, false), live.output);
}
