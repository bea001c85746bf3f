import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noteSpawn } from "../../mcp-server/src/features/agent/agent.store.ts";
import { insertRun } from "../../mcp-server/src/features/run/run.store.ts";
import { inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import { systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { expectSound, newTask, refusal } from "../support/answers.ts";
import { openRun } from "../support/runs.ts";
import { threeTeams } from "../support/teams.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const inbox = async (actor: Actor, input = {}): Promise<Answer[]> =>
  (await actor.must("message_inbox", input)).messages;
const texts = async (actor: Actor, input = {}) =>
  (await inbox(actor, input)).map((message) => message.text.replace(/<\/?stored-text[^>]*>\n?/g, "").trim());

async function beginRun(world: World, session = "s1"): Promise<void> {
  await inTransaction(
    world.runtime,
    { principal: { kind: "lead", key: `lead:${session}`, name: "lead", session } },
    "unit_plan",
    (ctx) =>
      insertRun(ctx, {
        name: `swarm-${session}`,
        level: "swarm",
        session,
        lead: `lead:${session}`,
        mode: "team",
        mode_reason: "",
        verdict: "team",
        verdict_reason: "",
        pairs: 0,
        phase_gate: "merged_local",
      }),
  );
}

/** A named one is not let through by the rules of spawning; an older client may have started it all the same. */
async function spawnReviewer(world: World): Promise<Actor> {
  const role = "teamwright:adversarial-reviewer";
  const spawn = { session: "s1", tool_use_id: "toolu_rex", parent_agent_id: null, name: "rex", task_key: null };
  await inTransaction(world.runtime, { principal: systemPrincipal }, "guard_spawn", (ctx) =>
    noteSpawn(ctx, { ...spawn, subagent_type: role, worktree: 0 }),
  );
  return world.spawn("rex", { role });
}

let uses = 0;
/** A call of one of the client's tools by an agent ("" for the lead), as its hooks tell it. */
async function tool(world: World, agentId: string, toolName: string, input: object = {}, session = "s1") {
  uses += 1;
  const call = { session_id: session, agent_id: agentId, tool_name: toolName, tool_use_id: `toolu_m${uses}` };
  const before = await world.hook({ event: "PreToolUse", ...call, tool_input: JSON.stringify(input) });
  const { permissionDecision, permissionDecisionReason, additionalContext } = before?.hookSpecificOutput ?? {};
  if (permissionDecision === "deny") return { denied: permissionDecisionReason as string };
  if (toolName === "SendMessage")
    await world.hook({
      event: "PostToolUse",
      ...call,
      tool_input: JSON.stringify(input),
      tool_response: '{"success":true}',
    });
  return { heard: (additionalContext ?? "") as string };
}
const starts = async (world: World, agentId: string, type = "teamwright:builder") =>
  (await world.hook({ event: "SubagentStart", agent_id: agentId, agent_type: type }))?.hookSpecificOutput
    ?.additionalContext ?? "";
const prompts = async (world: World, session = "s1") =>
  (await world.hook({ event: "UserPromptSubmit", session_id: session, prompt: "go on" }))?.hookSpecificOutput
    ?.additionalContext ?? "";
const log = (world: World, input = {}): Promise<Answer> => world.person("message_list", input);

describe.each(dialects)("messages on %s", (dialect) => {
  test("go to one agent, a team, all teams or the lead, and to nobody else (MB-01, MB-02, RP-05)", async () => {
    await using world = await openWorld({ dialect, config: `${threeTeams}coordination: { enabled: true }\n` });
    const lead = world.lead();
    const [ada, abe, bea] = [await world.spawn("ada"), await world.spawn("abe"), await world.spawn("bea")];
    await beginRun(world);
    await ada.must("message_send", { to: "abe", text: "one" });
    await ada.must("message_send", { to: "team:alpha", text: "two" });
    await ada.must("message_send", { to: "portfolio", text: "three", kind: "INTERFACE-CHANGE" });
    await ada.must("message_send", { to: "lead", text: "four", kind: "QUESTION" });
    await lead.must("message_send", { to: "coordination", text: "five" });
    expect(await texts(abe)).toEqual(["one", "two", "three", "five"]);
    expect(await texts(bea)).toEqual(["three", "five"]);
    expect(await texts(lead)).toEqual(["two", "three", "four"]);
    expect(await texts(ada)).toEqual(["five"]);
    for (const actor of [ada, abe, bea, lead]) expect(await texts(actor)).toEqual([]);
    expect(await texts(abe, { all: true })).toEqual(["one", "two", "three", "five"]);
    // the record says who sent what to whom
    expect((await log(world)).messages.map((m: Answer) => [m.kind, m.from, m.to])).toEqual([
      ["INFO", "ada", "abe"],
      ["INFO", "ada", "team:alpha"],
      ["INTERFACE-CHANGE", "ada", "portfolio"],
      ["QUESTION", "ada", "lead"],
      ["INFO", "lead", "coordination"],
    ]);
    await expectSound(world);
  });

  test("what has no business there is refused with what to do instead (TZ-03)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const [ada, bea] = [await world.spawn("ada"), await world.spawn("bea")];
    const rex = await spawnReviewer(world);
    const task = await newTask(ada, "Write the parser");
    const send = (actor: Actor, to: string | undefined, more = {}) =>
      refusal(actor.call("message_send", { ...(to ? { to } : {}), text: "hello", ...more }));
    expect(await send(ada, "team:beta")).toBe("FORBIDDEN");
    expect(await send(ada, "team:nowhere")).toBe("NOT_FOUND");
    expect(await send(ada, "portfolio")).toBe("RULE_VIOLATED");
    expect(await send(ada, "coordination", { kind: "BLOCKER" })).toBe("FORBIDDEN");
    // teams that are not coordinated have no such channel
    const { error: unread } = await world.lead().call("message_send", { to: "coordination", text: "hello" });
    expect(unread).toMatchObject({ code: "RULE_VIOLATED", next: "message_send" });
    expect(await send(ada, "ada", { kind: "QUESTION" })).toBe("RULE_VIOLATED");
    expect(await send(world.lead(), "lead")).toBe("RULE_VIOLATED");
    expect(await send(ada, undefined)).toBe("INVALID_INPUT");
    expect(await send(ada, "abe", { kind: "RESOLVED" })).toBe("INVALID_INPUT");
    expect(await send(ada, "abe", { reply_to: "msg-00000000" })).toBe("NOT_FOUND");
    expect([await send(ada, "rex"), await send(ada, rex.id), await send(world.lead(), rex.id)]).toEqual(
      Array(3).fill("FORBIDDEN"),
    );
    expect([await send(rex, "ada"), await refusal(rex.call("message_inbox"))]).toEqual(["FORBIDDEN", "FORBIDDEN"]);
    const { error } = await ada.call("message_send", { to: "abee", text: "x" });
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("did you mean abe?") });
    expect((await log(world)).total).toBe(0);
    // the declared name has no agent yet: it is kept for the one that comes
    const { waits } = await ada.must("message_send", { to: "abe", text: "for later", task, kind: "INTERFACE-CHANGE" });
    expect(waits).toContain("abe is not at work now");
    expect(await send(bea, "ada")).toBe("accepted"); // of the same session
    const abe = await world.spawn("abe");
    expect(await texts(abe)).toEqual([]); // told at its start already
    expect(await texts(abe, { all: true })).toEqual(["for later"]);
  });

  test("a question is open until somebody else says something, a blocker until RESOLVED (MB-04)", async () => {
    await using world = await openWorld({ dialect });
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const question = (await ada.must("message_send", { to: "bob", text: "Which port?", kind: "QUESTION" })).message.id;
    const blocker = (await ada.must("message_send", { to: "team:main", text: "No key.", kind: "BLOCKER" })).message.id;
    expect((await log(world, { open: true })).messages.map((m: Answer) => m.id)).toEqual([question, blocker]);
    const answer = await bob.must("message_send", { reply_to: question, text: "8080" });
    expect(answer.message).toMatchObject({ to: "ada", reply_to: question });
    await bob.must("message_send", { reply_to: blocker, text: "I look." });
    expect((await log(world)).open).toBe(1);
    const done = await bob.must("message_send", { reply_to: blocker, text: "Here it is.", kind: "RESOLVED" });
    expect(done.message).toMatchObject({ to: "team:main" });
    expect((await log(world)).open).toBe(0);
    const [first] = (await log(world, { kind: "BLOCKER" })).messages;
    expect(first).toMatchObject({ id: blocker, answered_by: done.message.id });
    expect(await world.personText("message_list")).toMatch(/QUESTION +ada +bob/);
  });

  test("a long text is stored whole and delivered as a pointer", async () => {
    await using world = await openWorld({ dialect });
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const long = `START ${"words ".repeat(2000)}END`;
    const { id } = (await ada.must("message_send", { to: "bob", text: long })).message;
    const [shown] = await inbox(bob);
    expect(shown).toMatchObject({ id, characters: long.length });
    expect(shown.text).not.toContain("END");
    expect(await texts(bob, { id })).toEqual([long]);
    const eve = await world.spawn("eve");
    expect(await refusal(eve.call("message_inbox", { id }))).toBe("NOT_FOUND");
    expect(await ada.text("message_inbox", { id })).toMatch(/<stored-text \w+ what="message">\nSTART/);
  });

  test("unread ones reach an agent at its start, later ones at a call, each once (MB-08)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    await lead.must("message_send", { to: "ada", text: "BEFORE-BIRTH" });
    await world.hook({
      event: "PreToolUse",
      tool_name: "Agent",
      tool_use_id: "toolu_ada",
      tool_input: JSON.stringify({ name: "ada", subagent_type: "teamwright:builder", prompt: "work" }),
    });
    const heard = await starts(world, "aada-1", "ada");
    expect(heard).toMatch(
      /1 unread message for you:\n<stored-text \w+ what="messages">\nmsg-\w+ INFO from lead to ada: BEFORE-BIRTH/,
    );
    expect(await tool(world, "aada-1", "Read")).toEqual({ heard: "" });
    await lead.must("message_send", { to: "team:alpha", text: "WHILE-AT-WORK" });
    expect(await tool(world, "aada-1", "Read")).toEqual({ heard: "" }); // looked a moment ago
    world.clock.advance(10_001);
    expect((await tool(world, "aada-1", "Bash", { command: "ls" })).heard).toContain("WHILE-AT-WORK");
    world.clock.advance(10_001);
    expect(await tool(world, "aada-1", "Bash", { command: "ls" })).toEqual({ heard: "" });
    expect(await starts(world, "aada-1", "ada")).not.toContain("WHILE-AT-WORK");
    // at most 2,000 characters; the rest by message_inbox
    for (let n = 0; n < 12; n += 1) await lead.must("message_send", { to: "ada", text: `${n} ${"long ".repeat(80)}` });
    world.clock.advance(10_001);
    const batch = (await tool(world, "aada-1", "Read")).heard ?? "";
    expect(batch.length).toBeLessThanOrEqual(2000);
    const left = Number(/(\d+) more by message_inbox/.exec(batch)?.[1]);
    expect(left).toBeGreaterThan(0);
    const { readers } = await log(world);
    expect(readers).toEqual([{ name: "ada", team: "alpha", unread: left }]);
  });

  test("brief_show counts what is unread, and names what was shown in part until it is read whole (MB-01, MB-08)", async () => {
    await using world = await openWorld({ dialect, config: threeTeams });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const brief = async (actor: Actor) => (await actor.must("brief_show")).messages;
    expect(await brief(ada)).toBeUndefined();
    const long = `START ${"words ".repeat(400)}END`;
    const { id } = (await lead.must("message_send", { to: "ada", text: long })).message;
    const huge = (await lead.must("message_send", { to: "ada", text: `${long} ${"more ".repeat(2000)}` })).message;
    world.clock.advance(10_001);
    expect((await tool(world, ada.id, "Read")).heard).toContain(`message_inbox with id ${id}`);
    expect(await brief(ada)).toEqual({ unread: 0, cut: [id, huge.id] });
    expect((await ada.must("brief_show")).next).toContain("message_inbox");
    expect(await ada.text("brief_show")).toContain(`Shown in part: ${id}, ${huge.id} (message_inbox with the id)`);
    await ada.must("message_inbox", { all: true });
    expect((await brief(ada)).cut).toEqual([id, huge.id]);
    await ada.must("message_inbox", { id });
    expect(await brief(ada)).toEqual({ unread: 0, cut: [huge.id] });
    await ada.must("message_inbox", { id: huge.id });
    expect(await brief(ada)).toBeUndefined();

    await openRun(world.runtime);
    await ada.must("message_send", { to: "lead", text: "For your information." });
    await world.hook({ event: "UserPromptSubmit", prompt: "go on" });
    expect(await brief(lead), "the lead is woken for urgent ones only").toEqual({ unread: 1, cut: [] });
    await lead.must("message_inbox", {});
    expect(await brief(lead)).toBeUndefined();
  });

  test("the lead hears of a block with its next context, once per block, and is not woken by it (MB-06)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const [first, second] = [await newTask(ada, "Write the parser"), await newTask(ada, "Write the printer")];
    await ada.must("task_claim", { id: first });
    await ada.must("task_update", { id: first, block: "no grammar yet" });
    await ada.must("task_update", { id: first, block: "no grammar, and nobody to ask" });
    await ada.must("task_update", { id: first, unblock: true });
    await ada.must("task_update", { id: first, block: "still no grammar" });
    await lead.must("task_update", { id: second, block: "not before the parser" }); // which the lead knows
    expect((await log(world)).messages).toMatchObject([{ kind: "INFO", from: "teamwright", to: "lead", task: first }]);
    expect((await log(world)).open).toBe(0);
    expect(await prompts(world)).toMatch(
      new RegExp(`1 unread message for you:[^]*${first} is blocked.*no grammar yet`),
    );
    expect(await prompts(world)).toBe("");
    await ada.must("task_update", { id: first, unblock: true });
    await ada.must("task_update", { id: first, block: "the grammar is wrong" });
    expect(await prompts(world)).toContain("the grammar is wrong");
    await expectSound(world);
  });

  test("an agent that comes again under its name gets what the one before it did not read", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const first = await world.spawn("ada");
    await lead.must("message_send", { to: "ada", text: "read" });
    await lead.must("message_send", { to: "team:main", text: "read by all" });
    expect(await texts(first)).toEqual(["read", "read by all"]);
    await lead.must("message_send", { to: "ada", text: "unread" });
    await lead.must("message_send", { to: "team:main", text: "unread by all" });
    await world.hook({ event: "SubagentStop", agent_id: first.id });
    const second = await world.spawn("ada");
    // told what was sent to it; the channel it asks for, having no task
    expect((await texts(second, { all: true })).slice(-2)).toEqual(["unread", "unread by all"]);
    expect(await texts(second)).toEqual(["unread by all"]);
    const third = await world.spawn("ada");
    expect(await texts(third)).toEqual([]);
  });

  test("the lead hears of urgent ones at its prompt, batched, and finds the others in its inbox", async () => {
    await using world = await openWorld({ dialect });
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    await beginRun(world);
    await ada.must("message_send", { to: "lead", text: "all is well" });
    await ada.must("message_send", { to: "lead", text: "NEED-A-KEY", kind: "BLOCKER" });
    await bob.must("message_send", { to: "team:main", text: "WHICH-PORT", kind: "QUESTION" });
    const heard = await prompts(world);
    expect(heard).toMatch(/^2 unread messages for you:/);
    expect(heard).toContain("NEED-A-KEY");
    expect(heard).toContain("WHICH-PORT");
    expect(await prompts(world)).toBe("");
    expect(await texts(world.lead())).toEqual(["all is well"]);
    // a session of its own has nothing to do with it
    expect(await prompts(world, "s2")).toBe("");
    expect(await texts(world.lead("s2"))).toEqual([]);
  });

  test("a lead that takes a run over gets what was meant for the one before", async () => {
    await using world = await openWorld({ dialect });
    const ada = await world.spawn("ada");
    await beginRun(world);
    await ada.must("message_send", { to: "lead", text: "STUCK", kind: "BLOCKER" });
    await world.runtime.store.db.updateTable("run").set({ session: "s2", lead: "lead:s2" }).execute();
    expect(await prompts(world, "s2")).toContain("STUCK");
    expect(await texts(world.lead())).toEqual(["STUCK"].slice(1));
  });

  test("the client's own messages are in the log once and are not delivered twice (MB-05, C-14)", async () => {
    await using world = await openWorld({ dialect });
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    await beginRun(world);
    await tool(world, ada.id, "SendMessage", { to: "bob", message: "QUESTION: which port?", summary: "port" });
    await tool(world, bob.id, "SendMessage", { type: "message", recipient: "ada", content: "8080", summary: "port" });
    await tool(world, bob.id, "SendMessage", { to: "main", message: "done", summary: "done" });
    await tool(world, "", "SendMessage", { to: ada.id, message: { type: "shutdown_request" }, summary: "end" });
    const { messages } = await log(world);
    expect(messages.map((m: Answer) => [m.kind, m.from, m.to, m.text, m.mirrored])).toEqual([
      ["QUESTION", "ada", "bob", "QUESTION: which port?", true],
      ["INFO", "bob", "ada", "8080", true],
      ["INFO", "bob", "lead", "done", true],
      ["INFO", "lead", "ada", "shutdown_request", true],
    ]);
    expect([await texts(bob), await texts(ada), await texts(world.lead())]).toEqual([[], [], []]);
    expect(messages[0].answered_by).toBe(messages[1].id);
    expect(await texts(bob, { all: true })).toHaveLength(3);
  });

  test("a reviewer is written to by nobody, whatever it is called (AR isolation)", async () => {
    await using world = await openWorld({ dialect });
    const ada = await world.spawn("ada");
    const rex = await spawnReviewer(world);
    await world.lead().must("message_send", { to: "team:main", text: "FOR-ALL", kind: "INTERFACE-CHANGE" });
    for (const to of ["rex", "Rex", "rex@session-s1", rex.id, `agent-${rex.id}`]) {
      for (const input of [
        { to, message: "pass it", summary: "x" },
        { type: "message", recipient: to, content: "x" },
      ])
        expect([to, await tool(world, ada.id, "SendMessage", input)]).toEqual([
          to,
          { denied: expect.stringContaining("Nobody writes to an adversarial reviewer") },
        ]);
    }
    expect(await tool(world, rex.id, "SendMessage", { to: "ada", message: "psst" })).toEqual({
      denied: expect.stringMatching(/REVIEWER_READS_ONLY|sends no messages/),
    });
    world.clock.advance(10_001);
    expect(await tool(world, rex.id, "Read")).toEqual({ heard: "" });
    expect(await starts(world, rex.id, "teamwright:adversarial-reviewer")).not.toContain("FOR-ALL");
    const { events } = await world.person("event_list", { limit: 100 });
    expect(events.filter((event: Answer) => /refused/.test(event.type) && event.after.from === "ada")).toHaveLength(10);
    expect((await log(world)).messages).toHaveLength(1);
  });

  test("routine broadcasts are refused in a run, and only there (TZ-03)", async () => {
    await using world = await openWorld({ dialect });
    const broadcast = { type: "broadcast", content: "good morning", summary: "hello" };
    expect(await tool(world, "", "SendMessage", broadcast)).toEqual({ heard: "" });
    await beginRun(world);
    for (const input of [broadcast, { to: "*", message: "good morning" }])
      expect(await tool(world, "", "SendMessage", input)).toEqual({ denied: expect.stringContaining("message_send") });
    const change = { to: "*", message: "INTERFACE-CHANGE: id is a string now" };
    expect(await tool(world, "", "SendMessage", change)).toEqual({ heard: "" });
    expect((await log(world)).messages.map((m: Answer) => [m.kind, m.to])).toEqual([["INTERFACE-CHANGE", "*"]]);
  });

  test("where nobody uses Teamwright nothing is kept, told or refused", async () => {
    await using world = await openWorld({ dialect });
    const helper = await world.spawn("helper", { role: "general-purpose", prompt: "look around" });
    expect(await tool(world, "", "SendMessage", { to: "helper", message: "hurry" })).toEqual({ heard: "" });
    expect(await tool(world, helper.id, "SendMessage", { to: "main", message: "done" })).toEqual({ heard: "" });
    expect([await prompts(world), await starts(world, helper.id, "general-purpose")]).toEqual(["", ""]);
    expect((await log(world)).total).toBe(0);
  });

  test("two senders and two takers at once: nothing lost, nothing twice, order kept", async () => {
    await using world = await openWorld({ dialect });
    const [ada, bob, cy] = [await world.spawn("ada"), await world.spawn("bob"), await world.spawn("cy")];
    const seen: string[] = [];
    const take = async () => void seen.push(...(await texts(cy, { limit: 3 })));
    const send = async (actor: Actor, name: string) => {
      for (let n = 0; n < 10; n += 1) {
        const to = n % 2 === 0 ? "cy" : "team:main";
        await actor.must("message_send", { to, text: `${name}${String(n).padStart(2, "0")}` });
      }
    };
    const taking = async () => {
      for (let n = 0; n < 12; n += 1) await take();
    };
    await Promise.all([send(ada, "a"), send(bob, "b"), taking(), taking()]);
    for (let before = -1; before !== seen.length; ) {
      before = seen.length;
      await take();
    }
    expect([...seen].sort()).toEqual(
      ["a", "b"].flatMap((name) => Array.from({ length: 10 }, (_, n) => `${name}0${n}`)),
    );
    for (const name of ["a", "b"])
      expect(seen.filter((text) => text.startsWith(name))).toEqual(seen.filter((text) => text.startsWith(name)).sort());
  });

  test("under any interleaving each reader gets each message once, in order, and no cursor goes back (MB-03)", async () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant("send" as const), from: fc.nat(1), to: fc.nat(4), urgent: fc.boolean() }),
      fc.record({ act: fc.constant("read" as const), who: fc.nat(3), limit: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ act: fc.constant("hear" as const), who: fc.nat(3) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using world = await openWorld({ dialect });
        const names = ["ada", "bob", "cy"];
        const agents: Actor[] = [];
        for (const name of names) agents.push(await world.spawn(name));
        // a call of their own would tell a sender what it has not read: these two only send
        const senders = [await world.spawn("yve"), await world.spawn("zed")];
        await beginRun(world);
        const actors = [...agents, world.lead()];
        const expected = actors.map(() => [] as string[]);
        const got = actors.map(() => [] as string[]);
        const cursors = new Map<string, number>();
        let n = 0;
        for (const item of steps) {
          if (item.act === "send") {
            n += 1;
            const text = `<${n}>`;
            const to = [...names, "lead", "team:main"][item.to] ?? "";
            await senders[item.from]?.must("message_send", { to, text, kind: item.urgent ? "BLOCKER" : "INFO" });
            const readers = to === "team:main" ? [0, 1, 2, 3] : [[...names, "lead"].indexOf(to)];
            for (const who of readers) expected[who]?.push(text);
          } else if (item.act === "read") {
            got[item.who]?.push(...(await texts(actors[item.who] as Actor, { limit: item.limit })));
          } else {
            world.clock.advance(10_001);
            const heard =
              item.who === 3
                ? await prompts(world)
                : ((await tool(world, agents[item.who]?.id ?? "", "Read")).heard ?? "");
            got[item.who]?.push(...[...heard.matchAll(/: (<\d+>)$/gm)].map((match) => match[1] ?? ""));
          }
          for (const row of await world.runtime.store.db.selectFrom("message_cursor").selectAll().execute()) {
            for (const part of ["last_read_id", "urgent_read_id"] as const) {
              const key = `${row.reader} ${part}`;
              expect(Number(row[part])).toBeGreaterThanOrEqual(cursors.get(key) ?? 0);
              cursors.set(key, Number(row[part]));
            }
          }
        }
        for (const [who, actor] of actors.entries()) {
          got[who]?.push(...(await texts(actor, { limit: 100 })));
          // the lead is told of urgent ones ahead of the others
          const order = (list: string[]) => (who === 3 ? [...list].sort() : list);
          expect(order(got[who] ?? [])).toEqual(order(expected[who] ?? []));
        }
        const { readers } = await log(world);
        expect(readers.filter(({ name }: { name: string }) => !["yve", "zed"].includes(name))).toEqual([]);
      }),
      { numRuns: dialect === "sqlite" ? 25 : 4 },
    );
  });
});
