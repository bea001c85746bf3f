import type { GuardRule } from "../../kernel/guard-rule.ts";
import { findAgent } from "../agent/agent.store.ts";
import { spawnBrief } from "./spawn-brief.store.ts";
import { isReviewer } from "./spawn-plan.store.ts";

export function briefGuard(): GuardRule {
  return {
    name: "spawn-brief",
    promise: "A spawned agent is told its task, its links and who else is there.",
    failsClosed: false,
    async agentStarts({ call, write }) {
      if (isReviewer(call.agentType)) return undefined;
      const context = await write("guard_brief", async (ctx) => {
        const agent = await findAgent(ctx.db, call.agentId);
        return agent && spawnBrief(ctx, agent);
      });
      return context === undefined ? undefined : { context };
    },
  };
}
