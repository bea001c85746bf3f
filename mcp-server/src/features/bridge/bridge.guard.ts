import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import type { Principal } from "../../kernel/principal.ts";
import { textOf } from "../../kernel/records.ts";
import { clientState } from "./bridge.rules.ts";
import { type ClientTaskRow, changeClientTask, findClientTask, meetClientTask } from "./bridge.store.ts";
import { isOn, writeAs } from "./bridge-call.ts";
import { weighCompletion } from "./complete.store.ts";
import { linkClientTask } from "./link.store.ts";

/** Calls whose after-hook never came are forgotten then. */
const MOST_ASKED = 1000;

/**
 * Completing a client task is refused while the gates of its unit are open, and to whoever does not hold the durable
 * task. Decided before the call, where the client says which agent makes it; its own event of a completion does not,
 * and is the second line: it also comes when a teammate goes idle over its tasks.
 */
export function completionGuard(): GuardRule {
  const asked = new Map<string, Principal>();
  return {
    name: "bridged-completion",
    promise:
      "With the bridge on, no task of the client's list is completed over open gates or by somebody who does not hold it.",
    failsClosed: true,
    beforeTool: {
      tools: /^TaskUpdate$/,
      async decide(ctx) {
        const { call, principal } = ctx;
        if (!isOn(ctx) || clientState(call.toolInput.status) !== "completed") return undefined;
        const ref = { session: call.session, clientId: textOf(call.toolInput.taskId) };
        const row = await findClientTask(ctx.runtime.store.db, ref);
        const refusal = row && (await refusalOf(ctx, row, principal));
        if (refusal !== undefined) return refusal;
        if (asked.size >= MOST_ASKED) asked.clear();
        asked.set(keyOf(ref), principal);
        return undefined;
      },
    },
    async clientTask(ctx) {
      const { call } = ctx;
      if (!isOn(ctx) || call.event !== "TaskCompleted" || call.taskId === "") return undefined;
      const ref = { session: call.session, clientId: call.taskId };
      const known = asked.get(keyOf(ref));
      const completer = known ?? (call.agentId === "" ? undefined : ctx.principal);
      const row = await writeAs(ctx, completer ?? ctx.principal, "bridge_complete", async (trx) => {
        const seen = {
          ...ref,
          subject: call.taskSubject,
          description: call.taskDescription,
          state: "pending" as const,
        };
        return linkClientTask(trx, await meetClientTask(trx, seen, completer ?? ctx.principal));
      });
      const refusal = await refusalOf(ctx, row, completer);
      if (refusal !== undefined || !known) return refusal;
      await writeAs(ctx, known, "bridge_complete", async (trx) => {
        const current = await findClientTask(trx.db, ref);
        if (current && current.state !== "completed")
          await changeClientTask(trx, current, { state: "completing", completed_by: known.key });
      });
      return undefined;
    },
    afterTool: {
      tools: /^TaskUpdate$/,
      async decide({ call }) {
        asked.delete(keyOf({ session: call.session, clientId: textOf(call.toolInput.taskId) }));
        return undefined;
      },
    },
  };
}

async function refusalOf(
  ctx: GuardContext,
  row: ClientTaskRow,
  principal: Principal | undefined,
): Promise<Verdict | undefined> {
  const completion = await ctx.write("bridge_complete", (trx) => weighCompletion(trx, row, principal));
  return completion.outcome === "refused" ? { refusal: completion.reason } : undefined;
}

function keyOf({ session, clientId }: { session: string; clientId: string }): string {
  return JSON.stringify([session, clientId]);
}
