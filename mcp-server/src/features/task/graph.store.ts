import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { closesCycle } from "./circle.store.ts";
import { changesFiles, holdsChildren, isEdgeBlocking, isSettled } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import { findTaskById, lockTaskById, saveTask, type TaskPatch } from "./task.store.ts";
import type { LinkTable } from "./task.table.ts";

export type LinkRow = Selectable<LinkTable>;

/**
 * Saves a task and everything that follows from it in the graph: the edges that wait for it, the cross-team
 * dependencies on it, its parents' child counters and, at any depth, the tasks below it. All in one transaction.
 */
export async function saveTaskInGraph(ctx: OperationContext, before: Task, patch: TaskPatch): Promise<Task> {
  const after = await saveTask(ctx, before, patch);
  if (changesFiles(before, after)) ctx.effects.scopes.add(after.id);
  await follow(ctx, before, after);
  return after;
}

/** What a change of `before` to `after` means for the neighbours. */
export async function follow(ctx: OperationContext, before: Task, after: Task): Promise<void> {
  const settledChanged = isSettled(before) !== isSettled(after) || before.outcome !== after.outcome;
  const childrenChanged = before.openChildren !== after.openChildren || before.closedChildren !== after.closedChildren;
  if (settledChanged || childrenChanged) await recheckEdgesInto(ctx, after);
  if (settledChanged) await settleDependencies(ctx, before, after);
  if ((before.status === "closed") !== (after.status === "closed")) {
    const closed = after.status === "closed";
    for (const parent of await edgesFrom(ctx.db, after.id, "parent-child")) {
      if (parent.target_id === null || parent.cyclic === 1) continue;
      await shift(ctx, Number(parent.target_id), { openChildren: closed ? -1 : 1, closedChildren: closed ? 1 : -1 });
    }
  }
  const held = holdsChildren(before);
  const holds = holdsChildren(after);
  if (held !== holds) await holdChildren(ctx, after.id, holds ? 1 : -1);
}

/** Adds to a task's derived counters and follows the consequences. */
export async function shift(
  ctx: OperationContext,
  taskId: number,
  change: { openBlockers?: number; blockedAncestors?: number; openChildren?: number; closedChildren?: number },
): Promise<void> {
  const before = await lockTaskById(ctx, taskId);
  const after = await saveTask(
    ctx,
    before,
    {
      openBlockers: before.openBlockers + (change.openBlockers ?? 0),
      blockedAncestors: before.blockedAncestors + (change.blockedAncestors ?? 0),
      openChildren: before.openChildren + (change.openChildren ?? 0),
      closedChildren: before.closedChildren + (change.closedChildren ?? 0),
    },
    false,
  );
  if (before.readyPrio === null && after.readyPrio !== null) {
    ctx.record({ type: "task.ready", subject: after.key, team: after.team });
  }
  await follow(ctx, before, after);
}

async function holdChildren(ctx: OperationContext, parentId: number, change: 1 | -1): Promise<void> {
  const children = await ctx.db
    .selectFrom("link")
    .select("task_id")
    .where("target_id", "=", parentId)
    .where("type", "=", "parent-child")
    .where("cyclic", "=", 0)
    .orderBy("task_id")
    .execute();
  for (const child of children) await shift(ctx, Number(child.task_id), { blockedAncestors: change });
}

/** Recomputes every edge that waits for `target` and passes the differences on. */
async function recheckEdgesInto(ctx: OperationContext, target: Task): Promise<void> {
  for (const edge of await waitingEdges.all(ctx.db, { targetId: target.id })) await recheckEdge(ctx, edge, target);
}

const waitingEdges = prepared((db, p: { targetId: number }) =>
  db
    .selectFrom("link")
    .selectAll()
    .where("target_id", "=", p.targetId)
    .where("type", "in", ["blocks", "conditional-blocks", "waits-for"])
    .where("cyclic", "=", 0)
    .orderBy("task_id"),
);

