import Sqlite from "better-sqlite3";
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteQueryCompiler,
  type TransactionSettings,
} from "kysely";
import type { Database } from "./database.ts";

/**
 * Waiting for the write lock stops the whole process, and SQLite's own waiting is so unfair that one of 32 busy
 * processes got nothing for 10 s: so it is short once the store is open, and the executor tries again.
 */
export const BUSY_MS = 20;

/** Kysely begins deferred; read-then-write there fails at once with SQLITE_BUSY_SNAPSHOT (storage floors §0.2). */
class ImmediateDriver extends SqliteDriver {
  readonly #waiting: BusyWaiting;
  constructor(config: SqliteDialectConfig, waiting: BusyWaiting) {
    super(config);
    this.#waiting = waiting;
  }
  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    if (settings?.accessMode === "read only") await connection.executeQuery(begin);
    else await this.#waiting.until(() => connection.executeQuery(beginImmediate));
  }
}

const begin = CompiledQuery.raw("begin");
const beginImmediate = CompiledQuery.raw("begin immediate");
const oneCell = new Int32Array(new SharedArrayBuffer(4));

/**
 * SQLite's own waiting sleeps 1, 2, 5 and 10 ms between looks while a transaction takes less than one: eight claiming
 * processes spent most of their time asleep beside a free lock. Looks here are a fraction of a millisecond apart.
 */
class BusyWaiting {
  readonly #off: Sqlite.Statement;
  readonly #on: Sqlite.Statement;
  constructor(db: Sqlite.Database) {
    this.#off = db.prepare("pragma busy_timeout = 0");
    this.#on = db.prepare(`pragma busy_timeout = ${BUSY_MS}`);
  }
  /** The whole process waits, so it is not for long: the executor tries again later. */
  async until<T>(attempt: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    this.#off.get();
    try {
      for (;;) {
        try {
          return await attempt();
        } catch (error) {
          if (!isBusy(error) || performance.now() - begun > BUSY_MS) throw error;
          Atomics.wait(oneCell, 0, 0, 0.1 + Math.random() * 0.4);
        }
      }
    } finally {
      this.#on.get();
    }
  }
}

/**
 * A build with STAT4, as better-sqlite3's, looks at the value of a bare bound parameter when it plans, and so prepares
 * the statement anew in every run: 12 µs instead of 2 where a row is looked up with an order, 219 instead of 53 for a
 * list. As an expression the parameter is no concern of the planner, and the prepared statement stays prepared.
 */
class SteadyPlans extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return "+?";
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;
  readonly #waiting: BusyWaiting;
  constructor(config: SqliteDialectConfig, waiting: BusyWaiting) {
    super(config);
    this.#config = config;
    this.#waiting = waiting;
  }
  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config, this.#waiting);
  }
  override createQueryCompiler(): SqliteQueryCompiler {
    return new SteadyPlans();
  }
  override createAdapter(): SqliteAdapter {
    return new SqliteAdapter();
  }
}

const STATEMENT_CACHE_SIZE = 400;

/** Preparing anew for each call costs 2.6 times the write itself (storage floors §c). */
function cachingStatements(db: Sqlite.Database): SqliteDatabase {
  const cache = new Map<string, Sqlite.Statement>();
  return {
    close: () => db.close(),
    prepare: (text) => {
      let statement = cache.get(text);
      if (!statement) {
        statement = db.prepare(text);
        if (cache.size >= STATEMENT_CACHE_SIZE) cache.clear();
        cache.set(text, statement);
      }
      // better-sqlite3's Statement has the three members Kysely uses, with wider parameter types
      return statement as unknown as ReturnType<SqliteDatabase["prepare"]>;
    },
  };
}

/** Kysely over an open file, with its three repairs: immediate transactions, statements kept, plans that hold. */
export function kyselyOver(db: Sqlite.Database): Kysely<Database> {
  return new Kysely<Database>({
    dialect: new ImmediateDialect({ database: cachingStatements(db) }, new BusyWaiting(db)),
  });
}

export function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}
