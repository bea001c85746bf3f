import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";

export async function labelsOf(db: Kysely<Database>, ids: readonly number[]): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for (let start = 0; start < ids.length; start += 500) {
    const rows = await db
      .selectFrom("task_label")
      .selectAll()
      .where("task_id", "in", ids.slice(start, start + 500))
      .orderBy("label")
      .execute();
    for (const row of rows) found.set(Number(row.task_id), [...(found.get(Number(row.task_id)) ?? []), row.label]);
  }
  return found;
}

export async function labelsOfTask(db: Kysely<Database>, taskId: number): Promise<string[]> {
  return (await labels.all(db, { taskId })).map((row) => row.label);
}

const labels = prepared((db, p: { taskId: number }) =>
  db.selectFrom("task_label").select("label").where("task_id", "=", p.taskId).orderBy("label"),
);

export async function changeLabels(
  ctx: OperationContext,
  taskId: number,
  add: readonly string[],
  remove: readonly string[],
): Promise<void> {
  if (remove.length > 0) {
    await ctx.db
      .deleteFrom("task_label")
      .where("task_id", "=", taskId)
      .where("label", "in", [...remove])
      .execute();
  }
  for (const label of new Set(add)) {
    await ctx.db
      .insertInto("task_label")
      .values({ task_id: taskId, label })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

export async function insertComment(
  ctx: OperationContext,
  taskId: number,
  comment: { key?: string; author: string; body: string; at?: number },
): Promise<void> {
  await ctx.db
    .insertInto("task_comment")
    .values({
      key: comment.key ?? ctx.newKey("c"),
      task_id: taskId,
      author: comment.author,
      body: comment.body,
      created_at: comment.at ?? ctx.now,
    })
    .execute();
}

export async function listComments(db: Kysely<Database>, taskId: number, limit: number) {
  return (await lastComments.all(db, { taskId, limit })).reverse();
}

const lastComments = prepared((db, p: { taskId: number; limit: number }) =>
  db
    .selectFrom("task_comment")
    .selectAll()
    .where("task_id", "=", p.taskId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(p.limit),
);
