import Sqlite from "better-sqlite3";
import {
  type DatabaseConnection,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteQueryCompiler,
  type TransactionSettings,
} from "kysely";
import type { Database } from "./database.ts";
import { openShortcut, type Place, type Shortcut } from "./shortcut.ts";

/**
 * Waiting for the write lock stops the whole process, and SQLite's own waiting is so unfair that one of 32 busy
 * processes got nothing for 10 s: so it is short once the store is open, and the executor tries again.
 */
export const BUSY_MS = 20;

const oneCell = new Int32Array(new SharedArrayBuffer(4));

/** Stops the whole process. */
export function pause(ms: number): void {
  Atomics.wait(oneCell, 0, 0, ms);
}

/**
 * SQLite's own waiting sleeps 1, 2, 5 and 10 ms between looks while a transaction takes less than one: eight claiming
 * processes spent most of their time asleep beside a free lock. Looks here are about a millisecond apart, and
 * cheap: seven that wait must leave the cores to the one that works.
 */
function patiently<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!isBusy(error)) throw error;
    return insist(attempt);
  }
}

function insist<T>(attempt: () => T): T {
  const begun = performance.now();
  const traced = Error.stackTraceLimit;
  Error.stackTraceLimit = 0; // a trace is the dearest part of a look in vain
  try {
    for (;;) {
      pause(0.3 + Math.random() * 1.7);
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() - begun > BUSY_MS) throw error;
      }
    }
  } finally {
    Error.stackTraceLimit = traced;
  }
}

/** Kysely begins deferred; read-then-write there fails at once with SQLITE_BUSY_SNAPSHOT (storage floors §0.2). */
class ImmediateDriver extends SqliteDriver {
  readonly #line: DirectLine;
  constructor(config: SqliteDialectConfig, line: DirectLine) {
    super(config);
    this.#line = line;
  }
  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#line.isTaken = true;
    return super.acquireConnection();
  }
  override async releaseConnection(): Promise<void> {
    this.#line.isTaken = false;
  }
  override async beginTransaction(_: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    this.#line.begin(settings?.accessMode === "read only");
  }
  override async commitTransaction(): Promise<void> {
    this.#line.end("commit");
  }
  override async rollbackTransaction(): Promise<void> {
    this.#line.end("rollback");
  }
}

/** The one connection, for statements that need not wait for their turn on it: Kysely's way there costs more than they. */
class DirectLine implements Shortcut {
  /** By Kysely, for a statement or for a transaction. */
  isTaken = false;
  /** Of the transaction that runs, once it was seen. */
  #executor: object | undefined;
  readonly #ended = new WeakSet<object>();
  readonly #db: Sqlite.Database;
  readonly #prepare: (text: string) => Sqlite.Statement;
  readonly #verbs: Readonly<Record<"begin" | "begin immediate" | "commit" | "rollback", Sqlite.Statement>>;

  constructor(db: Sqlite.Database, prepare: (text: string) => Sqlite.Statement) {
    this.#db = db;
    this.#prepare = prepare;
    this.#verbs = {
      begin: db.prepare("begin"),
      "begin immediate": db.prepare("begin immediate"),
      commit: db.prepare("commit"),
      rollback: db.prepare("rollback"),
    };
  }

  begin(isReadOnly: boolean): void {
    this.#executor = undefined;
    const verb = this.#verbs[isReadOnly ? "begin" : "begin immediate"];
    patiently(() => verb.run());
  }

  end(how: "commit" | "rollback"): void {
    if (this.#executor) this.#ended.add(this.#executor);
    this.#executor = undefined;
    const verb = this.#verbs[how];
    patiently(() => verb.run());
  }

  run<O>(text: string, parameters: readonly unknown[], { isTransaction, executor }: Place): QueryResult<O> | undefined {
    if (isTransaction) {
      // what is not the running transaction's handle is Kysely's to refuse
      if (this.#executor === undefined && this.#db.inTransaction && !this.#ended.has(executor))
        this.#executor = executor;
      if (this.#executor !== executor) return undefined;
    } else if (this.isTaken) return undefined;
    const statement = this.#prepare(text);
    return isTransaction ? answerOf(statement, parameters) : patiently(() => answerOf(statement, parameters));
  }
}

function answerOf<O>(statement: Sqlite.Statement, parameters: readonly unknown[]): QueryResult<O> {
  // the columns are those of the query that was compiled
  if (statement.reader) return { rows: statement.all(parameters) as O[] };
  const { changes, lastInsertRowid } = statement.run(parameters);
  return { insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes), rows: [] };
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
  readonly #line: DirectLine;
  constructor(config: SqliteDialectConfig, line: DirectLine) {
    super(config);
    this.#config = config;
    this.#line = line;
  }
  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config, this.#line);
  }
  override createQueryCompiler(): SqliteQueryCompiler {
    return new SteadyPlans();
  }
  override createAdapter(): SqliteAdapter {
    const adapter = new SqliteAdapter();
    openShortcut(adapter, this.#line);
    return adapter;
  }
}

const STATEMENT_CACHE_SIZE = 400;

/** Preparing anew for each call costs 2.6 times the write itself (storage floors §c). */
function keepingStatements(db: Sqlite.Database): (text: string) => Sqlite.Statement {
  const cache = new Map<string, Sqlite.Statement>();
  return (text) => {
    let statement = cache.get(text);
    if (!statement) {
      statement = db.prepare(text);
      if (cache.size >= STATEMENT_CACHE_SIZE) cache.clear();
      cache.set(text, statement);
    }
    return statement;
  };
}

/** What Kysely uses of a statement. It waits as `patiently` does: SQLite itself does not, once the store is open. */
type KyselyStatement = ReturnType<SqliteDatabase["prepare"]>;

/** Kysely over an open file, with its repairs: immediate transactions, statements kept, plans that hold, a shortcut. */
export function kyselyOver(db: Sqlite.Database): Kysely<Database> {
  const prepare = keepingStatements(db);
  const database: SqliteDatabase = {
    close: () => db.close(),
    prepare: (text) => {
      const statement = prepare(text);
      if (db.inTransaction) return statement as unknown as KyselyStatement; // the same members, wider parameter types
      return {
        reader: statement.reader,
        all: (parameters) => patiently(() => statement.all(parameters)),
        run: (parameters) => patiently(() => statement.run(parameters)),
        iterate: (parameters) => statement.iterate(parameters),
      };
    },
  };
  return new Kysely<Database>({ dialect: new ImmediateDialect({ database }, new DirectLine(db, prepare)) });
}

export function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}
