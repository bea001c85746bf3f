import { describe, expect, test } from "vitest";
import type { FilePort } from "../../mcp-server/src/kernel/operation.ts";
import { expectSound, newTask, personRefusal, refusal, show } from "../support/answers.ts";
import { threeTeams } from "../support/teams.ts";
import { dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("dependencies on %s", (dialect) => {
  test("a need of another team is seen by both, holds back, resolves and comes back (DE-01, DE-02, DE-04, DE-06, KB-08)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const [ada, bea, gus] = [await world.spawn("ada"), await world.spawn("bea"), await world.spawn("gus")];
    const waiting = await newTask(lead, { title: "Call the login service", team: "alpha" });
    const needed = await newTask(lead, { title: "Serve the login", team: "beta" });
    for (const type of ["blocks", "conditional-blocks", "waits-for"]) {
      expect((await lead.call("task_link", { id: waiting, target: needed, type })).error).toMatchObject({
        code: "RULE_VIOLATED",
        next: "dependency_declare",
      });
    }
    expect(
      (await lead.call("task_create", { title: "Wait over there", team: "alpha", blocked_by: [needed] })).error,
    ).toMatchObject({ code: "RULE_VIOLATED", next: "dependency_declare" });
    const bad: [Record<string, unknown>, string][] = [
      [{ task: waiting, needs_team: "alpha" }, "INVALID_INPUT"],
      [{ task: waiting, needs_team: "nowhere" }, "NOT_FOUND"],
      [{ task: waiting, needs_team: "gamma", needed_task: needed }, "INVALID_INPUT"],
      [{ task: waiting, needs_team: "beta", type: "hopes" }, "INVALID_INPUT"],
      [{ task: "tw-none", needs_team: "beta" }, "NOT_FOUND"],
    ];
    for (const [input, code] of bad)
      expect([input, await refusal(ada.call("dependency_declare", input))]).toEqual([input, code]);

    const { dependency } = await ada.must("dependency_declare", {
      task: waiting,
      needs_team: "beta",
      needed_task: needed,
      type: "needs_api",
      note: "v2",
    });
    expect(dependency).toMatchObject({
      team: "alpha",
      needs_team: "beta",
      type: "needs_api",
      status: "open",
      needed_task: needed,
      declared_by: "ada",
    });
    expect(
      (
        await ada.must("dependency_declare", {
          task: waiting,
          needs_team: "beta",
          needed_task: needed,
          type: "needs_api",
        })
      ).dependency.id,
    ).toBe(dependency.id);
    expect(await show(ada, waiting)).toMatchObject({ state: "open", waits_for: 1 });
    expect((await ada.must("task_ready", { explain: true })).not_ready).toMatchObject([
      { id: waiting, reasons: [`waits for ${needed} of team beta`] },
    ]);
    // whoever looks at either task is told who waits for whom
    const said = `${dependency.id} (needs_api, open): ${waiting} of team alpha needs ${needed} of team beta: v2`;
    for (const id of [waiting, needed]) expect(await world.personText("task_show", { id })).toContain(said);
    expect(await world.personText("team_status")).toContain(said);
    expect(await world.person("team_status", { team: "gamma" })).toMatchObject({ dependencies_total: 0 });
    for (const actor of [ada, bea, lead]) {
      expect((await actor.must("dependency_list")).dependencies).toMatchObject([{ id: dependency.id }]);
      expect((await actor.must("brief_show")).waits).toMatchObject([
        { team: "alpha", needs_team: "beta", task: waiting },
      ]);
      for (const id of [waiting, needed])
        expect((await actor.must("task_show", { id })).dependencies).toMatchObject([
          { id: dependency.id, status: "open" },
        ]);
    }
    expect((await bea.must("task_show", { id: needed })).reasons).toBeUndefined();
    expect((await gus.must("dependency_list")).total).toBe(0);
    expect(await refusal(gus.call("task_show", { id: waiting }))).toBe("FORBIDDEN");
    expect(await refusal(bea.call("task_update", { id: waiting, comment: "on it" }))).toBe("FORBIDDEN");
    expect(await refusal(gus.call("dependency_resolve", { id: dependency.id, resolution: "x" }))).toBe("FORBIDDEN");
    expect(await refusal(bea.call("dependency_resolve", { id: "dep-none", resolution: "x" }))).toBe("NOT_FOUND");

    await bea.must("task_claim", { id: needed });
    expect((await bea.must("task_close", { id: needed })).unblocked).toMatchObject([{ id: waiting, state: "ready" }]);
    expect((await ada.must("dependency_list", { status: "resolved" })).dependencies).toMatchObject([
      { status: "resolved", resolution: expect.stringContaining(`${needed} closed`) },
    ]);
    await ada.must("task_claim", { id: waiting });
    await world.person("task_reopen", { id: needed });
    expect(await show(ada, waiting)).toMatchObject({ state: "in_progress", waits_for: 1 });
    expect(await refusal(ada.call("task_close", { id: waiting }))).toBe("BLOCKED");
    await bea.must("dependency_resolve", { id: dependency.id, resolution: "the old service will do" });
    await bea.must("dependency_resolve", { id: dependency.id, resolution: "twice" });
    await ada.must("task_close", { id: waiting });
    expect(await refusal(ada.call("dependency_declare", { task: waiting, needs_team: "beta" }))).toBe("RULE_VIOLATED");
    // resolved by hand it stays so; declared on what is closed already it holds nothing back
    await world.person("task_reopen", { id: waiting });
    await lead.must("task_close", { id: needed });
    await world.person("task_reopen", { id: needed });
    expect((await show(ada, waiting)).state).toBe("ready");
    const shared = await ada.must("dependency_declare", {
      task: waiting,
      needs_team: "gamma",
      type: "shared_component",
    });
    expect([shared.dependency.status, (await show(ada, waiting)).state]).toEqual(["open", "ready"]);
    await lead.must("task_close", { id: needed });
    expect(
      (await ada.must("dependency_declare", { task: waiting, needs_team: "beta", needed_task: needed })).dependency
        .status,
    ).toBe("resolved");
    expect((await show(ada, waiting)).state).toBe("ready");
    await expectSound(world);
  });

  test("a need without a task gets one by name, from either team, is told to both, and resolves when that closes (DE-06)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const [ada, bea, gus] = [await world.spawn("ada"), await world.spawn("bea"), await world.spawn("gus")];
    const told = async (channel: string) =>
      (await world.person("message_list", { channel })).messages.map((message: { text: string }) => message.text);
    const waiting = await newTask(lead, { title: "Call the login service", team: "alpha" });
    const { dependency } = await ada.must("dependency_declare", { task: waiting, needs_team: "beta", note: "v2" });
    expect(dependency).not.toHaveProperty("needed_task");
    expect(await told("team:beta")).toEqual([
      expect.stringMatching(new RegExp(`${dependency.id}.*\\n.*${waiting}.*v2\\n.*needed_task`)),
    ]);
    const inbox = await bea.must("message_inbox");
    expect(inbox.messages).toMatchObject([{ to: "team:beta", text: expect.stringContaining("name it") }]);

    // whoever makes it says so; a third team does not, and nobody names a task of another
    const needed = await newTask(bea, "Serve the login");
    const elsewhere = await newTask(gus, "Serve tea");
    const name = { task: waiting, needs_team: "beta", needed_task: needed };
    expect(await refusal(gus.call("dependency_declare", name))).toBe("FORBIDDEN");
    expect(await refusal(bea.call("dependency_declare", { ...name, needed_task: elsewhere }))).toBe("INVALID_INPUT");
    expect(await refusal(bea.call("dependency_declare", { task: waiting, needs_team: "beta" }))).toBe("FORBIDDEN");
    expect((await bea.must("dependency_declare", name)).dependency).toMatchObject({
      id: dependency.id,
      needed_task: needed,
      status: "open",
    });
    expect(await refusal(bea.call("dependency_declare", name))).toBe("FORBIDDEN"); // answered: what is left is alpha's
    expect((await ada.must("dependency_declare", name)).dependency.id).toBe(dependency.id);
    expect((await lead.must("dependency_list")).total).toBe(1);
    expect(await told("team:alpha")).toEqual([expect.stringContaining(`goes on when ${needed} of team beta closes`)]);
    await bea.must("task_claim", { id: needed });
    expect((await bea.must("task_close", { id: needed })).unblocked).toMatchObject([{ id: waiting }]);
    expect((await told("team:alpha")).at(-1)).toContain(`${waiting} waits for team beta no longer`);

    // what is there already ends the wait at once, and a circle is refused
    const second = await newTask(lead, { title: "Show who is there", team: "alpha" });
    await ada.must("dependency_declare", { task: second, needs_team: "beta" });
    await lead.must("dependency_declare", { ...name, task: second });
    expect(await show(ada, second)).toMatchObject({ state: "ready" });
    const [third, fourth] = [await newTask(ada, "Greet them"), await newTask(bea, "Name them")];
    await ada.must("dependency_declare", { task: third, needs_team: "beta" });
    await lead.must("dependency_declare", { task: fourth, needs_team: "alpha", needed_task: third });
    const circle = { task: third, needs_team: "beta", needed_task: fourth };
    expect(await refusal(lead.call("dependency_declare", circle))).toBe("RULE_VIOLATED");
    const [left] = (await ada.must("dependency_list", { status: "open" })).dependencies;
    await bea.must("dependency_resolve", { id: left.id, resolution: "call them by their number" });
    expect((await told("team:alpha")).at(-1)).toContain("call them by their number");
    await expectSound(world);
  });

  test("tasks of two teams that may write the same files are told to all teams, and only one of them is worked on (DE-07, MB-06, FO-07)", async () => {
    await using world = await openWorld({ dialect, config: `${threeTeams}ownership_mode: strict\n` });
    const lead = world.lead();
    const [ada, bea] = [await world.spawn("ada"), await world.spawn("bea")];
    const ours = await newTask(lead, {
      title: "Add a price column",
      team: "alpha",
      scope: ["db/schema.sql", "web/**"],
    });
    const theirs = await newTask(bea, { title: "Add a tax column", scope: ["db/*.sql"] });
    const { messages } = await world.person("message_list", { channel: "portfolio" });
    expect(messages).toMatchObject([{ kind: "INTERFACE-CHANGE", from: "teamwright" }]);
    expect(messages[0].text).toContain(`CONFLICT: ${theirs} of beta and ${ours} of alpha may both write`);
    expect(JSON.stringify(await ada.must("message_inbox"))).toContain("CONFLICT");
    await newTask(lead, { title: "Paint the garden", team: "gamma", scope: ["garden/**"] });
    expect((await world.person("message_list", { channel: "portfolio" })).total).toBe(1);
    await ada.must("task_claim", { id: ours });
    expect(await refusal(bea.call("task_claim", { id: theirs }))).toBe("CONFLICT"); // one after the other
    await ada.must("task_close", { id: ours });
    await bea.must("task_claim", { id: theirs });
    await expectSound(world);
  });

  test("a scope that is changed later is told like a new one, once per pair (DE-07, MB-06)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const bea = await world.spawn("bea");
    const ours = await newTask(lead, { title: "Add a price column", team: "alpha", scope: ["web/**"] });
    const theirs = await newTask(bea, { title: "Add a tax column", scope: ["db/*.sql"] });
    const others = await newTask(lead, { title: "Add a customs column", team: "gamma" });
    const told = async () => (await world.person("message_list", { channel: "portfolio" })).messages;
    expect(await told()).toEqual([]);
    await lead.must("task_update", { id: ours, scope: ["db/schema.sql"] });
    await bea.must("task_update", { id: theirs, scope: ["web/**"] });
    await bea.must("task_update", { id: theirs, scope: ["db/**"] });
    await bea.must("task_update", { id: theirs, notes: "mind the index" });
    expect(await told()).toMatchObject([{ kind: "INTERFACE-CHANGE", from: "teamwright" }]);
    expect((await told())[0].text).toContain(`CONFLICT: ${ours} of alpha and ${theirs} of beta may both write`);
    await lead.must("task_update", { id: others, scope: ["db/schema.sql"] }); // a new one beside two
    expect((await told())[1].text).toContain(`${others} of gamma and ${ours} of alpha`);
    expect((await told())[1].text).toContain(`${others} of gamma and ${theirs} of beta`);
    await lead.must("task_update", { id: others, team: "beta" });
    await lead.must("task_close", { id: ours });
    await lead.must("task_update", { id: ours, scope: ["db/*"] });
    expect(await told()).toHaveLength(2);
    await expectSound(world);
  });

  test("a task that is opened again or comes from a file is told like a new one (DE-07)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const told = async () => (await world.person("message_list", { channel: "portfolio" })).messages;
    const ours = await newTask(lead, { title: "Add a price column", team: "alpha", scope: ["db/**"] });
    await lead.must("task_close", { id: ours });
    const theirs = await newTask(lead, { title: "Add a tax column", team: "beta", scope: ["db/tax.sql"] });
    expect(await told()).toEqual([]);
    await world.person("task_reopen", { id: ours });
    expect((await told()).at(-1).text).toContain(`CONFLICT: ${ours} of alpha and ${theirs} of beta may both write`);

    let file = "";
    const port: FilePort = {
      read: async () => file,
      write: async (_, chunks) => {
        file = [...chunks].join("");
      },
    };
    await world.person("task_export", { file: "x" }, port);
    await using other = await openWorld({ dialect, config: threeTeams });
    await other.person("task_import", { file: "x", dry_run: true }, port);
    expect((await other.person("message_list", { channel: "portfolio" })).total).toBe(0);
    for (const _ of ["new", "known"]) await other.person("task_import", { file: "x" }, port);
    const { messages } = await other.person("message_list", { channel: "portfolio" });
    expect(messages).toHaveLength(1);
    expect(messages[0].text).toContain("[WHAT] Tasks of different teams may write the same files (1)");
    await expectSound(other);
  });

  test("the total counts those too that a limit keeps back (DE-02)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    for (const [team, needs_team] of [
      ["alpha", "beta"],
      ["alpha", "gamma"],
      ["beta", "gamma"],
    ] as const) {
      const task = await newTask(lead, { title: `Wait in ${team}`, team });
      await lead.must("dependency_declare", { task, needs_team });
    }
    const list = (input: Record<string, unknown>) => lead.must("dependency_list", input);
    expect(await list({})).toMatchObject({ total: 3 });
    expect(await list({})).not.toHaveProperty("truncated");
    expect(await list({ limit: 2 })).toMatchObject({ total: 3, truncated: true, dependencies: [{}, {}] });
    expect(await list({ limit: 1, team: "alpha" })).toMatchObject({ total: 2, truncated: true });
    expect(await list({ limit: 1, status: "resolved" })).toMatchObject({ total: 0 });
    expect(await lead.text("dependency_list", { limit: 1 })).toContain("1 of 3 shown");
  });

  test("the declaration that makes a deadlock says so itself (DE-06)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const [a, b] = [
      await newTask(lead, { title: "Do the alpha part", team: "alpha" }),
      await newTask(lead, { title: "Do the beta part", team: "beta" }),
    ];
    const { dependency } = await lead.must("dependency_declare", { task: a, needs_team: "beta" });
    const { circles } = await lead.must("dependency_declare", { task: b, needs_team: "alpha" });
    expect(circles).toEqual([{ teams: ["alpha", "beta"], deadlock: true }]);
    await lead.must("dependency_resolve", { id: dependency.id, resolution: "by ourselves" });
    await newTask(lead, { title: "Do something else", team: "beta" });
    const again = await lead.must("dependency_declare", { task: a, needs_team: "beta" });
    expect(again.circles).toEqual([{ teams: ["alpha", "beta"], deadlock: false }]);
  });

  test("circles between teams are named, deadlocks told apart, and circles of tasks refused (DE-06, DE-07)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const of = (team: string) => newTask(lead, { title: `Do the ${team} part`, team });
    const [a, b, c] = [await of("alpha"), await of("beta"), await of("gamma")];
    await lead.must("dependency_declare", { task: a, needs_team: "beta", needed_task: b });
    await lead.must("dependency_declare", { task: b, needs_team: "gamma", needed_task: c, type: "needs_api" });
    expect(await refusal(lead.call("dependency_declare", { task: c, needs_team: "alpha", needed_task: a }))).toBe(
      "RULE_VIOLATED",
    );
    expect(
      (
        await lead.must("dependency_declare", {
          task: c,
          needs_team: "alpha",
          needed_task: a,
          type: "shared_component",
        })
      ).circles,
    ).toBeUndefined();
    // what only informs is no link of a circle
    const [a2, c2] = [await of("alpha"), await of("gamma")];
    await lead.must("dependency_declare", { task: a2, needs_team: "gamma", needed_task: c2, type: "shared_component" });
    expect(await refusal(lead.call("dependency_declare", { task: c2, needs_team: "alpha", needed_task: a2 }))).toBe(
      "accepted",
    );
    expect((await lead.must("dependency_list")).circles).toEqual([
      { teams: ["alpha", "beta", "gamma"], deadlock: false },
    ]);
    const ada = await world.spawn("ada");
    expect((await ada.must("brief_show")).circles).toEqual([{ teams: ["alpha", "beta", "gamma"], deadlock: false }]);
    await lead.must("task_close", { id: a2 });
    expect((await lead.must("dependency_list")).circles).toBeUndefined();
    const answer = await lead.must("dependency_declare", { task: c, needs_team: "alpha", note: "some help" });
    expect(answer.circles).toEqual([{ teams: ["alpha", "beta", "gamma"], deadlock: false }]);
    await lead.must("task_close", { id: c2 });
    expect((await lead.must("dependency_list")).circles).toEqual([
      { teams: ["alpha", "beta", "gamma"], deadlock: true },
    ]);
    expect(await lead.text("brief_show")).toContain("Deadlock between alpha, beta, gamma");
    // the wait of a task that was given up keeps nobody waiting
    await lead.must("task_close", { id: c, outcome: "cancelled" });
    expect((await lead.must("dependency_list")).circles).toBeUndefined();
    expect((await lead.must("brief_show")).waits).toMatchObject([{ task: a, needs_team: "beta" }]);
    await lead.must("task_close", { id: a, outcome: "cancelled" });
    expect((await lead.must("brief_show")).waits).toEqual([]);
    expect(await personRefusal(world.person("dependency_list", { team: "delta" }))).toBe("NOT_FOUND");
    await expectSound(world);
  });
});
