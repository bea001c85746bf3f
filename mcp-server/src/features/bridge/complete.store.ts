import { TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { activeRun } from "../run/run.store.ts";
import { handIn } from "../task/claim.store.ts";
import { closeTask } from "../task/close.store.ts";
import { checkClose } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import { findTaskByKey, lockTask } from "../task/task.store.ts";
import { waitsFor } from "../task/wait.store.ts";
import { nextStep, type Phase } from "../unit/unit.rules.ts";
import { openUnitOf } from "../unit/unit.store.ts";
import { type Completion, decideCompletion } from "./bridge.rules.ts";
import type { ClientTaskRow } from "./bridge.store.ts";

/** What completing the client task would do to the durable one now; `nothing` while there is none. */
export async function weighCompletion(
  ctx: OperationContext,
  row: Pick<ClientTaskRow, "session" | "task_key">,
  principal: Principal | undefined,
): Promise<Completion> {
  const task = row.task_key === null ? undefined : await findTaskByKey(ctx.db, row.task_key);
  return task ? weigh(ctx, row.session, task, principal) : { outcome: "nothing" };
}

async function weigh(
  ctx: OperationContext,
  session: string,
  task: Task,
  principal: Principal | undefined,
): Promise<Completion> {
  const unit = await openUnitOf(ctx.db, task.id);
  const step = unit ? nextStep(unit.phase as Phase) : undefined;
  return decideCompletion({
    task,
    unit: unit && step ? { key: unit.key, phase: unit.phase, step: `${step.operation} ${step.text}` } : undefined,
    obstacle: await obstacleOf(ctx, task),
    principal,
    mode: (await activeRun(ctx.db, session))?.mode,
  });
}

async function obstacleOf(ctx: OperationContext, task: Task): Promise<string | undefined> {
  try {
    checkClose(task, "done", await waitsFor(ctx, task.id));
    return undefined;
  } catch (error) {
    if (error instanceof TeamwrightError) return error.message;
    throw error;
  }
}

/** Moves the durable task as its completed client task asks; weighed again under the task's lock. */
export async function applyCompletion(
  ctx: OperationContext,
  row: ClientTaskRow,
  principal: Principal,
): Promise<Completion> {
  if (row.task_key === null) return { outcome: "nothing" };
  const task = await lockTask(ctx, row.task_key);
  const completion = await weigh(ctx, row.session, task, principal);
  if (completion.outcome === "close") {
    await closeTask(ctx, task, "done", `Completed in the client's list as #${row.client_id}.`);
  } else if (completion.outcome === "review") {
    await handIn(ctx, task, { client: row.client_id });
  }
  return completion;
}
