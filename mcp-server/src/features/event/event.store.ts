import { hash } from "node:crypto";
import type { Kysely } from "kysely";
import { formatHybridTime, nextHybridTime, parseHybridTime } from "../../kernel/hlc.ts";
import type { EventDraft, OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { EventTable } from "./event.table.ts";

const GENESIS_HASH = "0".repeat(64);
const CHAIN_LOCK = "event-chain";
const HEAD = "event_head";

export type EventRow = EventTable;

/**
 * Appends the transaction's events, chained to the last one. On PostgreSQL the chain lock is taken last and held to
 * the commit, so `seq` is gapless and readers of `seq > n` can never miss a late commit.
 */
export async function appendEvents(ctx: OperationContext, operation: string, replica: string): Promise<void> {
  if (ctx.effects.events.length === 0) return;
  await ctx.dialect.lockName(ctx.db, CHAIN_LOCK);
  const last = (await readHead(ctx.db)) ?? (await lastEvent(ctx.db));
  let time = last ? parseHybridTime(last.hlc) : undefined;
  let previous = last?.hash ?? GENESIS_HASH;
  let seq = Number(last?.seq ?? 0);
  const rows: EventRow[] = [];
  for (const draft of ctx.effects.events) {
    seq += 1;
    time = nextHybridTime(time, ctx.now, replica);
    const row = eventRow(ctx, draft, { seq, hlc: formatHybridTime(time), replica, operation, previous });
    previous = row.hash;
    rows.push(row);
  }
  for (const row of rows) await insertEvent.run(ctx.db, row);
  await writeHead.run(ctx.db, { value: JSON.stringify({ seq, hlc: rows.at(-1)?.hlc, hash: previous }) });
  await ctx.dialect.announce(ctx.db);
}

const insertEvent = prepared((db, p: EventRow) =>
  db.insertInto("event").values({
    seq: p.seq,
    hlc: p.hlc,
    at: p.at,
    replica: p.replica,
    actor: p.actor,
    actor_name: p.actor_name,
    actor_kind: p.actor_kind,
    session: p.session,
    operation: p.operation,
    type: p.type,
    subject: p.subject,
    team: p.team,
    before: p.before,
    after: p.after,
    prev_hash: p.prev_hash,
    hash: p.hash,
  }),
);

const writeHead = prepared((db, { value }: { value: string }) =>
  db
    .insertInto("meta")
    .values({ key: HEAD, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet((e) => ({ value: e.ref("excluded.value") }))),
);

const head = prepared((db) => db.selectFrom("meta").select("value").where("key", "=", HEAD));

interface Head {
  readonly seq: number;
  readonly hlc: string;
  readonly hash: string;
}

/** Where the chain ends, kept apart from it: events taken from its end are missed, and their numbers not given again. */
async function readHead(db: Kysely<Database>): Promise<Head | undefined> {
  const row = await head.first(db, {});
  return row && (JSON.parse(row.value) as Head); // written by appendEvents only
}

async function lastEvent(db: Kysely<Database>): Promise<Head | undefined> {
  return db.selectFrom("event").select(["seq", "hlc", "hash"]).orderBy("seq", "desc").limit(1).executeTakeFirst();
}

interface Stamp {
  readonly seq: number;
  readonly hlc: string;
  readonly replica: string;
  readonly operation: string;
  readonly previous: string;
}

function eventRow(ctx: OperationContext, draft: EventDraft, stamp: Stamp): EventRow {
  const row = {
    seq: stamp.seq,
    hlc: stamp.hlc,
    at: ctx.now,
    replica: stamp.replica,
    actor: ctx.principal.key,
    actor_name: ctx.principal.name,
    actor_kind: ctx.principal.kind,
    session: ctx.principal.session ?? null,
    operation: stamp.operation,
    type: draft.type,
    subject: draft.subject ?? null,
    team: draft.team ?? null,
    before: draft.before ? JSON.stringify(draft.before) : null,
    after: draft.after ? JSON.stringify(draft.after) : null,
    prev_hash: stamp.previous,
  };
  return { ...row, hash: hashEvent(row) };
}

/** SHA-256 over every column but the hash itself, in a fixed order. */
export function hashEvent(row: Omit<EventRow, "hash">): string {
  const fields = [
    Number(row.seq),
    row.hlc,
    Number(row.at),
    row.replica,
    row.actor,
    row.actor_name,
    row.actor_kind,
    row.session,
    row.operation,
    row.type,
    row.subject,
    row.team,
    row.before,
    row.after,
    row.prev_hash,
  ];
  return hash("sha256", JSON.stringify(fields), "hex");
}

/** Events after `seq`, oldest first: the change feed. */
export async function listEventsAfter(db: Kysely<Database>, seq: number, limit: number): Promise<EventRow[]> {
  return db.selectFrom("event").selectAll().where("seq", ">", seq).orderBy("seq").limit(limit).execute();
}

export async function listEventsOf(db: Kysely<Database>, subject: string, limit: number): Promise<EventRow[]> {
  return db
    .selectFrom("event")
    .selectAll()
    .where("subject", "=", subject)
    .orderBy("seq", "desc")
    .limit(limit)
    .execute();
}

export async function lastSeq(db: Kysely<Database>): Promise<number> {
  const row = await db.selectFrom("event").select("seq").orderBy("seq", "desc").limit(1).executeTakeFirst();
  return Number(row?.seq ?? 0);
}

function missing(first: number, last: number): string {
  return first === last ? `event ${first} is missing` : `events ${first} to ${last} are missing`;
}

export interface ChainFault {
  readonly seq: number;
  readonly problem: string;
}

/** Walks the whole chain in steps; an empty list means that nothing was changed, removed or inserted behind our back. */
export async function verifyChain(
  db: Kysely<Database>,
  stopAfter = 10,
): Promise<{ checked: number; faults: ChainFault[] }> {
  const faults: ChainFault[] = [];
  let previous = GENESIS_HASH;
  let seq = 0;
  for (;;) {
    const head = await readHead(db); // before the rows: what is written meanwhile lies behind it
    const rows = await listEventsAfter(db, seq, 2000);
    for (const row of rows) {
      const found = Number(row.seq);
      if (found !== seq + 1) faults.push({ seq: found, problem: `follows a gap: ${missing(seq + 1, found - 1)}` });
      if (row.prev_hash !== previous) faults.push({ seq: found, problem: "does not continue the event before it" });
      if (hashEvent(row) !== row.hash) faults.push({ seq: found, problem: "was changed after it was written" });
      previous = row.hash;
      seq = found;
      if (faults.length >= stopAfter) return { checked: seq, faults };
    }
    if (rows.length > 0) continue;
    if (head && (head.seq > seq || (head.seq === seq && head.hash !== previous)))
      faults.push({ seq: head.seq, problem: "is missing at the end of the chain" });
    return { checked: seq, faults };
  }
}
