import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import { whyNotReady } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import { lockTaskById, rowToTask } from "./task.store.ts";
import { waitsFor } from "./wait.store.ts";

export interface ReadyFilter {
  readonly team?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly anyLabels?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  /** Tasks meant for another name are left out. */
  readonly forName?: string | undefined;
}

/** The query behind ready lists and claims; `ready_prio is not null` is what lets the partial index be used. */
export function readyTasks(db: Kysely<Database>, filter: ReadyFilter) {
  return withFilter(db.selectFrom("task").where("ready_prio", "is not", null), filter);
}

/** The query narrowed by every part of the filter; none is ever left out. */
export function withFilter<O>(tasks: SelectQueryBuilder<Database, "task", O>, filter: ReadyFilter) {
  let query = tasks;
  if (filter.team !== undefined) query = query.where("team", "=", filter.team);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.forName !== undefined) {
    const name = filter.forName;
    query = query.where((e) => e.or([e("assignee", "is", null), e("assignee", "=", name)]));
  }
  for (const label of filter.labels ?? []) {
    query = query.where((e) =>
      e.exists(
        e.selectFrom("task_label").select("label").whereRef("task_id", "=", "task.id").where("label", "=", label),
      ),
    );
  }
  const any = filter.anyLabels ?? [];
  if (any.length > 0) {
    query = query.where((e) =>
      e.exists(
        e
          .selectFrom("task_label")
          .select("label")
          .whereRef("task_id", "=", "task.id")
          .where("label", "in", [...any]),
      ),
    );
  }
  return query;
}

/** The first ready task, locked; rows that rivals hold locked are walked past. */
export async function pickReady(ctx: OperationContext, filter: ReadyFilter): Promise<Task | undefined> {
  let query = readyTasks(ctx.db, filter)
    .selectAll("task")
    .orderBy("ready_prio")
    .orderBy("created_at")
    .orderBy("id")
    .limit(1);
  if (ctx.dialect.skipLocked) query = query.forUpdate().skipLocked();
  const row = await query.executeTakeFirst();
  return row ? rowToTask(row) : undefined;
}

/** Gives the task to the caller: a new fencing number and a lease. */
export async function grantClaim(ctx: OperationContext, task: Task): Promise<Task> {
  const claimed = await saveTaskInGraph(ctx, task, {
    status: "in_progress",
    foreignStatus: null,
    holder: ctx.principal.key,
    holderName: ctx.principal.name,
    assignee: ctx.principal.name,
    // a person gives no signs of life through hooks: what they took stays theirs until they give it back
    leaseExpiresAt: ctx.principal.kind === "human" ? null : ctx.now + ctx.leaseMs,
    fence: task.fence + 1,
    startedAt: task.startedAt ?? ctx.now,
  });
  ctx.record({
    type: "task.claimed",
    subject: task.key,
    team: task.team,
    before: { state: task.status },
    after: { state: "in_progress", holder: ctx.principal.key, name: ctx.principal.name, fence: claimed.fence },
  });
  return claimed;
}

/** Takes the task from its holder and puts it back; `type` says why in the trail. */
export async function dropClaim(ctx: OperationContext, task: Task, type: string, reason?: string): Promise<Task> {
  const freed = await saveTaskInGraph(ctx, task, {
    status: task.status === "in_progress" ? "open" : task.status,
    holder: null,
    holderName: null,
    assignee: null,
    leaseExpiresAt: null,
  });
  ctx.record({
    type,
    subject: task.key,
    team: task.team,
    before: { holder: task.holder, name: task.holderName, fence: task.fence },
    after: { state: freed.status, ...(reason ? { reason } : {}) },
  });
  return freed;
}

/** What counts against the limit of an agent, without the fifty columns of each row. */
export async function workHeldBy(db: Kysely<Database>, holder: string): Promise<{ key: string; team: string }[]> {
  return db
    .selectFrom("task")
    .select(["key", "team"])
    .where("holder", "=", holder)
    .where("status", "=", "in_progress")
    .orderBy("id")
    .execute();
}

export async function heldBy(db: Kysely<Database>, holder: string): Promise<Task[]> {
  const rows = await db.selectFrom("task").selectAll().where("holder", "=", holder).orderBy("id").execute();
  return rows.map(rowToTask);
}

