import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { findTaskById } from "../task/task.store.ts";
import type { UnitRow } from "../unit/unit.store.ts";

const MOST_NOTES = 20;
const MAX_NOTE = 4000;

/**
 * Changes of interfaces that others have reported since the unit's specification was fixed, oldest first. They are read
 * from the tags that were routed to its task, not from the task's text, which its implementer may write; what those who
 * implement the unit have reported themselves is left out (requirements RP-04, AR-01).
 */
export async function changeNotes(db: Kysely<Database>, unit: UnitRow): Promise<string[]> {
  const task = await findTaskById(db, Number(unit.task_id));
  if (!task || unit.spec_at === null) return [];
  const events = await db
    .selectFrom("event")
    .select("after")
    .where("subject", "=", task.key)
    .where("type", "=", "task.interface_change")
    .where("at", ">=", unit.spec_at)
    .orderBy("seq")
    .execute();
  const keys = events.flatMap((event) => {
    const { tag } = JSON.parse(event.after ?? "{}") as { tag?: string }; // written by the routing of tags only
    return tag === undefined ? [] : [tag];
  });
  if (keys.length === 0) return [];
  const tags = await db
    .selectFrom("tag")
    .innerJoin("report", "report.id", "tag.report_id")
    .select(["tag.text", "tag.task_key", "report.agent_id"])
    .where("tag.key", "in", keys)
    .orderBy("tag.id")
    .execute();
  const own = await implementersOf(db, unit, task.holder);
  return tags
    .filter((tag) => !own.has(tag.agent_id) && !unit.spec?.includes(tag.text))
    .slice(0, MOST_NOTES)
    .map((tag) => `${tag.task_key === null ? "" : `${tag.task_key}: `}${tag.text.slice(0, MAX_NOTE)}`);
}

async function implementersOf(db: Kysely<Database>, unit: UnitRow, holder: string | null): Promise<Set<string>> {
  const rows = await db.selectFrom("unit_instance").select("agent_id").where("unit_id", "=", unit.id).execute();
  return new Set([...rows.map((row) => row.agent_id), (holder ?? "").replace(/^agent:/, "")]);
}
