/** SQL from the test itself, beside the processes that are tested. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

// rows of a test's own statements
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Row = any;

/** Runs one statement on a connection of its own and gives its rows. */
export async function query(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Asks again and again; for tests that run beside others, where vitest's own polling cannot be used. */
export async function until(isSo: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${isSo}`);
    await sleep(2);
  }
}

/** Waits until the statement gives a row. */
export async function untilRow(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await until(async () => (await client.query(text)).rowCount === 1);
  } finally {
    await client.end();
  }
}

/** Waits until a process stands still in the middle of the test's upgrade. */
export async function untilPausing(url: string): Promise<void> {
  await untilRow(
    url,
    "select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and datname = current_database()",
  );
}

/** The same server, with parts of the address changed. */
export function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url);
  change(copy);
  return copy.toString();
}

/** A role with this password that can log in and do nothing else yet; the caller drops it. */
export async function createRole(url: string, role: string, password: string): Promise<() => Promise<void>> {
  await query(url, `create role ${role} login password '${password}'`);
  return async () => {
    await query(url, `drop owned by ${role}`);
    await query(url, `drop role ${role}`);
  };
}
