import * as z from "zod";
import { isCoordinated } from "../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { fenceText } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext, type RenderView } from "../../kernel/operation.ts";
import { activeRun } from "../run/run.store.ts";
import { getTask } from "../task/task.store.ts";
import { checkTeam } from "../team/team.rules.ts";
import { correspondentsOf, leadFor, namesReviewer } from "./correspondent.store.ts";
import {
  addressWords,
  checkChannel,
  checkSender,
  chooseRecipient,
  parseAddress,
  reviewerRole,
  toYourself,
} from "./message.rules.ts";
import {
  MAX_TEXT,
  type MessageKind,
  messageKinds,
  messageRef,
  type ShownMessage,
  shownMessage,
} from "./message.schema.ts";
import { findMessage, insertMessage, keysOfMessages, type MessageDraft, type MessageRow } from "./message.store.ts";
import { headline, referredIds, toShown } from "./message.view.ts";
import { notePartly } from "./partly.store.ts";
import { historyOf, lockReader, markRead, maySee, readerOf, unreadOf } from "./reader.store.ts";

export const messageSend = defineOperation({
  name: "message_send",
  description:
    "Message an agent, lead, team:<id>, portfolio (all teams) or coordination (leads); kept until it is read.",
  kind: "write",
  mcp: "all",
  positional: ["to", "text"],
  input: z.strictObject({
    to: z.string().min(1).max(100).optional().describe("Default: where reply_to came from."),
    text: z.string().min(1).max(MAX_TEXT).describe("What, detail, action."),
    kind: z.enum(messageKinds).optional(),
    task: z.string().min(1).max(100).optional().describe("Task id."),
    reply_to: messageRef.optional().describe("Message it answers."),
  }),
  output: z.object({
    message: shownMessage.omit({ text: true, characters: true }),
    waits: z.string().optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    const { principal } = ctx;
    checkSender(principal);
    const kind = input.kind ?? "INFO";
    const replyTo = input.reply_to === undefined ? undefined : await visibleMessage(ctx, input.reply_to);
    if (kind === "RESOLVED" && !replyTo && input.task === undefined) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        "RESOLVED names what it resolves: give reply_to or task.",
        hint("message_inbox", "with all shows earlier messages and their ids"),
      );
    }
    const task = input.task === undefined ? undefined : await getTask(ctx, input.task);
    const target = await targetOf(ctx, input.to ?? returnAddress(replyTo), kind, replyTo);
    const run = principal.session === undefined ? target.run : await activeRun(ctx.db, principal.session);
    const row = await insertMessage(ctx, {
      kind,
      sender: principal,
      channel: target.channel,
      recipient: target.recipient,
      text: input.text,
      runId: run && Number(run.id),
      taskKey: task?.key ?? replyTo?.task_key ?? undefined,
      replyTo,
    });
    const { text: _, characters: __, ...message } = toShown(row, await keysOfMessages(ctx.db, referredIds([row])));
    return {
      message,
      ...(target.waits === undefined ? {} : { waits: target.waits }),
      next: ["message_inbox", "task_update"],
    };
  },
  render: (output, view) =>
    [
      `${view.paint("green", "Sent")} ${headline(output.message)}`,
      ...(output.waits ? [output.waits] : []),
      view.next(output.next),
    ].join("\n"),
});

interface Target extends Pick<MessageDraft, "channel" | "recipient"> {
  readonly run?: Awaited<ReturnType<typeof activeRun>>;
  /** Said when nobody reads it now. */
  readonly waits?: string;
}

async function targetOf(
  ctx: OperationContext,
  to: string,
  kind: MessageKind,
  replyTo: MessageRow | undefined,
): Promise<Target> {
  const { principal, config } = ctx;
  const address = parseAddress(to);
  if (address.kind === "channel") {
    const { channel, team } = address;
    if (team !== undefined) checkTeam(config, team);
    const repliesThere = replyTo?.channel === channel;
    checkChannel({
      sender: principal,
      kind,
      channel,
      teamCount: config.teams.length,
      repliesThere,
      isCoordinated: isCoordinated(config),
    });
    return { channel };
  }
  if (address.kind === "lead") {
    if (principal.kind === "lead") throw toYourself();
    const lead = await leadFor(ctx, principal);
    if (lead) return { recipient: { name: "lead", key: lead.key }, run: lead.run };
    throw new TeamwrightError(
      "NOT_FOUND",
      "No session leads a run now, so nobody is the lead.",
      hint("message_send", "to portfolio or a team's channel"),
    );
  }
  const known = await correspondentsOf(ctx, principal);
  const isReviewer = await namesReviewer(ctx.db, principal.session, addressWords(address.name));
  const all = isReviewer ? [...known, asReviewer(address.name)] : known;
  const { key, name, isAlive } = chooseRecipient(principal, address.name, all);
  const waits = isAlive ? undefined : `${name} is not at work now; the next agent of that name reads it.`;
  return { recipient: { name, key }, ...(waits ? { waits } : {}) };
}

