import { describe, expect, test } from "vitest";
import { Caller } from "../../mcp-server/src/surfaces/mcp/caller.ts";
import { expectSound, LEASE_OVER, newTask, refusal } from "../support/answers.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const events = async (world: World): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events;

describe.each(dialects)("identity on %s", (dialect) => {
  test("callers that nobody vouches for are refused to write when identity is strict", async () => {
    await using world = await openWorld({ dialect, identity: "strict" });
    const id = await newTask(world.lead(), "Trust nobody");
    const stranger = world.stranger();
    for (const [tool, input] of [
      ["task_create", { title: "Sneak in here" }],
      ["task_claim", { id }],
      ["task_update", { id, comment: "x" }],
      ["task_close", { id }],
      ["board_move", { id, to: "in_progress" }],
      ["task_link", { id, target: id }],
    ] as const) {
      expect([tool, (await stranger.call(tool, input)).error]).toEqual([
        tool,
        expect.objectContaining({ code: "FORBIDDEN", next: "doctor_check" }),
      ]);
    }
    expect((await stranger.must("task_show", { id })).task.state).toBe("ready");
    expect((await stranger.must("brief_show")).you).toMatchObject({ kind: "unverified", name: "test-client" });
    // a binding is good for one call of one tool
    await world.hook({
      event: "PreToolUse",
      tool_name: "mcp__plugin_teamwright_teamwright__task_close",
      tool_use_id: "toolu_once",
    });
    const take = (tool: string) => world.guard.take("toolu_once", tool)?.key;
    expect([take("task_update"), take("task_close"), take("task_close")]).toEqual([undefined, "lead:s1", undefined]);
  });

  test("callers that nobody vouches for are recorded as such where the project allows them", async () => {
    await using open = await openWorld({ dialect, config: "identity: advisory\n", identity: "strict" });
    const free = await newTask(open.stranger(), "Trust anybody here");
    await open.stranger().must("task_claim", { id: free });
    const [created] = await events(open);
    expect(created).toMatchObject({ kind: "unverified", by: "test-client" });
    const ada = await open.spawn("ada");
    expect(await refusal(ada.call("task_close", { id: free }))).toBe("FORBIDDEN");
    await expectSound(open);
  });

  test("a server started for a team that is none says so, and puts nothing on a board nobody has (KB-09)", async () => {
    await using world = await openWorld({ dialect });
    const caller = new Caller(async () => ({ runtime: world.runtime, guard: world.guard }), "nope");
    for (const [tool, input] of [
      ["task_create", { title: "Mend the fence" }],
      ["task_ready", {}],
    ] as const)
      expect((await caller.call(tool, input, undefined)).structuredContent).toMatchObject({
        error: { code: "NOT_FOUND", message: expect.stringContaining("the teams are main") },
      });
    expect((await world.lead().must("task_list")).total).toBe(0);
  });

  test("a client may call itself what no store gives back, and the trail stays whole", async () => {
    await using world = await openWorld({ dialect });
    for (const name of [`${"a".repeat(63)}🚀`, "n\u0000ul"]) {
      const caller = new Caller(async () => ({ runtime: world.runtime, guard: world.guard }), undefined);
      caller.clientName = name;
      await caller.call("task_create", { title: "Mend the fence" }, undefined);
    }
    expect((await world.lead().must("task_list")).total).toBe(2);
    await expectSound(world);
  });

  test("an agent is spawned for the first task its prompt names that is still to be done (TD-01)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [first, second, third] = await Promise.all(
      ["over", "next", "later"].map((word) => newTask(lead, `Be ${word}`)),
    );
    await lead.must("task_close", { id: first });
    await world.spawn("ada", { prompt: `${first} is done, so take ${third}; then comes ${second} of utf-8` });
    const named = (await events(world)).find((event) => event.type === "agent.named");
    expect(named).toMatchObject({ after: { name: "ada", task_key: third } });
  });

  test("one call says where the lead and an agent stand, in a new session too (BD-01, TD-01)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [held, reviewed, blocked, free] = await Promise.all(
      ["hold", "review", "block", "leave"].map((verb) => newTask(lead, `Be there to ${verb}`)),
    );
    const [ada, bob] = [await world.spawn("ada", { prompt: `please do ${held}` }), await world.spawn("bob")];
    await ada.must("task_claim", { id: held });
    await bob.must("task_claim", { id: reviewed });
    await bob.must("board_move", { id: reviewed, to: "review" });
    await lead.must("task_update", { id: blocked, block: "no money" });
    const brief = await world.lead("s2").must("brief_show");
    expect(brief).toMatchObject({
      you: { kind: "lead", name: "lead" },
      holding: [],
      ready_total: 1,
      ready: [{ id: free }],
      blocked: [{ id: blocked, blocked: "no money" }],
      boards: [{ team: "main", backlog: 1, ready: 1, in_progress: 1, review: 1, done: 0 }],
      waits: [],
      circles: [],
      next: ["task_claim", "task_ready"],
    });
    expect(brief.in_progress.map((task: { id: string }) => task.id).sort()).toEqual([held, reviewed].sort());
    expect(await ada.must("brief_show")).toMatchObject({
      you: { name: "ada", team: "main", generation: 1 },
      holding: [{ id: held }],
      agents: [{ name: "bob" }],
      next: ["task_update", "board_move", "task_close"],
    });
    expect((await bob.must("brief_show")).holding).toMatchObject([{ id: reviewed, state: "in_review" }]);
    expect(await ada.text("brief_show")).toMatch(/^You are ada \(agent, builder, team main\)\.\nYou hold:\n/);
    world.clock.advance(LEASE_OVER);
    expect((await ada.must("brief_show")).holding).toEqual([]);
    await expectSound(world);
  });
});
