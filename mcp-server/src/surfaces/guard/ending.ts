import { agentsOfSession, setAgent } from "../../features/agent/agent.store.ts";
import { leaveRuns } from "../../features/run/run.store.ts";
import { freeClaims } from "../../features/task/claim.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

/** Frees what these principals hold and, with a session, what its lead and all its agents hold. */
export async function endClaims(
  runtime: Runtime,
  ending: { holders: readonly string[]; session?: string | undefined; reason: string },
): Promise<string[]> {
  const { session } = ending;
  return inTransaction(runtime, { principal: systemPrincipal }, "session_end", async (ctx) => {
    const holders = [...ending.holders];
    if (session !== undefined) {
      await leaveRuns(ctx, session);
      holders.push(`lead:${session}`);
      for (const agent of await agentsOfSession(ctx.db, session)) {
        holders.push(`agent:${agent.agent_id}`);
        if (agent.ended_at === null)
          await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: ending.reason });
      }
    }
    return freeClaims(ctx, holders, ending.reason);
  });
}
