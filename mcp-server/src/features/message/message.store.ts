import { type Kysely, type Selectable, sql } from "kysely";
import { hint } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { findByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { settles } from "./message.rules.ts";
import { type MessageKind, urgentKinds } from "./message.schema.ts";
import type { MessageTable } from "./message.table.ts";

export type MessageRow = Selectable<MessageTable>;

export interface MessageDraft {
  readonly kind: MessageKind;
  readonly sender: Principal;
  /** One of both is given: a channel, or a name with the key of who has it now. */
  readonly channel?: string | undefined;
  readonly recipient?: { readonly name: string; readonly key: string | undefined } | undefined;
  readonly text: string;
  readonly runId?: number | undefined;
  readonly taskKey?: string | undefined;
  readonly replyTo?: MessageRow | undefined;
  readonly source?: "tool" | "client";
  /** True for what has reached its reader another way. */
  readonly isDelivered?: boolean;
}

/**
 * Writes one message of the log, with its event; other slices tell agents of things through it (requirement C-14).
 * Call it late in a transaction: it holds the log's lock to the commit, so that ids are in the order of commits and
 * no cursor can pass a message that is still to appear.
 */
export async function insertMessage(ctx: OperationContext, draft: MessageDraft): Promise<MessageRow> {
  const { kind, sender, channel, recipient, replyTo } = draft;
  await ctx.dialect.lockName(ctx.db, "message-log");
  const row = await ctx.db
    .insertInto("message")
    .values({
      key: ctx.newKey("msg"),
      kind,
      channel: channel ?? null,
      recipient_name: recipient?.name ?? null,
      recipient_key: recipient?.key ?? null,
      sender_key: sender.key,
      sender_name: sender.name,
      sender_generation: sender.generation ?? null,
      session: sender.session ?? null,
      run_id: draft.runId ?? null,
      task_key: draft.taskKey ?? null,
      team: sender.team ?? null,
      text: draft.text,
      urgent: urgentKinds.includes(kind) ? 1 : 0,
      reply_to: replyTo ? Number(replyTo.id) : null,
      answered_by: null,
      source: draft.source ?? "tool",
      created_at: ctx.now,
      read_at: draft.isDelivered ? ctx.now : null,
      read_by: draft.isDelivered ? (recipient?.key ?? recipient?.name ?? null) : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const to = channel ?? recipient?.name ?? "";
  ctx.record({
    type: draft.source === "client" ? "message.mirrored" : "message.sent",
    subject: row.key,
    team: sender.team,
    after: { kind, from: sender.name, to, ...(draft.taskKey ? { task: draft.taskKey } : {}) },
  });
  if (replyTo) await settle(ctx, replyTo, row);
  return row;
}

async function settle(ctx: OperationContext, asked: MessageRow, reply: MessageRow): Promise<void> {
  // both kinds were written by insertMessage, from the closed list
  const [question, answer] = [asked.kind as MessageKind, reply.kind as MessageKind];
  if (asked.answered_by !== null || !settles(question, answer, asked.sender_key === reply.sender_key)) return;
  await ctx.db
    .updateTable("message")
    .set({ answered_by: Number(reply.id) })
    .where("id", "=", Number(asked.id))
    .execute();
  ctx.record({ type: "message.answered", subject: asked.key, after: { by: reply.key } });
}

/**
 * The newest question or blocker from one to another that is not settled: what the client's next message the other
 * way, which names nothing, is taken to reply to.
 */
export async function openFrom(db: Kysely<Database>, asker: string, asked: string): Promise<MessageRow | undefined> {
  return db
    .selectFrom("message")
    .selectAll()
    .where("sender_key", "=", asker)
    .where("recipient_key", "=", asked)
    .where("urgent", "=", 1)
    .where("answered_by", "is", null)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** A message by its id or a start of it. */
export async function findMessage(db: Kysely<Database>, ref: string): Promise<MessageRow | undefined> {
  return findByCutKey(db, "message", ref, hint("message_inbox", "with all shows them"), (key) =>
    db.selectFrom("message").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

/** The keys of messages by their surrogate ids. */
export async function keysOfMessages(db: Kysely<Database>, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("message").select(["id", "key"]).where("id", "in", ids).execute();
  return new Map(rows.map((row) => [Number(row.id), row.key]));
}

/** The newest message's id, 0 when there is none: one look that tells whether anything can be new. */
export async function lastMessageId(db: Kysely<Database>): Promise<number> {
  return Number((await newest.first(db, {}))?.id ?? 0);
}

const newest = prepared((db) => db.selectFrom("message").select("id").orderBy("id", "desc").limit(sql.lit(1)));

export interface MessageFilter {
  readonly channel?: string | undefined;
  /** Name of the sender, or of the recipient. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly kind?: MessageKind | undefined;
  readonly task?: string | undefined;
  /** Only questions and blockers that nobody has settled. */
  readonly open?: boolean | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** The log's newest messages that fit, oldest first, with how many fit in all. */
export async function listMessages(
  db: Kysely<Database>,
  filter: MessageFilter,
): Promise<{ rows: MessageRow[]; total: number }> {
  let query = db.selectFrom("message");
  if (filter.channel !== undefined) query = query.where("channel", "=", filter.channel);
  if (filter.from !== undefined) query = query.where("sender_name", "=", filter.from);
  if (filter.to !== undefined) query = query.where("recipient_name", "=", filter.to);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.task !== undefined) query = query.where("task_key", "=", filter.task);
  if (filter.open) query = query.where("urgent", "=", 1).where("answered_by", "is", null);
  const { total } = await query.select((e) => e.fn.countAll().as("total")).executeTakeFirstOrThrow();
  const rows = await query.selectAll().orderBy("id", "desc").limit(filter.limit).offset(filter.offset).execute();
  return { rows: rows.reverse(), total: Number(total) };
}

/** How many questions and blockers nobody has settled. */
export async function countOpen(db: Kysely<Database>): Promise<number> {
  const { n } = await db
    .selectFrom("message")
    .select((e) => e.fn.countAll().as("n"))
    .where("urgent", "=", 1)
    .where("answered_by", "is", null)
    .executeTakeFirstOrThrow();
  return Number(n);
}