/** Prolongs the caller's leases that are past half; returns how many. One cheap statement when there are none. */
export async function renewLeases(ctx: OperationContext, holder: string): Promise<number> {
  const result = await ctx.db
    .updateTable("task")
    .set({ lease_expires_at: ctx.now + ctx.leaseMs })
    .where("holder", "=", holder)
    .where("lease_expires_at", "is not", null)
    .where("lease_expires_at", ">", ctx.now)
    .where("lease_expires_at", "<", ctx.now + ctx.leaseMs / 2)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** True when the holder has a lease that `renewLeases` would prolong. */
export async function needsRenewal(
  db: Kysely<Database>,
  holder: string,
  now: number,
  leaseMs: number,
): Promise<boolean> {
  const row = await db
    .selectFrom("task")
    .select("id")
    .where("holder", "=", holder)
    .where("lease_expires_at", "<", now + leaseMs / 2)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Frees everything these principals hold, as when an agent or its session has ended. */
export async function freeClaims(ctx: OperationContext, holders: readonly string[], reason: string): Promise<string[]> {
  const freed: string[] = [];
  for (const holder of holders) {
    for (const task of await heldBy(ctx.db, holder)) {
      if (task.status !== "in_progress") continue;
      await dropClaim(ctx, await lockTaskById(ctx, task.id), "claim.freed", reason);
      freed.push(task.key);
    }
  }
  return freed;
}

/** One statement that the two minimum lookups of an index answer. */
export async function isSweepDue(db: Kysely<Database>, now: number): Promise<boolean> {
  const result = await sql<{ lease: number | null; wake: number | null }>`
    select (select min(lease_expires_at) from task where lease_expires_at is not null) as lease,
           (select min(defer_until) from task where defer_until is not null) as wake`.execute(db);
  const row = result.rows[0];
  return (row?.lease != null && Number(row.lease) <= now) || (row?.wake != null && Number(row.wake) <= now);
}

const SWEEP_BATCH = 200;

/** Expired claims come free and due deferrals wake up, once each (beads-compat §1.5, §1.6). */
export async function sweepTasks(ctx: OperationContext): Promise<void> {
  if (!(await isSweepDue(ctx.db, ctx.now))) return;
  await ctx.dialect.lockName(ctx.db, "sweep");
  const expired = await ctx.db
    .selectFrom("task")
    .select("id")
    .where("lease_expires_at", "is not", null)
    .where("lease_expires_at", "<=", ctx.now)
    .orderBy("id")
    .limit(SWEEP_BATCH)
    .execute();
  for (const row of expired) {
    const task = await lockTaskById(ctx, Number(row.id));
    if (task.leaseExpiresAt !== null && task.leaseExpiresAt <= ctx.now) await dropClaim(ctx, task, "claim.expired");
  }
  const due = await ctx.db
    .selectFrom("task")
    .select("id")
    .where("defer_until", "is not", null)
    .where("defer_until", "<=", ctx.now)
    .orderBy("id")
    .limit(SWEEP_BATCH)
    .execute();
  for (const row of due) {
    const task = await lockTaskById(ctx, Number(row.id));
    if (task.deferUntil === null || task.deferUntil > ctx.now) continue;
    const status = task.status === "deferred" ? "open" : task.status;
    await saveTaskInGraph(ctx, task, { status, deferUntil: null });
    ctx.record({
      type: "task.woke",
      subject: task.key,
      team: task.team,
      before: { state: task.status },
      after: { state: status },
    });
  }
}

/** Four different refusals: held (names the holder), closed, in another state, not ready (says why). */
export async function checkClaimable(ctx: OperationContext, task: Task): Promise<void> {
  const other = hint("task_ready", "lists what can be claimed");
  if (task.holder !== null)
    throw new TeamwrightError(
      "CONFLICT",
      `${task.key} is held by ${plainLine(task.holderName ?? "another", 60)}.`,
      other,
    );
  if (task.readyPrio !== null) {
    if (task.assignee !== null && task.assignee !== ctx.principal.name && ctx.principal.kind === "agent") {
      throw new TeamwrightError("FORBIDDEN", `${task.key} is meant for ${plainLine(task.assignee, 60)}.`, other);
    }
    return;
  }
  if (task.status !== "open")
    throw new TeamwrightError("RULE_VIOLATED", `${task.key} is ${task.status} and cannot be claimed.`, other);
  const reasons = whyNotReady(task, await waitsFor(ctx, task.id));
  throw new TeamwrightError("BLOCKED", `${task.key} is not ready: ${plainLine(reasons.join("; "), 300)}.`, other);
}
