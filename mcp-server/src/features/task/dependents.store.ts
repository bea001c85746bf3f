import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";

/** Ids of the tasks that wait for this one, or need what it makes: over links and cross-team dependencies. */
export async function edgesInto(db: Kysely<Database>, taskId: number): Promise<number[]> {
  const links = await db
    .selectFrom("link")
    .select("task_id")
    .where("target_id", "=", taskId)
    .where("type", "in", ["blocks", "conditional-blocks", "waits-for"])
    .execute();
  const needs = await db
    .selectFrom("dependency")
    .select("task_id")
    .where("needed_task_id", "=", taskId)
    .where("status", "=", "open")
    .execute();
  return [...new Set([...links, ...needs].map((row) => Number(row.task_id)))].sort((a, b) => a - b);
}
