import { describe, expect, test } from "vitest";
import { TeamwrightError } from "../../mcp-server/src/kernel/errors.ts";
import { expectSound, show } from "../support/answers.ts";
import { issueRow } from "../support/beads-fixtures.ts";
import { twoTeams } from "../support/teams.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

/** Files held in memory; another is not there. */
async function importFiles(world: World, files: Record<string, string>, options = {}): Promise<Answer> {
  const [file = ""] = Object.keys(files);
  return world.person(
    "task_import",
    { file, ...options },
    {
      read: async (path) => {
        const text = files[path];
        if (text === undefined) throw new TeamwrightError("NOT_FOUND", `There is no file ${path}.`);
        return text;
      },
      write: async () => {},
    },
  );
}

const importRows = (world: World, rows: readonly string[], options = {}) =>
  importFiles(world, { "issues.jsonl": rows.join("\n") }, options);
const exportRows = async (world: World): Promise<string[]> => (await world.person("task_export")).lines;
const verdicts = (answer: Answer) => answer.rows.map((row: { verdict: string }) => row.verdict);

describe.each(dialects)("BEADS files that come again on %s", (dialect) => {
  test("a team this project does not have is kept, and the same file twice is harmless (BD-04)", async () => {
    await using world = await openWorld({ dialect });
    const row = issueRow("bd-1", { metadata: { teamwright: { team: "elsewhere" } } });
    await importRows(world, [row]);
    expect(verdicts(await importRows(world, [row]))).toEqual(["kept"]);
    expect(await exportRows(world)).toEqual([row]);
  });

  test("a row that names no team leaves its task on the board it is on; one that names another moves it (BD-04)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    await importRows(world, [issueRow("bd-1")], { team: "beta" });
    expect(verdicts(await importRows(world, [issueRow("bd-1")]))).toEqual(["kept"]);
    expect((await show(lead, "bd-1")).team).toBe("beta");
    const moved = issueRow("bd-1", {
      updated_at: "2026-10-20T10:00:00Z",
      metadata: { teamwright: { team: "alpha" } },
    });
    expect(verdicts(await importRows(world, [moved]))).toEqual(["updated"]);
    expect((await show(lead, "bd-1")).team).toBe("alpha");
    expect(verdicts(await importRows(world, [moved]))).toEqual(["kept"]);
    await expectSound(world);
  });

  test("what is no task is judged in a dry run as in the run, also when it stands twice in the file", async () => {
    await using world = await openWorld({ dialect });
    const memory = (value: string) => JSON.stringify({ _type: "memory", key: "k", value });
    const rows = [memory("one"), memory("two"), memory("two")];
    const dry = await importRows(world, rows, { dry_run: true });
    expect(verdicts(dry)).toEqual(["created", "updated", "kept"]);
    expect(await importRows(world, rows)).toEqual({ ...dry, dry_run: false });
  });

  test("deleted elsewhere, or back from there: one row for one id, and the round trip is the same to the byte (BD-04)", async () => {
    await using world = await openWorld({ dialect });
    const tombstone = (id: string, at: string) => issueRow(id, { status: "tombstone", updated_at: at, deleted_at: at });
    await importRows(world, [issueRow("bd-1", { status: "blocked" }), tombstone("bd-2", "2026-10-01T00:00:00Z")]);
    await importRows(world, [
      tombstone("bd-1", "2026-10-20T10:00:00Z"),
      issueRow("bd-2", { updated_at: "2026-12-20T10:00:00Z" }),
    ]);
    const first = await show(world.lead(), "bd-1");
    expect(first).toMatchObject({ state: "closed", outcome: "cancelled" });
    expect(first).not.toHaveProperty("blocked");
    const out = await exportRows(world);
    expect(out).toHaveLength(2);
    await using other = await openWorld({ dialect: "sqlite" });
    await importRows(other, out);
    expect(await exportRows(other)).toEqual(out);
    await expectSound(world);
  });

  test("a table dump brings labels, links and comments from the files beside it (beads-compat 5)", async () => {
    await using world = await openWorld({ dialect });
    const dump = (id: string) =>
      issueRow(id, { content_hash: "x", timeout_ns: 0, assignee: null, closed_at: null, due_at: null });
    const files = {
      "backup/issues.jsonl": [dump("bd-1"), dump("bd-2")].join("\n"),
      "backup/labels.jsonl": '{"issue_id":"bd-1","label":"red"}\nno json\n',
      "backup/dependencies.jsonl": '{"issue_id":"bd-1","depends_on_id":"bd-2","type":"blocks"}\n',
    };
    const dry = await importFiles(world, files, { dry_run: true });
    const run = await importFiles(world, files);
    expect(run).toEqual({ ...dry, dry_run: false });
    expect(run).toMatchObject({ created: 2, quarantined: 1 });
    expect(run.rows.at(-1).reason).toBe("line 2 of labels.jsonl names no issue");
    expect(await show(world.lead(), "bd-1")).toMatchObject({ state: "open", labels: ["red"], waits_for: 1 });
    expect(await importFiles(world, files)).toMatchObject({ kept: 2, conflict: 0 });
    await expectSound(world);
  });

  test("a word of another tool for a state holds a task back until somebody moves it", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    await importRows(world, [issueRow("bd-1", { status: "qa" }), issueRow("bd-2", { status: "hooked" })]);
    await lead.must("task_update", { id: "bd-1", defer_until: "now" });
    await lead.must("board_move", { id: "bd-2", to: "ready" });
    expect((await lead.must("task_ready")).total).toBe(2);
    await expectSound(world);
  });

  test("a word of another tool outlasts the day it was put off until", async () => {
    await using world = await openWorld({ dialect });
    await importRows(world, [issueRow("bd-1", { status: "qa", defer_until: "2026-11-01T09:30:00Z" })]);
    world.clock.advance(3_600_000);
    expect((await world.lead().must("task_ready")).total).toBe(0);
    expect(await show(world.lead(), "bd-1")).toMatchObject({ state: "deferred", foreign_status: "qa" });
    await using other = await openWorld({ dialect: "sqlite" });
    await importRows(other, await exportRows(world));
    expect(await show(other.lead(), "bd-1")).toMatchObject({ state: "deferred", foreign_status: "qa" });
  });
});

test("a store that cannot be written is exported all the same", async () => {
  await using world = await openWorld();
  await importRows(world, [issueRow("bd-1")]);
  Object.assign(world.runtime.store, { readOnly: "The store cannot be written: only reading works." });
  expect(await exportRows(world)).toEqual([issueRow("bd-1")]);
});
