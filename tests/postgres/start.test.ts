import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { migrations } from "../../mcp-server/src/store/migrations/index.ts";
import { inspect } from "../support/inspect.ts";
import { changed, createRole, query, untilPausing, untilRow } from "../support/postgres-client.ts";
import { ensureBuilt, openProject, race, Worker } from "../support/processes.ts";
import { onlyProtocol, RawServer } from "../support/raw-server.ts";
import type { Acknowledged, Outcome } from "../support/worker.ts";

const STARTS = 16;
const UPGRADERS = 8;
const KILLED_STARTS = 12;
const config = "task_quality: off";
const current = migrations.length;

beforeAll(async () => {
  await ensureBuilt();
});

const upgrade = (url: string, pauseSeconds: number) =>
  Array.from({ length: UPGRADERS }, (_, n) => ({
    kind: "upgrade" as const,
    start: url,
    name: `upgrader-${n}`,
    pauseSeconds,
  }));
const oneUpgrade = Array.from({ length: UPGRADERS }, () => ({ done: ["1"], refusals: [] }));

async function schemaVersions(url: string): Promise<string[]> {
  const rows = await query(url, "select value from meta where key = 'schema_version'");
  return rows.map((row) => row.value);
}

describe("the first start on postgres", () => {
  test(`${STARTS} servers that start at once on an empty database all answer and make one schema`, async () => {
    await using project = await openProject("postgres", config);
    const built = await ensureBuilt();
    const servers = Array.from({ length: STARTS }, () => new RawServer(built, project.root));
    const created = await Promise.all(
      servers.map(async (server, n) => {
        await server.initialize();
        return server.call("task_create", { title: `Start server ${n}` });
      }),
    );
    expect(created.filter((answer) => answer?.error || answer?.protocolError)).toEqual([]);
    expect(await schemaVersions(project.url)).toEqual([String(current)]);
    const lists = await Promise.all(servers.map((server) => server.call("task_list", { limit: 100 })));
    expect(lists.map((list) => list.total)).toEqual(servers.map(() => STARTS));
    const ends = await Promise.all(servers.map((server) => server.end()));
    expect(ends.map((end) => end.code)).toEqual(servers.map(() => 0));
    expect(servers.map((server) => server.stderr).join("")).toBe("");
    expect(servers.flatMap(onlyProtocol)).toEqual([]);
    await using store = await inspect(project.root);
    expect(await store.failedChecks()).toEqual([]);
  });

  test("a server killed at any moment of its first start leaves a database that the next one completes", async () => {
    const built = await ensureBuilt();
    const oneRound = async (round: number) => {
      await using project = await openProject("postgres", config);
      const killed = new RawServer(built, project.root);
      // the moment of the kill wanders from the connection to the first call
      await untilRow(
        project.url,
        "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() limit 1",
      );
      await sleep(round * 15);
      killed.process.kill("SIGKILL");
      await killed.exited;
      const next = new RawServer(built, project.root);
      await next.initialize();
      expect(await next.call("task_create", { title: "Add the first task" })).toMatchObject({ total: 1 });
      expect(await schemaVersions(project.url)).toEqual([String(current)]);
      expect((await next.end()).code).toBe(0);
    };
    for (let round = 0; round < KILLED_STARTS; round += 3) {
      await Promise.all([round, round + 1, round + 2].map(oneRound));
    }
  });

  test("a database with tables of another program is left as it is, and the message says so", async () => {
    await using project = await openProject("postgres", config);
    await query(project.url, "create table event (id integer)");
    const server = new RawServer(await ensureBuilt(), project.root);
    await server.initialize();
    expect((await server.call("task_list")).error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/tables of another program are in the way \(relation "event" already exists\)/),
    });
    expect(await query(project.url, "select tablename from pg_tables where schemaname = 'public'")).toEqual([
      { tablename: "event" },
    ]);
    expect((await server.end()).code).toBe(0);
  });

  test("a user without rights on the schema is told so, and works where the tables are there", async () => {
    await using project = await openProject("postgres", config);
    const drop = await createRole(project.url, "tw_worker", "plain");
    const url = changed(project.url, (each) => {
      each.username = "tw_worker";
      each.password = "plain";
    });
    const built = await ensureBuilt();
    const open = async () => {
      await using restricted = await openProject("sqlite", `${config}\nstorage: { url: "${url}" }`);
      const server = new RawServer(built, restricted.root);
      await server.initialize();
      const answer = await server.call("task_create", { title: "Add a door" });
      await server.end();
      return answer;
    };
    try {
      await query(project.url, "revoke create on schema public from public");
      expect((await open()).error).toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(
          /this user may not do what Teamwright needs: permission denied for schema public/,
        ),
      });
      await using owner = await inspect(project.root);
      await owner.seed(1);
      await query(project.url, "grant select, insert, update, delete on all tables in schema public to tw_worker");
      expect(await open()).toMatchObject({ total: 1, task: { title: "Add a door" } });
    } finally {
      await drop();
    }
  });
});

