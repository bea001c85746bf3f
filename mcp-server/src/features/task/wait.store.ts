import type { OperationContext } from "../../kernel/operation.ts";
import { prepared } from "../../store/prepared.ts";

/** What holds the task back now, directly: ids of tasks, one of them `to fail`, and teams for cross-team dependencies. */
export async function waitsFor(ctx: OperationContext, taskId: number): Promise<string[]> {
  const edges = await blockingEdges.all(ctx.db, { taskId });
  const needs = await blockingNeeds.all(ctx.db, { taskId });
  return [
    ...edges.map((edge) => (edge.type === "conditional-blocks" ? `${edge.target_key} to fail` : edge.target_key)),
    ...needs.map((need) => `team ${need.needs_team}`),
  ];
}

const blockingEdges = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("link")
    .select(["target_key", "type"])
    .where("task_id", "=", p.taskId)
    .where("blocking", "=", 1)
    .orderBy("id"),
);

const blockingNeeds = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("dependency")
    .select("needs_team")
    .where("task_id", "=", p.taskId)
    .where("blocking", "=", 1)
    .orderBy("id"),
);
