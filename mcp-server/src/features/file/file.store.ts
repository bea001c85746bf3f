import type { Kysely } from "kysely";
import type { OwnershipMode } from "../../config/ownership.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { agentPrincipal, findAgent } from "../agent/agent.store.ts";
import { activeRun } from "../run/run.store.ts";
import { holdsFiles } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import { findTaskById } from "../task/task.store.ts";
import { type Lease, leaseInTheWay, leaseObstacle, type Owned, type Writer, watchMode } from "./file.rules.ts";
import { normalGlob, tidyGlob } from "./glob.rules.ts";

const LEASE_LOCK = "file-lease";

/** Every lease in force, oldest first. */
export async function activeLeases(db: Kysely<Database>): Promise<Lease[]> {
  const rows = await active.all(db, {});
  return rows.map((row) => ({
    taskId: Number(row.task_id),
    task: row.key,
    holder: row.holder,
    holderName: row.holder_name,
    glob: row.glob,
  }));
}

const active = prepared((db) =>
  db
    .selectFrom("file_lease")
    .innerJoin("task", "task.id", "file_lease.task_id")
    .select(["file_lease.task_id", "task.key", "file_lease.holder", "file_lease.holder_name", "file_lease.glob"])
    .where("file_lease.released_at", "is", null)
    .orderBy("file_lease.id"),
);

const ofTask = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("file_lease")
    .select(["id", "glob", "origin", "holder"])
    .where("task_id", "=", p.taskId)
    .where("released_at", "is", null)
    .orderBy("id"),
);

/** Globs as they are shown, by what they are compared by. */
function distinct(globs: readonly string[]): Map<string, string> {
  return new Map(globs.map((glob) => [normalGlob(glob), tidyGlob(glob)]));
}

/** How files are watched for the caller's session; undefined where nobody asked for it. */
async function watchModeOf(ctx: OperationContext): Promise<OwnershipMode | undefined> {
  const { session } = ctx.principal;
  const known = watchMode(ctx.config, false);
  if (known !== undefined || session === undefined) return known;
  return watchMode(ctx.config, (await activeRun(ctx.db, session)) !== undefined);
}

/**
 * What stands between a task and a claim by the caller: a lease of another on files of its scope. Nobody else takes a
 * lease until the transaction ends, so that the answer holds when the claim is made.
 */
export async function scopeInTheWay(ctx: OperationContext, task: Pick<Task, "scope">): Promise<Lease | undefined> {
  if (task.scope.length === 0 || (await watchModeOf(ctx)) !== "strict") return undefined;
  await ctx.dialect.lockName(ctx.db, LEASE_LOCK);
  const leases = await activeLeases(ctx.db);
  return firstInTheWay(leases, task.scope, ctx.principal.key);
}

function firstInTheWay(leases: readonly Lease[], globs: readonly string[], holder: string): Lease | undefined {
  for (const glob of globs) {
    const found = leaseInTheWay(leases, glob, holder);
    if (found) return found;
  }
  return undefined;
}

/**
 * Brings the leases of every task whose claim or scope changed in this transaction into line with it: a claimed task
 * has its scope for itself, one that is not has nothing. Part of each write's end, so that no way out of a claim is
 * forgotten. Throws CONFLICT or FORBIDDEN in a project that is strict about its files.
 */
export async function settleLeases(ctx: OperationContext): Promise<void> {
  const changed = [...ctx.effects.scopes].sort((a, b) => a - b);
  ctx.effects.scopes.clear();
  for (const id of changed) {
    const task = await findTaskById(ctx.db, id);
    if (!task) continue;
    const rows = await ofTask.all(ctx.db, { taskId: id });
    const isLive = holdsFiles(task);
    const scope = distinct(task.scope);
    const over = rows.filter(
      (row) => !isLive || row.holder !== task.holder || (row.origin === "scope" && !scope.has(normalGlob(row.glob))),
    );
    await endLeases(ctx, task, over);
    if (!isLive) continue;
    for (const row of rows) if (!over.includes(row)) scope.delete(normalGlob(row.glob));
    const wanted = [...scope.values()];
    if (wanted.length > 0) await leaseScope(ctx, task, wanted);
  }
}

/** Facts that came from elsewhere bind nobody; what a strict project refuses, another leaves without a lease. */
async function leaseScope(ctx: OperationContext, task: Task, globs: readonly string[]): Promise<void> {
  const isStrict = !ctx.effects.ignoreLimits && (await watchModeOf(ctx)) === "strict";
  await ctx.dialect.lockName(ctx.db, LEASE_LOCK);
  const leases = await activeLeases(ctx.db);
  const { isDirected, isNow } = await whoSetScope(ctx, task);
  const who = isDirected ? undefined : await writerOf(ctx, task);
  const granted: string[] = [];
  for (const glob of globs) {
    const other = leaseInTheWay(leases, glob, task.holder ?? "");
    if (other && isStrict) throw leasedToAnother(glob, other);
    const obstacle = who && leaseObstacle(ctx.config.ownership, glob, who);
    if (obstacle && isStrict && isNow) throw ownedByAnother(glob, obstacle);
    if (!other && !obstacle) granted.push(glob);
  }
  await insertLeases(ctx, task, granted, "scope");
}

