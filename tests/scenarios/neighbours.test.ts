import { describe, expect, test } from "vitest";
import { expectSound, newTask, refusal, show } from "../support/answers.ts";
import { twoTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

const ROUNDS = 8;

describe.each(dialects)("neighbours in the graph on %s", (dialect) => {
  test("a task that changes while its links do is counted once (DE-06)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    const draft = (title: string, team = "alpha") => newTask(lead, { title, team });
    for (let round = 0; round < ROUNDS; round += 1) {
      const needed = await draft(`Make the part ${round}`);
      const waiting = await draft(`Use the part ${round}`);
      const parent = await draft(`Hold the parts ${round}`);
      const elsewhere = await draft(`Wait for the part ${round}`, "beta");
      await lead.must("task_link", { id: waiting, target: needed });
      await lead.must("task_link", { id: needed, target: parent, type: "parent-child" });
      const { dependency } = await lead.must("dependency_declare", {
        task: elsewhere,
        needs_team: "alpha",
        needed_task: needed,
      });
      await Promise.all([
        lead.call("task_close", { id: needed }),
        lead.call("task_unlink", { id: waiting, target: needed }),
        lead.call("task_unlink", { id: needed, target: parent }),
        lead.call("dependency_resolve", { id: dependency.id, resolution: "we do without" }),
        lead.call("task_link", { id: needed, target: waiting, type: "related" }),
      ]);
      const other = await draft(`Make another part ${round}`);
      await Promise.all([
        lead.call("task_close", { id: other }),
        lead.call("task_link", { id: other, target: parent, type: "parent-child" }),
        lead.call("task_link", { id: waiting, target: other }),
      ]);
    }
    await expectSound(world);
  });

  test("who waits for the children of a closed task still waits, and a circle through them is refused (TD-08)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const parent = await newTask(lead, { title: "Build the cellar", kind: "epic" });
    const child = await newTask(lead, { title: "Dig the hole", parent });
    const waiting = await newTask(lead, "Furnish the cellar");
    await lead.must("task_close", { id: parent, outcome: "cancelled" });
    await lead.must("task_link", { id: waiting, target: parent, type: "waits-for" });
    expect((await show(lead, waiting)).waits_for).toBe(1);
    const circle = await lead.call("task_link", { id: child, target: waiting });
    expect(circle.error).toMatchObject({ code: "RULE_VIOLATED", message: expect.stringContaining(parent) });
    const outside = await newTask(lead, "Order the shelves");
    await lead.must("task_link", { id: parent, target: outside });
    expect(await refusal(lead.call("task_link", { id: outside, target: waiting }))).toBe("accepted");
  });

  test("a task is not reopened into a circle of what its closing had resolved (DE-06)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    const first = await newTask(lead, { title: "Draw the plan", team: "alpha" });
    const second = await newTask(lead, { title: "Measure the site", team: "beta" });
    const third = await newTask(lead, { title: "Clear the site", team: "beta" });
    await lead.must("dependency_declare", { task: first, needs_team: "beta", needed_task: second });
    await lead.must("task_close", { id: second });
    await lead.must("task_link", { id: second, target: third });
    await lead.must("dependency_declare", { task: third, needs_team: "alpha", needed_task: first });
    await expect(world.person("task_reopen", { id: second })).rejects.toMatchObject({
      code: "RULE_VIOLATED",
      message: expect.stringContaining(third),
    });
    await expectSound(world);
  });

  test("what another holds is not made to wait, or to wait no longer, by a third (KB-01)", async () => {
    await using world = await openWorld({ dialect, config: twoTeams });
    const lead = world.lead();
    const [ada, abe] = [await world.spawn("ada"), await world.spawn("abe")];
    const held = await newTask(lead, { title: "Paint the door", team: "alpha" });
    const other = await newTask(lead, { title: "Buy the paint", team: "alpha" });
    await ada.must("task_claim", { id: held });
    expect(await refusal(abe.call("task_link", { id: held, target: other }))).toBe("FORBIDDEN");
    expect(await refusal(abe.call("dependency_declare", { task: held, needs_team: "beta" }))).toBe("FORBIDDEN");
    await ada.must("task_link", { id: held, target: other });
    expect(await refusal(abe.call("task_unlink", { id: held, target: other }))).toBe("FORBIDDEN");
    expect(await refusal(abe.call("task_link", { id: other, target: held, type: "related" }))).toBe("accepted");
    await lead.must("task_unlink", { id: held, target: other });
  });
});
