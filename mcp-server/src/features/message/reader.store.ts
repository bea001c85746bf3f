import { type ExpressionBuilder, type Kysely, sql } from "kysely";
import { type ProjectConfig, teamOfAgent } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { type AgentRow, agentsOfSession, findAgent } from "../agent/agent.store.ts";
import { activeRun } from "../run/run.store.ts";
import type { MessageRow } from "./message.store.ts";

/** Somebody who reads messages, and what of the log is theirs. */
export interface Reader {
  readonly key: string;
  readonly kind: Principal["kind"];
  readonly session: string | undefined;
  /** The open run of its session. */
  readonly runId: number | undefined;
  /** Messages sent to this name reach whoever has it: `lead`, or an agent's name; undefined for one without. */
  readonly name: string | undefined;
  /** A name that the configuration declares means the same agent in every session. */
  readonly isDeclared: boolean;
  /** Undefined: every channel. */
  readonly channels: readonly string[] | undefined;
  /** UTC ms; older messages of channels concern others. */
  readonly since: number;
  /** Has a task, a declared name or a name in a run: hears its channels without asking. */
  readonly isMember: boolean;
}

type Viewer = { readonly db: Kysely<Database>; readonly config: ProjectConfig };

/** The principal as a reader of messages (requirement MB-01). */
export async function readerOf({ db, config }: Viewer, principal: Principal): Promise<Reader> {
  const { key, kind, session } = principal;
  const run = session === undefined ? undefined : await activeRun(db, session);
  const runId = run && Number(run.id);
  const everywhere = ["portfolio", "coordination"];
  const base = { key, kind, session, runId };
  if (kind === "lead") {
    const agents = session !== undefined && (run || config.teams.length > 1) ? await agentsOfSession(db, session) : [];
    const teams = new Set(agents.flatMap(({ team }) => (team === null ? [] : [`team:${team}`])));
    const since = run ? Number(run.started_at) : leadsSince(config, agents);
    return { ...base, name: "lead", isDeclared: false, channels: [...everywhere, ...teams], since, isMember: true };
  }
  if (kind !== "agent" || principal.agentId === undefined)
    return { ...base, name: undefined, isDeclared: false, channels: undefined, since: 0, isMember: true };
  const row = await findAgent(db, principal.agentId);
  const name = row?.name ?? undefined;
  const isDeclared = name !== undefined && teamOfAgent(config, name) !== undefined;
  const channels = principal.team === undefined ? everywhere : [...everywhere, `team:${principal.team}`];
  const since = Math.min(Number(row?.started_at ?? 0), Number(run?.started_at ?? Number.POSITIVE_INFINITY));
  const isMember = isDeclared || (row?.task_key ?? null) !== null || (name !== undefined && run !== undefined);
  return { ...base, name, isDeclared, channels, since, isMember };
}

/** Since when a session without a run leads agents of one of several teams: its lead hears their channels, too. */
function leadsSince(config: ProjectConfig, agents: readonly AgentRow[]): number {
  const [first] = agents.filter(({ name }) => name !== null && teamOfAgent(config, name) !== undefined);
  return config.teams.length > 1 && first ? Number(first.started_at) : Number.POSITIVE_INFINITY;
}

export interface Cursor {
  readonly last: number;
  readonly urgent: number;
}

