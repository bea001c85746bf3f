import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newTask, refusal } from "../support/answers.ts";
import { openRun } from "../support/runs.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const easy = { ambiguity: 0, integration: 0, novelty: 0, risk: 0, scale: 1 };
const hard = { ambiguity: 2, touchpoints: 6, novelty: 1, risk: 1, files: 20 };

let calls = 0;
/** Asks the guard about an Agent call; no agent is started. */
async function asks(world: World, input: Record<string, unknown>, session = "s1", tool = "Agent"): Promise<Answer> {
  calls += 1;
  const answer = await world.hook({
    event: "PreToolUse",
    session_id: session,
    tool_name: tool,
    tool_use_id: `toolu_ask_${calls}`,
    tool_input: JSON.stringify({ description: "an agent", subagent_type: "teamwright:builder", ...input }),
  });
  return answer?.hookSpecificOutput ?? {};
}

/** What an agent is told when it starts; the client's call comes first. */
async function told(world: World, agentId: string, input: Record<string, unknown>, type = "teamwright:builder") {
  await asks(world, { subagent_type: type, model: "sonnet", ...input });
  const answer = await world.hook({ event: "SubagentStart", agent_id: agentId, agent_type: type });
  return (answer?.hookSpecificOutput?.additionalContext ?? "") as string;
}

const spawns = async (world: World) =>
  (await world.runtime.store.db.selectFrom("run").select(["spawns", "spawn_ack"]).executeTakeFirstOrThrow()).spawns;

describe.each(dialects)("brief_spawn on %s", (dialect) => {
  test("scores a task, chooses the model, estimates and writes the line and the brief (MO-01, MO-02, MO-03, CS-02)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const id = await newTask(lead, {
      title: "Write the parser",
      acceptance: "ACCEPT-PARSER: numbers are read",
      description: "DESCRIBES the parser",
      scope: ["src/parser/**"],
    });
    await lead.must("knowledge_add", { fact: "The parser must keep comments of its input", kind: "rule" });
    const answer = await lead.must("brief_spawn", { task: id, name: "ada", complexity: hard });
    expect(answer).toMatchObject({
      task: id,
      score: 8,
      model: "opus",
      profile: "quality",
      reason: "score 7 or more",
      log: "[coordinator] Spawning ada with opus (score: 8, cost: ~$2.12)",
      estimate: { cost_micro_usd: 2_120_000, prices_as_of: "2026-10-24" },
    });
    const { brief } = answer;
    const order = ["# Brief of", "## Role", "## Task", "ACCEPT-PARSER", "DESCRIBES", "## Context", "keep comments"];
    const rest = ["## Files", "src/parser/**", "## Constraints", "## Verification", "## Deliverable", "## Questions"];
    const places = [...order, ...rest].map((part) => brief.lastIndexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    expect(answer.brief_tokens).toBeLessThanOrEqual(2000);
    const rows = await world.runtime.store.db.selectFrom("spawn_plan").selectAll().execute();
    expect(rows).toEqual([expect.objectContaining({ score: 8, model: "opus", reason: "score 7 or more" })]);
    const { history } = await lead.must("task_show", { id, history: true });
    expect(history.map((event: Answer) => event.type)).toContain("spawn.planned");
  });

  test("a score asks for a model and never for an agent: a lead may do the hardest task alone (MO-05)", async () => {
    await using world = await openWorld({ dialect, config: "gates: []\n" });
    const lead = world.lead();
    const id = await newTask(lead, { title: "Write the parser", acceptance: "- it is there", scope: ["src/parser"] });
    const plan = await lead.must("unit_plan", { tasks: [id], about: "1" });
    expect(plan).toMatchObject({ verdict: "single", mode: "task" });
    expect(await lead.must("brief_spawn", { task: id, complexity: hard })).toMatchObject({ score: 8, model: "opus" });
    expect((await lead.must("task_claim", { id })).task.holder).toBe("lead");
    expect(await spawns(world)).toBe(0);
    const { run_log: log } = await lead.must("unit_end", { reason: "only the start is tried here" });
    expect(readFileSync(join(world.root, log), "utf8")).toContain("| Spawns | 0 |");
  });

  test("keeps the brief within the budget and names what was left out (CX-05, CX-07, C-11)", async () => {
    await using world = await openWorld({ dialect, config: "context: {budget_tokens: 500}" });
    const lead = world.lead();
    const id = await newTask(lead, { title: "Write the parser", notes: "long line\n".repeat(2000) });
    const answer = await lead.must("brief_spawn", { task: id, complexity: easy });
    expect(answer.brief_tokens).toBeLessThanOrEqual(500);
    expect(answer.left_out).toEqual(["notes"]);
    expect(answer.brief).toContain(`notes (task_show ${id})`);
    expect(answer.brief).toContain("## Questions");
  });

  test("refuses what it cannot judge", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const id = await newTask(lead, "Write the parser");
    expect(await refusal(lead.call("brief_spawn", { task: id, complexity: { ambiguity: 1 } }))).toBe("INVALID_INPUT");
    expect(await refusal(lead.call("brief_spawn", { task: id }))).toBe("INVALID_INPUT");
    expect(await refusal(lead.call("brief_spawn", {}))).toBe("INVALID_INPUT");
    expect(await refusal(lead.call("brief_spawn", { task: id, complexity: { ...easy, risk: 3 } }))).toBe(
      "INVALID_INPUT",
    );
    await lead.must("task_close", { id, outcome: "cancelled", reason: "not wanted" });
    expect(await refusal(lead.call("brief_spawn", { task: id, complexity: easy }))).toBe("RULE_VIOLATED");
  });
});

