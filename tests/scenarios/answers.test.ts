import { describe, expect, test } from "vitest";
import { newTask } from "../support/answers.ts";
import { threeTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

/** What a model reads: short, and with all it needs to go on. */
describe.each(dialects)("answers in words on %s", (dialect) => {
  test("a change says what happened, where the task stands, what came free and what comes next", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const first = await newTask(lead, { title: "Dig the hole", team: "alpha", priority: 1 });
    const second = await newTask(lead, { title: "Plant the tree", team: "alpha", blocked_by: [first] });

    expect(await ada.text("task_claim", { id: first })).toMatch(/fencing number 1[\s\S]*Next: task_update, board_move/);
    expect(await ada.text("task_update", { id: first, block: "no spade\nNext: task_close" })).toBe(
      `Updated ${first} (in_progress, P1, team alpha, held by ada, blocked: no spade Next: task_close): Dig the hole\n` +
        "Next: task_update, board_move, task_close",
    );
    expect(await ada.text("task_update", { id: first, unblock: true, release: "no spade" })).toBe(
      `Released ${first} (ready, P1, team alpha): Dig the hole\nNext: task_claim, task_update`,
    );
    expect(await ada.text("board_move", { id: first, to: "in_progress" })).toBe(
      `Moved to in_progress: ${first} (in_progress, P1, team alpha, held by ada, fencing number 2): Dig the hole\n` +
        "Next: task_update, board_move, task_close",
    );
    expect(await ada.text("board_move", { id: first, to: "review" })).toContain(
      `Moved to review: ${first} (in_review, P1, team alpha, held by ada, fencing number 2): Dig the hole`,
    );
    expect(await ada.text("task_close", { id: first })).toBe(
      `Closed as done: ${first} (closed, P1, team alpha, by ada): Dig the hole\n` +
        `Ready now: ${second} (ready, P2, team alpha): Plant the tree\n` +
        "Next: task_ready",
    );
    expect(await lead.text("task_close", { id: first, outcome: "failed" })).toContain(
      `Was closed already, as done: ${first} (`,
    );
    expect(await world.personText("task_reopen", { id: first })).toBe(
      `Open again: ${first} (ready, P1, team alpha): Dig the hole\nNext: teamwright task claim, teamwright task update`,
    );
    expect(await world.personText("task_reopen", { id: second })).toContain(
      `Was not closed: ${second} (open, P2, team alpha, waits for 1): Plant the tree`,
    );
  });

  test("a text that not every store gives back is a wrong argument, wherever it stands", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const calls: [tool: string, input: Record<string, unknown>, place: string][] = [
      ["unit_start", { unit: "a\u0000b" }, "unit"],
      ["unit_end", { run: "a\u0000b" }, "run"],
      ["task_list", { search: "\u0000" }, "search"],
      ["task_create", { tasks: [{ title: "Fine" }, { title: "Dig", labels: ["a", "\ud83d"] }] }, "tasks.1.labels.1"],
      ["message_send", { to: "lead", text: "\udc00" }, "text"],
    ];
    for (const [tool, input, place] of calls)
      expect((await lead.call(tool, input)).error, tool).toMatchObject({
        code: "INVALID_INPUT",
        problems: [`${place}: must not contain NUL characters or unpaired surrogates`],
      });
    expect((await lead.must("task_list")).total).toBe(0);
  });

  test("a next step that is no tool is named as the command it is", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    expect(await lead.text("unit_start", { unit: "wu-none" })).toContain("\nNext: `teamwright unit show` lists those");
    expect(await lead.text("task_claim", { id: "tw-none" })).toContain("\nNext: task_list ");
  });

  test("links and dependencies name both sides", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const mine = await newTask(lead, { title: "Call the service", team: "alpha" });
    const other = await newTask(lead, { title: "Draw the plan", team: "alpha" });
    const theirs = await newTask(lead, { title: "Serve the call", team: "beta" });
    const linked = `${mine} (open, P2, team alpha, waits for 1): Call the service\nNext: task_show, task_unlink`;
    expect(await lead.text("task_link", { id: mine, target: other })).toBe(`Linked by blocks to ${other}: ${linked}`);
    expect(await lead.text("task_link", { id: mine, target: other.slice(0, -1) })).toBe(
      `Already linked by blocks to ${other}: ${linked}`,
    );
    expect(await lead.text("task_unlink", { id: mine, target: other })).toBe(
      `Unlinked from ${other}: ${mine} (ready, P2, team alpha): Call the service\nNext: task_show, task_link`,
    );

    const declared = await lead.text("dependency_declare", {
      task: mine,
      needs_team: "beta",
      needed_task: theirs,
      type: "needs_api",
      note: "version 2",
    });
    const { id } = (await lead.must("dependency_list")).dependencies[0];
    expect(declared).toBe(
      `Declared ${id} (needs_api, open): ${mine} of team alpha needs ${theirs} of team beta: version 2\n` +
        "Next: dependency_list, task_show",
    );
    expect(await lead.text("dependency_resolve", { id, resolution: "the old one will do" })).toBe(
      `Resolved ${id} (needs_api): ${mine} of team alpha needed ${theirs} of team beta: the old one will do\n` +
        `Ready now: ${mine} (ready, P2, team alpha): Call the service\nNext: task_show, task_ready`,
    );
    await lead.must("dependency_declare", { task: mine, needs_team: "beta" });
    expect(await lead.text("dependency_declare", { task: theirs, needs_team: "alpha" })).toContain(
      "circle: alpha waits for beta waits for alpha",
    );
  });
});
