import { describe, expect, test } from "vitest";
import { damaged, issueRow, newShape, oldShape } from "../support/beads-fixtures.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

/** Files held in memory, so that a test sees exactly what was written. */
function memoryFiles(initial: Record<string, string>) {
  const files = new Map(Object.entries(initial));
  return {
    files,
    port: {
      read: async (path: string) => files.get(path) ?? "",
      write: async (path: string, chunks: Iterable<string>) => void files.set(path, [...chunks].join("")),
    },
  };
}

async function importText(world: World, text: string, options: Record<string, unknown> = {}): Promise<Answer> {
  return world.person("task_import", { file: "in", ...options }, memoryFiles({ in: text }).port);
}

async function exportText(world: World, options: Record<string, unknown> = {}): Promise<string> {
  const { files, port } = memoryFiles({});
  await world.person("task_export", { file: "out", ...options }, port);
  return files.get("out") ?? "";
}

async function healthy(world: World): Promise<void> {
  expect((await world.person("doctor_check")).checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
}

describe.each(dialects)("BEADS interchange on %s", (dialect) => {
  test("clean files of old and new shape come in, stay faithful to the byte and go round (BD-01, BD-04)", async () => {
    await using world = await openWorld({ dialect });
    const source = [...oldShape, ...newShape].join("\n");
    const dry = await importText(world, source, { dry_run: true });
    expect((await world.person("task_list")).total).toBe(0);
    const run = await importText(world, source);
    expect({ ...run, dry_run: true }).toEqual(dry);
    expect(run).toMatchObject({ created: 6, quarantined: 0, conflict: 0 });
    expect(await importText(world, source)).toMatchObject({ created: 0, updated: 0, kept: 6 });
    const out = await exportText(world, { sort: "given" });
    expect(new Set(out.trimEnd().split("\n"))).toEqual(new Set(source.split("\n")));
    await healthy(world);
  });

  test("damaged rows get verdicts and never take others with them", async () => {
    await using world = await openWorld({ dialect });
    const run = await importText(world, damaged.join("\n"));
    const verdicts = Object.fromEntries(
      run.rows.map((row: { line: number; verdict: string }) => [row.line, row.verdict]),
    );
    expect(verdicts).toMatchObject({
      1: "created",
      7: "quarantined",
      16: "quarantined",
      10: "created",
      11: "created",
      12: "created",
    });
    const show = async (id: string) => (await world.person("task_show", { id })).task;
    expect((await show("both-1")).title).toBe("their side");
    expect((await show("twice-1")).title).toBe("newer");
    expect((await show("shut-1")).state).toBe("closed");
    const ready = (await world.person("task_ready", { limit: 0 })).tasks.map((task: { id: string }) => task.id);
    expect(ready).toContain("dangling-1");
    expect(ready).not.toContain("odd-1");
    await importText(world, issueRow("nowhere-9"));
    expect((await show("dangling-1")).state).toBe("open");
    await healthy(world);
  });

  test("older rows are kept, newer ones update, a tie with other content is a conflict, a live claim stays", async () => {
    await using world = await openWorld({ dialect });
    await importText(world, issueRow("x-1", { title: "as imported" }));
    const verdict = async (over: Record<string, unknown>) =>
      (await importText(world, issueRow("x-1", over))).rows[0].verdict;
    expect(await verdict({ title: "older", updated_at: "2025-12-31T00:00:00Z" })).toBe("kept");
    expect(await verdict({ title: "same second" })).toBe("conflict");
    expect(await verdict({ title: "newer", updated_at: "2026-01-03T00:00:00Z", priority: 0 })).toBe("updated");
    expect((await world.person("task_show", { id: "x-1" })).task).toMatchObject({ title: "newer", priority: 0 });
    const ada = await world.spawn("ada");
    await ada.must("task_claim", { id: "x-1" });
    expect(await verdict({ title: "stolen", status: "closed", updated_at: "2026-12-03T00:00:00Z" })).toBe("conflict");
    expect((await ada.must("task_show", { id: "x-1" })).task).toMatchObject({ holder: "ada", state: "in_progress" });
    await healthy(world);
  });

  test("what was changed here is patched into the row, the rest stays to the byte", async () => {
    await using world = await openWorld({ dialect });
    await importText(world, newShape.join("\n"));
    await world.person("task_update", { id: "new-a", priority: 3, add_labels: ["fresh"] });
    const { task } = await world.person("task_create", {
      title: "Born here",
      acceptance: "seen",
      scope: ["a.ts"],
      points: 3,
    });
    const first = await exportText(world);
    expect(first).toContain(`"x_unknown":{"n":1.0,"e":1e3}`);
    expect(first).toContain(`"x_extra":true`);
    expect(first).toContain(task.id);
    await using other = await openWorld({ dialect: "sqlite" });
    await importText(other, first);
    expect(await exportText(other)).toBe(first);
    expect((await other.person("task_show", { id: task.id })).task).toMatchObject({ points: 3, scope: ["a.ts"] });
    await healthy(other);
  });
});

test("10,000 rows come in with progress, in pieces, and twice is harmless", async () => {
  await using world = await openWorld();
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    issueRow(
      `big-${index}`,
      index > 0
        ? {
            dependencies: [
              { depends_on_id: `big-${Math.floor(index / 2)}`, type: index % 3 === 0 ? "parent-child" : "blocks" },
            ],
          }
        : {},
    ),
  ).join("\n");
  const run = await importText(world, rows);
  expect(run).toMatchObject({ created: 10_000, quarantined: 0 });
  expect(await importText(world, rows)).toMatchObject({ created: 0, kept: 10_000 });
  await healthy(world);
});
