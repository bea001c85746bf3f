import type { OperationContext } from "../../kernel/operation.ts";
import { sendBack } from "../task/rework.store.ts";
import { lockTaskById } from "../task/task.store.ts";
import { escalateUnit } from "./people.store.ts";
import { retriesUsed } from "./unit.rules.ts";
import { attemptsOf, beginAttempt, changeAttempt, saveUnit, type UnitRow } from "./unit.store.ts";

/** Retries a gate has before a person is asked (requirements FP-09, C-05): three after the first attempt. */
export const GATE_RETRIES = 3;

/**
 * A gate has failed: the attempt is over, and the next begins with whoever did the work, or the unit goes to the person
 * when its retries are used up. Counted from the stored attempts, so that no restart forgets one (RE-05).
 */
export async function failUnit(
  ctx: OperationContext,
  unit: UnitRow,
  gate: "validation" | "review",
  reason: string,
): Promise<UnitRow> {
  await changeAttempt(ctx, unit, { failure: reason.slice(0, 500), [gate]: gate === "validation" ? "failed" : "FAIL" });
  const attempts = await attemptsOf(ctx.db, unit.id);
  const used = retriesUsed(attempts, gate);
  const cleared = { diff_hash: null, tree: null, files: null, busy_until: null };
  if (used > GATE_RETRIES) {
    const stopped = await saveUnit(ctx, unit, "exhaust", cleared);
    await escalateUnit(ctx, stopped, reason);
    return stopped;
  }
  const next = await saveUnit(ctx, unit, gate === "review" ? "reject" : "fail", {
    ...cleared,
    attempt: unit.attempt + 1,
  });
  await beginAttempt(ctx, next.id, next.attempt);
  const task = await lockTaskById(ctx, Number(unit.task_id));
  if (task.status === "in_review") await sendBack(ctx, task, reason);
  return next;
}
