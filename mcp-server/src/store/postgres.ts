import { Kysely, PostgresDialect, sql } from "kysely";
import type { Database } from "./database.ts";
import type { DialectPort, Store } from "./dialect-port.ts";
import { migratePostgres, newerStoreMessage, unreadable } from "./migrate.ts";
import { replicaName } from "./replica.ts";

const NUMERIC_TYPES = [20, 1700]; // bigint, numeric: our values are ms and counts, far below 2^53
const CHANNEL = "teamwright_events";

/** Opens a PostgreSQL store (14 or newer). The URL's password never leaves this function. */
export async function openPostgres(url: string): Promise<Store> {
  const { default: pg } = await import("pg");
  for (const type of NUMERIC_TYPES) pg.types.setTypeParser(type, Number);
  const location = withoutPassword(url);
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 8000 });
  pool.on("error", () => {}); // an idle connection that drops is replaced at the next query
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  let newer: number | undefined;
  try {
    newer = await migratePostgres(db);
  } catch (error) {
    await db.destroy();
    throw unreadable(location, error);
  }
  const port = postgresPort((changed) => {
    const client = new pg.Client({ connectionString: url });
    client.on("notification", changed);
    client.on("error", () => {});
    client.connect().then(
      () => client.query(`listen ${CHANNEL}`),
      () => {},
    );
    return () => void client.end().catch(() => {});
  });
  return {
    db,
    port,
    location,
    readOnly: newer ? newerStoreMessage(newer) : undefined,
    replica: replicaName(),
    close: () => db.destroy(),
  };
}

/** PostgreSQL's side of the port; also serves PGlite, which tests run the same scenarios on. */
export function postgresPort(watch: DialectPort["watch"] = () => () => {}): DialectPort {
  return {
    name: "postgres",
    skipLocked: true,
    lockName: async (trx, name) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
    },
    isRetryable: (error) => ["40001", "40P01", "55P03"].includes(codeOf(error)),
    explainFailure: (error) => {
      const code = codeOf(error);
      if (/^(08|57P)/.test(code) || /ECONN|ETIMEDOUT|ENOTFOUND|EPIPE/.test(code)) {
        return "The database server does not answer; nothing was written.";
      }
      if (["40001", "40P01", "55P03"].includes(code)) return "Others kept changing the same records; try again.";
      if (code === "53100") return "The database server's disk is full; nothing was written.";
      if (code === "25006") return "The database server accepts no writes.";
      return undefined;
    },
    searchTasks: async (db, words, limit, team) => {
      const query = words.map((word) => `'${word.replaceAll("'", "''").replaceAll("\\", "\\\\")}':*`).join(" & ");
      const rows = await sql<{ id: number }>`
        select id from task where search @@ to_tsquery('english', ${query})
        ${team === undefined ? sql`` : sql`and team = ${team}`}
        order by ts_rank(search, to_tsquery('english', ${query})) desc, id limit ${limit}`.execute(db);
      return rows.rows.map((row) => Number(row.id));
    },
    announce: async (trx) => {
      await sql`select pg_notify(${CHANNEL}, '')`.execute(trx);
    },
    watch,
  };
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = "";
    return parsed.toString();
  } catch {
    return "postgres://…";
  }
}
