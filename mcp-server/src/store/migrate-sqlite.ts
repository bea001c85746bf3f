import { renameSync, rmSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { migrations } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";

const WAIT_MS = 60_000;

/**
 * Brings a SQLite file to the current schema. The version is read again under the write lock, because Kysely's own
 * migrator has no lock here: of 80 concurrent first starts 24 failed (storage floors §0.4).
 * @returns the version found when it is newer than this program knows, else undefined
 */
export function migrateSqlite(
  db: Sqlite.Database,
  path: string,
  list: readonly Migration[] = migrations,
): number | undefined {
  const found = sqliteVersion(db);
  if (found === list.length) return undefined;
  if (found > list.length) return found;
  beginAlone(db);
  try {
    const current = sqliteVersion(db);
    if (current > 0 && current < list.length && path !== ":memory:") backUp(path, current);
    for (const migration of list.slice(current)) {
      for (const statement of migration.statements("sqlite")) db.exec(statement);
    }
    if (current < list.length) db.pragma(`user_version = ${list.length}`);
    db.exec("commit");
    return current > list.length ? current : undefined;
  } catch (error) {
    if (db.inTransaction) db.exec("rollback");
    throw error;
  }
}

export function sqliteVersion(db: Sqlite.Database): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** A rival may be migrating a large store: that takes longer than any ordinary write may. */
function beginAlone(db: Sqlite.Database): void {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    try {
      db.exec("begin immediate");
      return;
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError) || !/^SQLITE_BUSY/.test(error.code) || Date.now() > deadline)
        throw error;
    }
  }
}

/**
 * A copy beside the store before the first statement of a migration. It is taken under the migration's lock, through
 * a reader of its own, so that it is the old version for certain; the rename makes it appear whole or not at all. One
 * of an earlier upgrade, after which somebody went back to the old version, is replaced: it lacks what came since.
 */
function backUp(path: string, version: number): void {
  const copy = `${path}.v${version}.backup`;
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { force: true });
  const reader = new Sqlite(path, { readonly: true, timeout: 5000 });
  try {
    reader.prepare("vacuum into ?").run(unfinished);
  } finally {
    reader.close();
  }
  renameSync(unfinished, copy);
}
