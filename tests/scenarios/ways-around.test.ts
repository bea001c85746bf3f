import { describe, expect, test } from "vitest";
import { beginUnit, passing, review } from "../support/loop.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const config = "gates: []\n";

const begun = (world: World) => beginUnit(world);

const phase = async (world: World, unit: string) => (await world.person("unit_show", { unit })).unit.phase;
const state = async (world: World, id: string) => (await world.person("task_show", { id })).task.state;

for (const dialect of dialects) {
  describe(`ways around a unit on ${dialect}`, () => {
    test("its agent neither closes its task nor hands it in past the unit; who directs it gives up both at once (FP-01, FP-15)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, unit, task } = await begun(world);
      for (const outcome of ["done", "cancelled", "duplicate", "superseded"])
        expect((await ada.call("task_close", { id: task, outcome })).error.code).toBe("RULE_VIOLATED");
      expect((await ada.call("board_move", { id: task, to: "review" })).error).toMatchObject({ next: "unit_submit" });
      expect((await lead.call("task_close", { id: task, force: true })).error.code).toBe("RULE_VIOLATED");
      await ada.must("unit_submit", { unit });
      expect(await phase(world, unit)).toBe("validate");
      await lead.must("task_close", { id: task, outcome: "cancelled" });
      expect(await phase(world, unit)).toBe("abandoned");
    });

    test("a file from elsewhere does not close it (BD-07)", async () => {
      await using world = await openWorld({ dialect, config });
      const { ada, task } = await begun(world);
      await ada.must("task_update", { id: task, release: "for another" });
      const { lines } = await world.person("task_export", {});
      const closed = { ...JSON.parse(lines[0]), status: "closed" };
      const text = JSON.stringify({ ...closed, updated_at: "2026-12-01T00:00:00Z", closed_at: "2026-12-01T00:00:00Z" });
      const files = { read: async () => text, write: async () => undefined };
      const run: Answer = await world.person("task_import", { file: "in" }, files);
      expect(run).toMatchObject({ conflict: 1, updated: 0 });
      expect(await state(world, task)).not.toBe("closed");
    });

    test("two leads who plan one task at once get one unit (FP-01)", async () => {
      await using world = await openWorld({ dialect, config: `${config}units: { runs: 3 }\n` });
      const lead = world.lead();
      const { task } = await lead.must("task_create", { title: "Write a line", acceptance: "- x", scope: ["src"] });
      const plan = (session: string) => world.lead(session).call("unit_plan", { tasks: [task.id], about: session });
      const answers = await Promise.all(["s1", "s2", "s3"].map(plan));
      expect(answers.filter((each) => each.units).length).toBe(1);
      expect(answers.filter((each) => each.error?.code === "CONFLICT").length).toBe(2);
    });

    test("a unit given up in review leaves its task with whoever did it; a start of an id that fits several names none", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, unit, task } = await begun(world);
      await ada.must("unit_submit", { unit });
      await lead.must("unit_end", { unit, reason: "not needed" });
      expect(await state(world, task)).toBe("in_progress");
      const other = (await lead.must("unit_plan", { tasks: [task] })).units[0].id;
      expect(other).not.toBe(unit);
      expect((await lead.call("unit_start", { unit: "wu-" })).error.code).toBe("INVALID_INPUT");
    });
  });
}

for (const dialect of dialects.slice(0, 1)) {
  test(`a unit that is being committed is not given up on ${dialect} (FP-05)`, async () => {
    await using world = await openWorld({ dialect, config: 'gates: [{ name: t, command: "sleep 1" }]\n' });
    const { repo, lead, ada, unit, task } = await begun(world);
    repo.write("src/a.txt", "one\ntwo\n");
    await ada.must("unit_submit", { unit });
    await lead.must("unit_validate", { unit });
    await review(world, lead, unit, passing(1));
    repo.write("README.md", "more\n");
    repo.git("commit", "-qm", "more", "README.md");
    const committing = lead.must("unit_commit", { unit });
    for (let tries = 0; tries < 100; tries += 1) {
      const row = await world.runtime.store.db.selectFrom("unit").select("busy_until").executeTakeFirst();
      if (row?.busy_until) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect((await lead.call("unit_end", { unit, reason: "no" })).error.code).toBe("CONFLICT");
    expect((await lead.call("task_close", { id: task, outcome: "cancelled" })).error.code).toBe("CONFLICT");
    expect(await committing).toMatchObject({ committed: true });
    expect(await state(world, task)).toBe("closed");
  });
}
