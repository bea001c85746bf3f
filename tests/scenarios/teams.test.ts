import { describe, expect, test } from "vitest";
import { expectSound, idsReady, newTask, refusal, show } from "../support/answers.ts";
import { threeTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("teams on %s", (dialect) => {
  test("no operation of an agent reaches another team's tasks (KB-01, KB-02, KB-02b, KB-05, KB-09, TN-03)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const mine = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    const epic = await newTask(lead, { title: "Own the beta epic", team: "beta", kind: "epic" });
    const other = await newTask(lead, { title: "Tend the beta garden", team: "beta", parent: epic });
    expect(await refusal(lead.call("task_create", { title: "Belong to nobody" }))).toBe("INVALID_INPUT");
    const ada = await world.spawn("ada");
    const gus = await world.spawn("gus");
    const calls: [string, Record<string, unknown>][] = [
      ["task_show", { id: other }],
      ["task_show", { id: other.slice(0, -1) }],
      ["task_update", { id: other, comment: "hello" }],
      ["task_update", { id: other, priority: 0 }],
      ["task_claim", { id: other }],
      ["task_claim", { team: "beta" }],
      ["task_close", { id: other, outcome: "cancelled" }],
      ["task_close", { id: mine, outcome: "duplicate", of: other }],
      ["task_link", { id: mine, target: other }],
      ["task_link", { id: other, target: mine }],
      ["task_link", { id: mine, target: epic, type: "parent-child" }],
      ["task_link", { id: mine, target: other, type: "related" }],
      ["task_unlink", { id: other, target: epic }],
      ["task_create", { title: "Sneak into beta", team: "beta" }],
      ["task_create", { title: "Sneak under their epic", parent: epic }],
      ["task_create", { title: "Sneak behind their task", blocked_by: [other] }],
      ["task_create", { tasks: [{ title: "Sneak in a crowd" }, { title: "Sneak in a crowd", team: "beta" }] }],
      ["board_move", { id: other, to: "in_progress" }],
      ["board_show", { team: "beta" }],
      ["task_ready", { team: "beta" }],
      ["task_list", { team: "beta" }],
      ["dependency_declare", { task: other, needs_team: "alpha" }],
      ["dependency_list", { team: "beta" }],
    ];
    for (const [tool, input] of calls)
      expect([tool, input, await refusal(ada.call(tool, input))]).toEqual([tool, input, "FORBIDDEN"]);
    expect((await show(lead, epic)).open_children).toBe(1);
    expect((await lead.must("task_list")).total).toBe(3);

    expect((await ada.must("board_show")).boards.map((board: { team: string }) => board.team)).toEqual(["alpha"]);
    expect(await idsReady(ada)).toEqual([mine]);
    expect((await ada.must("task_list", { search: "garden" })).tasks).toMatchObject([{ id: mine }]);
    expect((await ada.must("task_list", { parent: epic })).total).toBe(0);
    expect((await ada.must("brief_show")).boards).toEqual([
      { team: "alpha", backlog: 0, ready: 1, in_progress: 0, review: 0, done: 0 },
    ]);
    expect((await ada.must("brief_show")).agents).toEqual([]);
    expect((await gus.must("task_claim")).task).toBeUndefined();
    expect((await lead.must("board_show")).boards.map((board: { team: string }) => board.team)).toEqual([
      "alpha",
      "beta",
      "gamma",
    ]);
    expect((await lead.must("brief_show")).ready).toHaveLength(2);
    expect(await refusal(lead.call("board_show", { team: "delta" }))).toBe("NOT_FOUND");

    // an agent's own spawns stay where it is, whatever names and tasks their prompts speak of
    const input = JSON.stringify({ name: "bea", subagent_type: "teamwright:builder", prompt: `work on ${other}` });
    await world.hook({
      event: "PreToolUse",
      agent_id: ada.id,
      agent_type: "teamwright:builder",
      tool_name: "Agent",
      tool_use_id: "toolu_sly",
      tool_input: input,
    });
    await world.hook({ event: "SubagentStart", agent_id: "asly", agent_type: "teamwright:builder" });
    expect((await world.person("team_list")).teams.map((team: { live: string[] }) => team.live)).toEqual([
      ["bea", "ada"],
      [],
      ["gus"],
    ]);
    // one whose name is not listed is of the team of its task
    const temp = await world.spawn("temp", { prompt: `please do ${other}` });
    expect((await temp.must("brief_show")).you.team).toBe("beta");
    // one of no team at all may look, and write on no board
    const stray = await world.spawn("stray");
    for (const [tool, input] of [
      ["task_claim", {}],
      ["task_claim", { id: mine }],
      ["task_create", { title: "Write here", team: "alpha" }],
      ["task_update", { id: mine, comment: "x" }],
    ] as const) {
      expect([tool, (await stray.call(tool, input)).error]).toEqual([
        tool,
        expect.objectContaining({ code: "FORBIDDEN", message: expect.stringContaining("no team") }),
      ]);
    }
    expect(await refusal(stray.call("task_show", { id: mine }))).toBe("accepted");
    await expectSound(world);
  });

  test("the start of an id means a task of the caller's own board first, and no other team's are listed (KB-01)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const [ada, bea, gus] = [await world.spawn("ada"), await world.spawn("bea"), await world.spawn("gus")];
    const theirs = await newTask(lead, { title: "Tend the beta garden", team: "beta" });
    const first = await newTask(lead, { title: "Tend the alpha garden", team: "alpha" });
    expect((await show(ada, "tw-")).id).toBe(first);
    expect((await ada.must("task_update", { id: "tw-", comment: "mine" })).task.id).toBe(first);
    expect((await show(bea, "tw-")).id).toBe(theirs);
    const second = await newTask(lead, { title: "Water the alpha garden", team: "alpha" });
    for (const [tool, input] of [
      ["task_show", { id: "tw-" }],
      ["task_update", { id: "tw-", comment: "which?" }],
      ["task_list", { parent: "tw-" }],
    ] as const) {
      const { error } = await ada.call(tool, input);
      expect([tool, error.code, [...error.problems].sort()]).toEqual([tool, "INVALID_INPUT", [first, second].sort()]);
    }
    expect((await lead.call("task_show", { id: "tw-" })).error.problems).toHaveLength(3);
    expect((await gus.call("task_show", { id: "tw-" })).error).toMatchObject({ code: "NOT_FOUND" });
    expect((await gus.call("task_show", { id: "tw-" })).error).not.toHaveProperty("problems");
    expect(await refusal(gus.call("task_show", { id: theirs.slice(0, -1) }))).toBe("FORBIDDEN");
  });

  test("a search ranks among the tasks of the team that is asked for (KB-01)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const mine = await newTask(lead, {
      title: "Tend what grows",
      team: "alpha",
      notes: `${"weeds ".repeat(300)} and the garden`,
    });
    const best = await newTask(lead, { title: "Tend the garden of gardens", team: "beta" });
    const { db, port } = world.runtime.store;
    const keysOf = async (ids: readonly number[]) => {
      const rows = await db.selectFrom("task").select(["id", "key"]).execute();
      return ids.map((id) => rows.find((row) => Number(row.id) === id)?.key);
    };
    expect(await keysOf(await port.searchTasks(db, ["garden"], 10))).toEqual([best, mine]);
    expect(await keysOf(await port.searchTasks(db, ["garden"], 1))).toEqual([best]);
    expect(await keysOf(await port.searchTasks(db, ["garden"], 1, "alpha"))).toEqual([mine]);
    expect(await port.searchTasks(db, ["garden"], 1, "gamma")).toEqual([]);
    expect((await lead.must("task_list", { search: "garden", team: "alpha" })).tasks).toMatchObject([{ id: mine }]);
  });

  test("limits of a team are merged over the project's, also key by key (KB-04, TC-05)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    for (const team of ["alpha", "beta"])
      for (let index = 0; index < 3; index += 1) await newTask(lead, { title: `Do ${team} work ${index}`, team });
    expect((await world.person("board_limits")).limits.slice(0, 4)).toEqual([
      { team: "alpha", column: "in_progress", used: 0, limit: 1 },
      { team: "alpha", column: "review", used: 0, limit: 2 },
      { team: "beta", column: "in_progress", used: 0, limit: 4 },
      { team: "beta", column: "review", used: 0, limit: 2 },
    ]);
    const [ada, abe, bea, bob] = [
      await world.spawn("ada"),
      await world.spawn("abe"),
      await world.spawn("bea"),
      await world.spawn("bob"),
    ];
    await ada.must("task_claim");
    expect(await refusal(abe.call("task_claim"))).toBe("OVER_LIMIT");
    await bea.must("task_claim");
    await bob.must("task_claim");
    expect(
      (await lead.must("board_show", { team: "beta" })).boards[0].columns.map(
        (column: { column: string; total: number; limit?: number }) => [column.column, column.total, column.limit],
      ),
    ).toEqual([
      ["backlog", 0, undefined],
      ["ready", 1, undefined],
      ["in_progress", 2, 4],
      ["review", 0, 2],
      ["done", 0, undefined],
    ]);
    expect((await world.person("team_list")).teams[0]).toMatchObject({
      id: "alpha",
      name: "Team Alpha",
      team_type: "platform",
      agents: ["ada", "abe"],
      live: ["abe", "ada"],
    });
    await expectSound(world);
  });

  test("tasks of a team that the configuration names no longer stay in sight (KB-09)", async () => {
    await using world = await openWorld({ dialect });
    const id = await newTask(world.lead(), "Outlive the team");
    const runtime = world.runtime as { config: { teams: { id: string; agents: string[] }[] } };
    runtime.config.teams.splice(0, 1, { id: "alpha", agents: [] }, { id: "beta", agents: [] });
    const { boards } = await world.lead().must("board_show");
    expect(boards.map((board: { team: string }) => board.team)).toEqual(["alpha", "beta", "main"]);
    expect(await refusal(world.lead().call("task_claim", { id }))).toBe("accepted");
    await expectSound(world);
  });
});
