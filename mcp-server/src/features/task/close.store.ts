import type { Insertable } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import { prepared } from "../../store/prepared.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import { unblocked } from "./task.rules.ts";
import type { Outcome, Task } from "./task.schema.ts";
import type { TaskClosureTable } from "./task.table.ts";

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
  if (outcome === "done" && task.kind !== "epic") await noteClosure(ctx, closed);
  ctx.record({
    type: "task.closed",
    subject: task.key,
    team: task.team,
    before: { state: task.status, holder: task.holder },
    after: { state: "closed", outcome, ...(reason === undefined ? {} : { reason }) },
  });
  return closed;
}

async function noteClosure(ctx: OperationContext, task: Task): Promise<void> {
  const since = (at: number) => Math.max(0, ctx.now - at); // another machine's clock may be ahead
  await closure.run(ctx.db, {
    task_id: task.id,
    team: task.team,
    at: ctx.now,
    lead_ms: since(task.createdAt),
    cycle_ms: task.startedAt === null ? null : since(task.startedAt),
  });
}

const closure = prepared((db, row: Insertable<TaskClosureTable>) =>
  db.insertInto("task_closure").values({
    task_id: row.task_id,
    team: row.team,
    at: row.at,
    lead_ms: row.lead_ms,
    cycle_ms: row.cycle_ms,
  }),
);
