import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { noteFailure } from "../escalation/attempt.store.ts";
import { sendBack } from "../task/rework.store.ts";
import { lockTaskById } from "../task/task.store.ts";
import { free, isBusy } from "./busy.ts";
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
  if (state.exhausted) return exhaustUnit(ctx, unit, gate, reason);
  const next = await saveUnit(ctx, unit, gate === "review" ? "reject" : "fail", {
    ...cleared,
    attempt: unit.attempt + 1,
  });
  await beginAttempt(ctx, next.id, next.attempt);
  const task = await lockTaskById(ctx, Number(unit.task_id));
  if (task.status === "in_review") await sendBack(ctx, task, reason);
  return next;
}

/** Its retries are used up: it is a person's now, and nothing of what was frozen holds any more. */
export async function exhaustUnit(
  ctx: OperationContext,
  unit: UnitRow,
  gate: LoopGate,
  reason: string,
): Promise<UnitRow> {
  const stopped = await saveUnit(ctx, unit, "exhaust", cleared);
  await escalateUnit(ctx, stopped, gate, reason);
  return stopped;
}

/** What was frozen is not what is there: it is validated, and reviewed, once more. No failure of anybody's. */
export async function backToValidation(ctx: OperationContext, unit: UnitRow, reason: string): Promise<UnitRow> {
  ctx.record({ type: "unit.diff_changed", subject: unit.key, after: { reason } });
  return saveUnit(ctx, unit, "changed", cleared);
}

const cleared = { diff_hash: null, tree: null, files: null, ...free } as const;

/** Gives a unit up. Refused while it is being committed: the commit would be there, and nobody would have made it. */
export async function abandonUnit(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  if (unit.phase === "commit" && isBusy(unit, ctx.now))
    throw new TeamwrightError(
      "CONFLICT",
      `${unit.key} is being committed at this moment.`,
      hint("unit_show", "shows how it ended"),
    );
  return saveUnit(ctx, unit, "abandon", free);
}
