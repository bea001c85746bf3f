import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../scripts/postgres.ts";
import { inspect } from "../support/inspect.ts";
import { changed, createRole, query, until, untilPausing, untilRow } from "../support/postgres-client.ts";
import {
  cleanEnvironment,
  ensureBuilt,
  node,
  openProject,
  type Project,
  rawDatabaseText,
  Worker,
} from "../support/processes.ts";
import { onlyProtocol, RawServer, type Reply } from "../support/raw-server.ts";
import type { Outcome } from "../support/worker.ts";

const SECRET = "s3cret-of-the-team";
const RECOVERY_SECONDS = 15;
const IMPORTED = 2000;
const title = "Paint the fence";

beforeAll(async () => {
  await ensureBuilt();
});

function projectAt(url: string): Promise<Project> {
  return openProject("sqlite", `task_quality: off\nstorage: { url: "${url}" }`);
}

async function serverAt(project: Project): Promise<RawServer> {
  const server = new RawServer(await ensureBuilt(), project.root);
  await server.initialize();
  return server;
}

async function commandLine(project: Project, args: readonly string[]): Promise<{ code: number; text: string }> {
  const { server } = await ensureBuilt();
  return new Promise((resolve) => {
    execFile(node, [...server, ...args], { cwd: project.root, env: cleanEnvironment() }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, text: out + err });
    });
  });
}

/** Addresses that cannot work, and what is told about each. */
function wrongAddresses(url: string): Record<string, readonly [string, RegExp]> {
  const at = (change: (each: URL) => void) => changed(url, change);
  const withSecret = changed(url, (each) => {
    each.password = SECRET;
  });
  return {
    "an unknown host": [
      changed(withSecret, (each) => {
        each.hostname = "db.teamwright.invalid";
      }),
      /no host of this name is known|cannot be looked up at the moment/,
    ],
    "a port nobody listens at": [
      changed(withSecret, (each) => {
        each.port = "1";
      }),
      /no database server answers there/,
    ],
    "a wrong password": [withSecret, /refuses the password of this user/],
    "a password in the parameters": [
      at((each) => {
        each.password = "";
        each.searchParams.set("password", SECRET);
      }),
      /refuses the password of this user/,
    ],
    "no password": [
      at((each) => {
        each.password = "";
      }),
      /asks for a password; storage\.url, PGPASSWORD or ~\/\.pgpass may hold it/,
    ],
    "an unknown database": [
      at((each) => {
        each.pathname = "/no_such_database";
      }),
      /has no database of this name; it must be created first/,
    ],
    "a user whose connections are used up": [
      changed(withSecret, (each) => {
        each.username = "tw_crowded";
      }),
      /has no connection free/,
    ],
    "marks in the password that are not escaped": [
      `postgres://team:p#${SECRET}@127.0.0.1/team`,
      /is no address; marks/,
    ],
    "a slash in the password that is not escaped": [`postgres://team:1/${SECRET}@127.0.0.1/team`, /not available/],
  };
}

