import { type Kysely, sql } from "kysely";
import { TeamwrightError } from "../kernel/errors.ts";
import type { Database } from "./database.ts";
import { migrations } from "./migrations/index.ts";

export const schemaVersion = migrations.length;

const MIGRATION_LOCK = 7_236_401;

/** Brings a PostgreSQL database to the current schema: DDL is transactional there and an advisory lock keeps others out. */
export async function migratePostgres(db: Kysely<Database>): Promise<number | undefined> {
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
    await sql`create table if not exists meta (key text primary key, value text not null)`.execute(trx);
    const row = await trx.selectFrom("meta").select("value").where("key", "=", "schema_version").executeTakeFirst();
    const current = Number(row?.value ?? 0);
    if (current > schemaVersion) return current;
    for (const migration of migrations.slice(current)) {
      for (const statement of migration.statements("postgres")) await sql.raw(statement).execute(trx);
    }
    await trx
      .insertInto("meta")
      .values({ key: "schema_version", value: String(schemaVersion) })
      .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: String(schemaVersion) }))
      .execute();
    return undefined;
  });
}

/** What a caller is told about a store that a newer program wrote. */
export function newerStoreMessage(found: number): string {
  return `The store has schema version ${found} and this Teamwright knows ${schemaVersion}: it is open read-only. Update Teamwright to write.`;
}

export function unreadable(location: string, cause: unknown): TeamwrightError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TeamwrightError("UNAVAILABLE", `The store at ${location} cannot be opened: ${reason}`);
}

/** What a caller is told about a store that cannot be brought to this program's schema where it is. */
export function olderStoreMessage(found: number, location: string): string {
  return `The store at ${location} has schema version ${found}, this Teamwright needs ${schemaVersion}, and it cannot be written where it is.`;
}
