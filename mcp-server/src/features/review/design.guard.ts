import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import { findAgent } from "../agent/agent.store.ts";
import { raiseEscalation } from "../escalation/escalation.store.ts";
import { activeRun } from "../run/run.store.ts";
import { findTaskByKey } from "../task/task.store.ts";
import { insertDesignReview } from "./design.store.ts";
import { parseDesignVerdict } from "./verdict.rules.ts";

const ROLE = "design-reviewer";
/** Iterations of a design or plan review; then a person overrides, defers, revises or cancels (requirements RE-02, FP-13). */
const MOST_ROUNDS = 3;

/** Advisory reviews by agents who stay and may look again; they bind nobody, and nobody else writes them (FP-14, C-15). */
export function designGuard(): GuardRule {
  const asked = new Set<string>();
  return {
    name: "design-verdicts",
    promise: "A design reviewer's verdict is its own last words, with its blockers; an approval with blockers is none.",
    failsClosed: false,
    async agentStops(ctx) {
      if (!(await reviewedTask(ctx)) || parseDesignVerdict(ctx.call.lastMessage)) return undefined;
      if (asked.has(ctx.call.agentId)) return undefined;
      asked.add(ctx.call.agentId);
      return {
        refusal:
          "End with one line VERDICT: APPROVED or VERDICT: NEEDS_REVISION, and a line each of USE CASE:, THREAT:, BLOCKER:, SUGGESTION: and QUESTION: as you have them.",
      };
    },
    async agentStopped(ctx) {
      asked.delete(ctx.call.agentId);
      const task = await reviewedTask(ctx);
      const verdict = parseDesignVerdict(ctx.call.lastMessage);
      if (!task || !verdict) return undefined;
      const by = { taskId: task.id, taskKey: task.key, reviewer: ctx.principal.name, agentId: ctx.call.agentId };
      const run = await activeRun(ctx.runtime.store.db, ctx.call.session);
      await ctx.write("guard_design", async (trx) => {
        const round = await insertDesignReview(trx, by, verdict);
        if (!run || verdict.verdict === "APPROVED" || round < MOST_ROUNDS) return;
        await raiseEscalation(trx, {
          scope: task.key,
          taskKey: task.key,
          unitKey: null,
          runId: Number(run.id),
          operation: "gate",
          reason: `${by.reviewer} asks for a revision of the design in round ${round}`,
          excerpt: verdict.blockers.join("\n").slice(0, 2000),
          exhausted: true,
        });
      });
      return undefined;
    },
  };
}

async function reviewedTask({ call, principal, runtime }: GuardContext) {
  if (principal.role !== ROLE || call.agentId === "") return undefined;
  const agent = await findAgent(runtime.store.db, call.agentId);
  return agent?.task_key ? findTaskByKey(runtime.store.db, agent.task_key) : undefined;
}
