import type { Kysely, Selectable } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { ReviewTable } from "./review.table.ts";

export type ReviewRow = Selectable<ReviewTable>;

export async function insertReview(
  ctx: OperationContext,
  draft: Pick<ReviewRow, "key" | "unit_id" | "attempt" | "diff_hash" | "packet">,
): Promise<ReviewRow> {
  const row = await ctx.db
    .insertInto("review")
    .values({
      ...draft,
      status: "open",
      opened_by: ctx.principal.key,
      opened_at: ctx.now,
      tool_use_id: null,
      agent_id: null,
      verdict: null,
      items: null,
      issues: null,
      answer: null,
      fault: null,
      answered_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({ type: "review.opened", subject: row.key, after: { attempt: row.attempt, diff_hash: row.diff_hash } });
  return row;
}

export async function changeReview(
  ctx: OperationContext,
  id: number,
  change: Partial<Omit<ReviewRow, "id" | "key">>,
): Promise<void> {
  await ctx.db.updateTable("review").set(change).where("id", "=", id).execute();
}

export async function findReview(db: Kysely<Database>, key: string): Promise<ReviewRow | undefined> {
  return db.selectFrom("review").selectAll().where("key", "=", key).executeTakeFirst();
}

/** The review that this Agent call took the packet of. */
export async function reviewOfCall(db: Kysely<Database>, toolUseId: string): Promise<ReviewRow | undefined> {
  return db.selectFrom("review").selectAll().where("tool_use_id", "=", toolUseId).executeTakeFirst();
}

export async function reviewOfAgent(db: Kysely<Database>, agentId: string): Promise<ReviewRow | undefined> {
  return db.selectFrom("review").selectAll().where("agent_id", "=", agentId).orderBy("id", "desc").executeTakeFirst();
}

/** The review whose packet was taken and whose reviewer nobody knows yet, when there is one such alone. */
export async function onlyUnclaimed(db: Kysely<Database>): Promise<ReviewRow | undefined> {
  const rows = await db
    .selectFrom("review")
    .innerJoin("unit", "unit.id", "review.unit_id")
    .selectAll("review")
    .where("review.status", "=", "taken")
    .where("review.agent_id", "is", null)
    .where("unit.phase", "=", "review")
    .limit(2)
    .execute();
  return rows.length === 1 ? rows[0] : undefined;
}

/** The Agent call that started an agent; undefined as long as it is not known. */
export async function callOfAgent(db: Kysely<Database>, agentId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("spawn")
    .select("tool_use_id")
    .where("agent_id", "=", agentId)
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row?.tool_use_id;
}

export async function reviewsOf(db: Kysely<Database>, unitId: number): Promise<ReviewRow[]> {
  return db.selectFrom("review").selectAll().where("unit_id", "=", unitId).orderBy("id").execute();
}

/** The last FAIL of a unit, of one content when its hash is given. */
export async function failedReview(
  db: Kysely<Database>,
  unitId: number,
  diffHash?: string,
): Promise<ReviewRow | undefined> {
  let query = db.selectFrom("review").selectAll().where("unit_id", "=", unitId).where("status", "=", "answered");
  if (diffHash !== undefined) query = query.where("diff_hash", "=", diffHash);
  return query.where("verdict", "=", "FAIL").orderBy("id", "desc").executeTakeFirst();
}

/** The PASS that stands behind a diff: given by a fresh instance on exactly this hash. */
export async function passedReview(
  db: Kysely<Database>,
  unitId: number,
  diffHash: string,
): Promise<ReviewRow | undefined> {
  return db
    .selectFrom("review")
    .selectAll()
    .where("unit_id", "=", unitId)
    .where("diff_hash", "=", diffHash)
    .where("verdict", "=", "PASS")
    .where("status", "=", "answered")
    .orderBy("id", "desc")
    .executeTakeFirst();
}
