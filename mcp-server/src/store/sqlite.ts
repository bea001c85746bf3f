import { accessSync, constants, existsSync, readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { TeamwrightError } from "../kernel/errors.ts";
import type { DialectPort, Store } from "./dialect-port.ts";
import { makeHiddenFolder } from "./hidden-folder.ts";
import { newerStoreMessage, olderStoreMessage, schemaVersion, unreadable } from "./migrate.ts";
import { migrateSqlite, sqliteVersion } from "./migrate-sqlite.ts";
import { replicaName } from "./replica.ts";
import { BUSY_MS, isBusy, kyselyOver, pause } from "./sqlite-dialect.ts";

const OPEN_BUSY_MS = 5000;

export interface SqliteOptions {
  readonly path: string;
  readonly synchronous: "normal" | "full";
  /** Never creates or writes; also chosen when the file or its folder cannot be written. */
  readonly readOnly?: boolean;
}

/** Opens (and creates, and migrates) the embedded store. Throws UNAVAILABLE with the reason when it cannot. */
export function openSqlite(options: SqliteOptions): Store {
  const { path } = options;
  const memory = path === ":memory:";
  try {
    if (!memory && !options.readOnly) makeHiddenFolder(dirname(path));
  } catch (error) {
    throw unreadable(path, error);
  }
  const writable = memory || (!options.readOnly && isWritable(path));
  let db: Sqlite.Database;
  let newer: number | undefined;
  try {
    if (writable) {
      db = new Sqlite(path, { timeout: OPEN_BUSY_MS });
      configure(db, options.synchronous);
      newer = migrateSqlite(db, path);
      db.pragma("busy_timeout = 0"); // whoever waits from now on does so in sqlite-dialect.ts
    } else {
      db = openForReading(path);
      const found = sqliteVersion(db);
      if (found < schemaVersion) throw new TeamwrightError("UNAVAILABLE", olderStoreMessage(found, path));
      if (found > schemaVersion) newer = found;
    }
  } catch (error) {
    throw error instanceof TeamwrightError ? error : unreadable(path, error);
  }
  const readOnly = newer
    ? newerStoreMessage(newer)
    : writable
      ? undefined
      : `The store at ${path} cannot be written: only reading works.`;
  if (newer) db.pragma("query_only = 1");
  return {
    db: kyselyOver(db),
    port: sqlitePort(db, path),
    location: path,
    readOnly,
    isNewer: newer !== undefined,
    replica: replicaName(),
    close: async () => {
      if (!db.open) return;
      try {
        db.pragma(`busy_timeout = ${BUSY_MS}`);
        if (writable && !memory && !newer) db.pragma("optimize");
      } catch (error) {
        if (!isBusy(error)) throw error; // others write at the moment; one of them will do it
      } finally {
        db.close();
      }
    },
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK);
    if (existsSync(path)) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A file in WAL mode whose last user closed it in order has no -wal, and SQLite would have to create one even to read:
 * where it may not, the file is complete in itself and read into memory, marked there as not in WAL mode.
 */
function openForReading(path: string): Sqlite.Database {
  if (!existsSync(`${path}-wal`) && existsSync(path)) {
    const bytes = readFileSync(path);
    bytes[18] = 1;
    bytes[19] = 1;
    return new Sqlite(bytes, { readonly: true });
  }
  return new Sqlite(path, { readonly: true, timeout: OPEN_BUSY_MS, fileMustExist: true });
}

function configure(db: Sqlite.Database, synchronous: "normal" | "full"): void {
  if (Number(db.pragma("page_count", { simple: true })) === 0) db.pragma("auto_vacuum = INCREMENTAL");
  switchToWal(db);
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma("foreign_keys = on");
  db.pragma("cache_size = -8000");
  // what is written once in 4,000 pages instead of 1,000 is synchronised a fourth as often; it fits the limit
  db.pragma("wal_autocheckpoint = 4000");
  db.pragma("journal_size_limit = 16777216");
}

/** The switch ignores busy_timeout: 12 of 160 concurrent first opens got SQLITE_BUSY (storage floors §0.5). */
function switchToWal(db: Sqlite.Database): void {
  const deadline = Date.now() + 5000;
  for (;;) {
    try {
      if (db.pragma("journal_mode", { simple: true }) === "wal") return;
      db.pragma("journal_mode = wal");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      pause(1 + Math.random() * 10);
    }
  }
}

/** A new random id that somebody has already; of a million ids it happens to a few. The next try draws another. */
function isKeyTaken(error: unknown): boolean {
  return (
    error instanceof Sqlite.SqliteError &&
    error.code === "SQLITE_CONSTRAINT_UNIQUE" &&
    /^UNIQUE constraint failed: \w+\.key$/.test(error.message)
  );
}

function sqlitePort(db: Sqlite.Database, path: string): DialectPort {
  return {
    name: "sqlite",
    skipLocked: false,
    lockName: async () => {},
    isRetryable: (error) => isBusy(error) || isKeyTaken(error),
    explainFailure: (error) => {
      if (!(error instanceof Sqlite.SqliteError)) return undefined;
      if (isBusy(error)) return "Another process has kept the store busy for too long; try again.";
      if (/READONLY/.test(error.code)) return `The store at ${path} cannot be written.`;
      if (/FULL/.test(error.code)) return "The disk is full; nothing was written.";
      if (/CORRUPT|NOTADB/.test(error.code)) return `The file ${path} is damaged or is no Teamwright store.`;
      if (/IOERR/.test(error.code)) return `Reading or writing ${path} failed; nothing was written.`;
      return undefined;
    },
    searchTasks: async (handle, words, limit, team) => {
      const match = words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(" ");
      // a join would be planned by statistics that may be old; this looks each row up by its number, best first
      const ofTeam = sql`and (select team from task where id = task_search.rowid) = ${team}`;
      const rows = await sql<{ rowid: number }>`
        select rowid from task_search where task_search match ${match} ${team === undefined ? sql`` : ofTeam}
        order by rank limit ${limit}`.execute(handle);
      return rows.rows.map((row) => row.rowid);
    },
    searchKnowledge: async (handle, words, limit) => {
      const match = words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(" OR ");
      const rows = await sql<{ rowid: number }>`
        select rowid from knowledge_search where knowledge_search match ${match}
        order by rank limit ${limit}`.execute(handle);
      return rows.rows.map((row) => row.rowid);
    },
    announce: async () => {},
    watch: (changed) => watchFile(db, path, changed),
  };
}

const POLL_MS = 1000;

/** `fs.watch` on the folder is the hint (0.2 ms), `data_version` the truth (storage floors §h). */
function watchFile(db: Sqlite.Database, path: string, changed: () => void): () => void {
  if (path === ":memory:") return () => {};
  const version = db.prepare("pragma data_version").pluck();
  let last = version.get();
  const look = () => {
    if (!db.open) return;
    const current = version.get();
    if (current !== last) {
      last = current;
      changed();
    }
  };
  const timer = setInterval(look, POLL_MS);
  timer.unref();
  const wal = `${basename(path)}-wal`;
  const watcher = watch(dirname(path), (_, file) => {
    if (file === wal) look();
  });
  watcher.on("error", () => watcher.close());
  watcher.unref();
  return () => {
    clearInterval(timer);
    watcher.close();
  };
}
