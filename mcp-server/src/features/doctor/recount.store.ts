import type { Selectable } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import { columnOf } from "../board/board.rules.ts";
import { readCounts } from "../board/board.store.ts";
import { holdsTaskBack } from "../dependency/dependency.rules.ts";
import { epicPriority, holdsChildren, isEdgeBlocking, readyPriority } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import { rowToTask } from "../task/task.store.ts";
import type { LinkTable } from "../task/task.table.ts";

interface Finding {
  check: string;
  ok: boolean;
  detail: string;
}

type Recounted = { -readonly [K in keyof Task]: Task[K] };
type Link = Selectable<LinkTable>;

/** Computes every derived value from scratch and compares: the counters must never drift. */
export async function recountDrift(ctx: OperationContext): Promise<Finding[]> {
  const tasks = (await ctx.db.selectFrom("task").selectAll().execute()).map(rowToTask);
  const links = await ctx.db.selectFrom("link").selectAll().execute();
  const zero = { openBlockers: 0, blockedAncestors: 0, openChildren: 0, closedChildren: 0 };
  const expected = new Map<number, Recounted>(tasks.map((task) => [task.id, { ...task, ...zero }]));
  countChildren(expected, links);
  const drift = [...countBlockers(expected, links), ...(await countNeeds(ctx, expected))];
  countHeldAncestors(expected, links);
  for (const task of tasks) {
    const want = expected.get(task.id);
    if (want) drift.push(...differences(task, want));
  }
  return [finding("readiness counters", drift, `${tasks.length} tasks recounted`), await boardFinding(ctx, tasks)];
}

/** Surrogate ids of parent and child, of the edges that count: those of a circle do not. */
function family(links: readonly Link[]): { parent: number; child: number }[] {
  return links.flatMap((link) =>
    link.type === "parent-child" && link.cyclic !== 1 && link.target_id !== null
      ? [{ parent: Number(link.target_id), child: Number(link.task_id) }]
      : [],
  );
}

function countChildren(tasks: ReadonlyMap<number, Recounted>, links: readonly Link[]): void {
  for (const edge of family(links)) {
    const [parent, child] = [tasks.get(edge.parent), tasks.get(edge.child)];
    if (!parent || !child) continue;
    if (child.status === "closed") parent.closedChildren += 1;
    else parent.openChildren += 1;
  }
}

/** Counts edges that hold their source back; gives those that are not marked as what they are. */
function countBlockers(tasks: ReadonlyMap<number, Recounted>, links: readonly Link[]): string[] {
  return links.flatMap((link) => {
    const target = link.target_id === null || link.cyclic === 1 ? undefined : tasks.get(Number(link.target_id));
    const blocking = isEdgeBlocking(link.type, target, link.metadata) ? 1 : 0;
    const source = tasks.get(Number(link.task_id));
    if (source) source.openBlockers += blocking;
    return blocking === link.blocking ? [] : [`link ${link.id}: blocking ${link.blocking}, should be ${blocking}`];
  });
}

/** The same for dependencies on other teams. */
async function countNeeds(ctx: OperationContext, tasks: ReadonlyMap<number, Recounted>): Promise<string[]> {
  const needs = await ctx.db.selectFrom("dependency").select(["task_id", "blocking", "status", "type"]).execute();
  return needs.flatMap((need) => {
    const blocking = need.status === "open" && holdsTaskBack(need.type) ? 1 : 0;
    const source = tasks.get(Number(need.task_id));
    if (source) source.openBlockers += blocking;
    if (blocking === need.blocking) return [];
    return [`dependency of task ${need.task_id}: blocking ${need.blocking}, should be ${blocking}`];
  });
}

function differences(have: Task, want: Task): string[] {
  const full = { ...want, readyPrio: readyPriority(want), epicPrio: epicPriority(want) };
  return counters.flatMap((name) =>
    have[name] === full[name] ? [] : [`${have.key}: ${name} is ${have[name]}, should be ${full[name]}`],
  );
}

const counters = [
  "openBlockers",
  "blockedAncestors",
  "openChildren",
  "closedChildren",
  "readyPrio",
  "epicPrio",
] as const;

/** Parents that hold their children, level by level until nothing changes; parent edges outside circles form a forest. */
function countHeldAncestors(tasks: ReadonlyMap<number, Recounted>, links: readonly Link[]): void {
  const children = Map.groupBy(family(links), ({ parent }) => parent);
  const queue = [...tasks].filter(([, task]) => holdsChildren(task)).map(([id]) => id);
  const counted = new Set<number>();
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (counted.has(id)) continue;
    counted.add(id);
    for (const edge of children.get(id) ?? []) {
      const child = tasks.get(edge.child);
      if (!child) continue;
      child.blockedAncestors += 1;
      if (holdsChildren(child)) queue.push(edge.child);
    }
  }
}

async function boardFinding(ctx: OperationContext, tasks: readonly Task[]): Promise<Finding> {
  const want = new Map<string, number>();
  for (const task of tasks) {
    const key = `${task.team} ${columnOf({ status: task.status, ready: task.readyPrio !== null })}`;
    want.set(key, (want.get(key) ?? 0) + 1);
  }
  const drift: string[] = [];
  const have = await readCounts(ctx.db);
  for (const [team, columns] of have) {
    for (const [column, n] of Object.entries(columns)) {
      const key = `${team} ${column}`;
      if ((want.get(key) ?? 0) !== n) drift.push(`${key}: ${n}, should be ${want.get(key) ?? 0}`);
      want.delete(key);
    }
  }
  for (const [key, n] of want) if (n !== 0) drift.push(`${key}: missing, should be ${n}`);
  return finding("board counters", drift, "every column agrees");
}

function finding(check: string, drift: readonly string[], fine: string): Finding {
  return {
    check,
    ok: drift.length === 0,
    detail: drift.length === 0 ? fine : `${drift.length} wrong: ${drift.slice(0, 10).join("; ")}`,
  };
}
