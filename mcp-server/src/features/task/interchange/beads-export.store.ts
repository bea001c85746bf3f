import type { Kysely } from "kysely";
import type { Database } from "../../../store/database.ts";
import type { Task } from "../task.schema.ts";
import { rowToTask } from "../task.store.ts";
import { labelsOf } from "../task-parts.store.ts";
import type { TaskComment, TaskEdge, WholeTask } from "./beads-task.rules.ts";

/** The tasks with labels, edges and comments, in a few statements however many they are. */
export async function loadWhole(db: Kysely<Database>, tasks: readonly Task[]): Promise<WholeTask[]> {
  const whole: WholeTask[] = [];
  for (let start = 0; start < tasks.length; start += 500) {
    const page = tasks.slice(start, start + 500);
    const ids = page.map((task) => task.id);
    const labels = await labelsOf(db, ids);
    const edges = group(
      await db.selectFrom("link").selectAll().where("task_id", "in", ids).orderBy("id").execute(),
      (row): TaskEdge => ({
        targetKey: row.target_key,
        type: row.type,
        metadata: row.metadata,
        createdAt: row.created_at,
        createdBy: row.created_by,
      }),
    );
    const comments = group(
      await db.selectFrom("task_comment").selectAll().where("task_id", "in", ids).orderBy("id").execute(),
      (row): TaskComment => ({ key: row.key, author: row.author, body: row.body, createdAt: row.created_at }),
    );
    for (const task of page) {
      whole.push({
        task,
        labels: labels.get(task.id) ?? [],
        edges: edges.get(task.id) ?? [],
        comments: comments.get(task.id) ?? [],
      });
    }
  }
  return whole;
}

function group<R extends { task_id: number }, T>(rows: readonly R[], convert: (row: R) => T): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows) {
    const id = Number(row.task_id);
    const list = groups.get(id);
    if (list) list.push(convert(row));
    else groups.set(id, [convert(row)]);
  }
  return groups;
}

/** Every task, or a team's, oldest first. */
async function allTasks(db: Kysely<Database>, team: string | undefined): Promise<Task[]> {
  let query = db.selectFrom("task").selectAll();
  if (team !== undefined) query = query.where("team", "=", team);
  return (await query.orderBy("id").execute()).map(rowToTask);
}

/** All of it as it is at one moment, however long the reading takes: a task that comes meanwhile would leave a torn link. */
export function readAll(db: Kysely<Database>, team: string | undefined) {
  return db
    .transaction()
    .setAccessMode("read only")
    .setIsolationLevel("repeatable read")
    .execute(async (trx) => ({
      tasks: await loadWhole(trx, await allTasks(trx, team)),
      memories: await foreignRows(trx, "memory"),
      rawRows: [...(await foreignRows(trx, "tombstone")), ...(await foreignRows(trx, "unknown"))],
    }));
}

/** Rows kept as they came; a tombstone whose task is there is told by the task, and one id would stand in two rows. */
async function foreignRows(db: Kysely<Database>, kind: string): Promise<{ key: string; raw: string }[]> {
  const rows = db.selectFrom("foreign_row").select(["key", "raw"]).where("kind", "=", kind).orderBy("id");
  if (kind !== "tombstone") return rows.execute();
  return rows
    .where((e) => e.not(e.exists(e.selectFrom("task").select("id").whereRef("task.key", "=", "foreign_row.key"))))
    .execute();
}
