import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { findAgent } from "../agent/agent.store.ts";
import { noteFailure } from "../escalation/attempt.store.ts";
import { backToValidation, exhaustUnit } from "../unit/failure.store.ts";
import { gateScope } from "../unit/people.store.ts";
import { changeAttempt, getUnitById, type UnitRow } from "../unit/unit.store.ts";
import { changeReview, type ReviewRow, reviewOfCall } from "./review.store.ts";

/** Rounds without a verdict between two that have one: a reviewer may crash, or answer what nobody can read. */
const FREE_VOID_ROUNDS = 2;

/**
 * Ends a review without a verdict. Rounds in which a reviewer had begun are counted since the last verdict, however
 * they ended, and whatever was changed between them: beyond two of them each is a failure of the gate, so that nobody
 * can ask until an answer suits (requirements AR-06, FP-09). Returns the unit, which is escalated once its retries are
 * used up.
 */
export async function voidReview(
  ctx: OperationContext,
  unit: UnitRow,
  review: ReviewRow,
  fault: string,
  answer?: string,
): Promise<UnitRow> {
  const said = answer === undefined ? {} : { answer };
  await changeReview(ctx, review.id, { status: "void", fault, answered_at: ctx.now, ...said });
  ctx.record({ type: "review.void", subject: review.key, after: { fault, agent: review.agent_id } });
  if (review.tool_use_id === null) return unit; // nobody has seen its packet
  const rounds = await voidRounds(ctx.db, unit.id, await lastAnswered(ctx.db, unit.id));
  if (rounds <= FREE_VOID_ROUNDS) return unit;
  const reason = `${rounds} review rounds in a row had no verdict; the last, ${review.key}: ${fault}`;
  const { exhausted } = await noteFailure(ctx, {
    scope: gateScope(unit, "review"),
    operation: "gate",
    by: ctx.principal.name,
    gate: "review",
    reason,
  });
  if (!exhausted || unit.phase !== "review") return unit;
  await changeAttempt(ctx, unit, { failure: reason.slice(0, 500) });
  return exhaustUnit(ctx, unit, "review", reason);
}

/**
 * The client has said which agent came of a call. A verdict that was taken from another one, for a file that agents can
 * write had joined that one with the call, is none: what it has passed is validated and reviewed again (AR-06).
 */
export async function confirmReviewer(ctx: OperationContext, toolUseId: string, agentId: string): Promise<void> {
  const review = await reviewOfCall(ctx.db, toolUseId);
  if (!review || review.agent_id === agentId) return;
  if (review.status === "taken") await changeReview(ctx, review.id, { agent_id: agentId });
  if (review.status !== "answered" || review.agent_id === null) return;
  const fault = "it was answered by an agent that its call had not started";
  await changeReview(ctx, review.id, { status: "void", fault });
  ctx.record({ type: "review.void", subject: review.key, after: { fault, agent: review.agent_id } });
  const unit = await getUnitById(ctx.db, Number(review.unit_id));
  const isPassed = unit.phase === "commit" && unit.diff_hash === review.diff_hash;
  if (isPassed) await backToValidation(ctx, unit, `${review.key}: ${fault}`);
}

async function lastAnswered(db: Kysely<Database>, unitId: number): Promise<number> {
  const row = await db
    .selectFrom("review")
    .select("id")
    .where("unit_id", "=", unitId)
    .where("status", "=", "answered")
    .orderBy("id", "desc")
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}

/** Rounds that a reviewer had begun and that came to no verdict: of the whole unit, or after one of its reviews. */
export async function voidRounds(db: Kysely<Database>, unitId: number, after = 0): Promise<number> {
  const { n } = await db
    .selectFrom("review")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("unit_id", "=", unitId)
    .where("id", ">", after)
    .where("status", "=", "void")
    .where("tool_use_id", "is not", null)
    .executeTakeFirstOrThrow();
  return Number(n);
}

/** Why a review that is under way ends with another being opened. */
export async function whyUnanswered(db: Kysely<Database>, review: ReviewRow): Promise<string> {
  const agent = review.agent_id === null ? undefined : await findAgent(db, review.agent_id);
  if (agent?.end_reason === "killed") return "its reviewer was killed before it had answered";
  if (agent && agent.ended_at !== null) return "its reviewer ended without an answer";
  return "another review was opened before it was answered";
}
