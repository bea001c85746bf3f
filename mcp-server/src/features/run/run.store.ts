import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { findByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { RunTable } from "./run.table.ts";

export type RunRow = Selectable<RunTable>;

/** The open run that this session leads: while there is one, the rules of a run hold in it. */
export async function activeRun(db: Kysely<Database>, session: string): Promise<RunRow | undefined> {
  return ofSession.first(db, { session });
}

const ofSession = prepared((db, p: { session: string }) =>
  db.selectFrom("run").selectAll().where("session", "=", p.session).where("ended_at", "is", null).orderBy("id", "desc"),
);

/** All open runs of the session: it has a second when it has taken over another's. */
export async function runsOfSession(db: Kysely<Database>, session: string): Promise<RunRow[]> {
  return ofSession.all(db, { session });
}

export async function openRuns(db: Kysely<Database>): Promise<RunRow[]> {
  return db.selectFrom("run").selectAll().where("ended_at", "is", null).orderBy("id", "desc").limit(50).execute();
}

/** The open runs that are part of this one. */
export async function openParts(db: Kysely<Database>, runId: number): Promise<RunRow[]> {
  return db
    .selectFrom("run")
    .selectAll()
    .where("parent_id", "=", runId)
    .where("ended_at", "is", null)
    .orderBy("id")
    .execute();
}

/** A run by its id or a start of it. */
export async function findRun(db: Kysely<Database>, ref: string): Promise<RunRow | undefined> {
  return findByCutKey(db, "run", ref, hint("brief_show", "shows open runs"), (key) =>
    db.selectFrom("run").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

/** The run that was started last, open or not. */
export async function lastRun(db: Kysely<Database>): Promise<RunRow | undefined> {
  return db.selectFrom("run").selectAll().orderBy("id", "desc").executeTakeFirst();
}

export async function getRunById(db: Kysely<Database>, id: number): Promise<RunRow> {
  return db.selectFrom("run").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

export async function insertRun(
  ctx: OperationContext,
  draft: Omit<
    RunRow,
    "id" | "key" | "parent_id" | "spawns" | "spawn_ack" | "status" | "started_at" | "seen_at" | "ended_at" | "end_note"
  >,
  parent?: RunRow,
): Promise<RunRow> {
  const row = await ctx.db
    .insertInto("run")
    .values({
      ...draft,
      parent_id: parent === undefined ? null : Number(parent.id),
      key: ctx.newKey("run"),
      status: "open",
      started_at: ctx.now,
      seen_at: ctx.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({
    type: "run.started",
    subject: row.key,
    after: {
      name: row.name,
      level: row.level,
      mode: row.mode,
      verdict: row.verdict,
      ...(parent ? { part_of: parent.key } : {}),
    },
  });
  return row;
}

export async function changeRun(
  ctx: OperationContext,
  id: number,
  change: Partial<Omit<RunRow, "id" | "key">>,
): Promise<void> {
  await ctx.db.updateTable("run").set(change).where("id", "=", id).execute();
}

/**
 * Refuses everybody but the run's lead and people. A run whose session has ended, or whose lead has been silent for
 * longer than a lease, is taken over by the lead who asks: work goes on after a crash.
 */
export async function checkLeads(ctx: OperationContext, run: RunRow): Promise<void> {
  const { principal } = ctx;
  if (principal.kind === "human" || principal.kind === "service") return;
  if (principal.kind !== "lead" || principal.session === undefined) {
    throw new TeamwrightError(
      "FORBIDDEN",
      `Only the lead of ${run.name} may do this: whoever did the work does not judge it.`,
      hint("brief_show", "shows what is yours to do"),
    );
  }
  if (run.session === principal.session) {
    await changeRun(ctx, run.id, { seen_at: ctx.now });
    return;
  }
  if (run.session !== null && ctx.now - Number(run.seen_at) < ctx.leaseMs) {
    throw new TeamwrightError(
      "CONFLICT",
      `${run.name} is led by another session that was alive a moment ago.`,
      hint("brief_show", "shows the runs that are open"),
    );
  }
  await changeRun(ctx, run.id, { session: principal.session, lead: principal.key, seen_at: ctx.now });
  ctx.record({ type: "run.adopted", subject: run.key, before: { lead: run.lead }, after: { lead: principal.key } });
}

/** A session has ended: its runs wait for the next lead. */
export async function leaveRuns(ctx: OperationContext, session: string): Promise<void> {
  await ctx.db
    .updateTable("run")
    .set({ session: null })
    .where("session", "=", session)
    .where("ended_at", "is", null)
    .execute();
}
