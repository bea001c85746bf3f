import type { OperationContext } from "../../kernel/operation.ts";
import { agentsOfSession, setAgent } from "../agent/agent.store.ts";
import { freeClaims } from "../task/claim.store.ts";
import { leaveRuns } from "./run.store.ts";

/** A session that is over: its run goes on without it, and its lead and agents hold nothing more. Gives the freed tasks. */
export async function endSession(ctx: OperationContext, session: string, reason: string): Promise<string[]> {
  await leaveRuns(ctx, session);
  const holders = [`lead:${session}`];
  for (const agent of await agentsOfSession(ctx.db, session)) {
    holders.push(`agent:${agent.agent_id}`);
    if (agent.ended_at === null) await setAgent(ctx, agent.agent_id, { ended_at: ctx.now, end_reason: reason });
  }
  return freeClaims(ctx, holders, reason);
}
