import { type Kysely, sql } from "kysely";
import { limitsOf } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { asPlaced } from "../agent/agent.store.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import { handsFull, whyNotReady } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import { lockTaskById, rowToTask } from "./task.store.ts";
import { waitsFor } from "./wait.store.ts";

/** Gives the task to the caller, whose claims are locked: a new fencing number and a lease. */
export async function grantClaim(ctx: OperationContext, task: Task): Promise<Task> {
  await checkStillThere(ctx, task.team);
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

/**
 * Throws FORBIDDEN when the caller has been moved to another team while it waited for its own turn: whoever lends an
 * agent has its claims to itself meanwhile, so that this is seen behind that lock (requirements BO-03, BO-10).
 */
async function checkStillThere(ctx: OperationContext, team: string): Promise<void> {
  checkOwnTeam(await asPlaced(ctx.db, ctx.config, ctx.principal), team);
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

/** Hands the work in for review: it stays the caller's, and no lease runs. `by` names what did it, for the trail. */
export async function handIn(
  ctx: OperationContext,
  task: Task,
  by: Readonly<Record<string, unknown>> = {},
): Promise<Task> {
  const submitted = await saveTaskInGraph(ctx, task, { status: "in_review", leaseExpiresAt: null });
  ctx.record({
    type: "task.submitted",
    subject: task.key,
    team: task.team,
    before: { state: task.status },
    after: { state: "in_review", ...by },
  });
  return submitted;
}

/** Refuses when the caller's hands are full: OVER_LIMIT names what fills them. `team` gives the limit, else that of the work. */
export async function checkHandsFree(ctx: OperationContext, team?: string): Promise<void> {
  const holder = ctx.principal.key;
  const [first] = await work.all(ctx.db, { holder, most: 1, after: 0 });
  if (!first) return;
  const limit = limitsOf(ctx.config, team ?? first.team).per_agent ?? 1;
  const [last] = limit > 1 ? await work.all(ctx.db, { holder, most: 1, after: limit - 1 }) : [first];
  if (last) throw handsFull(await work.all(ctx.db, { holder, most: 5, after: 0 }), limit);
}

const work = prepared((db, p: { holder: string; most: number; after: number }) =>
  db
    .selectFrom("task")
    .select(["key", "team"])
    .where("holder", "=", p.holder)
    .where("status", "=", "in_progress")
    .orderBy("id")
    .limit(p.most)
    .offset(p.after),
);

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
  return (await shortLease.first(db, { holder, before: now + leaseMs / 2 })) !== undefined;
}

const shortLease = prepared((db, p: { holder: string; before: number }) =>
  db.selectFrom("task").select("id").where("holder", "=", p.holder).where("lease_expires_at", "<", p.before).limit(1),
);

/** Frees a claim as it was seen; false when it has ended since, so that whoever has the task now keeps it. */
export async function freeClaim(ctx: OperationContext, seen: Task, reason: string): Promise<boolean> {
  const task = await lockTaskById(ctx, seen.id);
  if (task.status !== "in_progress" || task.holder !== seen.holder || task.fence !== seen.fence) return false;
  await dropClaim(ctx, task, "claim.freed", reason);
  return true;
}

/** Frees everything these principals hold, as when an agent or its session has ended. */
export async function freeClaims(ctx: OperationContext, holders: readonly string[], reason: string): Promise<string[]> {
  const freed: string[] = [];
  for (const holder of holders) {
    for (const task of await heldBy(ctx.db, holder)) {
      if (await freeClaim(ctx, task, reason)) freed.push(task.key);
    }
  }
  return freed;
}

/** The condition of the partial index `task_unwatched`, in its words, so that SQLite uses it. */
export const unwatched = sql<boolean>`blocked_since is not null and (watched_since is null or watched_since <> blocked_since)`;

/** What a sweep has to do; one statement that the minimum lookups of three indexes answer. */
export async function whatIsDue(
  db: Kysely<Database>,
  now: number,
  blockedBefore: number,
): Promise<{ tasks: boolean; blocks: boolean }> {
  const row = await firstDue.first(db, {});
  const isOver = (at: number | null | undefined, limit: number) => at != null && Number(at) <= limit;
  return {
    tasks: isOver(row?.lease, now) || isOver(row?.wake, now),
    blocks: isOver(row?.blocked, blockedBefore),
  };
}

const firstDue = prepared((db) =>
  db.selectNoFrom((e) => [
    e
      .selectFrom("task")
      .select((task) => task.fn.min("lease_expires_at").as("at"))
      .where("lease_expires_at", "is not", null)
      .as("lease"),
    e
      .selectFrom("task")
      .select((task) => task.fn.min("defer_until").as("at"))
      .where("defer_until", "is not", null)
      .as("wake"),
    e
      .selectFrom("task")
      .select((task) => task.fn.min("blocked_since").as("at"))
      .where(unwatched)
      .as("blocked"),
  ]),
);

const SWEEP_BATCH = 200;

/** Expired claims come free and due deferrals wake up, once each (beads-compat §1.5, §1.6). */
export async function sweepTasks(ctx: OperationContext): Promise<void> {
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
    // what another tool calls by a word of its own is never ready by itself
    const status = task.status === "deferred" && task.foreignStatus === null ? "open" : task.status;
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
