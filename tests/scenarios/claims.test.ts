import { describe, expect, test } from "vitest";
import { endClaims } from "../../mcp-server/src/surfaces/guard/ending.ts";
import { expectSound, LEASE_OVER, MINUTE, newTask, refusal, show } from "../support/answers.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const stop = (world: World, actor: Actor) =>
  world.hook({ event: "SubagentStop", agent_id: actor.id, agent_type: "teamwright:builder" });

describe.each(dialects)("claims on %s", (dialect) => {
  test("teammates claim before they start, by themselves, and who changes nothing takes no work on files (TZ-02)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const build = await newTask(lead, { title: "Build the parser", scope: ["src/parser"], priority: 0 });
    const look = await newTask(lead, { title: "Find out how comments are kept" });
    const rita = await world.spawn("rita", { role: "teamwright:researcher" });
    const ada = await world.spawn("ada");
    // both read it at once, and each is given what is theirs: who walks past a task hides it from nobody
    for (let round = 0; round < 8; round += 1) {
      const [hers, adas] = await Promise.all([rita.must("task_claim"), ada.must("task_claim")]);
      expect([hers.task?.id, adas.task?.id], `round ${round}`).toEqual([look, build]);
      if (round === 7) break;
      await Promise.all([
        rita.must("task_update", { id: look, release: "again" }),
        ada.must("task_update", { id: build, release: "again" }),
      ]);
    }
    await ada.must("task_update", { id: build, release: "somebody else is needed" });
    await rita.must("task_close", { id: look });
    const none = await rita.must("task_claim");
    expect(none.task).toBeUndefined();
    expect(none.files_taken).toEqual([expect.stringContaining(`${build} changes files`)]);
    // the lead's word, with the id, is another matter
    expect((await rita.must("task_claim", { id: build })).task.holder).toBe("rita");
    // nobody starts on what another holds, and neither needs the lead to say so
    await rita.must("message_send", { to: "ada", text: "I have the parser now." });
    expect(JSON.stringify(await ada.must("message_inbox"))).toContain("I have the parser now.");
    expect(await refusal(ada.call("task_close", { id: build }))).toBe("FORBIDDEN");
  });

  test("the next task or a given one, one winner, four refusals that can be told apart (beads 20, 23, 24)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [ada, bob, cat] = [await world.spawn("ada"), await world.spawn("bob"), await world.spawn("cat")];
    expect(await ada.must("task_claim")).toEqual({ next: ["task_ready", "brief_show"] });
    const one = await newTask(lead, "Do the first thing there");
    const waits = await newTask(lead, { title: "Do the second thing there", blocked_by: [one] });
    const claim = await ada.must("task_claim", { id: one });
    expect(claim).toMatchObject({ task: { id: one, holder: "ada", state: "in_progress" }, fence: 1 });
    expect((await ada.must("task_claim", { id: one })).fence).toBe(1);
    const held = await bob.call("task_claim", { id: one });
    expect(held.error).toMatchObject({ code: "CONFLICT", message: `${one} is held by ada.`, next: "task_ready" });
    expect(JSON.stringify(held)).not.toContain("agent:");
    expect((await bob.call("task_claim", { id: waits })).error).toMatchObject({
      code: "BLOCKED",
      message: expect.stringContaining(one),
    });
    expect((await bob.call("task_claim", { id: "tw-none" })).error).toMatchObject({
      code: "NOT_FOUND",
      next: "task_list",
    });
    await ada.must("task_close", { id: one });
    expect((await bob.call("task_claim", { id: one })).error).toMatchObject({
      code: "RULE_VIOLATED",
      message: `${one} is closed and cannot be claimed.`,
    });
    expect((await bob.call("task_claim", { id: 5 })).error.code).toBe("INVALID_INPUT");

    const winners = await Promise.all([ada, bob, cat].map((actor) => actor.call("task_claim")));
    expect(winners.filter((answer) => answer.task !== undefined)).toHaveLength(1);
    await lead.must("task_create", {
      tasks: Array.from({ length: 12 }, (_, index) => ({ title: `Drain part ${index}` })),
    });
    const done: string[] = [];
    const drain = async (actor: Actor): Promise<void> => {
      for (let answer = await actor.must("task_claim"); answer.task; answer = await actor.must("task_claim")) {
        done.push(answer.task.id);
        await actor.must("task_close", { id: answer.task.id });
      }
    };
    const busy = winners.findIndex((answer) => answer.task !== undefined);
    await Promise.all([ada, bob, cat].filter((_, index) => index !== busy).map(drain));
    expect([done.length, new Set(done).size]).toEqual([12, 12]);
    await expectSound(world);
  });

  test("an agent holds as many as its team allows, by every way in, and review does not count (KB-04)", async () => {
    await using world = await openWorld({
      dialect,
      config: "wip_limits: { in_progress: 3, review: 1, per_agent: 2 }\n",
    });
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "d", "e"]) ids.push(await newTask(lead, `Carry load ${name}`));
    const [a = "", b = "", c = "", d = "", e = ""] = ids;
    await ada.must("task_claim", { id: a });
    await ada.must("board_move", { id: b, to: "in_progress" });
    expect((await ada.call("task_claim")).error).toMatchObject({
      code: "OVER_LIMIT",
      message: expect.stringContaining(`${a}, ${b}`),
    });
    expect(await refusal(ada.call("task_claim", { id: c }))).toBe("OVER_LIMIT");
    expect(await refusal(ada.call("board_move", { id: c, to: "in_progress" }))).toBe("OVER_LIMIT");
    expect((await ada.must("task_claim", { id: a })).fence).toBe(1);
    await ada.must("board_move", { id: a, to: "review" });
    await ada.must("task_claim", { id: c });
    expect(await refusal(ada.call("board_move", { id: b, to: "review" }))).toBe("OVER_LIMIT");
    expect((await show(ada, b)).state).toBe("in_progress");
    expect(await refusal(ada.call("board_move", { id: a, to: "in_progress" }))).toBe("OVER_LIMIT");
    await bob.must("task_claim", { id: d });
    expect((await lead.call("task_claim", { id: e })).error).toMatchObject({
      code: "OVER_LIMIT",
      message: expect.stringContaining("3 in in_progress"),
      next: "board_show",
    });
    expect(await refusal(world.lead("s2").call("board_move", { id: e, to: "in_progress" }))).toBe("OVER_LIMIT");
    expect((await show(lead, e)).state).toBe("ready");
    await lead.must("task_close", { id: a });
    await ada.must("board_move", { id: b, to: "review" });
    await lead.must("task_claim", { id: e });
    const limits = (await world.person("board_limits")).limits;
    expect(limits).toEqual([
      { team: "main", column: "in_progress", used: 3, limit: 3 },
      { team: "main", column: "review", used: 1, limit: 1 },
    ]);
    await expectSound(world);
  });

  test("a holder's own activity keeps its lease; silence ends it, on the record (beads 25)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const id = await newTask(lead, "Keep it alive");
    await ada.must("task_claim", { id });
    for (let step = 0; step < 4; step += 1) {
      world.clock.advance(10 * MINUTE);
      await world.hook({
        event: "PreToolUse",
        agent_id: ada.id,
        agent_type: "teamwright:builder",
        tool_name: "Read",
        tool_use_id: `toolu_read_${step}`,
        tool_input: "{}",
      });
    }
    expect((await show(lead, id)).holder).toBe("ada");
    world.clock.advance(10 * MINUTE);
    await bob.must("task_ready");
    world.clock.advance(4 * MINUTE);
    expect((await show(lead, id)).holder).toBe("ada");
    world.clock.advance(MINUTE);
    expect(await show(lead, id)).toMatchObject({ state: "ready" });
    expect(await show(lead, id)).not.toHaveProperty("holder");
    expect(await ada.call("task_update", { id, notes: "late words", fence: 1 })).toMatchObject({
      task: { state: "ready" },
    });
    expect(await refusal(ada.call("task_close", { id, fence: 1 }))).toBe("FORBIDDEN");
    expect(await refusal(ada.call("board_move", { id, to: "review" }))).toBe("FORBIDDEN");
    const second = await bob.must("task_claim", { id });
    expect(second.fence).toBe(2);
    expect(await refusal(ada.call("task_update", { id, comment: "late", fence: 1 }))).toBe("CONFLICT");
    expect(await refusal(ada.call("task_close", { id }))).toBe("FORBIDDEN");
    const { events } = await world.person("event_list", { limit: 100 });
    expect(events.find((event: { type: string }) => event.type === "claim.expired")).toMatchObject({
      subject: id,
      kind: "service",
      operation: "sweep",
      before: { holder: `agent:${ada.id}`, name: "ada", fence: 1 },
    });
    // what was handed in waits for its review without a lease
    await bob.must("board_move", { id, to: "review" });
    world.clock.advance(10 * LEASE_OVER);
    expect(await show(lead, id)).toMatchObject({ state: "in_review", holder: "bob" });
    // a blocked task is given back too when its holder is gone for good, and stays blocked
    const stuck = await newTask(lead, "Get stuck at once");
    await ada.must("task_claim", { id: stuck });
    await ada.must("task_update", { id: stuck, block: "no way" });
    world.clock.advance(LEASE_OVER);
    expect(await show(lead, stuck)).toMatchObject({ state: "open", blocked: "no way" });
    await expectSound(world);
  });

  test("stopping with a task is sent back once, then the task is free; killed and ended ones free theirs", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "d", "e"]) ids.push(await newTask(lead, `Leave work ${name}`));
    const [a = "", b = "", c = "", d = "", e = ""] = ids;
    const ada = await world.spawn("ada");
    await ada.must("task_claim", { id: a });
    expect(await stop(world, ada)).toMatchObject({ decision: "block", reason: expect.stringContaining(a) });
    expect((await show(lead, a)).holder).toBe("ada");
    expect(await stop(world, ada)).toBeUndefined();
    expect((await show(lead, a)).state).toBe("ready");
    expect(await stop(world, ada)).toBeUndefined();

    const bob = await world.spawn("bob");
    await bob.must("task_claim", { id: b });
    await stop(world, bob);
    await bob.must("task_update", { id: b, block: "the door is shut" });
    expect(await stop(world, bob)).toBeUndefined();
    expect(await show(lead, b)).toMatchObject({ state: "in_progress", holder: "bob", blocked: "the door is shut" });

    const cat = await world.spawn("cat");
    await cat.must("task_claim", { id: c });
    await cat.must("board_move", { id: c, to: "review" });
    expect(await stop(world, cat)).toBeUndefined();
    expect((await show(lead, c)).state).toBe("in_review");

    const dan = await world.spawn("dan");
    await dan.must("task_claim", { id: d });
    await world.hook({
      event: "PostToolUse",
      tool_name: "TaskStop",
      tool_use_id: "toolu_kill",
      tool_input: JSON.stringify({ task_id: dan.id }),
      tool_response: "{}",
    });
    expect((await show(lead, d)).state).toBe("ready");
    const eve = await world.spawn("eve", { session: "s2" });
    await eve.must("task_claim", { id: e });
    await world.lead("s2").must("task_claim", { id: d });
    const freed = await endClaims(world.runtime, { holders: [], session: "s2", reason: "session ended" });
    expect(freed.sort()).toEqual([d, e].sort());
    expect((await show(lead, b)).holder).toBe("bob");
    expect(await endClaims(world.runtime, { holders: [], session: "s2", reason: "again" })).toEqual([]);
    const { events } = await world.person("event_list", { limit: 200 });
    const types = events.map((event: { type: string }) => event.type);
    expect(types.filter((type: string) => type === "claim.freed")).toHaveLength(4);
    expect(types).toEqual(expect.arrayContaining(["agent.started", "agent.named", "agent.stopped", "agent.killed"]));
    await expectSound(world);
  });

  test("an agent that starts another under a living one's name gives it nothing of that one's (design §3)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const id = await newTask(lead, { title: "Wait for bob", assignee: "bob" });
    const child = async (agentId: string) => {
      const call = {
        agent_id: ada.id,
        agent_type: "teamwright:builder",
        tool_name: "Agent",
        tool_use_id: `u-${agentId}`,
      };
      const asked = JSON.stringify({ name: "bob", subagent_type: "teamwright:builder", prompt: "be bob" });
      await world.hook({ ...call, event: "PreToolUse", tool_input: asked });
      await world.hook({ event: "SubagentStart", agent_id: agentId, agent_type: "teamwright:builder" });
      await world.hook({ ...call, event: "PostToolUse", tool_response: JSON.stringify({ agentId }) });
      return world.known(agentId, "teamwright:builder");
    };
    const other = await child("abob-1");
    await lead.must("message_send", { to: "bob", text: "for bob alone" });
    expect((await other.must("message_inbox")).messages).toEqual([]);
    expect((await bob.must("message_inbox")).messages).toHaveLength(1);
    expect(await refusal(other.call("task_claim", { id }))).toBe("FORBIDDEN");
    expect((await other.must("brief_show")).you.name).not.toBe("bob");
    await stop(world, bob);
    // nobody's any more, it is a name like any other
    expect((await (await child("abob-2")).must("brief_show")).you).toMatchObject({ name: "bob", generation: 2 });
  });

  test("who was refused a name does not get it with the next spawn of that name (design §3)", async () => {
    await using world = await openWorld({ dialect });
    const ada = await world.spawn("ada");
    await world.spawn("bob");
    const bob = {
      event: "PreToolUse",
      tool_name: "Agent",
      tool_input: JSON.stringify({ name: "bob", prompt: "be bob" }),
    };
    await world.hook({ ...bob, agent_id: ada.id, agent_type: "teamwright:builder", tool_use_id: "u-child" });
    await world.hook({ event: "SubagentStart", agent_id: "abob-1", agent_type: "general-purpose" });
    await world.hook({ ...bob, tool_use_id: "u-anew" }); // the lead starts bob anew
    expect((await world.known("abob-1", "general-purpose").must("brief_show")).you.name).toBe("abob-1");
  });

  test("a name proves nothing: a new generation is another, and no call acts for somebody else", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const id = await newTask(lead, "Be who you are");
    const first = await world.spawn("ada");
    await first.must("task_claim", { id });
    const again = await world.spawn("ada");
    expect((await first.must("brief_show")).you).toMatchObject({ name: "ada", generation: 1, role: "builder" });
    expect((await again.must("brief_show")).you).toMatchObject({ name: "ada", generation: 2 });
    expect((await again.must("brief_show")).holding).toEqual([]);
    expect(await refusal(again.call("task_claim", { id }))).toBe("CONFLICT");
    expect(await refusal(again.call("task_close", { id, fence: 1 }))).toBe("FORBIDDEN");
    expect(await refusal(again.call("task_update", { id, release: "I am ada" }))).toBe("FORBIDDEN");
    for (const field of ["actor", "agent", "as", "principal", "holder", "session"]) {
      expect([field, await refusal(again.call("task_update", { id, comment: "me", [field]: "lead" }))]).toEqual([
        field,
        "INVALID_INPUT",
      ]);
    }
    expect(await refusal(world.stranger().call("task_close", { id }))).toBe("FORBIDDEN");
    await lead.must("task_update", { id, release: "the first one hangs" });
    expect((await again.must("task_claim", { id })).fence).toBe(2);
    expect(await refusal(first.call("task_close", { id, fence: 1 }))).toBe("CONFLICT");

    // resumed, the agent is the same one; a session of the same name is not
    await stop(world, again);
    await world.hook({ event: "SubagentStart", agent_id: again.id, agent_type: "teamwright:builder" });
    expect((await again.must("brief_show")).holding).toMatchObject([{ id }]);
    expect((await world.lead("s9").must("brief_show")).holding).toEqual([]);
    await expectSound(world);
  });
});
