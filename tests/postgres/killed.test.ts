import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type Inspector, inspect } from "../support/inspect.ts";
import { query, until } from "../support/postgres-client.ts";
import { ensureBuilt, openProject, type Project } from "../support/processes.ts";
import { RawServer, type Reply } from "../support/raw-server.ts";

const ROUNDS = 12;
const SERVERS = 4;
const LEASE_MS = 5000;
const config = `claims: { lease_seconds: ${LEASE_MS / 1000} }\nwip_limits: { per_agent: 5000 }\ntask_quality: off`;

beforeAll(async () => {
  await ensureBuilt();
});

async function serverAt(project: Project): Promise<RawServer> {
  const server = new RawServer(await ensureBuilt(), project.root);
  await server.initialize();
  return server;
}

/** What a client was told, and so must be there. */
interface Told {
  readonly id: string;
  /** 0 while only created. */
  readonly fence: number;
  readonly isClosed: boolean;
}

/** Creates, claims and closes, two calls under way at a time, until the server is gone. */
async function work(server: RawServer, told: Told[]): Promise<void> {
  const ask = async (tool: string, input: unknown): Promise<Reply> => {
    const answer = await server.call(tool, input);
    expect(answer.error).toBeUndefined();
    return answer;
  };
  const one = async () => {
    for (;;) {
      const created = await ask("task_create", { title: "Do a part" });
      if (created.protocolError) return;
      told.push({ id: created.task.id, fence: 0, isClosed: false });
      const { task, fence, protocolError } = await ask("task_claim", {});
      if (protocolError) return;
      if (!task) continue; // the other one was faster
      told.push({ id: task.id, fence, isClosed: false });
      if (told.length % 3 === 0) continue; // some stay in hand
      if ((await ask("task_close", { id: task.id, fence })).protocolError) return;
      told.push({ id: task.id, fence, isClosed: true });
    }
  };
  await Promise.all([one(), one()]);
}

async function lost(store: Inspector, told: readonly Told[]): Promise<Told[]> {
  const rows = await store.runtime.store.db.selectFrom("task").select(["key", "status", "fence"]).execute();
  const tasks = new Map(rows.map((row) => [row.key, row]));
  return told.filter(({ id, fence, isClosed }) => {
    const task = tasks.get(id);
    return !task || Number(task.fence) < fence || (isClosed && task.status !== "closed");
  });
}