async function recheckEdge(ctx: OperationContext, edge: LinkRow, target: Task | undefined): Promise<void> {
  const blocking = edge.cyclic === 0 && isEdgeBlocking(edge.type, target, edge.metadata) ? 1 : 0;
  if (blocking === edge.blocking) return;
  // counted by whoever changes it: it may have been removed since it was read
  const changed = await ctx.db
    .updateTable("link")
    .set({ blocking })
    .where("id", "=", edge.id)
    .where("blocking", "=", edge.blocking)
    .executeTakeFirst();
  if (Number(changed.numUpdatedRows) === 0) return;
  await shift(ctx, Number(edge.task_id), { openBlockers: blocking - edge.blocking });
}

/** Cross-team dependencies on a task resolve when it closes and open again when it is reopened (DE-06). */
async function settleDependencies(ctx: OperationContext, before: Task, after: Task): Promise<void> {
  if ((before.status === "closed") === (after.status === "closed")) return;
  const closed = after.status === "closed";
  const rows = await ctx.db
    .selectFrom("dependency")
    .selectAll()
    .where("needed_task_id", "=", after.id)
    .where("status", "=", closed ? "open" : "resolved")
    .orderBy("task_id")
    .execute();
  for (const row of rows) {
    if (!closed && row.resolution !== `${after.key} closed`) continue;
    const blocking = closed || row.type === "shared_component" ? 0 : 1;
    const changed = await ctx.db
      .updateTable("dependency")
      .set(
        closed
          ? {
              status: "resolved",
              blocking,
              resolved_at: ctx.now,
              resolved_by: ctx.principal.name,
              resolution: `${after.key} closed`,
            }
          : { status: "open", blocking, resolved_at: null, resolved_by: null, resolution: null },
      )
      .where("id", "=", row.id)
      .where("status", "=", row.status)
      .executeTakeFirst();
    if (Number(changed.numUpdatedRows) === 0) continue;
    ctx.record({
      type: closed ? "dependency.resolved" : "dependency.reopened",
      subject: row.key,
      team: row.team,
      after: { needs_team: row.needs_team, by_task: after.key },
    });
    if (blocking !== row.blocking) await shift(ctx, Number(row.task_id), { openBlockers: blocking - row.blocking });
  }
}

export async function edgesFrom(db: Kysely<Database>, taskId: number, type?: string): Promise<LinkRow[]> {
  const edges = await edgesOf.all(db, { taskId });
  return type === undefined ? edges : edges.filter((edge) => edge.type === type);
}

const edgesOf = prepared((db, p: { taskId: number }) =>
  db.selectFrom("link").selectAll().where("task_id", "=", p.taskId).orderBy("id"),
);

export interface NewEdge {
  readonly targetKey: string;
  readonly type: string;
  readonly metadata?: string | null;
  readonly createdAt?: number;
  readonly createdBy?: string;
  /** Imported edges that would close a cycle are kept and flagged instead of refused (beads-compat §6.1). */
  readonly keepCyclic?: boolean;
  /** The source was inserted in this transaction and nothing waits for it: no circle can be closed. */
  readonly isNewSource?: boolean;
}

export type EdgeResult = "added" | "same" | "cyclic" | "dangling";

