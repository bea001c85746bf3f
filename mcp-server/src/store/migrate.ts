import { existsSync } from "node:fs";
import type BetterSqlite3 from "better-sqlite3";
import { type Kysely, sql } from "kysely";
import { TeamwrightError } from "../kernel/errors.ts";
import type { Database } from "./database.ts";
import { migrations } from "./migrations/index.ts";

export const schemaVersion = migrations.length;

/**
 * Brings a SQLite file to the current schema. The version is read again under the write lock, because Kysely's own
 * migrator has no lock here: of 80 concurrent first starts 24 failed (storage floors §0.4).
 * @returns the version found when it is newer than this program knows, else undefined
 */
export function migrateSqlite(db: BetterSqlite3.Database, path: string): number | undefined {
  const found = userVersion(db);
  if (found > schemaVersion) return found;
  if (found === schemaVersion) return undefined;
  if (found > 0 && path !== ":memory:") backUp(db, path, found);
  db.exec("begin immediate");
  try {
    const current = userVersion(db);
    for (const migration of migrations.slice(current)) {
      for (const statement of migration.statements("sqlite")) db.exec(statement);
    }
    db.pragma(`user_version = ${schemaVersion}`);
    db.exec("commit");
  } catch (error) {
    db.exec("rollback");
    throw error;
  }
  return undefined;
}

function userVersion(db: BetterSqlite3.Database): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** A copy beside the store before the first statement of a migration; an existing copy of that version is kept. */
function backUp(db: BetterSqlite3.Database, path: string, version: number): void {
  const copy = `${path}.v${version}.backup`;
  if (!existsSync(copy)) db.prepare("vacuum into ?").run(copy);
}

const MIGRATION_LOCK = 7_236_401;

/** The same for PostgreSQL: DDL is transactional there and an advisory lock keeps others out. */
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
