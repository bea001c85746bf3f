import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { IdempotentRequest } from "../../kernel/execute.ts";
import type { OperationContext } from "../../kernel/operation.ts";

/** The first answer given for the key, or undefined. Throws CONFLICT when the key was used for something else. */
export async function findAnswer(ctx: OperationContext, request: IdempotentRequest): Promise<unknown | undefined> {
  await ctx.dialect.lockName(ctx.db, `answer:${request.key}`);
  const row = await ctx.db
    .selectFrom("idempotency")
    .selectAll()
    .where("key", "=", request.key)
    .where("actor", "=", askerOf(ctx))
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.operation !== request.operation || row.input_hash !== request.inputHash) {
    throw new TeamwrightError(
      "CONFLICT",
      "This idempotency key was already used for another call.",
      hint(request.operation, "again with a new key"),
    );
  }
  return JSON.parse(row.result);
}

/** Whose key it is. An unverified caller's own key ends with its process, and with it what a retry needs. */
function askerOf({ principal }: OperationContext): string {
  return principal.kind === "unverified" ? `unverified:${principal.name}` : principal.key;
}

const KEEP_MS = 7 * 24 * 3600 * 1000;

export async function saveAnswer(ctx: OperationContext, request: IdempotentRequest, answer: unknown): Promise<void> {
  await ctx.db
    .deleteFrom("idempotency")
    .where("at", "<", ctx.now - KEEP_MS)
    .execute();
  await ctx.db
    .insertInto("idempotency")
    .values({
      key: request.key,
      actor: askerOf(ctx),
      operation: request.operation,
      input_hash: request.inputHash,
      result: JSON.stringify(answer),
      at: ctx.now,
    })
    .execute();
}
