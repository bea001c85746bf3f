import { describe, expect, test } from "vitest";
import { DAY, expectSound, idsReady, newTask, refusal } from "../support/answers.ts";
import { type Actor, dialects, openWorld, START } from "../support/world.ts";

describe.each(dialects)("readiness on %s", (dialect) => {
  test("diamonds and chains free one step at a time, closing, unlinking and reopening alike", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const { tasks } = await lead.must("task_create", {
      tasks: [
        { ref: "top", title: "Lay the ground" },
        { ref: "left", title: "Build left wall", blocked_by: ["top"] },
        { ref: "right", title: "Build right wall", blocked_by: ["top"] },
        { ref: "roof", title: "Build the roof", blocked_by: ["left", "right"] },
        { ref: "paint", title: "Paint the roof", blocked_by: ["roof"] },
      ],
    });
    const [top, left, right, roof, paint] = tasks.map((task: { id: string }) => task.id);
    expect(await idsReady(lead)).toEqual([top]);
    const why = async (id: string) =>
      (await lead.must("task_ready", { explain: true })).not_ready.find((item: { id: string }) => item.id === id)
        ?.reasons;
    expect(await why(roof)).toEqual([`waits for ${left}, ${right}`]);
    expect((await lead.must("task_close", { id: top })).unblocked.map((task: { id: string }) => task.id)).toEqual([
      left,
      right,
    ]);
    await lead.must("task_close", { id: left });
    expect(await idsReady(lead)).toEqual([right]);
    expect((await lead.must("task_close", { id: right, outcome: "failed" })).unblocked).toMatchObject([{ id: roof }]);
    expect(await why(paint)).toEqual([`waits for ${roof}`]);

    const ada = await world.spawn("ada");
    await ada.must("task_claim", { id: roof });
    await world.person("task_reopen", { id: right });
    expect((await lead.must("task_show", { id: roof })).task).toMatchObject({ state: "in_progress", waits_for: 1 });
    expect(await refusal(ada.call("task_close", { id: roof }))).toBe("BLOCKED");
    await ada.must("task_update", { id: roof, release: "the wall is not there" });
    expect(await idsReady(lead)).toEqual([right]);
    await lead.must("task_unlink", { id: roof, target: right.slice(0, -1) });
    expect(await idsReady(lead)).toEqual([right, roof]);
    expect(await refusal(lead.call("task_unlink", { id: roof, target: right }))).toBe("NOT_FOUND");
    await expectSound(world);
  });

  test("each type of link holds back as it says and the others never do", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const isReady = async (id: string) => (await idsReady(lead)).includes(id);

    for (const type of [
      "related",
      "discovered-from",
      "relates-to",
      "caused-by",
      "tracks",
      "until",
      "duplicates",
      "supersedes",
      "my-own-type",
    ]) {
      const [from, to] = [await newTask(lead, `Refer by ${type}`), await newTask(lead, `Be referred to by ${type}`)];
      await lead.must("task_link", { id: from, target: to, type });
      expect([type, await isReady(from), await isReady(to)]).toEqual([type, true, true]);
      expect([type, await refusal(lead.call("task_close", { id: from }))]).toEqual([type, "accepted"]);
    }

    const outcomes = { done: false, failed: true, cancelled: true, duplicate: false, superseded: false };
    for (const [outcome, ready] of Object.entries(outcomes)) {
      const [plan, fallback] = [
        await newTask(lead, `Try plan ${outcome}`),
        await newTask(lead, `Have a fallback for ${outcome}`),
      ];
      await lead.must("task_link", { id: fallback, target: plan, type: "conditional-blocks" });
      expect(await isReady(fallback)).toBe(false);
      await lead.must("task_close", { id: plan, outcome });
      expect([outcome, await isReady(fallback)]).toEqual([outcome, ready]);
      await world.person("task_reopen", { id: plan });
      expect(await isReady(fallback)).toBe(false);
      await lead.must("task_close", { id: plan, outcome: "done" });
      const { task, reasons } = await lead.must("task_show", { id: fallback });
      expect([task.state, reasons]).toEqual(["open", [`waits for ${plan} to fail`]]);
    }

    const spawner = await newTask(lead, { title: "Spread the work", kind: "epic" });
    const all = await newTask(lead, "Wait for every child");
    const any = await newTask(lead, "Wait for one child");
    await lead.must("task_link", { id: all, target: spawner, type: "waits-for" });
    await lead.must("task_link", { id: any, target: spawner, type: "waits-for", gate: "any-children" });
    expect([await isReady(all), await isReady(any)]).toEqual([true, true]);
    const one = await newTask(lead, { title: "Do child one", parent: spawner });
    const two = await newTask(lead, { title: "Do child two", parent: spawner });
    expect([await isReady(all), await isReady(any)]).toEqual([false, false]);
    await lead.must("task_close", { id: one });
    expect([await isReady(all), await isReady(any)]).toEqual([false, true]);
    expect(
      (await lead.must("task_link", { id: all, target: spawner, type: "waits-for", gate: "any-children" })).result,
    ).toBe("same");
    expect([await isReady(all), await isReady(any)]).toEqual([true, true]);
    expect(
      (await lead.must("task_link", { id: all, target: spawner, type: "waits-for", gate: "all-children" })).result,
    ).toBe("same");
    expect([await isReady(all), await isReady(any)]).toEqual([false, true]);
    await world.person("task_reopen", { id: one });
    expect([await isReady(all), await isReady(any)]).toEqual([false, false]);
    await lead.must("task_unlink", { id: one, target: spawner });
    await lead.must("task_close", { id: two });
    expect([await isReady(all), await isReady(any)]).toEqual([true, true]);
    expect(await refusal(lead.call("task_link", { id: one, target: two, gate: "any-children" }))).toBe("INVALID_INPUT");
    await expectSound(world);
  });

  test("children inherit what holds their parents, at any depth, deferral too; an open parent holds nobody", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const chain: string[] = [];
    for (const kind of ["epic", "feature", "story", "task", "task"]) {
      chain.push(
        await newTask(lead, {
          title: `Do level ${chain.length}`,
          kind,
          ...(chain.length > 0 ? { parent: chain.at(-1) } : {}),
        }),
      );
    }
    const [epic = "", feature = "", story = "", parent = "", leaf = ""] = chain;
    expect((await idsReady(lead)).sort()).toEqual([feature, story, parent, leaf].sort());
    const leafReasons = async () => (await lead.must("task_show", { id: leaf })).reasons;
    const held = ["a task above it is blocked, waiting or deferred"];

    await lead.must("task_update", { id: epic, defer_until: new Date(START + DAY).toISOString() });
    expect([await idsReady(lead), await leafReasons()]).toEqual([[], held]);
    await lead.must("task_update", { id: story, block: "no plan" });
    world.clock.advance(DAY);
    expect([await idsReady(lead), await leafReasons()]).toEqual([[feature], held]);
    const ground = await newTask(lead, "Lay the ground first");
    await lead.must("task_link", { id: feature, target: ground });
    await lead.must("task_update", { id: story, unblock: true });
    expect([await idsReady(lead), await leafReasons()]).toEqual([[ground], held]);
    const late = await newTask(lead, { title: "Join them late", parent: leaf });
    expect((await lead.must("task_show", { id: late })).reasons).toEqual(held);
    await lead.must("task_unlink", { id: late, target: leaf });
    expect((await idsReady(lead)).sort()).toEqual([ground, late].sort());
    await lead.must("task_close", { id: ground });
    expect((await idsReady(lead)).sort()).toEqual([feature, story, parent, leaf, late].sort());

    // a closed parent holds nobody, reopened and blocked it does again
    await lead.must("task_update", { id: story, block: "again" });
    await lead.must("task_close", { id: story, outcome: "cancelled" });
    expect(await idsReady(lead)).toContain(leaf);
    await world.person("task_reopen", { id: story });
    await lead.must("task_update", { id: story, block: "and again" });
    expect(await idsReady(lead)).not.toContain(leaf);
    await lead.must("task_update", { id: leaf, kind: "epic" });
    await lead.must("task_update", { id: story, unblock: true });
    expect((await lead.must("task_ready")).needs_decomposition).toMatchObject([{ id: leaf }]);
    expect((await lead.must("task_show", { id: leaf })).reasons).toEqual(["an epic needs decomposition"]);
    expect(await refusal(lead.call("task_claim", { id: leaf }))).toBe("BLOCKED");
    expect(await lead.must("task_ready", { kind: "bug" })).toEqual({ total: 0, tasks: [] });
    expect((await lead.must("task_list", { parent: feature })).total).toBe(3);
    await expectSound(world);
  });

  test("circles are refused however they are tied, and the same edge twice is one (beads 17, 18, 19)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const make = async (...names: string[]) => Promise.all(names.map((name) => newTask(lead, `Tie the knot ${name}`)));
    const link = (id: string, target: string, type = "blocks") => refusal(lead.call("task_link", { id, target, type }));
    const [a = "", b = "", c = ""] = await make("a", "b", "c");
    for (const type of ["blocks", "parent-child", "waits-for", "conditional-blocks", "related", "duplicates"]) {
      expect([type, await link(a, a, type)]).toEqual([type, "RULE_VIOLATED"]);
    }
    expect([await link(a, b), await link(b, c, "conditional-blocks")]).toEqual(["accepted", "accepted"]);
    expect((await lead.must("task_link", { id: a, target: b })).result).toBe("same");
    expect([await link(a, b, "related"), await link(a, b, "parent-child")]).toEqual(["CONFLICT", "CONFLICT"]);
    for (const type of ["blocks", "conditional-blocks", "waits-for", "parent-child"]) {
      expect([type, await link(b, a, type), await link(c, a, type)]).toEqual([type, "RULE_VIOLATED", "RULE_VIOLATED"]);
    }
    expect(await link(c, a, "related")).toBe("accepted");
    expect((await lead.call("task_link", { id: c, target: a })).error.code).toBe("CONFLICT");

    // own parent, own child, and the same over a third task in either order of tying
    const [child = "", parent = "", grand = ""] = await make("child", "parent", "grand");
    expect([await link(child, parent, "parent-child"), await link(parent, grand, "parent-child")]).toEqual([
      "accepted",
      "accepted",
    ]);
    for (const type of ["blocks", "waits-for"]) {
      expect([type, await link(child, grand, type), await link(grand, child, type)]).toEqual([
        type,
        "RULE_VIOLATED",
        "RULE_VIOLATED",
      ]);
    }
    expect(await link(grand, child, "parent-child")).toBe("RULE_VIOLATED");
    const [x = "", p = "", y = ""] = await make("x", "p", "y");
    expect([await link(x, p), await link(y, p, "parent-child")]).toEqual(["accepted", "accepted"]);
    expect(await link(x, y, "parent-child")).toBe("RULE_VIOLATED");
    const [part = "", whole = "", other = ""] = await make("part", "whole", "other");
    expect([await link(part, whole, "parent-child"), await link(part, other)]).toEqual(["accepted", "accepted"]);
    expect((await lead.call("task_link", { id: other, target: whole })).error.message).toContain(
      `${whole} → ${part} → ${other}`,
    );

    // tied while one was closed
    const [first = "", second = "", third = ""] = await make("first", "second", "third");
    expect([await link(first, second), await link(second, third)]).toEqual(["accepted", "accepted"]);
    await lead.must("task_close", { id: second, force: true });
    expect(await link(third, first)).toBe("accepted");
    await expect(world.person("task_reopen", { id: second })).rejects.toThrow(/would wait in a circle/);
    await lead.must("task_unlink", { id: third, target: first });
    await world.person("task_reopen", { id: second });
    expect(await link(third, first)).toBe("RULE_VIOLATED");
    expect(await link("tw-none", first)).toBe("NOT_FOUND");
    expect(await link(first, "tw-none")).toBe("NOT_FOUND");
    expect(await link(first, third, "Not A Type")).toBe("INVALID_INPUT");
    await expectSound(world);
  });

  test("lists are ordered by priority, age and id, and every filter counts, in claims too (BD-05, beads 13, 16, 22)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const add = async (draft: Record<string, unknown>) => {
      world.clock.advance(1);
      return newTask(lead, draft);
    };
    const low = await add({ title: "Do the low one", priority: 4 });
    const old = await add({ title: "Do the older one", labels: ["ui", "web"] });
    const young = await add({ title: "Do the younger one", labels: ["ui"], kind: "bug" });
    const urgent = await add({ title: "Do the urgent one", priority: 0, labels: ["db"] });
    expect(await idsReady(lead)).toEqual([urgent, old, young, low]);
    expect(await idsReady(lead, { labels: ["ui"] })).toEqual([old, young]);
    expect(await idsReady(lead, { labels: ["ui", "web"] })).toEqual([old]);
    expect(await idsReady(lead, { any_labels: ["web", "db"] })).toEqual([urgent, old]);
    expect(await idsReady(lead, { any_labels: ["web", "db"], kind: "bug" })).toEqual([]);
    expect(await lead.must("task_ready", { limit: 1, labels: ["ui"] })).toMatchObject({ total: 2, truncated: true });
    expect(await lead.must("task_ready", { limit: 2 })).toMatchObject({ total: 4, truncated: true });
    expect(await refusal(lead.call("task_ready", { label: ["ui"] }))).toBe("INVALID_INPUT");

    const claims = async (actor: Actor, input: Record<string, unknown>) =>
      (await actor.must("task_claim", input)).task?.id;
    const ada = await world.spawn("ada");
    expect(await refusal(ada.call("task_claim", { id: low, labels: ["ui"] }))).toBe("INVALID_INPUT");
    expect(await claims(ada, { labels: ["nothing"] })).toBeUndefined();
    expect(await claims(ada, { labels: ["ui"], any_labels: ["db"] })).toBeUndefined();
    expect(await claims(ada, { kind: "bug", labels: ["ui"] })).toBe(young);
    await lead.must("task_update", { id: urgent, assignee: "ada" });
    const bob = await world.spawn("bob");
    expect(await claims(bob, {})).toBe(old);
    expect(await refusal(bob.call("board_move", { id: urgent, to: "in_progress" }))).toBe("FORBIDDEN");
    const cat = await world.spawn("cat");
    expect(await refusal(cat.call("task_claim", { id: urgent }))).toBe("FORBIDDEN");
    expect(await claims(cat, {})).toBe(low);
    expect((await lead.must("task_show", { id: urgent })).task).toMatchObject({ state: "ready", assignee: "ada" });
    expect(await lead.must("task_list", { holder: "ada" })).toMatchObject({ total: 1 });
    expect(await lead.must("task_list", { status: ["in_progress"], labels: ["ui"], limit: 1 })).toMatchObject({
      total: 2,
      truncated: true,
    });
    expect(
      (await lead.must("task_list", { status: ["in_progress"], labels: ["ui"], limit: 1, offset: 1 })).truncated,
    ).toBeUndefined();
    await expectSound(world);
  });
});
