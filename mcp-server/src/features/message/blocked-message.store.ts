import { plainLine } from "../../kernel/fence.ts";
import type { EventDraft, OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { leadFor } from "./correspondent.store.ts";
import { insertMessage } from "./message.store.ts";

const MAX_REASON = 300;

/**
 * The lead of an agent that is held up hears so with its next context, and is not woken (requirement MB-06). One that
 * has not read of the task's last block is not told of the next: somebody who flips a flag floods nobody.
 */
export async function tellBlocked(ctx: OperationContext): Promise<void> {
  if (ctx.principal.kind !== "agent") return;
  for (const event of [...ctx.effects.events]) {
    const reason = newBlock(event);
    const lead = reason === undefined ? undefined : await leadFor(ctx, ctx.principal);
    if (!lead || event.subject === undefined || (await isUnread(ctx, lead.key, event.subject))) continue;
    const { session } = ctx.principal;
    await insertMessage(ctx, {
      kind: "INFO",
      sender: session === undefined ? systemPrincipal : { ...systemPrincipal, session },
      recipient: { name: "lead", key: lead.key },
      text: `[WHAT] ${event.subject} is blocked. [DETAIL] ${ctx.principal.name}: ${plainLine(reason ?? "", MAX_REASON)} [ACTION] Take the obstacle away, or find who can; task_update with unblock says that it is gone.`,
      runId: lead.run && Number(lead.run.id),
      taskKey: event.subject,
    });
  }
}

/** Why, where a flag was raised that was not up. What a report's BLOCKER tag raises is told by its routing. */
function newBlock({ type, before, after }: EventDraft): string | undefined {
  if (type !== "task.blocked" || after?.tag !== undefined || before?.blockedReason !== null) return undefined;
  return String(after?.blockedReason ?? "");
}

async function isUnread(ctx: OperationContext, lead: string, task: string): Promise<boolean> {
  const row = await ctx.db
    .selectFrom("message")
    .select("id")
    .where("recipient_name", "=", "lead")
    .where("recipient_key", "=", lead)
    .where("channel", "is", null)
    .where("read_at", "is", null)
    .where("sender_key", "=", systemPrincipal.key)
    .where("task_key", "=", task)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