/** How far the channels are read: a new generation goes on where the last of its name stopped. */
async function cursorOf(db: Kysely<Database>, reader: Reader): Promise<Cursor> {
  const own = await db.selectFrom("message_cursor").selectAll().where("reader", "=", reader.key).executeTakeFirst();
  if (own) return { last: Number(own.last_read_id), urgent: Number(own.urgent_read_id) };
  if (reader.kind !== "agent") return { last: 0, urgent: 0 };
  const before = await db
    .selectFrom("message")
    .select((e) => e.fn.max("id").as("id"))
    .where("created_at", "<", reader.since)
    .executeTakeFirst();
  const floor = Number(before?.id ?? 0);
  if (reader.name === undefined) return { last: floor, urgent: floor };
  let earlier = db
    .selectFrom("message_cursor")
    .innerJoin("agent", (join) => join.on(sql`'agent:' || agent.agent_id`, "=", sql.ref("message_cursor.reader")))
    .select((e) => [e.fn.max("last_read_id").as("last"), e.fn.max("urgent_read_id").as("urgent")])
    .where("agent.name", "=", reader.name);
  if (!reader.isDeclared) earlier = earlier.where("agent.session", "=", reader.session ?? "");
  const inherited = await earlier.executeTakeFirst();
  return {
    last: Math.max(floor, Number(inherited?.last ?? 0)),
    urgent: Math.max(floor, Number(inherited?.urgent ?? 0)),
  };
}

type Where = ExpressionBuilder<Database, "message">;

/** Sent to the reader alone: to its key, or to its name when whoever had it then is gone. */
function isDirect(e: Where, reader: Reader) {
  const toKey = e("recipient_key", "=", reader.key);
  if (reader.name === undefined) return e.and([e("channel", "is", null), toKey]);
  const nearby = [
    ...(reader.session === undefined || reader.kind === "lead" ? [] : [e("session", "=", reader.session)]),
    ...(reader.runId === undefined ? [] : [e("run_id", "=", reader.runId)]),
    ...(reader.isDeclared ? [sql<boolean>`1 = 1`] : []),
  ];
  const goneOnes = e
    .selectFrom("agent")
    .select(sql<string>`'agent:' || agent_id`.as("key"))
    .where("agent.name", "=", reader.name)
    .where((a) =>
      a.or([
        a("agent.ended_at", "is not", null),
        ...(reader.runId === undefined
          ? []
          : [a.and([a("agent.session", "!=", reader.session ?? ""), e("message.run_id", "=", reader.runId)])]),
      ]),
    );
  const isVacant =
    reader.kind === "lead"
      ? sql<boolean>`1 = 1`
      : e.or([e("recipient_key", "is", null), e("recipient_key", "in", goneOnes)]);
  const byName = e.and([e("recipient_name", "=", reader.name), isVacant, e.or(nearby)]);
  return e.and([e("channel", "is", null), nearby.length === 0 ? toKey : e.or([toKey, byName])]);
}

/** On a channel the reader listens to, and not its own words. */
function isOnChannel(e: Where, reader: Reader) {
  const parts = [e("channel", "is not", null), e("sender_key", "!=", reader.key)];
  if (reader.channels === undefined) return e.and(parts);
  const listened = e("channel", "in", [...reader.channels]);
  if (reader.kind !== "lead") return e.and([...parts, listened]);
  const concerns = [
    e("session", "=", reader.session ?? ""),
    ...(reader.runId === undefined ? [] : [e("run_id", "=", reader.runId)]),
    ...(Number.isFinite(reader.since) ? [e.and([listened, e("created_at", ">=", reader.since)])] : []),
  ];
  return e.and([...parts, e.or(concerns)]);
}

/** All that the reader may see of the log, read or not. */
export function isVisible(e: Where, reader: Reader) {
  return e.or([
    isDirect(e, reader),
    isOnChannel(e, reader),
    e("sender_key", "=", reader.key),
    e.and([e("recipient_key", "=", reader.key), e("channel", "is", null)]),
  ]);
}

export interface UnreadOptions {
  readonly urgentOnly?: boolean;
  /** With `urgentOnly`: what the server itself has to tell the reader alone, too. */
  readonly orAnnounced?: boolean;
  /** Only what was sent to the reader alone. */
  readonly directOnly?: boolean;
  /** Only messages after this id. */
  readonly after?: number;
}

