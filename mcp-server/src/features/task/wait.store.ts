import type { OperationContext } from "../../kernel/operation.ts";

/** What holds the task back now, directly: ids of tasks, one of them `to fail`, and teams for cross-team dependencies. */
export async function waitsFor(ctx: OperationContext, taskId: number): Promise<string[]> {
  const edges = await ctx.db
    .selectFrom("link")
    .select(["target_key", "type"])
    .where("task_id", "=", taskId)
    .where("blocking", "=", 1)
    .orderBy("id")
    .execute();
  const needs = await ctx.db
    .selectFrom("dependency")
    .select("needs_team")
    .where("task_id", "=", taskId)
    .where("blocking", "=", 1)
    .orderBy("id")
    .execute();
  return [
    ...edges.map((edge) => (edge.type === "conditional-blocks" ? `${edge.target_key} to fail` : edge.target_key)),
    ...needs.map((need) => `team ${need.needs_team}`),
  ];
}
