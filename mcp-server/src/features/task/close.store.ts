import type { OperationContext } from "../../kernel/operation.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import { unblocked } from "./task.rules.ts";
import type { Outcome, Task } from "./task.schema.ts";

/** Closes a task whose closing has been allowed. */
export async function closeTask(ctx: OperationContext, task: Task, outcome: Outcome, reason?: string): Promise<Task> {
  const closed = await saveTaskInGraph(ctx, task, {
    ...unblocked(task, ctx.now),
    status: "closed",
    outcome,
    foreignStatus: null,
    closeReason: reason ?? null,
    closedAt: ctx.now,
    deferUntil: null,
    holder: null,
    leaseExpiresAt: null,
  });
  ctx.record({
    type: "task.closed",
    subject: task.key,
    team: task.team,
    before: { state: task.status, holder: task.holder },
    after: { state: "closed", outcome, ...(reason === undefined ? {} : { reason }) },
  });
  return closed;
}
