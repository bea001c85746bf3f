import type { Kysely, Selectable } from "kysely";
import { hint } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { About } from "../escalation/about.store.ts";
import { checkMayDecide, checkPending } from "./checkpoint.rules.ts";
import type { CheckpointKind, CheckpointReport, CheckpointStatus } from "./checkpoint.schema.ts";
import type { CheckpointTable } from "./checkpoint.table.ts";

export type CheckpointRow = Selectable<CheckpointTable>;

export interface CheckpointRequest {
  readonly about: About;
  readonly kind: CheckpointKind;
  readonly title: string;
  readonly report: CheckpointReport;
}

/** Asks for a person's approval. The same question asked again while it is pending is the same checkpoint (FP-08). */
export async function requestCheckpoint(ctx: OperationContext, request: CheckpointRequest): Promise<CheckpointRow> {
  const { about, kind, title } = request;
  const report = JSON.stringify(request.report);
  await ctx.dialect.lockName(ctx.db, `checkpoint:${about.scope}`);
  const same = (await ofAbout.all(ctx.db, { about: about.scope })).find(
    (row) => row.status === "pending" && row.kind === kind && row.title === title && row.report === report,
  );
  if (same) return same;
  const row = await ctx.db
    .insertInto("checkpoint")
    .values({
      key: ctx.newKey("cp"),
      run_id: about.runId,
      about: about.scope,
      kind,
      title,
      report,
      session: ctx.principal.session ?? null,
      requested_by: ctx.principal.key,
      requested_by_name: ctx.principal.name,
      created_at: ctx.now,
      status: "pending",
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({ type: "checkpoint.requested", subject: row.key, after: { about: about.scope, kind, title } });
  return row;
}

export interface Answer {
  readonly status: Exclude<CheckpointStatus, "pending">;
  readonly note?: string | undefined;
  /** True when the answer reaches the lead with the call's own result. */
  readonly told?: boolean;
}

/** Writes a person's answer: FORBIDDEN for everybody else, CONFLICT for the second of two. */
export async function decideCheckpoint(ctx: OperationContext, ref: string, answer: Answer): Promise<CheckpointRow> {
  const row = await getCheckpoint(ctx.db, ref);
  checkMayDecide(row.key, ctx.principal);
  const { key: by, name } = ctx.principal;
  const { status, note } = answer;
  const result = await ctx.db
    .updateTable("checkpoint")
    .set({
      status,
      note: note ?? null,
      decided_by: by,
      decided_by_name: name,
      decided_at: ctx.now,
      told_at: answer.told ? ctx.now : null,
    })
    .where("id", "=", row.id)
    .where("status", "=", "pending")
    .executeTakeFirst();
  const decided = await getCheckpoint(ctx.db, row.key);
  if (Number(result.numUpdatedRows) !== 1) checkPending(decided);
  ctx.record({
    type: `checkpoint.${status}`,
    subject: row.key,
    before: { status: "pending" },
    after: { status, about: row.about, ...(note === undefined ? {} : { note }) },
  });
  return decided;
}

/**
 * What holds for a unit, task or stage: pending while any checkpoint waits, else what was decided last; undefined when
 * nobody asked.
 */
export async function checkpointState(db: Kysely<Database>, about: string): Promise<CheckpointStatus | undefined> {
  const rows = await ofAbout.all(db, { about });
  if (rows.some((row) => row.status === "pending")) return "pending";
  const [newest] = rows;
  return newest && statusOf(newest);
}

/** When what holds for it was approved, as UTC ms; undefined while a checkpoint waits, after a refusal, and unasked. */
export async function approvedAt(db: Kysely<Database>, about: string): Promise<number | undefined> {
  const rows = await ofAbout.all(db, { about });
  const [newest] = rows;
  const isApproved = newest && statusOf(newest) === "approved" && !rows.some((row) => row.status === "pending");
  return isApproved && newest.decided_at !== null ? Number(newest.decided_at) : undefined;
}

export function statusOf(row: Pick<CheckpointRow, "status">): CheckpointStatus {
  return row.status === "approved" || row.status === "rejected" ? row.status : "pending";
}

const ofAbout = prepared((db, p: { about: string }) =>
  db.selectFrom("checkpoint").selectAll().where("about", "=", p.about).orderBy("id", "desc"),
);

/** A checkpoint by its id or a start of it. Throws NOT_FOUND. */
export async function getCheckpoint(db: Kysely<Database>, ref: string): Promise<CheckpointRow> {
  const list = hint("checkpoint_list", "shows them");
  return getByCutKey(db, "checkpoint", { ref, noun: "checkpoint", list }, (key) =>
    db.selectFrom("checkpoint").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

/** Newest first. */
export async function listCheckpoints(
  db: Kysely<Database>,
  { status, limit }: { readonly status?: string | undefined; readonly limit: number },
): Promise<{ rows: CheckpointRow[]; total: number }> {
  let query = db.selectFrom("checkpoint");
  if (status !== undefined) query = query.where("status", "=", status);
  const rows = await query.selectAll().orderBy("id", "desc").limit(limit).execute();
  if (rows.length < limit) return { rows, total: rows.length };
  const { n } = await query.select((e) => e.fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
  return { rows, total: Number(n) };
}
