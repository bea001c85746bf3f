import type { OperationContext } from "../../kernel/operation.ts";
import { dependenciesOf } from "../dependency/dependency.store.ts";
import { edgesFrom } from "./graph.store.ts";

/** What the task waits for now, in words: ids, and teams for cross-team dependencies. */
export async function waitsFor(ctx: OperationContext, taskId: number): Promise<string[]> {
  const edges = (await edgesFrom(ctx.db, taskId)).filter((edge) => edge.blocking === 1);
  const needs = (await dependenciesOf(ctx.db, taskId)).filter(
    (need) => need.blocking === 1 && Number(need.task_id) === taskId,
  );
  return [
    ...edges.map((edge) => (edge.type === "conditional-blocks" ? `${edge.target_key} to fail` : edge.target_key)),
    ...needs.map((need) => `team ${need.needs_team}`),
  ];
}
