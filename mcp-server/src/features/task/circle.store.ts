import type { Kysely } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { Task } from "./task.schema.ts";

const waitingTypes = ["blocks", "conditional-blocks", "waits-for", "parent-child"];
const MAX_VISITS = 200_000;

/**
 * The circle an edge would close, as text, or false. Walks what `target` waits for, over open tasks only: a closed
 * one can no longer keep anybody waiting. Refuses instead of guessing when the walk grows past its bound.
 */
export async function closesCycle(
  ctx: OperationContext,
  source: Task,
  target: Task,
  type: string,
): Promise<string | false> {
  if (!waitingTypes.includes(type)) return false;
  if (source.id === target.id) return `${source.key} → ${source.key}`;
  await ctx.dialect.lockName(ctx.db, "links");
  if (type !== "parent-child" && (await isAncestor(ctx.db, source.id, target.id))) {
    return `${target.key} is above ${source.key} and cannot finish before it`;
  }
  const cameFrom = new Map<number, number>();
  let frontier = [target.id];
  let visits = 0;
  while (frontier.length > 0) {
    const next: number[] = [];
    for (let start = 0; start < frontier.length; start += 400) {
      for (const edge of await waitsOf(ctx.db, frontier.slice(start, start + 400))) {
        visits += 1;
        if (visits > MAX_VISITS) {
          throw new TeamwrightError(
            "OVER_LIMIT",
            "The links around these tasks are too many to check for circles.",
            hint("task_unlink", "removes some"),
          );
        }
        if (edge.to === target.id || cameFrom.has(edge.to)) continue;
        cameFrom.set(edge.to, edge.from);
        if (edge.to === source.id) return nameCircle(ctx.db, cameFrom, source.id, target.id);
        next.push(edge.to);
      }
    }
    frontier = next;
  }
  return false;
}

async function isAncestor(db: Kysely<Database>, childId: number, candidateId: number): Promise<boolean> {
  const seen = new Set<number>();
  let frontier = [childId];
  while (frontier.length > 0) {
    const rows = await db
      .selectFrom("link")
      .select("target_id")
      .where("task_id", "in", frontier)
      .where("type", "=", "parent-child")
      .where("target_id", "is not", null)
      .where("cyclic", "=", 0)
      .execute();
    const parents = rows.map((row) => Number(row.target_id)).filter((id) => !seen.has(id));
    if (parents.includes(candidateId)) return true;
    for (const id of parents) seen.add(id);
    frontier = parents;
  }
  return false;
}

async function waitsOf(db: Kysely<Database>, ids: readonly number[]): Promise<{ from: number; to: number }[]> {
  const links = await db
    .selectFrom("link")
    .innerJoin("task", "task.id", "link.target_id")
    .select(["link.task_id as from", "link.target_id as to"])
    .where("link.task_id", "in", [...ids])
    .where("link.type", "in", waitingTypes)
    .where("link.cyclic", "=", 0)
    .where("task.status", "!=", "closed")
    .execute();
  const needs = await db
    .selectFrom("dependency")
    .select(["task_id as from", "needed_task_id as to"])
    .where("task_id", "in", [...ids])
    .where("status", "=", "open")
    .where("needed_task_id", "is not", null)
    .execute();
  return [...links, ...needs].map((edge) => ({ from: Number(edge.from), to: Number(edge.to) }));
}

/** For the dependency slice: the circle a need of `source` for `target` would close, or false. */
export function findWaitCircle(ctx: OperationContext, source: Task, target: Task): Promise<string | false> {
  return closesCycle(ctx, source, target, "blocks");
}

async function nameCircle(
  db: Kysely<Database>,
  cameFrom: ReadonlyMap<number, number>,
  source: number,
  target: number,
): Promise<string> {
  const path = [source];
  for (let at: number | undefined = source; at !== undefined && at !== target; ) {
    at = cameFrom.get(at);
    if (at !== undefined) path.push(at);
  }
  const shown = path.slice(0, 12);
  const rows = await db.selectFrom("task").select(["id", "key"]).where("id", "in", shown).execute();
  const keys = new Map(rows.map((row) => [Number(row.id), row.key]));
  return [...shown.map((id) => keys.get(id) ?? "?").reverse(), keys.get(target) ?? "?"].join(" → ");
}
