import type { GuardRule } from "../../kernel/guard-rule.ts";
import { findAgent } from "../agent/agent.store.ts";
import { sprintTime } from "../sprint/sprint.rules.ts";
import { currentSprint, timeBoxOf } from "../sprint/sprint.store.ts";
import { spawnBrief } from "./spawn-brief.store.ts";
import { isReviewer } from "./spawn-plan.store.ts";

export function briefGuard(): GuardRule {
  return {
    name: "spawn-brief",
    promise: "A spawned agent is told its task, its links, who else is there and how long the sprint lasts.",
    failsClosed: false,
    async agentStarts({ call, write }) {
      if (isReviewer(call.agentType)) return undefined;
      const context = await write("guard_brief", async (ctx) => {
        const agent = await findAgent(ctx.db, call.agentId);
        const brief = agent && (await spawnBrief(ctx, agent));
        const sprint = brief === undefined ? undefined : await currentSprint(ctx.db);
        return sprint ? `${brief}\n\n${sprintTime(timeBoxOf(sprint), ctx.now)}` : brief;
      });
      return context === undefined ? undefined : { context };
    },
  };
}
