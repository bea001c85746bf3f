import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { findOperation } from "../mcp-server/src/features/index.ts";
import { listReady } from "../mcp-server/src/features/task/ready.store.ts";
import { execute } from "../mcp-server/src/kernel/execute.ts";
import { openRuntime } from "../mcp-server/src/runtime.ts";
import { seedProject } from "./seed.ts";
import { type Bench, inMs, interleaved, type Measurement, median, p50, raceWorkers, ratioOf } from "./support.ts";

const LIMIT_MS = 0.15;

export async function benchReady(bench: Bench, sizes: readonly number[]): Promise<Measurement[]> {
  const operation = findOperation("task_ready");
  if (!operation) throw new Error("no task_ready");
  const principal = { kind: "human", key: "human:bench", name: "bench" } as const;
  const opened = [];
  // healthy: one in six is ready; deep-blocked: ten are, whatever the size
  for (const [shape, ready] of [
    ["healthy", (n: number) => Math.floor(n / 6)],
    ["deep-blocked", () => 10],
  ] as const) {
    for (const tasks of sizes) {
      const runtime = await openRuntime({
        start: await seedProject(bench, { tasks, ready: ready(tasks) }),
        defaultIdentity: "advisory",
      });
      const query = () => listReady(runtime.store.db, {}, 50);
      opened.push({ shape, tasks, runtime, query, call: () => execute(runtime, operation, {}, { principal }) });
    }
  }
  for (const { query, call } of opened) {
    await p50(200, query);
    await p50(200, call);
  }
  const rows: Measurement[] = [];
  for (const shape of ["healthy", "deep-blocked"] as const) {
    const stores = opened.filter((each) => each.shape === shape);
    const calls = await interleaved(
      9,
      Object.fromEntries(stores.map((each) => [String(each.tasks), () => p50(100, each.call)])),
    );
    const queries = await interleaved(
      9,
      Object.fromEntries(stores.map((each) => [String(each.tasks), () => p50(100, each.query)])),
    );
    const smallest = String(sizes[0]);
    for (const tasks of sizes.slice(1)) {
      const mine = calls[String(tasks)] ?? [];
      const base = calls[smallest] ?? [];
      rows.push({
        name: `task_ready at ${tasks.toLocaleString("en")}, ${shape}`,
        ours: inMs(median(mine)),
        floor: `${inMs(median(base))} itself at ${Number(smallest).toLocaleString("en")}`,
        ratio: ratioOf(mine, base),
        budget: 3,
      });
    }
    const largest = median(queries[String(sizes.at(-1))] ?? []);
    // a healthy list has 50 rows to read and turn into objects; a deep-blocked one has ten
    rows.push({
      name: `  inside the store, ${shape}`,
      ours: inMs(largest),
      floor: "150 µs",
      ratio: largest / LIMIT_MS,
      budget: 1,
    });
  }
  for (const { runtime } of opened) await runtime.close();
  return rows;
}

const PROCESSES = 8;
const TASKS = 2000;

export async function benchClaims(bench: Bench): Promise<Measurement[]> {
  let faults = 0;
  const refused: string[] = [];
  const check = (outcome: { done: string[]; refusals: unknown[] }) => {
    faults += Math.abs(TASKS - outcome.done.length) + (outcome.done.length - new Set(outcome.done).size);
    refused.push(...outcome.refusals.map((each) => JSON.stringify(each)));
  };
  const empty = join(bench.folder, "claims-raw.db");
  const db = new Sqlite(empty);
  db.pragma("journal_mode = wal");
  db.exec(
    "create table task (id integer primary key, status text, holder text, prio integer, body text); create index ready on task (prio, id) where prio is not null; create table event (seq integer primary key, body text)",
  );
  db.exec(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${TASKS}) insert into task select i, 'open', null, i % 5, printf('%.*c', 400, 'x') from n`,
  );
  db.pragma("wal_checkpoint(truncate)");
  db.close();
  let round = 0;
  const times = await interleaved(5, {
    ours: async () => {
      const root = await seedProject(bench, { tasks: TASKS, ready: TASKS });
      const jobs = Array.from({ length: PROCESSES }, (_, n) =>
        JSON.stringify({ kind: "drain", start: root, name: `claimer-${n}`, close: false }),
      );
      const outcome = await raceWorkers(
        jobs.map((job) => [bench.claimWorker, job]),
        bench,
      );
      check(outcome);
      return outcome.ms;
    },
    floor: async () => {
      round += 1;
      const file = join(bench.folder, `claims-raw-${round}.db`);
      copyFileSync(empty, file);
      const outcome = await raceWorkers(
        Array.from({ length: PROCESSES }, () => [bench.floorClaims, file]),
        bench,
      );
      check(outcome);
      return outcome.ms;
    },
  });
  const rate = (ms: readonly number[]) => `${Math.round(TASKS / (median(ms) / 1000)).toLocaleString("en")}/s`;
  return [
    {
      name: `claims by ${PROCESSES} processes, ${TASKS.toLocaleString("en")} ready`,
      ours: rate(times.ours),
      floor: `${rate(times.floor)} raw immediate`,
      ratio: median(times.floor.map((value, index) => value / (times.ours[index] ?? value))),
      budget: 0.25,
      atLeast: true,
    },
    {
      name: "  doubles, lost, errors shown",
      ours: String(faults + refused.length),
      floor: "0",
      ratio: faults + refused.length,
      budget: 0,
      ...(refused[0] === undefined ? {} : { note: refused[0] }),
    },
  ];
}