function unread(db: Kysely<Database>, reader: Reader, cursor: Cursor, options: UnreadOptions) {
  let query = db.selectFrom("message").where((e) => {
    const direct = e.and([e("read_at", "is", null), isDirect(e, reader)]);
    if (options.directOnly) return direct;
    const isNew = e.and([
      e("id", ">", cursor.last),
      e.or([e("urgent", "=", 0), e("id", ">", cursor.urgent)]),
      isOnChannel(e, reader),
    ]);
    return e.or([direct, isNew]);
  });
  if (options.urgentOnly && options.orAnnounced) {
    const announced = (e: Where) => e.and([e("channel", "is", null), e("sender_key", "=", systemPrincipal.key)]);
    query = query.where((e) => e.or([e("urgent", "=", 1), announced(e)]));
  } else if (options.urgentOnly) query = query.where("urgent", "=", 1);
  if (options.after !== undefined) query = query.where("id", ">", options.after);
  return query;
}

/** Unread messages, oldest first, and how many there are in all. */
export async function unreadOf(
  db: Kysely<Database>,
  reader: Reader,
  limit: number,
  options: UnreadOptions = {},
): Promise<{ rows: MessageRow[]; total: number }> {
  const query = unread(db, reader, await cursorOf(db, reader), options);
  const rows = await query.selectAll().orderBy("id").limit(limit).execute();
  if (rows.length < limit) return { rows, total: rows.length };
  const { n } = await query.select((e) => e.fn.countAll().as("n")).executeTakeFirstOrThrow();
  return { rows, total: Number(n) };
}

/** All visible messages, read ones too, newest last. */
export async function historyOf(db: Kysely<Database>, reader: Reader, limit: number): Promise<MessageRow[]> {
  const rows = await db
    .selectFrom("message")
    .selectAll()
    .where((e) => isVisible(e, reader))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.reverse();
}

/** Whether the reader may see this message. */
export async function maySee(db: Kysely<Database>, reader: Reader, id: number): Promise<boolean> {
  const row = await db
    .selectFrom("message")
    .select("id")
    .where("id", "=", id)
    .where((e) => isVisible(e, reader))
    .executeTakeFirst();
  return row !== undefined;
}

/** Taken before unread messages are looked at to be given out: each goes out once (all generations of a name share it). */
export async function lockReader(ctx: OperationContext, reader: Reader): Promise<void> {
  await ctx.dialect.lockName(
    ctx.db,
    `message-reader:${reader.name === "lead" ? reader.key : (reader.name ?? reader.key)}`,
  );
}

/**
 * Marks messages as read that were unread and are the oldest of their sort; the reader's lock is held. Cursors never
 * go back.
 */
export async function markRead(
  ctx: OperationContext,
  reader: Reader,
  rows: readonly MessageRow[],
  options: UnreadOptions = {},
): Promise<void> {
  if (rows.length === 0) return;
  const direct = rows.filter((row) => row.channel === null).map((row) => Number(row.id));
  const onChannel = rows.filter((row) => row.channel !== null).map((row) => Number(row.id));
  if (direct.length > 0) {
    await ctx.db
      .updateTable("message")
      .set({ read_at: ctx.now, read_by: reader.key })
      .where("id", "in", direct)
      .where("read_at", "is", null)
      .execute();
  }
  if (onChannel.length > 0) await advance(ctx, reader, Math.max(...onChannel), options.urgentOnly ?? false);
  ctx.record({
    type: "message.read",
    subject: reader.key,
    after: { by: reader.name ?? reader.key, count: rows.length, last: rows.at(-1)?.key },
  });
}

async function advance(ctx: OperationContext, reader: Reader, to: number, urgentOnly: boolean): Promise<void> {
  const { last, urgent } = await cursorOf(ctx.db, reader);
  const values = {
    last_read_id: urgentOnly ? last : Math.max(last, to),
    urgent_read_id: Math.max(urgent, to),
    updated_at: ctx.now,
  };
  await ctx.db
    .insertInto("message_cursor")
    .values({ reader: reader.key, ...values })
    .onConflict((conflict) => conflict.column("reader").doUpdateSet(values))
    .execute();
}