const asReviewer = (name: string) => ({ key: undefined, name, role: reviewerRole, isAlive: true });

function returnAddress(replyTo: MessageRow | undefined): string {
  if (replyTo) return replyTo.channel ?? (replyTo.sender_key.startsWith("agent:") ? replyTo.sender_key : "lead");
  throw new TeamwrightError(
    "INVALID_INPUT",
    "Say to whom: an agent's name, lead, team:<id>, portfolio or coordination.",
    hint("message_send", "with to, or with reply_to for an answer"),
  );
}

async function visibleMessage(ctx: OperationContext, id: string): Promise<MessageRow> {
  const row = await findMessage(ctx.db, id.trim());
  const reader = await readerOf(ctx, ctx.principal);
  if (row && (await maySee(ctx.db, reader, Number(row.id)))) return row;
  throw new TeamwrightError(
    "NOT_FOUND",
    "No message that reached you has this id.",
    hint("message_inbox", "with all shows them"),
  );
}

const MOST_SHOWN = 20;
const MOST_CHARACTERS = 12_000;

export const messageInbox = defineOperation({
  name: "message_inbox",
  description: "Your unread messages, oldest first, marked as read; a long text by its id.",
  kind: "write",
  mcp: "all",
  positional: ["id"],
  input: z.strictObject({
    id: messageRef.optional().describe("Shows this message whole."),
    all: z.boolean().optional().describe("Read ones too, newest last."),
    limit: z.number().int().min(1).max(100).optional(),
  }),
  output: z.object({ messages: z.array(shownMessage), unread: z.number() }),
  async run(ctx, input) {
    checkSender(ctx.principal);
    const reader = await readerOf(ctx, ctx.principal);
    await lockReader(ctx, reader);
    const limit = input.limit ?? MOST_SHOWN;
    if (input.id !== undefined) {
      const row = await visibleMessage(ctx, input.id);
      // a cursor may not pass what lies before this one
      if (row.channel === null && row.read_at === null && row.sender_key !== reader.key)
        await markRead(ctx, reader, [row]);
      await notePartly(ctx, reader, { whole: [row.key] });
      return answer(ctx, [row], (await unreadOf(ctx.db, reader, 1)).total, true);
    }
    if (input.all)
      return answer(ctx, await historyOf(ctx.db, reader, limit), (await unreadOf(ctx.db, reader, 1)).total);
    const { rows, total } = await unreadOf(ctx.db, reader, limit);
    const fitting = withinCharacters(rows);
    await markRead(ctx, reader, fitting);
    const answered = await answer(ctx, fitting, total - fitting.length);
    const cut = answered.messages.filter(({ characters }) => characters !== undefined);
    await notePartly(ctx, reader, { cut: cut.map(({ id }) => id) });
    return answered;
  },
  render(output, view) {
    const lines = output.messages.map((message) => renderMessage(message, view));
    if (lines.length === 0) return "No unread messages.";
    return [...lines, output.unread > 0 ? `${output.unread} more unread` : ""].filter(Boolean).join("\n");
  },
});

/** The first rows whose texts together stay readable; at least one. */
function withinCharacters(rows: readonly MessageRow[]): MessageRow[] {
  let characters = 0;
  const end = rows.findIndex((row, index) => {
    characters += toShown(row, new Map()).text.length;
    return index > 0 && characters > MOST_CHARACTERS;
  });
  return rows.slice(0, end === -1 ? rows.length : end);
}

async function answer(ctx: OperationContext, rows: readonly MessageRow[], unread: number, isWhole = false) {
  const keys = await keysOfMessages(ctx.db, referredIds(rows));
  return { messages: rows.map((row) => toShown(row, keys, isWhole)), unread };
}

function renderMessage(message: ShownMessage, view: RenderView): string {
  const kind = message.kind === "BLOCKER" || message.kind === "QUESTION" ? "yellow" : "cyan";
  const cut = message.characters === undefined ? "" : `, ${message.characters} characters by message_inbox with its id`;
  const mirrored = message.mirrored ? ", by the client" : "";
  return `${view.paint(kind, headline(message))} at ${message.at}${mirrored}${cut}\n${fenceText("message", message.text)}`;
}
