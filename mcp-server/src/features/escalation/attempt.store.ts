import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { entryText, mergeHistory, readHistory, retryState } from "./escalation.rules.ts";
import type { CountedOperation, HistoryEntry, RetryState } from "./escalation.schema.ts";

interface Attempt {
  /** Id of the unit or task that is attempted. */
  readonly scope: string;
  readonly operation: CountedOperation;
  /** Name of who made the attempt. */
  readonly by: string;
  /** The gate, where the operation has several. */
  readonly gate?: string | undefined;
}

export interface Failure extends Attempt {
  readonly reason: string;
  /** What a program said; its end is kept. */
  readonly excerpt?: string | undefined;
}

/** Counts one failure, durably, and says what is left (requirements RE-01, RE-02, RE-05). */
export async function noteFailure(ctx: OperationContext, failure: Failure): Promise<RetryState> {
  const { scope, operation, reason } = failure;
  const before = await lockAttempt(ctx, scope, operation);
  const counted = { failures: before.failures + 1, granted: before.granted };
  const entry = entryOf(ctx, failure, "failed", reason, failure.excerpt);
  await saveAttempt(ctx, failure, { ...counted, last_reason: reason, history: [...before.history, entry] });
  const state = retryState(operation, counted, ctx.config.retries);
  ctx.record({
    type: "attempt.failed",
    subject: scope,
    after: { operation, failures: state.failures, retries_left: state.retriesLeft, max_attempts: state.maxAttempts },
  });
  return state;
}

/** A pass of the gate, and nothing else, starts the count anew; what failed before stays in the history (RE-05). */
export async function resetFailures(ctx: OperationContext, pass: Attempt): Promise<void> {
  const before = await lockAttempt(ctx, pass.scope, pass.operation);
  const history = [...before.history, entryOf(ctx, pass, "passed")];
  await saveAttempt(ctx, pass, { failures: 0, granted: 0, last_reason: null, history });
  if (before.failures === 0) return;
  ctx.record({
    type: "attempt.passed",
    subject: pass.scope,
    before: { failures: before.failures },
    after: { ...pass },
  });
}

/** One attempt more than the table has: what deciding on `retry` means. */
export async function grantRetry(ctx: OperationContext, attempt: Attempt): Promise<void> {
  const before = await lockAttempt(ctx, attempt.scope, attempt.operation);
  const { retriesLeft } = retryState(attempt.operation, before, ctx.config.retries);
  if (retriesLeft > 0) return;
  const over = before.failures - (ctx.config.retries[attempt.operation] + 1);
  const history = [...before.history, entryOf(ctx, attempt, "one attempt more granted")];
  await saveAttempt(ctx, attempt, { ...before, granted: over + 1, history });
}

export async function attemptState(
  ctx: Pick<OperationContext, "db" | "config">,
  scope: string,
  operation: CountedOperation,
): Promise<RetryState> {
  return retryState(operation, await readAttempt(ctx.db, scope, operation), ctx.config.retries);
}

/** Every failure and pass of a unit or task, of all its operations and gates (`wu-…:review`), oldest first. */
export async function historyOf(db: Kysely<Database>, scope: string): Promise<HistoryEntry[]> {
  const rows = await db
    .selectFrom("attempt")
    .select("history")
    .where((e) => e.or([e("scope", "=", scope), e("scope", "like", `${scope}:%`)]))
    .execute();
  return mergeHistory(...rows.map((row) => readHistory(row.history)));
}

function entryOf(
  ctx: OperationContext,
  { by, gate, operation }: Attempt,
  result: string,
  reason?: string,
  excerpt?: string,
): HistoryEntry {
  const what = gate === undefined ? operation : `${operation}: ${gate}`;
  return { at: ctx.now, by, what, result, ...entryText(reason, excerpt) };
}

interface Counted {
  readonly failures: number;
  readonly granted: number;
  readonly last_reason: string | null;
  readonly history: readonly HistoryEntry[];
}

async function lockAttempt(ctx: OperationContext, scope: string, operation: CountedOperation): Promise<Counted> {
  await ctx.dialect.lockName(ctx.db, `attempt:${scope}`);
  return readAttempt(ctx.db, scope, operation);
}

async function readAttempt(db: Kysely<Database>, scope: string, operation: CountedOperation): Promise<Counted> {
  const row = await db
    .selectFrom("attempt")
    .selectAll()
    .where("scope", "=", scope)
    .where("operation", "=", operation)
    .executeTakeFirst();
  return row
    ? { ...row, history: readHistory(row.history) }
    : { failures: 0, granted: 0, last_reason: null, history: [] };
}

async function saveAttempt(ctx: OperationContext, { scope, operation }: Attempt, counted: Counted): Promise<void> {
  const { failures, granted, last_reason } = counted;
  const columns = { failures, granted, last_reason, history: JSON.stringify(counted.history), updated_at: ctx.now };
  await ctx.db
    .insertInto("attempt")
    .values({ scope, operation, ...columns })
    .onConflict((conflict) => conflict.columns(["scope", "operation"]).doUpdateSet(columns))
    .execute();
}