describe.each(dialects)("spawns within a run on %s", (dialect) => {
  test("outside a run nothing is refused, rewritten or counted (design §7)", async () => {
    await using world = await openWorld({ dialect });
    const id = await newTask(world.lead(), "Write the parser");
    await world.lead().must("brief_spawn", { task: id, complexity: hard });
    await openRun(world.runtime, "another session");
    for (let n = 0; n < 8; n += 1) expect(await asks(world, { prompt: `Work on ${id}.`, model: "haiku" })).toEqual({});
    expect(await asks(world, { prompt: "Look around." })).toEqual({});
    expect(await spawns(world)).toBe(0);
  });

  test("an agent has a task or a role that needs none (TD-01, C-27, CA-04)", async () => {
    await using world = await openWorld({ dialect, config: "spawn_exceptions: [researcher]" });
    await openRun(world.runtime);
    const lead = world.lead();
    const id = await newTask(lead, "Write the parser");
    const refused = await asks(world, { prompt: "Just do it quickly." });
    expect(refused).toMatchObject({ permissionDecision: "deny" });
    expect(refused.permissionDecisionReason).toMatch(/task_create.*researcher/);
    expect(await asks(world, { prompt: "Work on tw-00000000." })).toMatchObject({ permissionDecision: "deny" });
    expect(await asks(world, { prompt: "Explore.", subagent_type: "Explore" })).toMatchObject({
      permissionDecision: "deny",
    });
    expect(await asks(world, { prompt: "Find out.", subagent_type: "teamwright:researcher" })).toEqual({});
    const described = { description: id, prompt: "Work.", model: "sonnet" };
    expect(await asks(world, described, "s1", "Task")).toEqual({});
    await lead.must("task_close", { id, outcome: "cancelled", reason: "not wanted" });
    expect(await asks(world, { prompt: `Work on ${id}.` })).toMatchObject({ permissionDecision: "deny" });
    expect(await spawns(world)).toBe(2);
  });

  test("the model is the one that the task's score asks for, the rest of the call stays (MO-04, MO-06)", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    const lead = world.lead();
    const id = await newTask(lead, "Write the parser");
    await lead.must("brief_spawn", { task: id, complexity: hard });
    await lead.must("brief_spawn", { task: id, complexity: easy });
    const call = {
      prompt: `Work on ${id}.`,
      name: "ada",
      model: "opus",
      run_in_background: true,
      isolation: "worktree",
    };
    const { updatedInput, permissionDecision } = await asks(world, call);
    expect(permissionDecision).toBe("allow");
    expect(updatedInput).toEqual({
      description: "an agent",
      subagent_type: "teamwright:builder",
      ...call,
      model: "haiku",
    });
    expect(await asks(world, { ...call, model: "haiku" })).toEqual({});
    const { events } = await world.person("event_list", { limit: 20 });
    const spawned = events.filter((event: Answer) => event.type === "run.spawned");
    expect(spawned[0].after).toMatchObject({
      n: 1,
      task: id,
      model: "haiku",
      log: "[coordinator] Spawning ada with haiku (score: 1, cost: ~$0.11)",
    });
  });

  test("a task nobody scored is refused, unless the call names a model and is recorded so (MO-01, CS-02, CA-04)", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    const id = await newTask(world.lead(), "Write the parser");
    const refused = await asks(world, { prompt: `Work on ${id}.` });
    expect(refused).toMatchObject({ permissionDecision: "deny" });
    expect(refused.permissionDecisionReason).toContain("brief_spawn");
    expect(await asks(world, { prompt: `Work on ${id}.`, model: "opus" })).toEqual({});
    const { events } = await world.person("event_list", { limit: 20 });
    const spawned = events.filter((event: Answer) => event.type === "run.spawned");
    expect(spawned).toMatchObject([{ after: { task: id, model: "opus", unscored: true } }]);
    await world.lead().must("brief_spawn", { task: id, complexity: easy });
    expect(await asks(world, { prompt: `Work on ${id}.` })).toMatchObject({ updatedInput: { model: "haiku" } });
  });

  test("no more are at work at once than the limit, reviewers apart (TZ-01, C-04)", async () => {
    await using world = await openWorld({
      dialect,
      config: "limits: {teammates: 2, spawns: 50}\nmodels: {unscored: allow}",
    });
    await openRun(world.runtime);
    const id = await newTask(world.lead(), "Write the parser");
    const prompt = `Work on ${id}.`;
    const ada = await world.spawn("ada", { prompt });
    // several calls of one message: the second is asked about before its agent has started
    const [one, two] = await Promise.all([asks(world, { prompt }), asks(world, { prompt })]);
    expect([one, two].filter((answer) => answer.permissionDecision === "deny")).toHaveLength(1);
    const third = await asks(world, { prompt });
    expect(third.permissionDecisionReason).toMatch(/2 agents are at work and limits.teammates is 2/);
    const reviewer = { prompt: "Review.", subagent_type: "teamwright:adversarial-reviewer" };
    expect((await asks(world, reviewer)).permissionDecisionReason ?? "").not.toContain("limits.teammates");
    const stop = { event: "PostToolUse", tool_name: "TaskStop", tool_use_id: "toolu_stop" };
    await world.hook({ ...stop, tool_input: JSON.stringify({ task_id: ada.id }) });
    expect(await asks(world, { prompt })).toEqual({});
    expect(await spawns(world)).toBe(3);
  });

  test("a project may have spawns without a score advised instead", async () => {
    await using world = await openWorld({ dialect, config: "models: {unscored: warn}" });
    await openRun(world.runtime);
    const id = await newTask(world.lead(), "Write the parser");
    expect(await asks(world, { prompt: `Work on ${id}.` })).toMatchObject({
      additionalContext: expect.stringContaining("brief_spawn"),
    });
  });

  test("after five spawns the run pauses until its lead says why (CS-02, C-04)", async () => {
    await using world = await openWorld({ dialect, config: "limits: {teammates: 50}\nmodels: {unscored: allow}" });
    await openRun(world.runtime);
    const lead = world.lead();
    const id = await newTask(lead, "Write the parser");
    const prompt = `Work on ${id}.`;
    const acknowledge = "The migration needs a database expert whom nobody on the team replaces";
    expect(await refusal(lead.call("brief_spawn", { acknowledge }))).toBe("RULE_VIOLATED");
    const ada = await world.spawn("ada", { prompt });
    for (let n = 0; n < 4; n += 1) expect(await asks(world, { prompt })).toEqual({});
    const sixth = await asks(world, { prompt });
    expect(sixth.permissionDecisionReason).toMatch(/started 5 agents.*acknowledge/);
    expect(await refusal(lead.call("brief_spawn", { acknowledge: "ok" }))).toBe("RULE_VIOLATED");
    expect(await refusal(ada.call("brief_spawn", { acknowledge }))).toBe("FORBIDDEN");
    expect(await refusal(world.lead("s2").call("brief_spawn", { acknowledge }))).toBe("RULE_VIOLATED");
    expect((await asks(world, { prompt })).permissionDecision).toBe("deny");
    expect(await lead.must("brief_spawn", { acknowledge })).toMatchObject({ acknowledged: acknowledge });
    expect(await asks(world, { prompt })).toEqual({});
    expect(await spawns(world)).toBe(6);
    const { events } = await world.person("event_list", { limit: 50 });
    const types = events.map((event: Answer) => event.type);
    expect(types.filter((type: string) => type === "run.spawn_refused")).toHaveLength(2);
    expect(types).toContain("run.spawns_acknowledged");
  });

  test("a call that is asked about twice counts once", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    const id = await newTask(world.lead(), "Write the parser");
    await world.lead().must("brief_spawn", { task: id, complexity: easy });
    const payload = {
      event: "PreToolUse",
      tool_name: "Agent",
      tool_use_id: "toolu_same",
      tool_input: JSON.stringify({ description: "ada", prompt: `Work on ${id}.` }),
    };
    const first = await world.hook(payload);
    expect(await world.hook(payload)).toEqual(first);
    expect(await spawns(world)).toBe(1);
  });
});

