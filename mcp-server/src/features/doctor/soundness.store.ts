import { type Kysely, sql } from "kysely";
import type { Database } from "../../store/database.ts";

const MOST_NAMED = 10;

/** What SQLite finds wrong with its own file. */
export async function fileProblems(db: Kysely<Database>): Promise<string[]> {
  const result = await sql<{ integrity_check: string }>`pragma integrity_check(5)`.execute(db);
  return result.rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
}

/**
 * Ids of tasks whose claim is none: in progress without a holder or a lease (a person's has no lease, and another
 * tool's task no holder), or held though nobody works on them.
 */
export async function claimFaults(db: Kysely<Database>): Promise<string[]> {
  const rows = await db
    .selectFrom("task")
    .select("key")
    .where((e) =>
      e.or([
        e.and([
          e("status", "=", "in_progress"),
          e("foreign_raw", "is", null),
          e.or([
            e("holder", "is", null),
            e.and([e("holder", "not like", "human:%"), e("lease_expires_at", "is", null)]),
          ]),
        ]),
        e.and([e("status", "in", ["open", "deferred"]), e("holder", "is not", null)]),
      ]),
    )
    .orderBy("id")
    .limit(MOST_NAMED)
    .execute();
  return rows.map((row) => row.key);
}

/** How many leases have run out that no write has come by to end. */
export async function countExpired(db: Kysely<Database>, now: number): Promise<number> {
  const { n } = await db
    .selectFrom("task")
    .select(sql<number>`count(*)`.as("n"))
    .where("lease_expires_at", "is not", null)
    .where("lease_expires_at", "<=", now)
    .executeTakeFirstOrThrow();
  return Number(n);
}
