import type { Kysely } from "kysely";
import type { Database } from "../../../store/database.ts";

/** Cards of a team that were blocked at some time since an instant, open or not. */
export async function blockedSince(db: Kysely<Database>, team: string, from: number): Promise<number> {
  const row = await db
    .selectFrom("event")
    .innerJoin("task", "task.key", "event.subject")
    .select((e) => e.fn.count("task.id").distinct().as("n"))
    .where("task.team", "=", team)
    .where("event.type", "=", "task.blocked")
    .where("event.at", ">=", from)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Cards of a team that waited for another team at some time since an instant (requirement DE-05). */
export async function waitedSince(db: Kysely<Database>, team: string, from: number): Promise<number> {
  const row = await db
    .selectFrom("dependency")
    .select((e) => e.fn.count("task_id").distinct().as("n"))
    .where("team", "=", team)
    .where((e) => e.or([e("resolved_at", "is", null), e("resolved_at", ">=", from)]))
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}