describe("an upgrade on postgres", () => {
  test(`${UPGRADERS} processes upgrade an older schema at once under load: one does, the others wait, nothing is lost`, async () => {
    await using project = await openProject("postgres", config);
    const { worker } = await ensureBuilt();
    await race([{ kind: "create", start: project.root, name: "before", count: 20 }]);
    const writer = new Worker(worker, { kind: "load", start: project.root, name: "writer" });
    await writer.line(0);
    writer.go();
    await writer.line(4);
    const before = performance.now();
    expect(await race(upgrade(project.url, 0.5))).toEqual(oneUpgrade);
    expect(performance.now() - before).toBeGreaterThan(500);
    writer.process.kill("SIGKILL");
    await writer.exited;
    const created = (writer.said.slice(1) as Acknowledged[]).filter((entry) => entry.what === "created");
    expect(await schemaVersions(project.url)).toEqual([String(current + 1)]);
    const tasks = await query(project.url, "select key from task");
    const keys = new Set(tasks.map((task) => task.key));
    expect(created.filter((entry) => !keys.has(entry.id))).toEqual([]);
    expect(tasks.length).toBeGreaterThanOrEqual(20 + created.length);
    await using store = await inspect(project.root);
    const failed = (await store.failedChecks()) as { check: string }[];
    expect(failed.filter((check) => check.check !== "claims")).toEqual([]); // the killed writer's lease still runs
  });

  test("a process killed in the middle of an upgrade leaves the older schema, and the next ones complete it", async () => {
    await using project = await openProject("postgres", config);
    const { worker } = await ensureBuilt();
    await race([{ kind: "create", start: project.root, name: "before", count: 20 }]);
    const killed = new Worker(worker, { kind: "upgrade", start: project.url, name: "killed", pauseSeconds: 1.5 });
    await killed.line(0);
    killed.go();
    await untilPausing(project.url);
    killed.process.kill("SIGKILL");
    await killed.exited;
    expect(killed.said.length).toBe(1);
    expect(await schemaVersions(project.url)).toEqual([String(current)]);
    // the killed one's statement may still run; whoever comes waits for its end
    expect(await race(upgrade(project.url, 0))).toEqual(oneUpgrade);
    expect(await schemaVersions(project.url)).toEqual([String(current + 1)]);
    await using store = await inspect(project.root);
    expect((await store.call("task_list", { limit: 1 })).total).toBe(20);
    expect(await store.failedChecks()).toEqual([]);
  });

  test("a store of a newer program is read, never written, and every surface says why", async () => {
    await using project = await openProject("postgres", config);
    {
      await using store = await inspect(project.root);
      await store.seed(3);
    }
    expect(await race(upgrade(project.url, 0).slice(0, 1))).toEqual(oneUpgrade.slice(0, 1));
    const before = await query(
      project.url,
      "select (select count(*) from event) as events, (select sum(version) from task) as versions",
    );
    const server = new RawServer(await ensureBuilt(), project.root);
    await server.initialize();
    expect(await server.call("task_ready")).toMatchObject({ total: 3 });
    expect((await server.call("brief_show")).error).toBeUndefined();
    expect((await server.call("board_show")).error).toBeUndefined();
    const message = `The store has schema version ${current + 1} and this Teamwright knows ${current}: it is open read-only. Update Teamwright to write.`;
    for (const [tool, input] of [
      ["task_create", { title: "Add a door" }],
      ["task_claim", {}],
    ] as const) {
      expect((await server.call(tool, input)).error).toMatchObject({ code: "UNAVAILABLE", message });
    }
    expect(await server.end()).toMatchObject({ code: 0 });
    expect(server.stderr).toBe("");
    const writers = await race([{ kind: "claim", start: project.root, name: "older", ids: ["any-1"] }]);
    expect(writers.flatMap((outcome: Outcome) => outcome.refusals)).toEqual([{ code: "UNAVAILABLE", message }]);
    const after = await query(
      project.url,
      "select (select count(*) from event) as events, (select sum(version) from task) as versions",
    );
    expect(after).toEqual(before);
  });
});
