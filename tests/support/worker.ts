/**
 * One process of a race. It gets a job as its argument, says `ready`, waits for a line on stdin, works through our own
 * executor and prints one JSON line per result. Bundled by processes.ts, because 32 starts from source take too long.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { TeamwrightError } from "../../mcp-server/src/kernel/errors.ts";
import { execute } from "../../mcp-server/src/kernel/execute.ts";
import type { Principal } from "../../mcp-server/src/kernel/principal.ts";
import { openRuntime } from "../../mcp-server/src/runtime.ts";
import { migrateSqlite } from "../../mcp-server/src/store/migrate-sqlite.ts";
import { migrations } from "../../mcp-server/src/store/migrations/index.ts";
import type { Migration } from "../../mcp-server/src/store/migrations/migration.ts";
import { openPostgres } from "../../mcp-server/src/store/postgres.ts";

export type Job =
  /** Opens the store only after the signal: the race is the opening. */
  | { kind: "open"; start: string; name: string }
  | { kind: "create"; start: string; name: string; count: number }
  /** Claims these ids in this order. */
  | { kind: "claim"; start: string; name: string; ids: readonly string[] }
  /** Claims and closes whatever is next until nothing is ready; without closing, each claim is another agent's. */
  | { kind: "drain"; start: string; name: string; close: boolean }
  /** Writes without end and says what was acknowledged; meant to be killed. */
  | { kind: "load"; start: string; name: string }
  /** Claims one task, then waits for another signal and tries to close it with its old fencing number. */
  | { kind: "late"; start: string; name: string }
  /** Brings the file at `start` to a test's schema. */
  | { kind: "migrate"; start: string; name: string; steps: number }
  /** Brings the PostgreSQL database at `start`, a URL, to a test's schema, and stands still in the middle of it. */
  | { kind: "upgrade"; start: string; name: string; pauseSeconds: number };

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface Outcome {
  readonly done: readonly string[];
  readonly refusals: readonly Refusal[];
}

/** An acknowledged write of a `load` job, as printed: what must be there afterwards. */
export interface Acknowledged {
  readonly what: "created" | "claimed" | "commented" | "closed";
  readonly id: string;
  readonly text?: string;
  readonly fence?: number;
}

