import type { OperationContext } from "../../kernel/operation.ts";
import { columnOf } from "../board/board.rules.ts";
import { readCounts } from "../board/board.store.ts";
import { epicPriority, holdsChildren, isEdgeBlocking, readyPriority } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import { rowToTask } from "../task/task.store.ts";

interface Finding {
  check: string;
  ok: boolean;
  detail: string;
}

/** Computes every derived value from scratch and compares: the counters must never drift. */
export async function recountDrift(ctx: OperationContext): Promise<Finding[]> {
  const tasks = new Map(
    (await ctx.db.selectFrom("task").selectAll().execute()).map((row) => [Number(row.id), rowToTask(row)]),
  );
  const links = await ctx.db.selectFrom("link").selectAll().execute();
  const needs = await ctx.db.selectFrom("dependency").select(["task_id", "blocking", "status", "type"]).execute();
  const drift: string[] = [];
  const expected = new Map(
    [...tasks].map(([id, task]) => [
      id,
      { ...task, openBlockers: 0, blockedAncestors: 0, openChildren: 0, closedChildren: 0 },
    ]),
  );
  for (const link of links) {
    if (link.type !== "parent-child" || link.cyclic === 1 || link.target_id === null) continue;
    const parent = expected.get(Number(link.target_id));
    const child = tasks.get(Number(link.task_id));
    if (!parent || !child) continue;
    if (child.status === "closed") parent.closedChildren += 1;
    else parent.openChildren += 1;
  }
  for (const link of links) {
    const target = link.target_id === null || link.cyclic === 1 ? undefined : expected.get(Number(link.target_id));
    const blocking = isEdgeBlocking(link.type, target, link.metadata) ? 1 : 0;
    if (blocking !== link.blocking) drift.push(`link ${link.id}: blocking ${link.blocking}, should be ${blocking}`);
    const source = expected.get(Number(link.task_id));
    if (source) source.openBlockers += blocking;
  }
  for (const need of needs) {
    const blocking = need.status === "open" && need.type !== "shared_component" ? 1 : 0;
    if (blocking !== need.blocking)
      drift.push(`dependency of task ${need.task_id}: blocking ${need.blocking}, should be ${blocking}`);
    const source = expected.get(Number(need.task_id));
    if (source) source.openBlockers += blocking;
  }
  countHeldAncestors(expected, links);
  for (const [id, want] of expected) {
    const have = tasks.get(id);
    if (!have) continue;
    const full = { ...want, readyPrio: readyPriority(want), epicPrio: epicPriority(want) };
    for (const name of [
      "openBlockers",
      "blockedAncestors",
      "openChildren",
      "closedChildren",
      "readyPrio",
      "epicPrio",
    ] as const) {
      if (have[name] !== full[name]) drift.push(`${have.key}: ${name} is ${have[name]}, should be ${full[name]}`);
    }
  }
  return [
    finding("readiness counters", drift, `${tasks.size} tasks recounted`),
    await boardFinding(ctx, [...tasks.values()]),
  ];
}

/** Parents that hold their children, level by level until nothing changes; parent edges outside circles form a forest. */
function countHeldAncestors(
  tasks: ReadonlyMap<number, { -readonly [K in keyof Task]: Task[K] }>,
  links: readonly { task_id: number; target_id: number | null; type: string; cyclic: number }[],
): void {
  const children = new Map<number, number[]>();
  for (const link of links) {
    if (link.type !== "parent-child" || link.cyclic === 1 || link.target_id === null) continue;
    const parent = Number(link.target_id);
    children.set(parent, [...(children.get(parent) ?? []), Number(link.task_id)]);
  }
  const queue = [...tasks].filter(([, task]) => holdsChildren(task)).map(([id]) => id);
  const counted = new Set<number>();
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (counted.has(id)) continue;
    counted.add(id);
    for (const childId of children.get(id) ?? []) {
      const child = tasks.get(childId);
      if (!child) continue;
      child.blockedAncestors += 1;
      if (holdsChildren(child)) queue.push(childId);
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
