import { endSession } from "../../features/run/session-end.store.ts";
import { freeClaims } from "../../features/task/claim.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

/** Frees what these principals hold and, with a session, what its lead and all its agents hold. */
export async function endClaims(
  runtime: Runtime,
  ending: { holders: readonly string[]; session?: string | undefined; reason: string },
): Promise<string[]> {
  const { session, holders, reason } = ending;
  return inTransaction(runtime, { principal: systemPrincipal }, "session_end", async (ctx) => [
    ...(await freeClaims(ctx, holders, reason)),
    ...(session === undefined ? [] : await endSession(ctx, session, reason)),
  ]);
}
