import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type PostgresPool,
  type PostgresPoolClient,
  type TransactionSettings,
} from "kysely";
import type { Pool, PoolClient } from "pg";
import type { Database } from "./database.ts";
import { ConnectionLost, isLost, notAvailable, outcomeUnknown, serverReason } from "./postgres-failure.ts";

/** How long anybody waits for anybody else, in ms. */
export interface PostgresLimits {
  /** For a lock another transaction holds; the executor then tries again. */
  readonly lock: number;
  /** The server ends a transaction whose process does nothing for this long: stopped, asleep or cut off. */
  readonly idle: number;
  /** For the answer to one statement; the connection is given up then. */
  readonly answer: number;
}

/** Whoever stands still in a transaction is cut off before those behind it have given up twice. */
export const ordinaryLimits: PostgresLimits = { lock: 8000, idle: 15_000, answer: 30_000 };
/** A statement of a migration may rewrite a large table. */
export const MIGRATION_ANSWER_MS = 3_600_000;

/** Kysely over a pool, with the limits above and errors a caller can understand. */
export function kyselyOverPool(pool: Pool, limits: PostgresLimits, location: string): Kysely<Database> {
  return new Kysely<Database>({
    dialect: new LimitedDialect({ pool: explainingPool(pool, limits.answer, location) }, limits, location),
  });
}

class LimitedDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  readonly #limits: PostgresLimits;
  readonly #location: string;
  constructor(config: PostgresDialectConfig, limits: PostgresLimits, location: string) {
    super(config);
    this.#config = config;
    this.#limits = limits;
    this.#location = location;
  }
  override createDriver(): PostgresDriver {
    return new LimitedDriver(this.#config, this.#limits, this.#location);
  }
}

class LimitedDriver extends PostgresDriver {
  readonly #begin: CompiledQuery;
  readonly #location: string;
  constructor(config: PostgresDialectConfig, limits: PostgresLimits, location: string) {
    super(config);
    // one round trip, and unlike parameters of the connection it passes through a pooler
    this.#begin = CompiledQuery.raw(
      `begin; set local lock_timeout = ${limits.lock}; set local idle_in_transaction_session_timeout = ${limits.idle}`,
    );
    this.#location = location;
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.accessMode || settings.isolationLevel) await super.beginTransaction(connection, settings);
    else await connection.executeQuery(this.#begin);
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection);
    } catch (error) {
      throw error instanceof ConnectionLost ? outcomeUnknown(this.#location) : error;
    }
  }

  /** A failing rollback, on a connection that is gone, would hide the error that led to it. */
  override async rollbackTransaction(connection: Parameters<PostgresDriver["rollbackTransaction"]>[0]): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => {}); // the driver discards the connection itself
  }
}

/** What Kysely sees of pg's pool. */
function explainingPool(pool: Pool, answerMs: number, location: string): PostgresPool {
  return {
    options: {},
    connect: async () => {
      try {
        return explainingClient(await pool.connect(), answerMs, location);
      } catch (error) {
        const reason = serverReason(error);
        throw reason === undefined ? error : notAvailable(location, reason);
      }
    },
    end: () => pool.end(),
  };
}

function explainingClient(client: PoolClient, answerMs: number, location: string): PostgresPoolClient {
  const query = async (text: string, parameters: readonly unknown[]) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      void client.end(); // with a query under way this drops the connection, and the query fails
    }, answerMs);
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      if (!isLost(error)) throw error;
      const late = isLate ? `the database server has not answered for ${Math.round(answerMs / 1000)} s` : undefined;
      const { code, message, hint } = notAvailable(location, late ?? serverReason(error) ?? "the connection broke");
      throw new ConnectionLost(code, message, hint);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    query: query as unknown as PostgresPoolClient["query"], // its other form takes cursors, which are not used
    release: (destroy) => client.release(destroy),
  };
}
