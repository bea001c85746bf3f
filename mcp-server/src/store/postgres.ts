import { sql } from "kysely";
import type { Pool } from "pg";
import { TeamwrightError } from "../kernel/errors.ts";
import type { DialectPort, Store } from "./dialect-port.ts";
import { migratePostgres, newerStoreMessage } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";
import { kyselyOverPool, MIGRATION_ANSWER_MS, ordinaryLimits, type PostgresLimits } from "./postgres-dialect.ts";
import { isContention, isKeyTaken, notAvailable, serverReason, withoutSecrets } from "./postgres-failure.ts";
import { replicaName } from "./replica.ts";

const NUMERIC_TYPES = [20, 1700]; // bigint, numeric: our values are ms and counts, far below 2^53
const CHANNEL = "teamwright_events";
const CONNECT_MS = 8000;

export interface PostgresOptions {
  readonly limits?: PostgresLimits;
  readonly migrations?: readonly Migration[];
}

/** Opens a PostgreSQL store (14 or newer). The URL's password never leaves this function. Throws UNAVAILABLE. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { default: pg } = await import("pg");
  for (const type of NUMERIC_TYPES) pg.types.setTypeParser(type, Number);
  const location = withoutSecrets(url);
  const connection = { connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true };
  let pool: Pool;
  try {
    pool = new pg.Pool({ ...connection, max: 4 });
  } catch (error) {
    throw cannotOpen(location, error);
  }
  pool.on("error", () => {}); // an idle connection that drops is replaced at the next query
  // pg-pool listens to idle connections only: one that drops between two statements would end the process
  pool.on("connect", (client) => client.on("error", () => {}));
  const limits = options.limits ?? ordinaryLimits;
  const db = kyselyOverPool(pool, limits, location);
  const patient = kyselyOverPool(pool, { ...limits, answer: MIGRATION_ANSWER_MS }, location);
  let newer: number | undefined;
  try {
    newer = await migratePostgres(patient, options.migrations ?? migrations);
  } catch (error) {
    await db.destroy();
    throw cannotOpen(location, error);
  }
  return {
    db,
    port: postgresPort((changed) => {
      const client = new pg.Client(connection);
      client.on("notification", changed);
      client.on("error", () => {});
      client
        .connect()
        .then(() => client.query(`listen ${CHANNEL}`))
        .catch(() => {}); // watchers look by themselves as well
      return () => void client.end().catch(() => {});
    }),
    location,
    readOnly: newer ? newerStoreMessage(newer) : undefined,
    isNewer: newer !== undefined,
    replica: replicaName(),
    close: () => db.destroy(),
  };
}

function cannotOpen(location: string, error: unknown): TeamwrightError {
  if (error instanceof TeamwrightError) return error;
  if (isContention(error)) return notAvailable(location, "others have kept it from being brought to a newer schema");
  return notAvailable(location, serverReason(error) ?? (error instanceof Error ? error.message : String(error)));
}

/** PostgreSQL's side of the port; also serves PGlite, which tests run the same scenarios on. */
export function postgresPort(watch: DialectPort["watch"] = () => () => {}): DialectPort {
  return {
    name: "postgres",
    skipLocked: true,
    lockName: async (trx, name) => {
      // a lock belongs to the whole database: stores in schemas of their own must not wait for each other
      await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || ${name}, 0))`.execute(trx);
    },
    isRetryable: (error) => isContention(error) || isKeyTaken(error),
    explainFailure: (error) => {
      if (isContention(error)) return "Others have kept the same records busy for too long; try again.";
      const reason = serverReason(error);
      return reason === undefined ? undefined : `The store is not available: ${reason}. Nothing was written.`;
    },
    searchTasks: async (db, words, limit, team) => {
      const query = words.map((word) => `'${word.replaceAll("'", "''").replaceAll("\\", "\\\\")}':*`).join(" & ");
      const rows = await sql<{ id: number }>`
        select id from task where search @@ to_tsquery('english', ${query})
        ${team === undefined ? sql`` : sql`and team = ${team}`}
        order by ts_rank(search, to_tsquery('english', ${query})) desc, id limit ${limit}`.execute(db);
      return rows.rows.map((row) => Number(row.id));
    },
    searchKnowledge: async (db, words, limit) => {
      const query = words.map((word) => `'${word.replaceAll("'", "''").replaceAll("\\", "\\\\")}':*`).join(" | ");
      const rows = await sql<{ id: number }>`
        select id from knowledge where search @@ to_tsquery('english', ${query})
        order by ts_rank(search, to_tsquery('english', ${query})) desc, id limit ${limit}`.execute(db);
      return rows.rows.map((row) => Number(row.id));
    },
    announce: async (trx) => {
      await sql`select pg_notify(${CHANNEL}, '')`.execute(trx);
    },
    watch,
  };
}
