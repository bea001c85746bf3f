import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { configSchema, withDefaults } from "../../mcp-server/src/config/config.schema.ts";
import { executorHooks, findOperation } from "../../mcp-server/src/features/index.ts";
import { execute, type Runtime } from "../../mcp-server/src/kernel/execute.ts";
import { openPostgres, type PostgresOptions } from "../../mcp-server/src/store/postgres.ts";
import { changed, query, until } from "../support/postgres-client.ts";
import { openProject } from "../support/processes.ts";
import type { Reply } from "../support/raw-server.ts";
import { openProxy } from "../support/tcp-proxy.ts";

type Input = Record<string, unknown>;

/** A store with the executor on it, as a server has it; a refusal comes back as `{error}`. */
async function openStoreAt(url: string, options?: PostgresOptions) {
  const store = await openPostgres(url, options);
  const runtime: Runtime = {
    store,
    config: withDefaults(configSchema.parse({}), "/nowhere"),
    hooks: executorHooks(store.replica, "advisory"),
    now: Date.now,
  };
  const call = async (name: string, input: Input = {}): Promise<Reply> => {
    const operation = findOperation(name);
    if (!operation) throw new Error(`no operation ${name}`);
    const principal = { kind: "human", key: "human:pat", name: "pat" } as const;
    return execute(runtime, operation, input, { principal }).catch((error: unknown) => ({ error }));
  };
  return { store, call, [Symbol.asyncDispose]: () => store.close() };
}

function throughProxy(url: string, port: number): string {
  return changed(url, (each) => {
    each.port = String(port);
  });
}

const title = "Paint the fence";

describe.concurrent("the wire to postgres", () => {
  test("a server that stops answering is given up in time, and used again when it answers", async () => {
    await using project = await openProject("postgres");
    await using proxy = await openProxy({ host: "127.0.0.1", port: Number(new URL(project.url).port) });
    await using far = await openStoreAt(throughProxy(project.url, proxy.port), {
      limits: { lock: 8000, idle: 15_000, answer: 1000 },
    });
    expect((await far.call("task_create", { title })).error).toBeUndefined();
    proxy.freeze();
    const begun = performance.now();
    const [working, connecting] = await Promise.all([
      far.call("task_create", { title }).finally(() => expect(performance.now() - begun).toBeLessThan(3000)),
      far.call("task_list"),
    ]);
    expect(working.error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/the database server has not answered for 1 s\. Nothing was written/),
    });
    expect(connecting.error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/the host does not answer|no connection to the database server came free in time/),
    });
    expect(performance.now() - begun).toBeLessThan(12_000);
    proxy.thaw();
    expect((await far.call("task_list")).total).toBe(1);
    expect(await far.call("task_create", { title })).toMatchObject({ total: 1 });
  });

  test("a commit whose answer is lost is called unknown, and its idempotency key makes repeating safe (BD-07)", async () => {
    await using project = await openProject("postgres");
    await using proxy = await openProxy({ host: "127.0.0.1", port: Number(new URL(project.url).port) });
    await using far = await openStoreAt(throughProxy(project.url, proxy.port));
    const input = { title, idempotency_key: "paint-1" };
    proxy.cutAfter("commit");
    expect((await far.call("task_create", input)).error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/may have been written or not: look before you repeat it/),
    });
    expect(await far.call("task_create", input)).toMatchObject({ task: { title } });
    expect((await far.call("task_list")).total).toBe(1);
  });

  test("a connection lost before the commit has written nothing, and says so", async () => {
    await using project = await openProject("postgres");
    await using proxy = await openProxy({ host: "127.0.0.1", port: Number(new URL(project.url).port) });
    await using far = await openStoreAt(throughProxy(project.url, proxy.port));
    for (const moment of ["begin", "insert into", "pg_notify"]) {
      proxy.cutAfter(moment);
      expect((await far.call("task_create", { title })).error, moment).toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(/the connection broke\. Nothing was written\./),
      });
    }
    expect((await far.call("task_list")).total).toBe(0);
  });

  test("whoever stands still in the middle of a change is cut off, and those behind it go on", async () => {
    await using project = await openProject("postgres");
    await using proxy = await openProxy({ host: "127.0.0.1", port: Number(new URL(project.url).port) });
    const limits = { lock: 1000, idle: 2000, answer: 30_000 };
    await using near = await openStoreAt(project.url, { limits });
    await using far = await openStoreAt(throughProxy(project.url, proxy.port), { limits });
    const standing = far.store.db.transaction().execute(async (trx) => {
      await trx.updateTable("task").set({ title: "Overwritten by a ghost" }).execute();
      await trx.deleteFrom("event").execute();
      proxy.freeze();
      await sleep(3500);
      proxy.thaw();
      await trx.selectFrom("task").select("key").execute();
    });
    const cut = expect(standing).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(
        /stood still for too long in the middle of a change. Nothing was written|the connection broke/,
      ),
    });
    const { task } = await near.call("task_create", { title });
    await sleep(200);
    const begun = performance.now();
    expect((await near.call("task_update", { id: task.id, title: "Paint the gate" })).error).toBeUndefined();
    expect(performance.now() - begun).toBeLessThan(3500);
    await cut;
    expect((await far.call("task_list")).tasks).toMatchObject([{ title: "Paint the gate" }]);
    const { checks } = await near.call("doctor_check");
    expect(checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
  });

  test("a lock that others keep for too long is told in words", async () => {
    await using project = await openProject("postgres");
    await using near = await openStoreAt(project.url, { limits: { lock: 300, idle: 60_000, answer: 30_000 } });
    await using other = await openStoreAt(project.url, { limits: { lock: 300, idle: 60_000, answer: 30_000 } });
    const { task } = await near.call("task_create", { title });
    await other.store.db.transaction().execute(async (trx) => {
      await trx.updateTable("task").set({ notes: "kept" }).execute();
      const { error } = await near.call("task_update", { id: task.id, title: "Paint the gate" });
      expect(error).toMatchObject({
        code: "UNAVAILABLE",
        message: "Others have kept the same records busy for too long; try again.",
      });
    });
    expect((await near.call("task_update", { id: task.id, title: "Paint the gate" })).error).toBeUndefined();
  });

  test("a watcher whose connection is cut ends nothing, and one that stops at once leaves nothing behind", async () => {
    await using project = await openProject("postgres");
    await using near = await openStoreAt(project.url);
    let changes = 0;
    const stop = near.store.port.watch(() => {
      changes += 1;
    });
    near.store.port.watch(() => {})();
    await until(async () => {
      await near.call("task_create", { title });
      return changes > 0;
    });
    await query(project.url, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'");
    await sleep(100);
    expect((await near.call("task_create", { title })).error).toBeUndefined();
    stop();
  });
});