describe.concurrent("a database server that is away, on postgres", () => {
  test("a wrong address is told in words on every surface, and the password nowhere", async () => {
    await using postgres = await startPostgres();
    const drop = await createRole(postgres.url, "tw_crowded", SECRET);
    await query(postgres.url, "alter role tw_crowded connection limit 0");
    for (const [what, [url, reason]] of Object.entries(wrongAddresses(postgres.url))) {
      await using project = await projectAt(url);
      const [server, command] = await Promise.all([
        serverAt(project),
        commandLine(project, ["task", "list", "--json"]),
      ]);
      const answer = await server.call("task_create", { title });
      expect(answer.error, what).toMatchObject({ code: "UNAVAILABLE", message: expect.stringMatching(reason) });
      expect(answer.error.message, what).not.toMatch(rawDatabaseText);
      expect(await server.end(), what).toMatchObject({ code: 0 });
      expect(onlyProtocol(server), what).toEqual([]);
      expect(command, what).toMatchObject({ code: 3, text: expect.stringMatching(reason) });
      expect(server.lines.join("\n") + server.stderr + command.text, what).not.toContain(SECRET);
      expect(server.stderr, what).toBe("");
    }
    await drop();
  });

  test("servers outlive crashes and restarts of the database: each call ends in words, and nothing acknowledged is lost", async () => {
    await using postgres = await startPostgres();
    await using project = await projectAt(postgres.url);
    const servers = await Promise.all([serverAt(project), serverAt(project), serverAt(project)]);
    const [holder, ...makers] = servers as [RawServer, ...RawServer[]];
    const held = await holder.call("task_create", { title: "Keep hold of this" });
    const { fence } = await holder.call("task_claim", { id: held.task.id });
    const acknowledged: string[] = [held.task.id];
    const refused: Reply[] = [];
    for (const how of ["crash", "shutdown", "crash", "shutdown"] as const) {
      let isOver = false;
      const loops = makers.map(async (maker) => {
        while (!isOver) {
          const answer = await maker.call("task_create", { title });
          if (answer.task) acknowledged.push(answer.task.id);
          else {
            refused.push(answer.error ?? answer.protocolError);
            await sleep(20);
          }
        }
      });
      await sleep(300);
      await postgres.halt(how);
      const begun = performance.now();
      expect((await holder.call("task_list")).error).toMatchObject({ code: "UNAVAILABLE" });
      expect(performance.now() - begun).toBeLessThan(3000);
      await postgres.resume();
      // the first call after its return is answered
      const told = [...acknowledged];
      const list = await holder.call("task_list", { limit: 0 });
      const ids = new Set(list.tasks?.map((task: { id: string }) => task.id));
      expect(told.filter((id) => !ids.has(id))).toEqual([]);
      await sleep(200);
      isOver = true;
      await Promise.all(loops);
    }
    expect(refused.length).toBeGreaterThan(4);
    for (const { code, message } of refused) {
      expect(code, message).toBe("UNAVAILABLE");
      expect(message).toMatch(/Nothing was written\.$|may have been written or not/);
    }
    expect((await holder.call("task_close", { id: held.task.id, fence })).error).toBeUndefined();
    await expectSound(project);
    const ends = await Promise.all(servers.map((server) => server.end()));
    expect(ends.map((end) => end.code)).toEqual([0, 0, 0]);
    expect(servers.map((server) => server.stderr).join("")).toBe("");
  });

  test("a server that started while the database was away serves once it is there, without a restart", async () => {
    await using postgres = await startPostgres();
    await using project = await projectAt(postgres.url);
    await postgres.halt("shutdown");
    const server = await serverAt(project);
    expect((await server.call("task_list")).error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/no database server answers there/),
    });
    await postgres.resume();
    await until(async () => {
      await sleep(500);
      return (await server.call("task_create", { title })).task?.title === title;
    }, RECOVERY_SECONDS * 1000);
    expect(await server.end()).toMatchObject({ code: 0 });
  });

  test("an import that loses its database ends, and doing it again completes it", async () => {
    await using postgres = await startPostgres();
    await using project = await projectAt(postgres.url);
    const rows = Array.from({ length: IMPORTED }, (_, n) => JSON.stringify({ id: `tw-i${n}`, title: `Do part ${n}` }));
    writeFileSync(join(project.root, "in.jsonl"), rows.join("\n"));
    const ended = commandLine(project, ["task", "import", "in.jsonl"]);
    await untilRow(postgres.url, "select 1 where to_regclass('event') is not null");
    await untilRow(postgres.url, "select 1 from event limit 1");
    await postgres.halt("crash");
    expect(await ended).toMatchObject({ code: 3, text: expect.stringMatching(/^UNAVAILABLE: The store at/m) });
    await postgres.resume();
    const [{ n }] = await query(postgres.url, "select count(*)::int as n from task");
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(IMPORTED);
    expect(await commandLine(project, ["task", "import", "in.jsonl"])).toMatchObject({
      code: 0,
      text: expect.stringContaining(`${IMPORTED - n} created, 0 updated, ${n} kept, 0 conflict, 0 quarantined`),
    });
    await expectSound(project, IMPORTED);
  });

  test("a mended address is taken at the next call", async () => {
    await using postgres = await startPostgres();
    await using project = await projectAt(
      changed(postgres.url, (url) => {
        url.password = SECRET;
      }),
    );
    const server = await serverAt(project);
    expect((await server.call("task_list")).error).toMatchObject({ code: "UNAVAILABLE" });
    writeFileSync(join(project.root, "teamwright.yaml"), `storage: { url: "${postgres.url}" }\n# mended\n`);
    expect(await server.call("task_list")).toMatchObject({ total: 0 });
    expect(await server.end()).toMatchObject({ code: 0 });
  });

  test("a database that crashes in the middle of an upgrade has the older schema, and the next start completes it", async () => {
    await using postgres = await startPostgres();
    await using project = await projectAt(postgres.url);
    {
      await using store = await inspect(project.root);
      await store.seed(20);
    }
    const { worker } = await ensureBuilt();
    const upgrade = async (name: string, pauseSeconds: number) => {
      const each = new Worker(worker, { kind: "upgrade", start: postgres.url, name, pauseSeconds });
      await each.line(0);
      each.go();
      return each;
    };
    const first = await upgrade("first", 60);
    await untilPausing(postgres.url);
    await postgres.halt("crash");
    expect(((await first.line(1)) as Outcome).refusals).toMatchObject([
      { code: "UNAVAILABLE", message: expect.stringMatching(/closed the connection|connection broke/) },
    ]);
    await postgres.resume();
    expect(await query(postgres.url, "select to_regclass('test_only') as made")).toEqual([{ made: null }]);
    expect(await (await upgrade("second", 0)).line(1)).toEqual({ done: ["1"], refusals: [] });
    await expectSound(project, 20);
  });
});

async function expectSound(project: Project, total?: number): Promise<void> {
  await using store = await inspect(project.root);
  expect(await store.failedChecks()).toEqual([]);
  if (total !== undefined) expect((await store.call("task_list", { limit: 1 })).total).toBe(total);
}