describe.concurrent("servers that are killed on postgres", () => {
  test(`kill -9 of a claiming server in ${ROUNDS} rounds loses nothing that was answered, and every claim comes back`, async () => {
    await using project = await openProject("postgres", config);
    await using store = await inspect(project.root);
    const told: Told[] = [];
    let isOver = false;
    const running = new Set<RawServer>();
    const places = Array.from({ length: SERVERS }, async () => {
      while (!isOver) {
        const server = await serverAt(project);
        running.add(server);
        if (isOver) server.process.kill("SIGKILL");
        await work(server, told);
        running.delete(server);
        await server.exited;
      }
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      const enough = told.length + 10;
      await until(async () => told.length >= enough && running.size > 0);
      await sleep(Math.random() * 20); // the moment of the kill wanders over the steps of a call
      const [victim] = running;
      victim?.process.kill("SIGKILL");
      await victim?.exited;
      expect(await lost(store, [...told])).toEqual([]);
    }
    isOver = true;
    for (const server of running) server.process.kill("SIGKILL");
    await Promise.all(places);
    expect(told.length).toBeGreaterThan(ROUNDS * 10);
    expect(await lost(store, [...told])).toEqual([]);
    const claims = told.filter((each) => each.fence > 0 && !each.isClosed).map((each) => `${each.id} ${each.fence}`);
    expect(new Set(claims).size).toBe(claims.length); // no two were ever told the same claim

    await sleep(LEASE_MS + 200);
    const closed = new Set(told.filter((each) => each.isClosed).map((each) => each.id));
    const { total } = await store.call("task_list", { status: ["closed"], limit: 1 });
    expect(total).toBeGreaterThanOrEqual(closed.size);
    const all = (await store.call("task_list", { limit: 1 })).total;
    expect((await store.call("task_ready", { limit: 1 })).total).toBe(all - total);
    expect(await store.failedChecks()).toEqual([]);
  });

  test("the claim of a killed server comes free when its lease ends, and a server that slept is fenced off", async () => {
    await using project = await openProject("postgres", config);
    await using store = await inspect(project.root);
    const [first, second] = await store.seed(2);
    const [killed, sleeper, heir] = await Promise.all([serverAt(project), serverAt(project), serverAt(project)]);
    expect(await killed.call("task_claim", { id: first })).toMatchObject({ fence: 1 });
    const slept = await sleeper.call("task_claim", { id: second });
    expect(slept).toMatchObject({ fence: 1 });
    killed.process.kill("SIGKILL");
    sleeper.process.kill("SIGSTOP");
    expect((await heir.call("task_claim", { id: first })).error).toMatchObject({ code: "CONFLICT" });
    expect((await heir.call("task_ready")).total).toBe(0);

    await sleep(LEASE_MS + 100);
    expect(await heir.call("task_claim", { id: first })).toMatchObject({ task: { id: first }, fence: 2 });
    expect(await heir.call("task_claim", { id: second })).toMatchObject({ task: { id: second }, fence: 2 });
    sleeper.process.kill("SIGCONT");
    const late = [
      await sleeper.call("task_close", { id: second, fence: slept.fence }),
      await sleeper.call("task_close", { id: second }),
      await sleeper.call("task_update", { id: second, title: "Overwritten by a ghost" }),
      await sleeper.call("board_move", { id: second, to: "review" }),
    ];
    expect(late.map((answer) => answer.error?.code)).toEqual(["CONFLICT", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
    expect((await heir.call("task_close", { id: second, fence: 2 })).error).toBeUndefined();
    const { events } = await store.call("event_list", { limit: 200 });
    expect(events.filter((event: { type: string }) => event.type === "claim.expired").length).toBe(2);
    expect(await store.failedChecks()).toEqual([]);
    await Promise.all([sleeper.end(), heir.end()]);
  });

  test("a server stopped in the middle of a change does not stop the others", async () => {
    await using project = await openProject("postgres", config);
    const [stopped, other] = await Promise.all([serverAt(project), serverAt(project)]);
    await stopInChange(stopped, project.url);
    const begun = performance.now();
    const { task, error } = await other.call("task_create", { title: "Paint the fence" });
    expect(error).toBeUndefined();
    expect(performance.now() - begun).toBeLessThan(25_000);
    stopped.process.kill("SIGCONT");
    expect((await stopped.call("task_show", { id: task.id })).task.title).toBe("Paint the fence");
    expect((await stopped.call("task_create", { title: "Paint the gate" })).error).toBeUndefined();
    await using store = await inspect(project.root);
    expect(await store.failedChecks()).toEqual([]);
    expect((await stopped.end()).code).toBe(0);
    expect((await other.end()).code).toBe(0);
    expect(stopped.stderr + other.stderr).toBe("");
  });
});

/** Stops the process where it holds what every writer needs: the end of the chain of events. */
async function stopInChange(server: RawServer, url: string): Promise<void> {
  await server.call("task_create", { title: "Make the tables" });
  for (;;) {
    const calls = Array.from({ length: 10 }, (_, n) => server.call("task_create", { title: `Do part ${n}` }));
    await sleep(Math.random() * 30);
    server.process.kill("SIGSTOP");
    await sleep(100);
    const held = await query(
      url,
      `select 1 from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and granted and state = 'idle in transaction' and datname = current_database()`,
    );
    if (held.length > 0) return;
    server.process.kill("SIGCONT");
    await Promise.all(calls);
  }
}
