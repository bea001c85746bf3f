import type { Kysely } from "kysely";
import type { Database } from "../../../store/database.ts";
import { loadValue, saveValue } from "../experiment.store.ts";
import type { SessionEnd } from "./session.rules.ts";

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

const OPEN = "open-sessions";

/** Ids of sessions that were begun and whose end nobody has written down: of a run that is killed, some are left. */
export async function openSessions(db: Kysely<Database>): Promise<string[]> {
  return ((await loadValue(db, OPEN)) ?? []) as string[]; // written below only
}

/** The caller's transaction keeps two sessions that begin or end at once apart. */
export async function noteSession(db: Kysely<Database>, session: string, isOpen: boolean): Promise<void> {
  const others = (await openSessions(db)).filter((id) => id !== session);
  await saveValue(db, OPEN, isOpen ? [...others, session] : others);
}

const ends = (n: number) => `sessions:${n}`;
type TeamEnd = readonly [team: string, end: SessionEnd];

/** How the sessions of a sprint have ended so far, in that order: a team has several when the run was stopped in it. */
export async function sessionEnds(db: Kysely<Database>, n: number): Promise<TeamEnd[]> {
  return ((await loadValue(db, ends(n))) ?? []) as TeamEnd[]; // written below only
}

export async function addSessionEnd(db: Kysely<Database>, n: number, one: TeamEnd): Promise<void> {
  await saveValue(db, ends(n), [...(await sessionEnds(db, n)), one]);
}
