import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { type Inspector, inspect } from "../support/inspect.ts";
import { ensureBuilt, openProject, rawDatabaseText, stores, Worker } from "../support/processes.ts";
import type { Acknowledged, Outcome } from "../support/worker.ts";

const ROUNDS = Number(process.env.TEAMWRIGHT_TEST_KILLS ?? 50);
const WRITERS = 2;
const LEASE_MS = 5000;
const config = `claims: { lease_seconds: ${LEASE_MS / 1000} }\ntask_quality: off`;

beforeAll(async () => {
  await ensureBuilt();
});

/** Acknowledged writes that the store does not show. */
async function lost({ runtime }: Inspector, acknowledged: readonly Acknowledged[]): Promise<Acknowledged[]> {
  const { db } = runtime.store;
  const tasks = new Map(
    (await db.selectFrom("task").select(["key", "title", "status", "fence"]).execute()).map((row) => [row.key, row]),
  );
  const comments = new Set((await db.selectFrom("task_comment").select("body").execute()).map((row) => row.body));
  return acknowledged.filter((entry) => {
    const task = tasks.get(entry.id);
    if (!task) return true;
    if (entry.what === "created") return task.title !== entry.text;
    if (entry.what === "claimed") return Number(task.fence) < (entry.fence ?? 0);
    if (entry.what === "commented") return !comments.has(entry.text ?? "");
    return task.status !== "closed";
  });
}

describe.each(stores)("processes that are killed on %s", (kind) => {
  test(`kill -9 in ${ROUNDS} rounds under load loses nothing that was acknowledged`, async () => {
    await using project = await openProject(kind, config);
    const { worker } = await ensureBuilt();
    const start = (round: number) =>
      Array.from(
        { length: WRITERS },
        (_, n) => new Worker(worker, { kind: "load", start: project.root, name: `writer-${round}-${n}` }),
      );
    const acknowledged: Acknowledged[] = [];
    let next = start(0);
    for (let round = 0; round < ROUNDS; round += 1) {
      const writers = next;
      await Promise.all(writers.map((each) => each.line(0)));
      for (const each of writers) each.go();
      next = round + 1 < ROUNDS ? start(round + 1) : [];
      // the moment of the kill wanders over the steps of an operation
      await Promise.all(writers.map((each) => each.line(2 + (round % 7))));
      await sleep(Math.random() * 3);
      for (const each of writers) each.process.kill("SIGKILL");
      await Promise.all(writers.map((each) => each.exited));
      acknowledged.push(...writers.flatMap((each) => each.said.slice(1) as Acknowledged[]));
      await using store = await inspect(project.root);
      expect(await lost(store, acknowledged)).toEqual([]);
      // claims of the killed are live until their lease ends, which is no fault
      const failed = (await store.failedChecks()) as { check: string }[];
      expect(failed.filter((check) => check.check !== "claims")).toEqual([]);
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * WRITERS * 2);
    await sleep(LEASE_MS + 200);
    await using store = await inspect(project.root);
    expect((await store.call("task_list", { status: ["in_progress"] })).total).toBe(0);
    expect(await store.failedChecks()).toEqual([]);
    expect(await lost(store, acknowledged)).toEqual([]);
  });

  test("the claim of a killed process comes free, and a holder that slept through its lease is fenced off", async () => {
    await using project = await openProject(kind, config);
    await using store = await inspect(project.root);
    const [first, second] = await store.seed(2);
    const { worker } = await ensureBuilt();
    const killed = new Worker(worker, { kind: "late", start: project.root, name: "killed" });
    await killed.line(0);
    killed.go();
    expect(await killed.line(1)).toMatchObject({ id: first });
    const sleeper = new Worker(worker, { kind: "late", start: project.root, name: "sleeper" });
    await sleeper.line(0);
    sleeper.go();
    const claim = (await sleeper.line(1)) as { id: string; fence: number };
    expect(claim).toMatchObject({ id: second, fence: 1 });
    killed.process.kill("SIGKILL");
    sleeper.process.kill("SIGSTOP");
    expect((await store.call("task_ready")).total).toBe(0);

    await sleep(LEASE_MS + 100);
    expect((await store.call("task_ready")).total).toBe(2);
    const heirs = [second, first].map(
      (id) => new Worker(worker, { kind: "claim", start: project.root, name: `heir-of-${id}`, ids: [id ?? ""] }),
    );
    for (const heir of heirs) {
      await heir.line(0);
      heir.go();
      expect(((await heir.line(1)) as Outcome).refusals).toEqual([]);
    }
    sleeper.process.kill("SIGCONT");
    sleeper.go();
    const { refusals } = (await sleeper.line(2)) as Outcome;
    expect(refusals.map((refusal) => refusal.code)).toEqual(["CONFLICT", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
    const { task } = await store.call("task_show", { id: second });
    expect(task).toMatchObject({ holder: `heir-of-${second}`, state: "in_progress", title: "Do part 1" });
    expect(await store.failedChecks()).toEqual([]);
  });
});

test("a writer that holds the file for too long makes others say so, in words, within seconds", async () => {
  await using project = await openProject("sqlite", config);
  await using store = await inspect(project.root);
  await store.seed(1);
  const { worker } = await ensureBuilt();
  const claimer = new Worker(worker, { kind: "drain", start: project.root, name: "waiting", close: false });
  await claimer.line(0);
  const blocker = new Sqlite(join(project.root, ".teamwright/state.db"));
  blocker.exec("begin immediate");
  const begun = performance.now();
  const busy = new Worker(worker, { kind: "create", start: project.root, name: "busy", count: 1 });
  await busy.line(0);
  busy.go();
  const { refusals } = (await busy.line(1)) as Outcome;
  blocker.exec("rollback");
  blocker.close();
  expect(refusals).toMatchObject([{ code: "UNAVAILABLE", message: expect.stringMatching(/busy for too long/) }]);
  expect(refusals.filter((refusal) => rawDatabaseText.test(refusal.message))).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(30_000);
  claimer.go();
  expect(((await claimer.line(1)) as Outcome).done.length).toBe(1);
});