/** Leases for a task its holder asked for; the caller has checked that it may. Returns what was not leased before. */
export async function takeLeases(ctx: OperationContext, task: Task, paths: readonly string[]): Promise<string[]> {
  await ctx.dialect.lockName(ctx.db, LEASE_LOCK);
  const leases = await activeLeases(ctx.db);
  const asked = distinct(paths);
  for (const lease of leases) if (lease.taskId === task.id) asked.delete(normalGlob(lease.glob));
  const globs = [...asked.values()];
  const isStrict = (await watchModeOf(ctx)) === "strict";
  const who = directsWork(ctx.principal) ? undefined : await writerOf(ctx, task);
  for (const glob of globs) {
    const other = leaseInTheWay(leases, glob, task.holder ?? "");
    if (other) throw leasedToAnother(glob, other);
    const obstacle = who && isStrict ? leaseObstacle(ctx.config.ownership, glob, who) : undefined;
    if (obstacle) throw ownedByAnother(glob, obstacle);
  }
  await insertLeases(ctx, task, globs, "asked");
  return globs;
}

/** Gives back some or all of what a task has leased; returns which. */
export async function giveBack(ctx: OperationContext, task: Task, paths?: readonly string[]): Promise<string[]> {
  const wanted = paths?.map(normalGlob);
  const rows = await ofTask.all(ctx.db, { taskId: task.id });
  const over = rows.filter((row) => wanted === undefined || wanted.includes(normalGlob(row.glob)));
  await endLeases(ctx, task, over);
  return over.map((row) => row.glob);
}

/** Leases that outlived their claim, and pairs of two holders that may mean one file; nothing when all is well. */
export async function leaseFaults(db: Kysely<Database>): Promise<string[]> {
  const faults: string[] = [];
  const leases = await activeLeases(db);
  for (const [index, lease] of leases.entries()) {
    const task = await findTaskById(db, lease.taskId);
    if (!task || !holdsFiles(task) || task.holder !== lease.holder)
      faults.push(`${lease.task} has ${plainLine(lease.glob, 200)} on lease without its claim`);
    const other = leaseInTheWay(leases.slice(0, index), lease.glob, lease.holder);
    if (other) faults.push(`${lease.task} and ${other.task} both lease ${plainLine(lease.glob, 200)}`);
  }
  return faults;
}

export async function leasedGlobs(db: Kysely<Database>, taskId: number): Promise<string[]> {
  return (await ofTask.all(db, { taskId })).map((row) => row.glob);
}

async function insertLeases(
  ctx: OperationContext,
  task: Task,
  globs: readonly string[],
  origin: "scope" | "asked",
): Promise<void> {
  if (globs.length === 0) return;
  const row = { task_id: task.id, origin, holder: task.holder ?? "", holder_name: task.holderName ?? "" };
  await ctx.db
    .insertInto("file_lease")
    .values(globs.map((glob) => ({ ...row, glob, since: ctx.now, released_at: null })))
    .execute();
  ctx.record({ type: "file.leased", subject: task.key, team: task.team, after: { paths: globs, holder: task.holder } });
}

async function endLeases(
  ctx: OperationContext,
  task: Task,
  rows: readonly { id: number; glob: string; holder: string }[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const ids = rows.map((row) => Number(row.id));
  await ctx.db.updateTable("file_lease").set({ released_at: ctx.now }).where("id", "in", ids).execute();
  const before = { paths: rows.map((row) => row.glob), holder: first.holder };
  ctx.record({ type: "file.released", subject: task.key, team: task.team, before });
}

/** The holder as ownership sees it: an agent's name, role and team come from its spawn, never from the call. */
async function writerOf(ctx: OperationContext, task: Task): Promise<Writer> {
  if (task.holder === ctx.principal.key) return ctx.principal;
  const agentId = task.holder?.startsWith("agent:") ? task.holder.slice("agent:".length) : undefined;
  const row = agentId === undefined ? undefined : await findAgent(ctx.db, agentId);
  return row ? agentPrincipal(row) : { name: task.holderName ?? "" };
}

/** Whether who directs work has set the task's scope: then it counts for more than the map. `isNow`: in this call. */
async function whoSetScope(ctx: OperationContext, task: Task): Promise<{ isDirected: boolean; isNow: boolean }> {
  const isNow = ctx.effects.events.some(
    ({ type, subject, after }) => subject === task.key && (type === "task.created" || after?.scope !== undefined),
  );
  if (isNow) return { isDirected: directsWork(ctx.principal), isNow };
  const event = await scopeSet.first(ctx.db, { key: task.key });
  return { isDirected: ["lead", "human", "service"].includes(event?.actor_kind ?? ""), isNow };
}

const scopeSet = prepared((db, p: { key: string }) =>
  db
    .selectFrom("event")
    .select("actor_kind")
    .where("subject", "=", p.key)
    .where((e) => e.or([e("type", "in", ["task.created", "task.imported"]), e("after", "like", '%"scope":%')]))
    .orderBy("seq", "desc")
    .limit(1),
);

function leasedToAnother(glob: string, lease: Lease): TeamwrightError {
  return new TeamwrightError(
    "CONFLICT",
    `${plainLine(glob, 200)} may touch ${plainLine(lease.glob, 200)}, which ${plainLine(lease.holderName, 60)} has leased for ${lease.task}.`,
    hint("task_show", `with id ${lease.task} shows how long; take other work, or order the two by task_link`),
  );
}

function ownedByAnother(glob: string, owned: Owned): TeamwrightError {
  return new TeamwrightError(
    "FORBIDDEN",
    `${plainLine(glob, 200)} reaches into ${owned.glob}, which belongs to ${owned.owner}.`,
    hint("file_lease", "with a narrower glob; or the lead sets the scope of your task"),
  );
}
