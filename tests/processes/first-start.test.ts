import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { ensureBuilt, openProject, race, stores } from "../support/processes.ts";
import { RawServer } from "../support/raw-server.ts";

const STARTS = 16;

beforeAll(async () => {
  await ensureBuilt();
});

describe.each(stores)("the first start on %s", (kind) => {
  test("16 processes that open a new store at the same moment all succeed", async () => {
    for (let round = 0; round < 2; round += 1) {
      await using project = await openProject(kind);
      const outcomes = await race(
        Array.from({ length: STARTS }, (_, n) => ({ kind: "open" as const, start: project.root, name: `opener-${n}` })),
      );
      expect(outcomes.flatMap((outcome) => outcome.refusals)).toEqual([]);
      expect(new Set(outcomes.flatMap((outcome) => outcome.done)).size).toBe(STARTS);
    }
  });

  test("16 servers started at once on a new folder all answer and share one store", async () => {
    await using project = await openProject(kind);
    const built = await ensureBuilt();
    const servers = Array.from({ length: STARTS }, () => new RawServer(built, project.root));
    const created = await Promise.all(
      servers.map(async (server, n) => {
        await server.initialize();
        return server.call("task_create", { title: `Start server ${n}` });
      }),
    );
    expect(created.filter((answer) => answer?.error || answer?.protocolError)).toEqual([]);
    const list = await servers[0]?.call("task_list", { limit: 100 });
    expect(list.total).toBe(STARTS);
    const ends = await Promise.all(servers.map((server) => server.end()));
    expect(ends.map((end) => end.code)).toEqual(servers.map(() => 0));
    expect(servers.map((server) => server.stderr).join("")).toBe("");
  });
});

test("processes that upgrade an old store at once leave one upgrade and one whole backup", async () => {
  await using project = await openProject("sqlite");
  await race([{ kind: "create", start: project.root, name: "before", count: 20 }]);
  const path = join(project.root, ".teamwright/state.db");
  writeFileSync(`${path}.v${versionOf(path)}.backup`, "of an upgrade before somebody went back");
  const outcomes = await race(
    Array.from({ length: 8 }, (_, n) => ({
      kind: "migrate" as const,
      start: path,
      name: `migrator-${n}`,
      steps: versionOf(path) + 1,
    })),
  );
  expect(outcomes).toEqual(Array.from({ length: 8 }, () => ({ done: ["1"], refusals: [] })));
  const old = versionOf(path) - 1;
  const backup = new Sqlite(`${path}.v${old}.backup`, { readonly: true });
  expect(backup.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(backup.pragma("user_version", { simple: true })).toBe(old);
  expect(backup.prepare("select count(*) as n from task").get()).toEqual({ n: 20 });
  expect(backup.prepare("select name from sqlite_schema where name = 'test_only'").get()).toBeUndefined();
  backup.close();
  expect(existsSync(`${path}.v${old}.backup.unfinished`)).toBe(false);
});

function versionOf(path: string): number {
  const db = new Sqlite(path, { readonly: true });
  const version = Number(db.pragma("user_version", { simple: true }));
  db.close();
  return version;
}
