import { describe, expect, test } from "vitest";
import { DAY, expectSound, idsReady, MINUTE, newTask, refusal, show } from "../support/answers.ts";
import { dialects, openWorld, START } from "../support/world.ts";

describe.each(dialects)("states on %s", (dialect) => {
  test("a task walks open, in progress, in review, closed; every other move is refused (C-10, TD-03, BD-04)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const id = await newTask(lead, "Walk the states");
    expect((await show(lead, id)).state).toBe("ready");
    expect(await refusal(ada.call("task_close", { id }))).toBe("FORBIDDEN");
    expect(await refusal(ada.call("board_move", { id, to: "review" }))).toBe("FORBIDDEN");
    expect(await refusal(lead.call("board_move", { id, to: "review" }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("board_move", { id, to: "backlog" }))).toBe("RULE_VIOLATED");

    expect(await ada.must("board_move", { id, to: "in_progress" })).toMatchObject({ column: "in_progress", fence: 1 });
    expect((await ada.must("board_move", { id, to: "in_progress" })).fence).toBe(1);
    expect(await ada.must("board_move", { id, to: "review" })).toMatchObject({
      column: "review",
      next: ["board_move", "task_close"],
    });
    expect((await show(ada, id)).lease_expires_at).toBeUndefined();
    const bob = await world.spawn("bob");
    expect(await refusal(bob.call("board_move", { id, to: "in_progress" }))).toBe("FORBIDDEN");
    expect(await refusal(bob.call("task_claim", { id }))).toBe("CONFLICT");
    expect(await refusal(bob.call("task_close", { id }))).toBe("FORBIDDEN");
    expect(await ada.must("board_move", { id, to: "in_progress" })).toMatchObject({ column: "in_progress", fence: 2 });
    expect(await refusal(ada.call("task_close", { id, fence: 1 }))).toBe("CONFLICT");
    expect(await refusal(ada.call("task_update", { id, notes: "late", fence: 1 }))).toBe("CONFLICT");
    await ada.must("board_move", { id, to: "review" });
    expect(await lead.must("board_move", { id, to: "ready", reason: "not yet good" })).toMatchObject({
      column: "ready",
    });
    expect(await show(lead, id)).not.toHaveProperty("holder");
    await ada.must("task_claim", { id });
    expect((await ada.must("task_close", { id, outcome: "failed", reason: "it cannot be done" })).task.state).toBe(
      "closed",
    );
    expect(await show(ada, id)).toMatchObject({
      outcome: "failed",
      close_reason: expect.stringContaining("it cannot be done"),
      holder: "ada",
    });
    expect((await ada.must("task_close", { id })).task.state).toBe("closed");
    expect((await show(ada, id)).outcome).toBe("failed");

    for (const to of ["backlog", "ready", "in_progress", "review"]) {
      expect([to, await refusal(lead.call("board_move", { id, to }))]).toEqual([to, "RULE_VIOLATED"]);
    }
    expect(await refusal(ada.call("task_claim", { id }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("task_update", { id, block: "no" }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("task_update", { id, defer_until: "indefinitely" }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("task_update", { id, release: "what" }))).toBe("CONFLICT");
    await world.person("task_reopen", { id, reason: "once more" });
    const open = await show(lead, id);
    expect(open).toMatchObject({ state: "ready" });
    for (const gone of ["outcome", "closed_at", "close_reason", "holder"]) expect(open).not.toHaveProperty(gone);
    expect((await bob.must("task_claim")).task.id).toBe(id);
    expect((await world.person("task_reopen", { id })).task.state).toBe("in_progress");
    await expectSound(world);
  });

  test("the blocked flag stops a task where it is, and its time is recorded (C-10, KB-03, DE-05, BD-06)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const id = await newTask(lead, "Wait for the keys");
    await ada.must("task_claim", { id });
    expect(await refusal(ada.call("task_update", { id, block: " " }))).toBe("INVALID_INPUT");
    expect(await refusal(ada.call("task_update", { id, block: "a", unblock: true }))).toBe("INVALID_INPUT");
    await ada.must("task_update", { id, block: "no key to the cellar" });
    world.clock.advance(2 * MINUTE);
    expect(await show(ada, id)).toMatchObject({
      state: "in_progress",
      holder: "ada",
      blocked: "no key to the cellar",
      blocked_by: "ada",
      blocked_seconds: 120,
    });
    await ada.must("task_update", { id, block: "still no key" });
    expect((await show(ada, id)).blocked_since).toBe(new Date(START).toISOString());
    expect((await lead.must("task_list", { blocked: true })).tasks).toMatchObject([{ id }]);
    expect((await lead.must("brief_show")).blocked).toMatchObject([{ id }]);
    world.clock.advance(MINUTE);
    await ada.must("task_update", { id, unblock: true });
    world.clock.advance(MINUTE);
    expect(await show(ada, id)).toMatchObject({ blocked_seconds: 180 });
    expect(await show(ada, id)).not.toHaveProperty("blocked");

    await ada.must("task_update", { id, block: "again", release: "somebody else may wait" });
    expect(await show(lead, id)).toMatchObject({ state: "open", blocked: "again" });
    expect(await show(lead, id)).not.toHaveProperty("holder");
    expect(await refusal(ada.call("task_claim", { id }))).toBe("BLOCKED");
    expect((await ada.must("task_claim")).task).toBeUndefined();
    await lead.must("task_update", { id, defer_until: "indefinitely" });
    expect(await show(lead, id)).toMatchObject({ state: "deferred", blocked: "again" });
    await lead.must("task_update", { id, defer_until: "now" });
    expect(await idsReady(lead)).toEqual([]);
    world.clock.advance(MINUTE);
    await lead.must("task_close", { id, outcome: "cancelled" });
    expect(await show(lead, id)).toMatchObject({ state: "closed", blocked_seconds: 240 });
    await expectSound(world);
  });

  test("a deferred task is hidden and wakes exactly once; a dateless one stays", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const until = new Date(START + DAY).toISOString();
    const dated = await newTask(lead, { title: "Wake me tomorrow", defer_until: until });
    const dateless = await newTask(lead, "Put me on ice");
    await lead.must("task_update", { id: dateless, defer_until: "indefinitely" });
    const held = await newTask(lead, "Drop me for now");
    await ada.must("task_claim", { id: held });
    await ada.must("task_update", { id: held, defer_until: until });
    expect(await show(lead, held)).not.toHaveProperty("holder");
    expect((await ada.must("brief_show")).holding).toEqual([]);
    expect(await refusal(ada.call("task_close", { id: held, fence: 1 }))).toBe("FORBIDDEN");
    expect(await idsReady(lead)).toEqual([]);
    expect(await refusal(ada.call("task_claim", { id: dated }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("board_move", { id: dated, to: "in_progress" }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("task_update", { id: dated, defer_until: new Date(START - 1).toISOString() }))).toBe(
      "INVALID_INPUT",
    );
    expect(await refusal(lead.call("task_update", { id: dated, defer_until: "soon" }))).toBe("INVALID_INPUT");
    expect((await lead.must("board_show")).boards[0].columns[0]).toMatchObject({ column: "backlog", total: 3 });

    world.clock.advance(DAY);
    expect((await idsReady(lead)).sort()).toEqual([dated, held].sort());
    world.clock.advance(DAY);
    await idsReady(lead);
    const { history } = await lead.must("task_show", { id: dated, history: true });
    expect(history.filter((event: { type: string }) => event.type === "task.woke")).toHaveLength(1);
    expect((await show(lead, dateless)).state).toBe("deferred");
    // the one who had it is not waited for: anybody may go on with it
    const bob = await world.spawn("bob");
    expect(await refusal(bob.call("task_claim", { id: held }))).toBe("accepted");
    await bob.must("task_update", { id: held, defer_until: until.replace("2026", "2027"), release: "later" });
    expect((await show(lead, held)).state).toBe("deferred");
    await expectSound(world);
  });

  test("more deferrals than one sweep takes all wake at their time", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const defer_until = new Date(START + DAY).toISOString();
    await lead.must("task_create", {
      tasks: Array.from({ length: 250 }, (_, index) => ({ title: `Sleep until ${index}`, defer_until })),
    });
    world.clock.advance(DAY);
    expect((await lead.must("task_ready", { limit: 1 })).total).toBe(250);
    await expectSound(world);
  });

  test("closing says of what it is a duplicate, refuses open parts, and force is not for agents", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const original = await newTask(lead, "Keep this one");
    const copy = await newTask(lead, "Drop this one");
    expect(await refusal(lead.call("task_close", { id: copy, of: original }))).toBe("INVALID_INPUT");
    expect(await refusal(lead.call("task_close", { id: copy, outcome: "duplicate", of: copy }))).toBe("RULE_VIOLATED");
    expect(await refusal(lead.call("task_close", { id: copy, outcome: "duplicate", of: "tw-none" }))).toBe("NOT_FOUND");
    await lead.must("task_close", { id: copy, outcome: "duplicate", of: original });
    expect((await lead.must("task_show", { id: original })).linked_from).toMatchObject([
      { type: "duplicates", id: copy, state: "closed" },
    ]);
    expect((await show(lead, original)).state).toBe("ready");
    const older = await newTask(lead, "Replace this one");
    await lead.must("task_close", { id: older, outcome: "superseded", of: original });
    expect((await lead.must("task_show", { id: older })).links).toMatchObject([{ type: "supersedes", id: original }]);

    const epic = await newTask(lead, { title: "Build the house", kind: "epic" });
    const part = await newTask(lead, { title: "Build the roof", parent: epic });
    const waits = await newTask(lead, { title: "Paint the roof", blocked_by: [part] });
    expect((await lead.call("task_close", { id: epic })).error).toMatchObject({ code: "BLOCKED", next: "task_list" });
    expect((await lead.call("task_close", { id: waits })).error).toMatchObject({ code: "BLOCKED", next: "task_show" });
    await ada.must("task_claim", { id: part });
    await ada.must("task_link", { id: part, target: original });
    expect(await refusal(ada.call("task_close", { id: part }))).toBe("BLOCKED");
    expect(await refusal(ada.call("task_close", { id: part, force: true }))).toBe("FORBIDDEN");
    await lead.must("task_close", { id: part, force: true });
    await lead.must("task_close", { id: waits });
    await lead.must("task_close", { id: epic });
    await expectSound(world);
  });
});
