import { describe, expect, test } from "vitest";
import { expectSound, LEASE_OVER, newTask, refusal, show } from "../support/answers.ts";
import { beginUnit } from "../support/loop.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

/** A task the actor has claimed and handed in. */
async function handedIn(lead: Actor, actor: Actor, title: string): Promise<string> {
  const id = await newTask(lead, title);
  await actor.must("task_claim", { id });
  await actor.must("board_move", { id, to: "review" });
  return id;
}

const stops = (world: World, agent: Actor) =>
  world.hook({ event: "SubagentStop", agent_id: agent.id, agent_type: "teamwright:builder" });

describe.each(dialects)("work sent back from review on %s", (dialect) => {
  test("goes to whoever did it, with the claim they had (C-01, C-10, MD-03)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const id = await handedIn(lead, ada, "Write the first draft");
    const back = await lead.must("board_move", { id, to: "in_progress", reason: "the end is missing" });
    expect(back).toMatchObject({ column: "in_progress", task: { id, holder: "ada" } });
    expect(back).not.toHaveProperty("fence");
    expect((await show(lead, id)).lease_expires_at).toBeDefined();
    const { history } = await lead.must("task_show", { id, history: true });
    const returned = history.find((event: Answer) => event.type === "task.returned");
    expect(returned).toMatchObject({ by: "lead", after: expect.stringContaining("the end is missing") });
    // the number of the claim is the same one: what its holder writes late is not refused
    await ada.must("task_update", { id, notes: "the end", fence: 1 });
    expect(await refusal(lead.call("board_move", { id, to: "in_progress" }))).toBe("accepted");
    await ada.must("board_move", { id, to: "review" });
    expect(await ada.must("board_move", { id, to: "in_progress" })).toMatchObject({ fence: 2 });
    await ada.must("board_move", { id, to: "review" });
    await lead.must("board_move", { id, to: "in_progress" });
    world.clock.advance(LEASE_OVER);
    expect(await show(lead, id)).toMatchObject({ state: "ready" });
    await expectSound(world);
  });

  test("is open again and meant for them when they are gone or have other work (C-10)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const [ada, bob] = [await world.spawn("ada"), await world.spawn("bob")];
    const first = await handedIn(lead, ada, "Write the first draft");
    const second = await newTask(lead, "Write the second draft");
    await ada.must("task_claim", { id: second });
    expect(await lead.must("board_move", { id: first, to: "in_progress" })).toMatchObject({
      column: "ready",
      task: { state: "ready", assignee: "ada" },
    });
    expect(await show(ada, second)).toMatchObject({ state: "in_progress", holder: "ada" });
    expect(await refusal(bob.call("task_claim", { id: first }))).toBe("FORBIDDEN");
    expect((await bob.must("task_claim")).task).toBeUndefined();
    await ada.must("task_close", { id: second });
    expect((await ada.must("task_claim")).task.id).toBe(first);

    await ada.must("board_move", { id: first, to: "review" });
    await stops(world, ada);
    expect((await lead.must("board_move", { id: first, to: "in_progress" })).task).toMatchObject({
      state: "ready",
      assignee: "ada",
    });
    const again = await world.spawn("ada");
    expect((await again.must("task_claim")).task.id).toBe(first);
    await expectSound(world);
  });

  test("is open for anybody when nobody could come back for it, and stays a person's own (C-10)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const nameless = await world.spawn("", { id: "a00nameless" });
    const id = await handedIn(lead, nameless, "Write the first draft");
    await stops(world, nameless);
    const { task } = await lead.must("board_move", { id, to: "in_progress" });
    expect(task.state).toBe("ready");
    expect(task).not.toHaveProperty("assignee");

    const own = await newTask(lead, "Write the preface");
    await world.person("task_claim", { id: own });
    await world.person("board_move", { id: own, to: "review" });
    expect((await lead.must("board_move", { id: own, to: "in_progress" })).task.holder).toBe("pat");
    expect(await show(lead, own)).not.toHaveProperty("lease_expires_at");
    // released in review it has no author any more: the one who takes it has it
    await lead.must("board_move", { id: own, to: "review" });
    await lead.must("task_update", { id: own, release: "nobody's" });
    expect((await lead.must("board_move", { id: own, to: "in_progress" })).task.holder).toBe("lead");
    await expectSound(world);
  });

  test("of a unit tells whoever does it why, at any time, and who goes on in their place (FP-11, RE-05, CX-01)", async () => {
    await using world = await openWorld({ dialect, config: "gates: [{ name: tests, command: exit 3 }]\n" });
    const { repo, lead, ada, unit, task } = await beginUnit(world);
    const steps = ["unit_submit", "task_update"];
    expect(await ada.must("brief_show")).toMatchObject({ holding: [{ unit: { id: unit, attempt: 1 } }], next: steps });
    repo.write("src/a.txt", "one\ntwo\n");
    await ada.must("unit_submit", { unit });
    expect((await ada.must("brief_show")).next).not.toContain("unit_submit");
    await lead.must("unit_validate", { unit });
    const { holding, next } = await ada.must("brief_show");
    expect(next).toEqual(steps);
    const failed = { attempt: 1, text: expect.stringContaining("gate tests failed") };
    expect(holding).toMatchObject([{ id: task, unit: { id: unit, phase: "implement", attempt: 2, failed } }]);
    expect(await ada.text("brief_show")).toMatch(/attempt 2; unit_submit hands it in\n<stored-text/);
    await world.hook({ event: "PostToolUse", tool_name: "TaskStop", tool_input: JSON.stringify({ task_id: ada.id }) });
    const call = { tool_name: "Agent", tool_use_id: "toolu_bob" };
    const tool_input = JSON.stringify({ subagent_type: "teamwright:builder", model: "sonnet", prompt: `Mend ${task}` });
    await world.hook({ event: "PreToolUse", ...call, tool_input });
    const told = await world.hook({ event: "SubagentStart", agent_id: "abob", agent_type: "teamwright:builder" });
    const context: string = told.hookSpecificOutput.additionalContext;
    expect(context).toContain(`work unit ${unit}, attempt 2: commit nothing, unit_submit hands it in`);
    expect(context).toContain("gate tests failed");
    expect(context).not.toContain("task_close");
    expect((await world.known("abob", "teamwright:builder").must("task_claim", { id: task })).next).toEqual(steps);
  });

  test("and what a person has decided, where its retries were used up (RE-02, FP-11)", async () => {
    const gate = "gates: [{ name: tests, command: exit 3 }]\nretries: { gate: 0 }\n";
    await using world = await openWorld({ dialect, config: gate });
    const { repo, lead, ada, unit } = await beginUnit(world);
    repo.write("src/a.txt", "one\ntwo\n");
    await ada.must("unit_submit", { unit });
    await lead.must("unit_validate", { unit });
    const [{ id }] = (await lead.must("brief_show")).waiting.escalations;
    expect(await lead.text("brief_show")).toContain(`teamwright escalation resolve ${id} --decision`);
    await world.person("escalation_resolve", { id, decision: "revise", note: "Drop the second line." });
    await lead.must("unit_start", { unit });
    const decided = { decision: "revise", by: "pat", note: expect.stringContaining("Drop the second line.") };
    expect((await ada.must("brief_show")).holding).toMatchObject([{ unit: { attempt: 2, decided } }]);
    await lead.must("unit_end", { unit, reason: "not needed" });
  });
});
