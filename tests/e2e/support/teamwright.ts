/** The plugin under test as its users see it: the packed folder, its tools, its command line, its store. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import type { Actor } from "./actor.ts";
import { cleanEnvironment } from "./sandbox.ts";

/** What `npm run pack:plugin` makes; another folder by TEAMWRIGHT_PLUGIN, the checkout itself included. */
export const pluginDir =
  process.env.TEAMWRIGHT_PLUGIN ?? fileURLToPath(new URL("../../../out/plugin/teamwright", import.meta.url));
if (!existsSync(join(pluginDir, "bin/teamwright"))) {
  throw new Error(`There is no plugin in ${pluginDir}: run "npm run pack:plugin".`);
}

export const tool = (name: string) => `mcp__plugin_teamwright_teamwright__${name}`;

export interface EventRow {
  readonly seq: number;
  readonly actor: string;
  readonly actor_name: string;
  readonly actor_kind: string;
  readonly session: string | null;
  readonly operation: string;
  readonly type: string;
  readonly subject: string | null;
  readonly team: string | null;
  readonly before: string | null;
  readonly after: string | null;
}
export interface TaskRow {
  readonly key: string;
  readonly title: string;
  readonly team: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly holder: string | null;
  readonly fence: number;
}
export interface AgentRow {
  readonly agent_id: string;
  readonly session: string;
  readonly name: string | null;
  readonly role: string | null;
  readonly generation: number;
  readonly team: string | null;
  readonly task_key: string | null;
  readonly worktree: string | null;
  readonly ended_at: number | null;
  readonly end_reason: string | null;
}
export interface Stored {
  readonly tasks: readonly TaskRow[];
  readonly agents: readonly AgentRow[];
  readonly events: readonly EventRow[];
  task(title: string): TaskRow;
  agent(name: string): AgentRow;
  eventsOf(subject: string): readonly EventRow[];
}

export const storeFile = (project: string) => join(project, ".teamwright/state.db");

/** The whole store as rows, read beside a running session without disturbing it. */
export function readStore(project: string): Stored {
  const db = new Database(storeFile(project), { readonly: true, fileMustExist: true });
  try {
    // The columns are those of the tables in mcp-server/src/features/*/*.table.ts.
    const all = <T>(table: string, order: string) =>
      db.prepare(`select * from ${table} order by ${order}`).all() as T[];
    const tasks = all<TaskRow>("task", "id");
    const agents = all<AgentRow>("agent", "id");
    const events = all<EventRow>("event", "seq");
    return {
      tasks,
      agents,
      events,
      task: (title) => found(tasks, (row) => row.title === title, title),
      agent: (name) => found(agents, (row) => row.name === name, name),
      eventsOf: (subject) => events.filter((row) => row.subject === subject),
    };
  } finally {
    db.close();
  }
}

function found<T>(rows: readonly T[], matches: (row: T) => boolean, what: string): T {
  const row = rows.find(matches);
  if (!row) throw new Error(`${what} is not in the store.`);
  return row;
}

/** Waits until the store shows it; how one actor of a script waits for the deed of another. */
export async function until(condition: () => boolean, what: string, timeoutMs = 100_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!holds(condition)) {
    if (Date.now() > deadline) throw new Error(`It never came about that ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** A store that is not there yet, or whose row is missing, means: not yet. */
function holds(condition: () => boolean): boolean {
  try {
    return condition();
  } catch {
    return false;
  }
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `teamwright …` typed by a person in the project, outside any session. */
export function teamwright(
  at: { readonly project: string; readonly home: string },
  ...args: string[]
): Promise<CliResult> {
  const env = { ...cleanEnvironment(at.home, "http://127.0.0.1:9"), NO_COLOR: "1" };
  return new Promise((resolve) => {
    execFile(
      "node",
      [join(pluginDir, "bin/teamwright"), ...args],
      { cwd: at.project, env },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** The result an actor was shown for its n-th call of a tool. */
export function resultOf(actor: Actor, name: string, nth = 0) {
  return actor.calls.filter((call) => call.tool === tool(name))[nth]?.result;
}

/**
 * Waits until the client says in its log that the plugin's server is connected. A prompt typed earlier runs without our tools,
 * and on the oldest client so do the teammates spawned in that turn.
 */
export function connected(home: string, plugin = "teamwright"): Promise<void> {
  const logs = join(home, ".cache/claude-cli-nodejs");
  return until(() => {
    if (!existsSync(logs)) return false;
    const files = readdirSync(logs, { recursive: true, encoding: "utf8" });
    const ours = files.filter((file) => file.includes(`plugin-${plugin}-${plugin}/`));
    return ours.some((file) => readFileSync(join(logs, file), "utf8").includes("Successfully connected"));
  }, "the client connected the server");
}

/** What a person's command line prints with --json. */
export async function teamwrightJson(at: { readonly project: string; readonly home: string }, ...args: string[]) {
  const ran = await teamwright(at, ...args, "--json");
  if (ran.code !== 0)
    throw new Error(`teamwright ${args.join(" ")} ended with ${ran.code}: ${ran.stderr || ran.stdout}`);
  // The command line prints what the operation answered.
  return JSON.parse(ran.stdout) as Readonly<Record<string, unknown>>;
}

const tracedTools = ["task_claim", "task_update", "task_close"];

/** What an actor did to tasks by its own account: its calls that were not refused. */
export function deedsOf(actor: Actor): readonly string[] {
  return actor.calls.flatMap((call) => {
    const name = tracedTools.find((one) => call.tool === tool(one));
    if (!name || !call.result || call.result.isError) return [];
    const id = /"id":"([^"]+)"/.exec(call.result.text)?.[1];
    return id === undefined ? [] : [`${name} ${id}`];
  });
}

/** What the trail says an agent did to tasks. */
export function trailOf(store: Stored, key: string): readonly string[] {
  const deeds = ["task.claimed", "task.updated", "task.blocked", "task.unblocked", "task.closed"];
  return store.events
    .filter((event) => event.actor === key && deeds.includes(event.type))
    .map((event) => `${event.operation} ${event.subject}`);
}

/** The agent's id as the client itself told the lead in the Agent call's result. */
export function spawnedId(result: { readonly text: string }): string {
  const id = /agentId: ([\w-]+)/.exec(result.text)?.[1] ?? /agent_id: ([\w-]+)/.exec(result.text)?.[1];
  if (id === undefined) throw new Error(`No agent id in: ${result.text}`);
  return id;
}
