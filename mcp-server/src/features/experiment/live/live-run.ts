import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadConfig } from "../../../config/config.load.ts";
import { CONFIG_FILE, stateFolder } from "../../../config/project-root.ts";
import { experimentSession } from "../../../kernel/child-environment.ts";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import type { Principal } from "../../../kernel/principal.ts";
import { holdFile } from "../../../store/hold.ts";
import { openStore } from "../../../store/open.ts";
import { overheadReport } from "../../overhead/overhead.store.ts";
import { endSession } from "../../run/session-end.store.ts";
import { loadSprints, loadState, saveInputs, saveSprint, saveState } from "../experiment.store.ts";
import { answer } from "../folder-run.ts";
import { type Asked, findInputs, type Inputs, readInputs } from "../inputs.ts";
import { folderOutput, makeFolder, type Output, sprintFolder } from "../output.ts";
import { membersOf } from "../people.rules.ts";
import { writeReports } from "../reports.ts";
import type { RunOutcome } from "../runner.ts";
import { newRunState, type RunState } from "../state.rules.ts";
import { type Desk, openDesk, withoutSimulation } from "./desk.ts";
import { endLeftOver, markOf } from "./leftovers.ts";
import { addSessionEnd, noteSession, openSessions } from "./live.store.ts";
import { playLiveSprint } from "./live-sprint.ts";
import { loadStories } from "./load.ts";
import { projectOf } from "./place.ts";
import { pluginFolder } from "./plugin.ts";
import { prepareProject, projectConfig, withoutSecrets } from "./project.ts";
import { howItEnded, type SessionEnd, type SessionPurpose, sessionArguments } from "./session.rules.ts";
import { checkClient, runSession } from "./session.ts";
import { restoreSettings } from "./settings.ts";

/** A run whose teams are real sessions of the client. */
export interface LiveRun {
  readonly desk: Desk;
  readonly output: Output;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  tell(line: string): void;
  /** How things stand, in the place of what was shown before. */
  show(text: string): void;
  /** Between sessions: brings the project's settings back to the run's. */
  settle(): Promise<void>;
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
 * gone on with the next time. Throws CONFLICT while another process runs the one in this folder.
 */
export async function runLive({ project: source, ...asked }: LiveAsked, caller: LiveCaller) {
  checkNoSession();
  const { folder, here } = asked;
  const readAll = async () =>
    readInputs({ ...asked, known: await findInputs(projectOf(folder)), kept: withoutSecrets });
  const { config } = await readAll();
  checkNames(config);
  const binary = programOf(here, config.experiment.claude.binary);
  const client = await checkClient(binary, here);
  const pluginDir = pluginFolder();
  makeFolder(folder);
  const place = realpathSync(folder); // its sessions are known by it, whichever way it is named
  const letGo = await holdFile(join(place, ".teamwright", "runner.lock"));
  if (!letGo) throw new TeamwrightError("CONFLICT", "Another process plays this experiment at the same time.");
  try {
    const project = projectOf(place);
    endLeftOver(project);
    const inputs = await readAll(); // who had the folder until now may have gone further
    const settings = projectConfig(inputs.stored.config, inputs.sprints);
    await prepareProject({
      folder: project,
      source: source === undefined ? undefined : resolve(here, source),
      settings,
    });
    return await runIn({ inputs, folder: place, project, settings, binary, pluginDir, client }, caller, folder);
  } finally {
    letGo();
  }
}

interface Prepared {
  readonly inputs: Inputs;
  readonly folder: string;
  readonly project: string;
  readonly settings: string;
  readonly binary: string;
  readonly pluginDir: string;
  readonly client: string;
}

async function runIn(prepared: Prepared, caller: LiveCaller, named: string) {
  const { inputs, project, client } = prepared;
  const { config, left } = withoutSimulation(loadConfig(project));
  const store = await openStore({ path: join(stateFolder(project), "state.db"), synchronous: "normal" });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of STOPPING) process.on(name, onSignal);
  try {
    const desk = openDesk(store, config, caller.principal);
    let done = inputs.done;
    const show = (text: string) => caller.progress(done, inputs.sprints, text);
    const live = openLive({ ...prepared, desk, signal: stop.signal, tell: caller.tell, show });
    live.tell(`Claude Code ${client}; the sessions work in ${project}`);
    if (left.length > 0) live.tell(`Only simulated teams have, so left out here: ${left.join(", ")}`);
    await freeLeftOver(desk);
    const outcome = await play(live, inputs, client, (n) => {
      done = n;
      show("sprints");
    });
    return answer(named, inputs, outcome);
  } finally {
    for (const name of STOPPING) process.removeListener(name, onSignal);
    await store.close();
  }
}

/** What the sessions of a run that was killed held when they were, or have gone down with it. */
async function freeLeftOver({ inside }: Desk): Promise<void> {
  await inside(async (ctx) => {
    for (const id of await openSessions(ctx.db)) {
      await endSession(ctx, id, "its session has ended with the run");
      await noteSession(ctx.db, id, false);
    }
  });
}

interface LiveOptions extends Pick<LiveRun, "desk" | "signal" | "tell" | "show">, Prepared {}

function openLive({ desk, signal, tell, show, folder, project, settings, binary, pluginDir }: LiveOptions): LiveRun {
  const { claude } = desk.config.experiment;
  return {
    desk,
    signal,
    tell,
    show,
    output: folderOutput(folder),
    async settle() {
      if (await restoreSettings(project, settings)) tell(`${CONFIG_FILE} was changed by a session and is put back`);
    },
    async session(request) {
      const id = randomUUID();
      await desk.inside((ctx) => noteSession(ctx.db, id, true));
      const ended = await runSession({
        binary,
        args: sessionArguments(claude, { id, pluginDir, purpose: request.purpose }),
        folder: project,
        prompt: request.prompt,
        mark: markOf(project, id),
        team: request.team,
        timeoutMs: request.timeoutMs,
        log: logOf(folder, request),
        signal,
      });
      await desk.inside(async (ctx) => {
        await endSession(ctx, id, `its session has ${ended.state.replace("_", " ")}`);
        await noteSession(ctx.db, id, false);
        if (request.team !== undefined) await addSessionEnd(ctx.db, request.sprint, [request.team, ended]);
      });
      tell(`${request.what}: ${howItEnded(ended)}`);
      return ended;
    },
  };
}

const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function checkNoSession(): void {
  if (experimentSession() !== undefined)
    throw new TeamwrightError("FORBIDDEN", "A session of an experiment starts no experiment of its own.");
}

/** Folders beside those of the teams. */
const TAKEN: readonly string[] = ["project", "sessions"];

function checkNames({ teams }: Inputs["config"]): void {
  const team = teams.find(({ id }) => TAKEN.includes(id));
  if (team === undefined) return;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `A team cannot be called ${team.id} here: the folder of that name is the run's own.`,
    hint("experiment_run", "with agents mock, or with another id for the team"),
  );
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
    await live.settle();
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
  const { seed, variant } = inputs;
  const state = newRunState({ seed, variant, clock: Date.now(), members: membersOf(desk.config) });
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
