import { describe, expect, test } from "vitest";
import { expectSound, idsReady, newTask, refusal, show } from "../support/answers.ts";
import { threeTeams } from "../support/teams.ts";
import { type Actor, type Answer, dialects, openWorld } from "../support/world.ts";

async function columnsOf(actor: Actor, team: string): Promise<number[]> {
  const [board] = (await actor.must("board_show", { team })).boards;
  return board.columns.map((column: { total: number }) => column.total);
}

describe.each(dialects)("a task changes teams on %s", (dialect) => {
  test("by the lead or a person only, while nobody holds it, and both boards count it (KB-01, KB-02, KB-09)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const [ada, bea] = [await world.spawn("ada"), await world.spawn("bea")];
    const id = await newTask(lead, { title: "Tend the garden", team: "alpha", assignee: "abe" });
    expect(await refusal(ada.call("task_update", { id, team: "beta" }))).toBe("FORBIDDEN");
    expect(await refusal(bea.call("task_update", { id, team: "beta" }))).toBe("FORBIDDEN");
    expect(await refusal(world.stranger().call("task_update", { id, team: "beta" }))).toBe("FORBIDDEN");
    expect(await refusal(lead.call("task_update", { id, team: "delta" }))).toBe("NOT_FOUND");

    expect((await lead.must("task_update", { id, team: "beta", notes: "over to you" })).task).toMatchObject({
      team: "beta",
      state: "ready",
    });
    expect(await columnsOf(lead, "alpha")).toEqual([0, 0, 0, 0, 0]);
    expect(await columnsOf(lead, "beta")).toEqual([0, 1, 0, 0, 0]);
    // whom it was meant for in the old team says nothing in the new one
    expect(await show(bea, id)).toMatchObject({ id, notes: expect.stringContaining("over to you") });
    expect(await show(bea, id)).not.toHaveProperty("assignee");
    expect(await refusal(ada.call("task_show", { id }))).toBe("FORBIDDEN");
    const { events } = await world.person("event_list", { after: 0 });
    expect(events.filter((event: Answer) => event.subject === id).slice(1)).toMatchObject([
      { type: "task.transferred", team: "alpha", subject: id, by: "lead", after: { team: "beta" } },
      { type: "task.updated", team: "beta", before: { team: "alpha", assignee: "abe" }, after: { team: "beta" } },
    ]);

    await bea.must("task_claim", { id });
    expect((await lead.call("task_update", { id, team: "gamma" })).error).toMatchObject({
      code: "RULE_VIOLATED",
      message: expect.stringContaining("bea"),
      next: "task_update",
    });
    await lead.must("task_update", { id, team: "gamma", assignee: "gus", release: "gamma knows more of it" });
    expect(await show(lead, id)).toMatchObject({ team: "gamma", state: "ready", assignee: "gus" });
    expect(await columnsOf(lead, "beta")).toEqual([0, 0, 0, 0, 0]);
    expect(await columnsOf(lead, "gamma")).toEqual([0, 1, 0, 0, 0]);
    expect((await world.person("task_update", { id, team: "gamma", priority: 1 })).task.team).toBe("gamma");
    await expectSound(world);
  });

  test("the limits of the new team hold (KB-04)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const bea = await world.spawn("bea");
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const id = await newTask(lead, { title: `Look over part ${n}`, team: n === 2 ? "alpha" : "beta" });
      await (n === 2 ? lead : bea).must("task_claim", { id });
      await (n === 2 ? lead : bea).must("board_move", { id, to: "review" });
      ids.push(id);
    }
    // in review it is held by whoever did it; given back it stays in its column
    const [first = "", second = "", third = ""] = ids;
    await lead.must("task_update", { id: first, team: "alpha", release: "for the others" });
    expect((await lead.call("task_update", { id: second, team: "alpha", release: "too" })).error).toMatchObject({
      code: "OVER_LIMIT",
      next: "board_show",
    });
    expect(await show(lead, second)).toMatchObject({ team: "beta", holder: "bea" });
    await lead.must("task_close", { id: third });
    await lead.must("task_update", { id: second, team: "alpha", release: "too" });
    expect(await columnsOf(lead, "alpha")).toEqual([0, 0, 0, 2, 1]);
    await expectSound(world);
  });

  test("dependencies go with it, and a link that would reach into another team keeps it (DE-06, KB-08)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const gus = await world.spawn("gus");
    const waiting = await newTask(lead, { title: "Call the service", team: "alpha" });
    const needed = await newTask(lead, { title: "Serve the call", team: "beta" });
    const { dependency } = await lead.must("dependency_declare", {
      task: waiting,
      needs_team: "beta",
      needed_task: needed,
    });
    expect((await lead.call("task_update", { id: needed, team: "alpha" })).error).toMatchObject({
      code: "RULE_VIOLATED",
      next: "dependency_resolve",
    });
    await lead.must("task_update", { id: needed, team: "gamma" });
    expect((await gus.must("dependency_list")).dependencies).toMatchObject([
      { id: dependency.id, team: "alpha", needs_team: "gamma" },
    ]);
    await lead.must("task_update", { id: waiting, team: "beta" });
    expect((await lead.must("dependency_list", { team: "alpha" })).total).toBe(0);
    await gus.must("task_claim", { id: needed });
    expect((await gus.must("task_close", { id: needed })).unblocked).toMatchObject([{ id: waiting, team: "beta" }]);

    const before = await newTask(lead, { title: "Come before", team: "beta" });
    const after = await newTask(lead, { title: "Come after", team: "beta", blocked_by: [before] });
    for (const id of [before, after]) {
      const { error } = await lead.call("task_update", { id, team: "alpha" });
      expect(error).toMatchObject({ code: "RULE_VIOLATED", next: "task_unlink" });
      expect(error.message).toContain(id === before ? after : before);
    }
    await lead.must("task_close", { id: before });
    await lead.must("task_update", { id: after, team: "alpha" });
    expect(await idsReady(lead, { team: "alpha" })).toEqual([after]);
    await expectSound(world);
  });
});