describe.each(dialects)("what an agent of a run is told on %s", (dialect) => {
  test("task, links with what finished ones left, knowledge, LEARNINGS.md, people; in that order (CX-01, CX-04, CX-05, C-11, FP-10)", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    writeFileSync(join(world.root, "LEARNINGS.md"), Array.from({ length: 120 }, (_, n) => `learned ${n}`).join("\n"));
    const lead = world.lead();
    const first = await newTask(lead, "Write the grammar");
    const id = await newTask(lead, {
      title: "Write the parser",
      acceptance: "ACCEPT-PARSER",
      scope: ["src/parser/**"],
      blocked_by: [first],
    });
    await lead.must("task_close", { id: first, reason: "the grammar lies in src/grammar.txt" });
    await lead.must("knowledge_add", { fact: "Comments of the input are kept", kind: "rule", scope: "org" });
    await lead.must("knowledge_add", { fact: "Numbers may begin with a plus sign", kind: "gotcha", files: ["src/**"] });
    await lead.must("knowledge_add", { fact: "The payroll export runs on Fridays", kind: "decision" });
    const bob = await world.spawn("bob", { prompt: `Work on ${id}.` });
    const text = await told(world, "a1ada", { name: "ada", prompt: `Work on ${id}.` });
    const parts = [
      "Teamwright knows you as ada",
      "Write the parser",
      "ACCEPT-PARSER",
      "the grammar lies in src/grammar.txt",
      "MUST FOLLOW",
      "Comments of the input are kept",
      "GOTCHAS",
      "Numbers may begin",
      "learned 0",
      "learned 49",
      "Also on the team: bob",
    ];
    const places = parts.map((part) => text.indexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    expect(text).not.toContain("payroll");
    expect(text).not.toContain("learned 50");
    expect(text).toContain("the first 50 of 120 lines");
    const used = (await lead.must("knowledge_search", { words: "plus sign" })).knowledge[0].used;
    expect(used).toBe(2); // bob and ada were told
    expect(bob.id).not.toBe("");
  });

  test("stays within the budget whatever there is, and names what was left out with how to get it (CX-05)", async () => {
    await using world = await openWorld({ dialect, config: "context: {budget_tokens: 400}" });
    await openRun(world.runtime);
    writeFileSync(join(world.root, "LEARNINGS.md"), "learned a thing\n".repeat(200));
    const id = await newTask(world.lead(), {
      title: "Write the parser",
      acceptance: "ACCEPT-PARSER",
      description: "a line of it\n".repeat(500),
    });
    const text = await told(world, "a1ada", { prompt: `Work on ${id}.` });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1600);
    expect(text).toContain("ACCEPT-PARSER");
    expect(text).toMatch(
      new RegExp(`Left out: .*description \\(task_show ${id}\\).*LEARNINGS.md \\(read LEARNINGS.md\\)`),
    );
  });

  test("nothing is told twice, and what changed is told again (CX-03, C-11)", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    writeFileSync(join(world.root, "LEARNINGS.md"), "learned a thing\n");
    const lead = world.lead();
    const id = await newTask(lead, { title: "Write the parser", acceptance: "ACCEPT-PARSER" });
    expect(await told(world, "a1ada", { name: "ada", prompt: `Work on ${id}.` })).toContain("learned a thing");
    const again = () => world.hook({ event: "SubagentStart", agent_id: "a1ada", agent_type: "teamwright:builder" });
    const second = (await again()).hookSpecificOutput.additionalContext;
    expect(second).toContain("Teamwright knows you as ada");
    expect(second).not.toMatch(/learned a thing|ACCEPT-PARSER/);
    await lead.must("task_update", { id, acceptance: "ACCEPT-OTHER" });
    const third = (await again()).hookSpecificOutput.additionalContext;
    expect(third).toContain("ACCEPT-OTHER");
    expect(third).not.toContain("learned a thing");
  });

  test("a prompt that carries the brief is not repeated (C-11, CX-06)", async () => {
    await using world = await openWorld({ dialect });
    await openRun(world.runtime);
    const lead = world.lead();
    const id = await newTask(lead, { title: "Write the parser", acceptance: "ACCEPT-PARSER" });
    const { brief } = await lead.must("brief_spawn", { task: id, complexity: easy });
    const text = await told(world, "a1ada", { prompt: brief });
    expect(text).toContain("Your prompt holds the brief of your task.");
    expect(text).not.toContain("ACCEPT-PARSER");
  });

  test("an adversarial reviewer is told nothing, in a run or not (AR-01, CX-01)", async () => {
    await using world = await openWorld({ dialect });
    writeFileSync(join(world.root, "LEARNINGS.md"), "learned a thing\n");
    const id = await newTask(world.lead(), { title: "Write the parser", acceptance: "ACCEPT-PARSER" });
    await world.lead().must("knowledge_add", { fact: "Comments of the input are kept", kind: "rule" });
    const reviewer = "teamwright:adversarial-reviewer";
    const start = (agent: string) => world.hook({ event: "SubagentStart", agent_id: agent, agent_type: reviewer });
    await asks(world, { prompt: `Review ${id}.`, subagent_type: reviewer });
    expect(JSON.stringify((await start("a1rev")) ?? "")).not.toMatch(/ACCEPT-PARSER|learned a thing|Comments/);
    await openRun(world.runtime);
    await asks(world, { prompt: `Review ${id}.`, subagent_type: reviewer });
    expect(JSON.stringify((await start("a2rev")) ?? "")).not.toMatch(/ACCEPT-PARSER|learned a thing|Comments/);
  });

  test("without a run an agent is told what it was always told, and its project's files are left unread (design §7)", async () => {
    await using world = await openWorld({ dialect });
    writeFileSync(join(world.root, "LEARNINGS.md"), "learned a thing\n");
    const id = await newTask(world.lead(), { title: "Write the parser", acceptance: "ACCEPT-PARSER" });
    await world.lead().must("knowledge_add", { fact: "Comments of the input are kept", kind: "rule" });
    const text = await told(world, "a1ada", { prompt: `Work on ${id}.` });
    expect(text).toContain("ACCEPT-PARSER");
    expect(text).not.toMatch(/learned a thing|Comments/);
    expect(await told(world, "a2bob", { prompt: "Look around." })).toBe("");
  });
});
