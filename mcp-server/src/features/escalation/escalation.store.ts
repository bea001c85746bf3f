import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { About } from "./about.store.ts";
import { attemptState, grantRetry, historyOf } from "./attempt.store.ts";
import {
  checkMayResolve,
  entryText,
  isCounted,
  levelFor,
  levelOf,
  mergeHistory,
  readHistory,
} from "./escalation.rules.ts";
import { type Decision, type EscalatedOperation, type HistoryEntry, levels } from "./escalation.schema.ts";
import type { EscalationTable } from "./escalation.table.ts";

export type EscalationRow = Selectable<EscalationTable>;

export interface Raise extends About {
  readonly operation: EscalatedOperation;
  readonly reason: string;
  /** What a program said; its end is kept. */
  readonly excerpt?: string | undefined;
  /** The attempts so far, where the caller keeps them itself; those of `noteFailure` are added. */
  readonly history?: readonly HistoryEntry[] | undefined;
  /** True when its retries are used up; looked up in the counters when absent. */
  readonly exhausted?: boolean | undefined;
}

/**
 * Hands something up the chain agent → coordinator → orchestrator → human (requirements RE-03, C-21). A gate whose
 * retries are used up goes to a person at once. What is open already climbs one level with its whole history, and is
 * never swallowed: at the top it gains an entry.
 */
export async function raiseEscalation(ctx: OperationContext, raise: Raise): Promise<EscalationRow> {
  const { operation, scope, reason } = raise;
  await ctx.dialect.lockName(ctx.db, `escalation:${scope}`);
  const open = await findOpen(ctx.db, scope, operation);
  const current = levels.find((level) => level === open?.level);
  const counted = isCounted(operation) ? await attemptState(ctx, scope, operation) : undefined;
  const exhausted = raise.exhausted ?? counted?.exhausted ?? false;
  const level = levelFor({ operation, raiser: levelOf(ctx.principal), current, exhausted });
  const { key: by, name, session } = ctx.principal;
  const entry = {
    at: ctx.now,
    by: name,
    what: operation,
    result: `raised to ${level}`,
    ...entryText(reason, raise.excerpt),
  };
  const history = JSON.stringify(
    mergeHistory(open ? readHistory(open.history) : [], await historyOf(ctx.db, scope), raise.history ?? [], [entry]),
  );
  if (open) {
    // a level more is news for the lead; the same level again is an entry in the history
    const told = level === open.level ? {} : { told_at: null };
    await change(ctx, open.id, { level, reason, history, updated_at: ctx.now, ...told });
    ctx.record({
      type: level === open.level ? "escalation.repeated" : "escalation.climbed",
      subject: open.key,
      before: { level: open.level },
      after: { level, reason },
    });
    return { ...open, level, reason, history, updated_at: ctx.now, ...told };
  }
  const row = await ctx.db
    .insertInto("escalation")
    .values({
      key: ctx.newKey("esc"),
      scope,
      task_key: raise.taskKey,
      run_id: raise.runId,
      unit_key: raise.unitKey,
      operation,
      level,
      reason,
      history,
      raised_by: by,
      raised_by_name: name,
      session: session ?? null,
      created_at: ctx.now,
      updated_at: ctx.now,
      status: "open",
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({ type: "escalation.raised", subject: row.key, after: { about: scope, operation, level, reason } });
  return row;
}

export interface Settlement {
  readonly decision?: Decision | undefined;
  readonly resolution: string;
}

/**
 * Settles an escalation with a decision. Of two people at once one wins, the other gets CONFLICT. `retry` grants one
 * attempt more where the operation is counted.
 */
export async function resolveEscalation(ctx: OperationContext, ref: string, how: Settlement): Promise<EscalationRow> {
  const row = await getEscalation(ctx.db, ref);
  checkMayResolve(row, ctx.principal);
  const { decision, resolution } = how;
  const { key: by, name } = ctx.principal;
  const entry: HistoryEntry = {
    at: ctx.now,
    by: name,
    what: row.operation,
    result: decision === undefined ? "resolved" : `decided: ${decision}`,
    text: resolution,
  };
  const result = await ctx.db
    .updateTable("escalation")
    .set({
      status: "resolved",
      decision: decision ?? null,
      resolution,
      resolved_by: by,
      resolved_by_name: name,
      resolved_at: ctx.now,
      updated_at: ctx.now,
      told_at: null,
      history: JSON.stringify(mergeHistory(readHistory(row.history), [entry])),
    })
    .where("id", "=", row.id)
    .where("status", "=", "open")
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) !== 1) {
    const { resolved_by_name } = await getEscalation(ctx.db, row.key);
    throw new TeamwrightError(
      "CONFLICT",
      `${row.key} is resolved already, by ${resolved_by_name}.`,
      hint("escalation_list", "shows how"),
    );
  }
  if (decision === "retry" && isCounted(row.operation))
    await grantRetry(ctx, { scope: row.scope, operation: row.operation, by: name });
  ctx.record({ type: "escalation.resolved", subject: row.key, after: { about: row.scope, decision, resolution } });
  return getEscalation(ctx.db, row.key);
}

/**
 * What a person has decided last about a unit's gates; undefined while the newest escalation of them is open, or there
 * is none. What was settled below a person, or about something else, lets no unit go on.
 */
export async function lastDecision(db: Kysely<Database>, unit: string): Promise<EscalationRow | undefined> {
  const row = await db
    .selectFrom("escalation")
    .selectAll()
    .where("unit_key", "=", unit)
    .where("operation", "=", "gate")
    .where("level", "=", "human")
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row?.status === "resolved" ? row : undefined;
}

/** An escalation by its id or a start of it. Throws NOT_FOUND. */
export async function getEscalation(db: Kysely<Database>, ref: string): Promise<EscalationRow> {
  const list = hint("escalation_list", "shows them");
  return getByCutKey(db, "escalation", { ref, noun: "escalation", list }, (key) =>
    db.selectFrom("escalation").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

export interface EscalationFilter {
  readonly status?: string | undefined;
  readonly level?: string | undefined;
  readonly limit: number;
}

/** Newest first; what waits for a person before the rest. */
export async function listEscalations(
  db: Kysely<Database>,
  { status, level, limit }: EscalationFilter,
): Promise<{ rows: EscalationRow[]; total: number }> {
  let query = db.selectFrom("escalation");
  if (status !== undefined) query = query.where("status", "=", status);
  if (level !== undefined) query = query.where("level", "=", level);
  const rows = await query
    .selectAll()
    .orderBy((e) => e.case().when("level", "=", "human").then(0).else(1).end())
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  if (rows.length < limit) return { rows, total: rows.length };
  const { n } = await query.select((e) => e.fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
  return { rows, total: Number(n) };
}

const openOf = prepared((db, p: { scope: string; operation: string }) =>
  db
    .selectFrom("escalation")
    .selectAll()
    .where("status", "=", "open")
    .where("scope", "=", p.scope)
    .where("operation", "=", p.operation),
);

async function findOpen(db: Kysely<Database>, scope: string, operation: string): Promise<EscalationRow | undefined> {
  return openOf.first(db, { scope, operation });
}

async function change(ctx: OperationContext, id: number, columns: Partial<EscalationRow>): Promise<void> {
  await ctx.db.updateTable("escalation").set(columns).where("id", "=", id).execute();
}
