import { describe, expect, test } from "vitest";
import { DAY, expectSound, newTask } from "../support/answers.ts";
import { type Answer, dialects, openWorld, START, type World } from "../support/world.ts";

const events = async (world: World): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events;

async function failing(world: World): Promise<string[]> {
  const { ok, checks } = await world.person("doctor_check");
  const failed = checks.filter((check: { ok: boolean }) => !check.ok);
  expect(ok).toBe(failed.length === 0);
  return failed.map((check: { check: string; detail: string }) => `${check.check}: ${check.detail}`);
}

describe.each(dialects)("trail on %s", (dialect) => {
  test("every write leaves who, what, before and after, in one order that no clock can turn (C-01)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const id = await newTask(lead, { title: "Leave a trace", priority: 3 });
    await ada.must("task_claim", { id });
    await ada.must("task_update", { id, priority: 1, notes: "faster", add_labels: ["x"], comment: "so be it" });
    world.clock.advance(-2 * DAY);
    await ada.must("task_update", { id, block: "the clock went back" });
    await ada.must("task_update", { id, unblock: true });
    world.clock.advance(2 * DAY + 1);
    await ada.must("task_close", { id, reason: "done" });
    await world.person("task_reopen", { id });
    await lead.must("task_show", { id });
    const trail = await events(world);
    const about = trail.filter((event) => event.subject === id);
    expect(about.map((event) => [event.type, event.by, event.kind, event.operation])).toEqual([
      ["task.created", "lead", "lead", "task_create"],
      ["task.claimed", "ada", "agent", "task_claim"],
      ["task.updated", "ada", "agent", "task_update"],
      ["task.blocked", "ada", "agent", "task_update"],
      ["task.unblocked", "ada", "agent", "task_update"],
      ["task.closed", "ada", "agent", "task_close"],
      ["task.reopened", "pat", "human", "task_reopen"],
    ]);
    expect(about[2]).toMatchObject({
      before: { priority: 3, notes: null },
      after: { priority: 1, notes: "faster", add_labels: ["x"], comment: "so be it" },
    });
    expect(about[2].before).not.toHaveProperty("title");
    expect(about[1]).toMatchObject({
      before: { state: "open" },
      after: { state: "in_progress", holder: `agent:${ada.id}`, fence: 1 },
      team: "main",
    });
    expect(trail.map((event) => event.seq)).toEqual(trail.map((_, index) => index + 1));
    const rows = await world.runtime.store.db
      .selectFrom("event")
      .select(["hlc", "hash", "prev_hash"])
      .orderBy("seq")
      .execute();
    expect(rows.map((row) => row.hlc)).toEqual(rows.map((row) => row.hlc).sort());
    expect(new Set(rows.map((row) => row.hlc)).size).toBe(rows.length);
    // a refused call leaves nothing, a read neither
    const before = trail.length;
    await ada.call("task_claim", { id: "tw-none" });
    await lead.call("task_create", { tasks: [{ title: "Write one" }, { title: "Write two", parent: "tw-none" }] });
    await lead.must("board_show");
    expect(await events(world)).toHaveLength(before);
    expect((await world.person("event_list", { after: before - 1 })).events).toHaveLength(1);
    await expectSound(world);
  });

  test("an event that was changed, taken out or cut off is found, and so is a counter that was turned", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    for (let index = 0; index < 6; index += 1) await newTask(lead, `Count to ${index}`);
    const { db } = world.runtime.store;
    expect(await failing(world)).toEqual([]);
    const third = await db.selectFrom("event").selectAll().where("seq", "=", 3).executeTakeFirstOrThrow();
    for (const change of [
      { actor_name: "nobody" },
      { after: "{}" },
      { at: START - 1 },
      { seq: 30 },
      { team: null },
      { hash: "0".repeat(64) },
    ]) {
      await db.updateTable("event").set(change).where("seq", "=", 3).execute();
      expect([change, (await failing(world)).join()]).toEqual([
        change,
        expect.stringMatching(/^event chain: event \d/),
      ]);
      await db.deleteFrom("event").where("seq", "in", [3, 30]).execute();
      expect((await failing(world)).join()).toContain("event 4 follows a gap: event 3 is missing");
      await db.insertInto("event").values(third).execute();
      expect(await failing(world)).toEqual([]);
    }
    await db.deleteFrom("event").where("seq", ">", 5).execute();
    expect((await failing(world)).join()).toContain("missing at the end");
    await newTask(lead, "Count on as if nothing were");
    expect((await failing(world)).join()).toContain("event 7 follows a gap: event 6 is missing");

    await db.updateTable("task").set({ holder: "agent:a9" }).where("title", "=", "Count to 0").execute();
    expect((await failing(world)).join()).toMatch(/claims: not so: tw-\w+$/);
    await db.updateTable("task").set({ holder: null, open_blockers: 1 }).where("title", "=", "Count to 0").execute();
    await db.updateTable("task").set({ ready_prio: null }).where("title", "=", "Count to 1").execute();
    await db.updateTable("board_count").set({ n: 99 }).where("col", "=", "ready").execute();
    expect((await failing(world)).join()).toMatch(
      /event chain.*readiness counters: 2 wrong.*openBlockers is 1, should be 0.*board counters: .*99/,
    );
  });
});
