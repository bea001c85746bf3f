import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import type { ReportTable, TagTable } from "./tag.table.ts";

export type TagRow = Selectable<TagTable>;
export type ReportRow = Selectable<ReportTable>;

export async function insertReport(
  ctx: OperationContext,
  draft: Pick<
    ReportRow,
    "agent_id" | "agent_name" | "run_id" | "task_key" | "status" | "text" | "findings" | "malformed"
  >,
): Promise<ReportRow> {
  const row = await ctx.db
    .insertInto("report")
    .values({ ...draft, key: ctx.newKey("rep"), at: ctx.now })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({
    type: draft.malformed === 1 ? "report.malformed" : "report.accepted",
    subject: row.key,
    after: { agent: row.agent_name, task: row.task_key, status: row.status },
  });
  return row;
}

export async function insertTag(
  ctx: OperationContext,
  report: ReportRow,
  draft: Pick<TagRow, "kind" | "target" | "text">,
): Promise<TagRow> {
  const row = await ctx.db
    .insertInto("tag")
    .values({
      ...draft,
      key: ctx.newKey("tag"),
      report_id: report.id,
      run_id: report.run_id,
      task_key: report.task_key,
      agent_name: report.agent_name,
      status: "open",
      routed_to: null,
      resolution: null,
      resolved_by: null,
      at: ctx.now,
      settled_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({
    type: "tag.raised",
    subject: row.key,
    after: { kind: row.kind, target: row.target, task: row.task_key },
  });
  return row;
}

/** The report an agent handed in last. */
export async function lastReport(db: Kysely<Database>, agentId: string): Promise<ReportRow | undefined> {
  return db.selectFrom("report").selectAll().where("agent_id", "=", agentId).orderBy("id", "desc").executeTakeFirst();
}

/** The report that was handed in last on a task, whoever wrote it. */
export async function reportOfTask(db: Kysely<Database>, taskKey: string): Promise<ReportRow | undefined> {
  return db.selectFrom("report").selectAll().where("task_key", "=", taskKey).orderBy("id", "desc").executeTakeFirst();
}

const workTypes = ["task.claimed", "task.submitted", "task.closed"];

/**
 * True when the agent has taken or handed in work after this report, or its task was given back to it. True as well
 * where the trail no longer tells.
 */
export async function workedSince(db: Kysely<Database>, report: ReportRow): Promise<boolean> {
  const stored = await db
    .selectFrom("event")
    .select("seq")
    .where("subject", "=", report.key)
    .where("type", "in", ["report.accepted", "report.malformed"])
    .executeTakeFirst();
  if (!stored) return true;
  const work = await db
    .selectFrom("event")
    .select("seq")
    .where("seq", ">", stored.seq)
    .where((e) =>
      e.or([
        e.and([e("actor", "=", `agent:${report.agent_id}`), e("type", "in", workTypes)]),
        e.and([e("subject", "=", report.task_key ?? ""), e("type", "=", "task.returned")]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return work !== undefined;
}

/** True when the agent has taken or handed in a task. */
export async function hasWorked(db: Kysely<Database>, agentId: string): Promise<boolean> {
  const row = await db
    .selectFrom("event")
    .select("seq")
    .where("actor", "=", `agent:${agentId}`)
    .where("type", "in", workTypes)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** True when this agent has raised the same about the same task before: a report sent again says it once more. */
export async function wasRaised(
  ctx: OperationContext,
  report: ReportRow,
  draft: Pick<TagRow, "kind" | "target" | "text">,
): Promise<boolean> {
  const row = await ctx.db
    .selectFrom("tag")
    .innerJoin("report", "report.id", "tag.report_id")
    .select("tag.id")
    .where("report.agent_id", "=", report.agent_id)
    .where("tag.task_key", report.task_key === null ? "is" : "=", report.task_key)
    .where("tag.kind", "=", draft.kind)
    .where("tag.target", draft.target === null ? "is" : "=", draft.target)
    .where("tag.text", "=", draft.text)
    .executeTakeFirst();
  return row !== undefined;
}

export async function settleTag(
  ctx: OperationContext,
  tag: Pick<TagRow, "id" | "key">,
  how: { status: "routed" | "resolved"; routedTo?: string | undefined; resolution?: string | undefined },
): Promise<void> {
  const result = await ctx.db
    .updateTable("tag")
    .set({
      status: how.status,
      routed_to: how.routedTo ?? null,
      resolution: how.resolution ?? null,
      resolved_by: ctx.principal.name,
      settled_at: ctx.now,
    })
    .where("id", "=", tag.id)
    .where("settled_at", "is", null)
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) !== 1)
    throw new TeamwrightError("CONFLICT", `${tag.key} has been dealt with.`, hint("tag_list", "shows what is open"));
  ctx.record({ type: `tag.${how.status}`, subject: tag.key, after: { to: how.routedTo, resolution: how.resolution } });
}

/** A tag by its id or a start of it. Throws NOT_FOUND with where open ones are listed. */
export async function getTag(db: Kysely<Database>, ref: string): Promise<TagRow> {
  const list = hint("tag_list", "shows what is open");
  return getByCutKey(db, "tag", { ref, noun: "tag", list }, (key) =>
    db.selectFrom("tag").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

export async function listTags(
  db: Kysely<Database>,
  filter: { all?: boolean | undefined; runId?: number | undefined; limit: number },
): Promise<{ rows: TagRow[]; total: number }> {
  let query = db.selectFrom("tag");
  if (!filter.all) query = query.where("settled_at", "is", null);
  if (filter.runId !== undefined) query = query.where("run_id", "=", filter.runId);
  const { n } = await query.select((e) => e.fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
  const rows = await query.selectAll().orderBy("id").limit(filter.limit).execute();
  return { rows, total: Number(n) };
}

export async function openTagCount(db: Kysely<Database>, runId: number): Promise<number> {
  const row = await db
    .selectFrom("tag")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("run_id", "=", runId)
    .where("settled_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Counts how often an agent's report was sent back; true while it may be sent back again (requirements RP: at most twice). */
export async function mayAskAgain(ctx: OperationContext, agentId: string, most: number): Promise<boolean> {
  const row = await ctx.db.selectFrom("report_ask").selectAll().where("agent_id", "=", agentId).executeTakeFirst();
  const asked = row?.asked ?? 0;
  if (asked >= most) return false;
  await ctx.db
    .insertInto("report_ask")
    .values({ agent_id: agentId, asked: 1, at: ctx.now })
    .onConflict((conflict) => conflict.column("agent_id").doUpdateSet({ asked: asked + 1, at: ctx.now }))
    .execute();
  return true;
}

/** The report is in: the next one of this agent is asked for anew. */
export async function forgetAsks(ctx: OperationContext, agentId: string): Promise<void> {
  await ctx.db.deleteFrom("report_ask").where("agent_id", "=", agentId).execute();
}

/** Malformed reports of a run, for whoever looks at it. */
export async function malformedCount(db: Kysely<Database>, runId: number): Promise<number> {
  const row = await db
    .selectFrom("report")
    .select((e) => e.fn.countAll<number>().as("n"))
    .where("run_id", "=", runId)
    .where("malformed", "=", 1)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}
