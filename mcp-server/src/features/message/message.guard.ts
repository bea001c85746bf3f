import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { roleOf } from "../agent/agent.rules.ts";
import { findAgent } from "../agent/agent.store.ts";
import { activeRun } from "../run/run.store.ts";
import { agentCalled, isKnown, namesReviewer } from "./correspondent.store.ts";
import { addressWords, parseAddress, readClientMessage, reviewerRole } from "./message.rules.ts";
import { MAX_CONTEXT, MAX_TEXT } from "./message.schema.ts";
import { insertMessage, keysOfMessages, lastMessageId, openFrom } from "./message.store.ts";
import { composeNews, referredIds } from "./message.view.ts";
import { notePartly } from "./partly.store.ts";
import { lockReader, markRead, readerOf, type UnreadOptions, unreadOf } from "./reader.store.ts";

const CLIENT_TOOL = /^SendMessage$/;

/** By the spawn's record, or by the definition the client names for an agent that is not joined with it yet. */
function isReviewer({ principal, call }: GuardContext): boolean {
  return principal.role === reviewerRole || roleOf(call.agentType) === reviewerRole;
}

/** The review is worth its independence: nobody prompts a reviewer, and none tells what it saw. */
export function reviewerMessageGuard(): GuardRule {
  return {
    name: "reviewer-silence",
    promise: "No message reaches an adversarial reviewer, by name or by id, and none leaves it.",
    failsClosed: true,
    beforeTool: {
      tools: CLIENT_TOOL,
      async decide(ctx) {
        const { to } = readClientMessage(ctx.call.toolInput);
        if (isReviewer(ctx)) {
          return refuse(
            ctx,
            to,
            "An adversarial reviewer sends no messages; what you found belongs into your verdict.",
          );
        }
        if (!(await namesReviewer(ctx.runtime.store.db, ctx.call.session, addressWords(to)))) return undefined;
        return refuse(
          ctx,
          to,
          "Nobody writes to an adversarial reviewer: it judges from its packet alone. Another pass is another reviewer.",
        );
      },
    },
  };
}

/** Announcements to everybody cost every agent a turn: routine ones go to whom they concern (requirement TZ-03). */
export function broadcastGuard(): GuardRule {
  return {
    name: "routine-broadcasts",
    promise: "In a run nothing routine is broadcast to every agent.",
    failsClosed: false,
    beforeTool: {
      tools: CLIENT_TOOL,
      async decide(ctx) {
        const { to, kind, isBroadcast } = readClientMessage(ctx.call.toolInput);
        if (!isBroadcast || kind !== "INFO") return undefined;
        if (!(await activeRun(ctx.runtime.store.db, ctx.call.session))) return undefined;
        return refuse(
          ctx,
          to,
          "A broadcast costs every agent a turn, so routine news go to those they concern: SendMessage to a name, or message_send to team:<id>. Begin the text with INTERFACE-CHANGE or BLOCKER if it is one.",
        );
      },
    },
  };
}

async function refuse({ write, principal }: GuardContext, to: string, refusal: string): Promise<Verdict> {
  await write("guard_message", async (ctx) => {
    ctx.record({
      type: "message.refused",
      subject: principal.key,
      team: principal.team,
      after: { from: principal.name, to: to.slice(0, 100) },
    });
  });
  return { refusal };
}

/** What the client delivers itself is in the one log, too (requirements MB-05, C-14); after the fact, so only what was sent. */
export function messageMirrorGuard(): GuardRule {
  return {
    name: "message-log",
    promise: "Messages sent with the client's own tool are in the log.",
    failsClosed: false,
    afterTool: {
      tools: CLIENT_TOOL,
      async decide({ call, principal, write }) {
        const { to, text, kind, isBroadcast } = readClientMessage(call.toolInput);
        if (to === "" && !isBroadcast) return undefined;
        if (call.toolResponse.success === false) return undefined;
        await write("guard_message", async (ctx) => {
          const run = await activeRun(ctx.db, call.session);
          const isLead = parseAddress(to).kind === "lead";
          const agent = isBroadcast || isLead ? undefined : await agentCalled(ctx.db, call.session, addressWords(to));
          const sender = call.agentId === "" ? undefined : await findAgent(ctx.db, call.agentId);
          if (!run && !isKnown(ctx, agent) && !isKnown(ctx, sender)) return;
          const recipient = isLead
            ? { name: "lead", key: `lead:${call.session}` }
            : { name: agent?.name ?? agent?.agent_id ?? to.slice(0, 100), key: agent && `agent:${agent.agent_id}` };
          await insertMessage(ctx, {
            kind,
            sender: principal,
            recipient: isBroadcast ? { name: "*", key: undefined } : recipient,
            text: text.slice(0, MAX_TEXT),
            runId: run && Number(run.id),
            taskKey: sender?.task_key ?? undefined,
            replyTo: recipient.key === undefined ? undefined : await openFrom(ctx.db, recipient.key, principal.key),
            source: "client",
            isDelivered: true,
          });
        });
        return undefined;
      },
    },
  };
}

const LOOK_EVERY_MS = 10_000;
const MOST_TOLD = 30;

/**
 * Unread messages reach whoever has work here with the next context: an agent at its start and, when new ones have
 * come, at a call it makes; the lead the urgent ones, and what the server tells it alone, at a prompt or a call. Comes
 * last of all rules: what it hands out counts as read, and a refusal would drop it.
 */
export function messageDeliveryGuard(): GuardRule {
  /** Only spares looks: what is unread is the store's to say. */
  const looked = new Map<string, { readonly at: number; readonly last: number }>();
  const look = async (ctx: GuardContext, isThrottled: boolean): Promise<Verdict | undefined> => {
    const { runtime, principal } = ctx;
    if (runtime.store.readOnly || isReviewer(ctx)) return undefined;
    const now = runtime.now();
    const before = looked.get(principal.key);
    if (isThrottled && before && now - before.at < LOOK_EVERY_MS) return undefined;
    const last = await lastMessageId(runtime.store.db);
    looked.set(principal.key, { at: now, last });
    if (last === 0 || (isThrottled && before?.last === last)) return undefined;
    return tell(ctx);
  };
  return {
    name: "message-delivery",
    promise: "Unread messages reach an agent with its next context, once; urgent ones reach the lead.",
    failsClosed: false,
    agentStarts: (ctx) => look(ctx, false),
    prompt: (ctx) => look(ctx, false),
    beforeTool: {
      tools: /^(?!.*__message_inbox$)/,
      decide: (ctx) => look(ctx, true),
    },
  };
}

async function tell({ runtime, principal, write }: GuardContext): Promise<Verdict | undefined> {
  const { store, config } = runtime;
  const reader = await readerOf({ db: store.db, config }, principal);
  const options: UnreadOptions = {
    urgentOnly: principal.kind === "lead",
    orAnnounced: true,
    directOnly: !reader.isMember,
  };
  if ((await unreadOf(store.db, reader, 1, options)).total === 0) return undefined;
  const context = await write("guard_messages", async (ctx) => {
    await lockReader(ctx, reader);
    const { rows, total } = await unreadOf(ctx.db, reader, MOST_TOLD, options);
    if (rows.length === 0) return "";
    const keys = await keysOfMessages(ctx.db, referredIds(rows));
    const news = composeNews(rows, total, keys, MAX_CONTEXT);
    await markRead(ctx, reader, rows.slice(0, news.shown), options);
    await notePartly(ctx, reader, news);
    return news.text;
  });
  return textOf(context) === "" ? undefined : { context };
}
