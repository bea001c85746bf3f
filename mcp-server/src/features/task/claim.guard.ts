import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { freeClaim, heldBy } from "./claim.store.ts";

/**
 * An agent that stops while it holds a task is sent back once to hand it in, release or block it; if it stops again
 * its claim comes free, unless it says it is blocked.
 */
export function claimGuard(): GuardRule {
  const sentBack = new Set<string>();
  return {
    name: "no-silent-stop",
    promise: "No agent ends with a task in its hands: it hands it in, gives it back or says what blocks it.",
    failsClosed: false,
    async agentStops(ctx): Promise<Verdict | undefined> {
      const held = await working(ctx);
      // a report that says BLOCKED says what is in the way
      if (held.length === 0 || /^Status:\s*BLOCKED\b/m.test(ctx.call.lastMessage)) return undefined;
      if (sentBack.delete(ctx.call.agentId)) return undefined;
      sentBack.add(ctx.call.agentId);
      const ids = held.map((task) => task.key).join(", ");
      return {
        refusal: `You still hold ${ids}. Close it (task_close), hand it in (board_move to review), say what is in the way (task_update with block) or give it back (task_update with release). If you stop now it goes back to the board.`,
      };
    },
    async agentStopped(ctx): Promise<undefined> {
      sentBack.delete(ctx.call.agentId);
      const held = await working(ctx);
      if (held.length === 0) return;
      await ctx.write("guard_stop", async (trx) => {
        for (const task of held) await freeClaim(trx, task, "its agent stopped");
      });
    },
  };
}

async function working({ runtime, principal }: GuardContext) {
  const held = await heldBy(runtime.store.db, principal.key);
  return held.filter((task) => task.status === "in_progress" && task.blockedSince === null);
}
