import type { OperationContext } from "../../kernel/operation.ts";
import { prepared } from "../../store/prepared.ts";

/** What holds the task back now, directly: ids of tasks, one of them `to fail`, and what other teams deliver. */
export async function waitsFor(ctx: OperationContext, taskId: number): Promise<string[]> {
  const edges = await blockingEdges.all(ctx.db, { taskId });
  const needs = await blockingNeeds.all(ctx.db, { taskId });
  return [
    ...edges.map((edge) => (edge.type === "conditional-blocks" ? `${edge.target_key} to fail` : edge.target_key)),
    ...needs.map(({ needed_key: key, needs_team: team }) => (key === null ? `team ${team}` : `${key} of team ${team}`)),
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
    .leftJoin("task as needed", "needed.id", "dependency.needed_task_id")
    .select(["dependency.needs_team", "needed.key as needed_key"])
    .where("dependency.task_id", "=", p.taskId)
    .where("dependency.blocking", "=", 1)
    .orderBy("dependency.id"),
);
