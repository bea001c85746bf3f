import { type Kysely, sql } from "kysely";
import { TeamwrightError } from "../kernel/errors.ts";
import type { Database } from "./database.ts";
import { migrations } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";
import { codeOf } from "./postgres-failure.ts";

export const schemaVersion = migrations.length;

const MIGRATION_LOCK = 7_236_401;
/** A rival may be migrating a large store. */
const WAIT_MS = 60_000;
const NO_SUCH_TABLE = "42P01";
const TABLE_EXISTS = "42P07";
const NO_SUCH_COLUMN = "42703";

/**
 * Brings a PostgreSQL database to the current schema: DDL is transactional there, and an advisory lock keeps others
 * out. A store that is current is only looked at, which a user without rights on the schema may do as well.
 * @returns the version found when it is newer than this program knows, else undefined
 */
export async function migratePostgres(
  db: Kysely<Database>,
  list: readonly Migration[] = migrations,
): Promise<number | undefined> {
  try {
    const found = await versionOrNone(db);
    if (found >= list.length) return found > list.length ? found : undefined;
    return await migrateAlone(db, list);
  } catch (error) {
    if (![TABLE_EXISTS, NO_SUCH_COLUMN].includes(codeOf(error))) throw error;
    const detail = error instanceof Error ? error.message : "";
    throw new Error(`tables of another program are in the way (${detail}); Teamwright needs a database of its own`);
  }
}

async function migrateAlone(db: Kysely<Database>, list: readonly Migration[]): Promise<number | undefined> {
  return db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = ${sql.lit(WAIT_MS)}`.execute(trx);
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
    await sql`create table if not exists meta (key text primary key, value text not null)`.execute(trx);
    const current = await postgresVersion(trx); // another process may have been here before us
    if (current >= list.length) return current > list.length ? current : undefined;
    for (const migration of list.slice(current)) {
      for (const statement of migration.statements("postgres")) await sql.raw(statement).execute(trx);
    }
    await trx
      .insertInto("meta")
      .values({ key: "schema_version", value: String(list.length) })
      .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: String(list.length) }))
      .execute();
    return undefined;
  });
}

async function versionOrNone(db: Kysely<Database>): Promise<number> {
  try {
    return await postgresVersion(db);
  } catch (error) {
    if (codeOf(error) === NO_SUCH_TABLE) return 0;
    throw error;
  }
}

async function postgresVersion(db: Kysely<Database>): Promise<number> {
  const row = await db.selectFrom("meta").select("value").where("key", "=", "schema_version").executeTakeFirst();
  return Number(row?.value ?? 0);
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