/** Adds an edge and its consequences. One edge per pair: the same again is `same`, another type is CONFLICT. */
export async function addEdge(ctx: OperationContext, source: Task, edge: NewEdge): Promise<EdgeResult> {
  const existing = await ctx.db
    .selectFrom("link")
    .selectAll()
    .where("task_id", "=", source.id)
    .where("target_key", "=", edge.targetKey)
    .executeTakeFirst();
  if (existing) {
    if (existing.type === edge.type) {
      if (edge.metadata && edge.metadata !== existing.metadata) await changeGate(ctx, existing, edge.metadata);
      return "same";
    }
    throw new TeamwrightError(
      "CONFLICT",
      `${source.key} already has a ${plainLine(existing.type, 60)} link to ${edge.targetKey}.`,
      hint("task_unlink", "removes it first"),
    );
  }
  const target = await findByKey(ctx, edge.targetKey);
  const cyclic =
    target && (!edge.isNewSource || target.id === source.id)
      ? await closesCycle(ctx, source, target, edge.type, edge.keepCyclic)
      : false;
  if (cyclic && !edge.keepCyclic) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `A ${edge.type} link from ${source.key} to ${edge.targetKey} would close a circle: ${cyclic}.`,
      hint("task_show", "shows the links of either"),
    );
  }
  const blocking = !cyclic && isEdgeBlocking(edge.type, target, edge.metadata ?? null) ? 1 : 0;
  await ctx.db
    .insertInto("link")
    .values({
      task_id: source.id,
      target_id: target?.id ?? null,
      target_key: edge.targetKey,
      type: edge.type,
      blocking,
      cyclic: cyclic ? 1 : 0,
      metadata: edge.metadata ?? null,
      created_at: edge.createdAt ?? ctx.now,
      created_by: edge.createdBy ?? ctx.principal.name,
    })
    .execute();
  if (target && edge.type === "parent-child" && !cyclic) await joinParent(ctx, source.id, target, 1);
  if (blocking === 1) await shift(ctx, source.id, { openBlockers: 1 });
  return cyclic ? "cyclic" : target ? "added" : "dangling";
}

/** The same edge with another gate: the gate is what changes (beads-compat §1.4). */
async function changeGate(ctx: OperationContext, edge: LinkRow, metadata: string): Promise<void> {
  await ctx.db.updateTable("link").set({ metadata }).where("id", "=", edge.id).execute();
  const target = edge.target_id === null ? undefined : await findTaskById(ctx.db, Number(edge.target_id));
  await recheckEdge(ctx, { ...edge, metadata }, target);
}

async function joinParent(ctx: OperationContext, childId: number, parent: Task, change: 1 | -1): Promise<void> {
  const child = await findTaskById(ctx.db, childId);
  await shift(ctx, parent.id, child?.status === "closed" ? { closedChildren: change } : { openChildren: change });
  const now = await findTaskById(ctx.db, parent.id);
  if (now && holdsChildren(now)) await shift(ctx, childId, { blockedAncestors: change });
}

/** Removes an edge and its consequences; false when there was none. */
export async function removeEdge(ctx: OperationContext, source: Task, targetKey: string): Promise<boolean> {
  // as it is when it goes, and not as it was read before its target changed
  const edge = await ctx.db
    .deleteFrom("link")
    .where("task_id", "=", source.id)
    .where("target_key", "=", targetKey)
    .returningAll()
    .executeTakeFirst();
  if (!edge) return false;
  if (edge.type === "parent-child" && edge.target_id !== null && edge.cyclic === 0) {
    const parent = await findTaskById(ctx.db, Number(edge.target_id));
    if (parent) await joinParent(ctx, source.id, parent, -1);
  }
  if (edge.blocking === 1) await shift(ctx, source.id, { openBlockers: -1 });
  return true;
}

/** Edges that waited for a task of this key to exist take hold now. */
export async function adoptDanglingEdges(ctx: OperationContext, target: Task): Promise<number> {
  const edges = await ctx.db
    .selectFrom("link")
    .selectAll()
    .where("target_id", "is", null)
    .where("target_key", "=", target.key)
    .execute();
  for (const edge of edges) {
    const source = await findTaskById(ctx.db, Number(edge.task_id));
    if (!source) continue;
    const cyclic = (await closesCycle(ctx, source, target, edge.type, true)) ? 1 : 0;
    await ctx.db.updateTable("link").set({ target_id: target.id, cyclic }).where("id", "=", edge.id).execute();
    if (cyclic === 1) continue;
    if (edge.type === "parent-child") await joinParent(ctx, source.id, target, 1);
    await recheckEdge(ctx, { ...edge, cyclic }, await findTaskById(ctx.db, target.id));
  }
  return edges.length;
}

async function findByKey(ctx: OperationContext, key: string): Promise<Task | undefined> {
  const row = await ctx.db.selectFrom("task").select("id").where("key", "=", key).executeTakeFirst();
  return row ? lockTaskById(ctx, Number(row.id)) : undefined;
}
