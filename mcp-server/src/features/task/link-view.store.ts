import type { Kysely } from "kysely";
import { plainLine } from "../../kernel/fence.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { compact } from "./task.view.ts";

const MAX_LINKS_SHOWN = 100;

/** What the task points at, the ids of tasks that do not exist here among them. */
export async function linksFrom(db: Kysely<Database>, taskId: number) {
  return (await outgoing.all(db, { taskId })).map((row) =>
    compact({
      type: plainLine(row.type, 60),
      id: row.target_key,
      state: row.cyclic ? "in a circle, not waited for" : (row.status ?? undefined),
      title: row.title ?? undefined,
      blocking: row.blocking === 1 || undefined,
    }),
  );
}

const outgoing = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("link")
    .leftJoin("task", "task.id", "link.target_id")
    .select(["link.type", "link.target_key", "link.blocking", "link.cyclic", "task.status", "task.title"])
    .where("link.task_id", "=", p.taskId)
    .orderBy("link.id")
    .limit(MAX_LINKS_SHOWN),
);

/** What points at the task. */
export async function linksTo(db: Kysely<Database>, taskId: number) {
  return (await incoming.all(db, { taskId })).map((row) =>
    compact({
      type: plainLine(row.type, 60),
      id: row.key,
      state: row.status,
      title: row.title,
      blocking: row.blocking === 1 || undefined,
    }),
  );
}

const incoming = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("link")
    .innerJoin("task", "task.id", "link.task_id")
    .select(["link.type", "task.key", "link.blocking", "task.status", "task.title"])
    .where("link.target_id", "=", p.taskId)
    .orderBy("link.id")
    .limit(MAX_LINKS_SHOWN),
);