type Call = (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;

function say(value: unknown): void {
  writeSync(1, `${JSON.stringify(value)}\n`); // synchronous: what was said before a kill has left the process
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function signalled(): Promise<void> {
  await lines.next();
}

async function opened(job: Job): Promise<{ call: Call; close(): Promise<void> }> {
  const runtime = await openRuntime({ start: job.start, defaultIdentity: "advisory" });
  const isMany = job.kind === "drain" && !job.close;
  let calls = 0;
  const call: Call = (name, input) => {
    const operation = findOperation(name);
    if (!operation) throw new Error(`no operation ${name}`);
    calls += 1;
    const who = isMany ? `${job.name}-${calls}` : job.name;
    const principal: Principal = { kind: "agent", key: `agent:${who}`, name: who };
    return execute(runtime, operation, input, { principal });
  };
  return { call, close: () => runtime.close() };
}

function idOf(answer: Record<string, unknown>): string | undefined {
  return (answer.task as { id: string } | undefined)?.id;
}

function refusal(error: unknown): Refusal {
  if (error instanceof TeamwrightError) return { code: error.code, message: error.message };
  return { code: "CRASH", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

async function open(job: Job & { kind: "open" }): Promise<Outcome> {
  say("ready");
  await signalled();
  const { call, close } = await opened(job);
  const created = await call("task_create", { title: `Start of ${job.name}` });
  await close();
  return { done: [idOf(created) ?? ""], refusals: [] };
}

async function create(call: Call, job: Job & { kind: "create" }): Promise<Outcome> {
  const done: string[] = [];
  for (let n = 0; n < job.count; n += 1) {
    done.push(idOf(await call("task_create", { title: `Do part ${n} of ${job.name}` })) ?? "");
  }
  return { done, refusals: [] };
}

async function claim(call: Call, job: Job & { kind: "claim" }): Promise<Outcome> {
  const done: string[] = [];
  const refusals: Refusal[] = [];
  for (const id of job.ids) {
    await call("task_claim", { id }).then(
      () => done.push(id),
      (error: unknown) => refusals.push(refusal(error)),
    );
  }
  return { done, refusals };
}

async function drain(call: Call, job: Job & { kind: "drain" }): Promise<Outcome> {
  const done: string[] = [];
  const refusals: Refusal[] = [];
  for (;;) {
    try {
      const claimed = await call("task_claim", {});
      const id = idOf(claimed);
      if (id === undefined) return { done, refusals };
      if (job.close) await call("task_close", { id, fence: claimed.fence });
      done.push(id);
    } catch (error) {
      refusals.push(refusal(error));
      if (refusals.length > 50) return { done, refusals };
    }
  }
}

async function load(call: Call, job: Job): Promise<never> {
  const acknowledge = (entry: Acknowledged) => say(entry);
  for (let n = 0; ; n += 1) {
    const title = `Load ${n} of ${job.name}`;
    const id = idOf(await call("task_create", { title })) ?? "";
    acknowledge({ what: "created", id, text: title });
    const claimed = await call("task_claim", {});
    const mine = idOf(claimed);
    if (mine === undefined) continue;
    acknowledge({ what: "claimed", id: mine, fence: Number(claimed.fence) });
    const comment = `seen by ${job.name} in step ${n}`;
    await call("task_update", { id: mine, comment });
    acknowledge({ what: "commented", id: mine, text: comment });
    await call("task_close", { id: mine, fence: claimed.fence });
    acknowledge({ what: "closed", id: mine });
  }
}

async function late(call: Call): Promise<Outcome> {
  const claimed = await call("task_claim", {});
  const id = idOf(claimed) ?? "";
  say({ id, fence: claimed.fence });
  await signalled();
  const refusals: Refusal[] = [];
  for (const [operation, input] of [
    ["task_close", { id, fence: claimed.fence }],
    ["task_close", { id }],
    ["task_update", { id, title: "Overwritten by a ghost" }],
    ["board_move", { id, to: "review" }],
  ] as const) {
    await call(operation, input).catch((error: unknown) => refusals.push(refusal(error)));
  }
  return { done: [id], refusals };
}

/** The real first migration and one more of the test's. */
const secondSchema: Migration = {
  name: "0002-test",
  statements: () => ["create table test_only (id integer primary key)", "insert into test_only values (1)"],
};

async function migrate(job: Job & { kind: "migrate" }): Promise<Outcome> {
  say("ready");
  await signalled();
  const db = new Sqlite(job.start, { timeout: 5000 });
  migrateSqlite(db, job.start, [...migrations, secondSchema].slice(0, job.steps));
  const rows = db.prepare("select count(*) as n from test_only").get() as { n: number };
  db.close();
  return { done: [String(rows.n)], refusals: [] };
}

async function upgrade(job: Job & { kind: "upgrade" }): Promise<Outcome> {
  say("ready");
  await signalled();
  const pausing: Migration = {
    name: "0002-test",
    statements: () => [
      ...secondSchema.statements("postgres"),
      `select pg_sleep(${job.pauseSeconds})`,
      "alter table task add column test_only integer",
    ],
  };
  const store = await openPostgres(job.start, { migrations: [...migrations, pausing] });
  const { rows } = await sql<{ n: number }>`select count(*) as n from test_only`.execute(store.db);
  await store.close();
  return { done: [String(rows[0]?.n)], refusals: [] };
}

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] ?? "{}") as Job;
  if (job.kind === "open") return say(await open(job));
  if (job.kind === "migrate") return say(await migrate(job));
  if (job.kind === "upgrade") return say(await upgrade(job));
  const { call, close } = await opened(job);
  say("ready");
  await signalled();
  if (job.kind === "create") say(await create(call, job));
  if (job.kind === "claim") say(await claim(call, job));
  if (job.kind === "drain") say(await drain(call, job));
  if (job.kind === "load") await load(call, job);
  if (job.kind === "late") say(await late(call));
  await close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    say({ done: [], refusals: [refusal(error)] });
    process.exit(1);
  },
);
