import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { noteFailure } from "../escalation/attempt.store.ts";
import { sendBack } from "../task/rework.store.ts";
import { lockTaskById } from "../task/task.store.ts";
import { escalateUnit, gateScope, type LoopGate } from "./people.store.ts";
import { beginAttempt, changeAttempt, saveUnit, type UnitRow } from "./unit.store.ts";

/**
 * A gate has failed: the attempt is over, and the next begins with whoever did the work, or the unit goes to the person
 * when its retries are used up. The count is stored, so that no restart forgets one (requirements RE-05, FP-09).
 */
export async function failUnit(ctx: OperationContext, unit: UnitRow, gate: LoopGate, reason: string): Promise<UnitRow> {
  await changeAttempt(ctx, unit, { failure: reason.slice(0, 500), [gate]: gate === "validation" ? "failed" : "FAIL" });
  const state = await noteFailure(ctx, {
    scope: gateScope(unit, gate),
    operation: "gate",
    by: ctx.principal.name,
    gate,
    reason,
  });
  const cleared = { diff_hash: null, tree: null, files: null, busy_until: null };
  if (state.exhausted) {
    const stopped = await saveUnit(ctx, unit, "exhaust", cleared);
    await escalateUnit(ctx, stopped, gate, reason);
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

/** Gives a unit up. Refused while it is being committed: the commit would be there, and nobody would have made it. */
export async function abandonUnit(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  if (unit.phase === "commit" && unit.busy_until !== null && unit.busy_until > ctx.now)
    throw new TeamwrightError(
      "CONFLICT",
      `${unit.key} is being committed at this moment.`,
      hint("unit_show", "shows how it ended"),
    );
  return saveUnit(ctx, unit, "abandon", { busy_until: null });
}
