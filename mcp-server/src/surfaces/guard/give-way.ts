import { insertMessage } from "../../features/message/message.store.ts";
import { activeRun } from "../../features/run/run.store.ts";
import type { GuardContext } from "../../kernel/guard-rule.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

const REFUSALS = 3;

/**
 * A rule that cannot be checked refuses; but one that fails at every stop would send its agent back for ever. After
 * three refusals in a row the stop passes, which is an event and, the first time, a blocker for the lead.
 */
export class GiveWay {
  readonly #failed = new Map<string, number>();

  worked(rule: string, { call }: Pick<GuardContext, "call">): void {
    this.#failed.delete(keyOf(rule, call.agentId));
  }

  /** Notes one more failure; true when the stop passes. */
  async failed(rule: string, { call, write }: GuardContext): Promise<boolean> {
    const key = keyOf(rule, call.agentId);
    const failures = (this.#failed.get(key) ?? 0) + 1;
    this.#failed.set(key, failures);
    if (failures <= REFUSALS) return false;
    const text = `The rule ${rule} could not be checked when agent ${call.agentId} stopped, ${failures} times in a row, and so its stop has passed unchecked. doctor_check says more; the server's log has the error.`;
    await write("guard_give_way", async (ctx) => {
      ctx.record({ type: "rule.gave_way", subject: call.agentId, after: { rule, failures } });
      if (failures > REFUSALS + 1) return;
      const run = await activeRun(ctx.db, call.session);
      const recipient = { name: "lead", key: `lead:${call.session}` };
      await insertMessage(ctx, {
        kind: "BLOCKER",
        sender: systemPrincipal,
        recipient,
        text,
        runId: run && Number(run.id),
      });
    }).catch((error: unknown) => process.stderr.write(`${text} It was not recorded: ${error}\n`));
    return true;
  }
}

function keyOf(rule: string, agentId: string): string {
  return `${agentId} ${rule}`;
}
