import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askReviewer, beginUnit, failing, passing, review, validateUnit } from "../support/loop.ts";
import { dialects, openWorld, type World } from "../support/world.ts";

const config = "gates: []\n";

/** A unit that ada works on; `task` says what it is to do. */
const begun = (world: World) =>
  beginUnit(world, { title: "Write the second line", description: "The file gets a second line." });

const validated = async (world: World) => validateUnit(await begun(world));

const phase = async (world: World, unit: string) => (await world.person("unit_show", { unit })).unit.phase;

// git does the work here, and is the same under every store
describe.each(dialects.slice(0, 1))("what counts as a verdict on %s", (dialect) => {
  test("an agent that the client calls by another definition gives no verdict, whatever lies beside its transcript (AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, unit } = await validated(world);
    const { spawn } = await lead.must("review_open", { unit });
    const reviewer = "teamwright:adversarial-reviewer";
    const tool_input = JSON.stringify({ ...spawn, subagent_type: reviewer, run_in_background: false });
    await world.hook({ event: "PreToolUse", tool_name: "Agent", tool_use_id: "toolu_rev", tool_input });
    const folder = join(world.root, ".git/s1/subagents");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "agent-aforged.meta.json"), JSON.stringify({ toolUseId: "toolu_rev" }));
    const transcript_path = join(world.root, ".git/s1.jsonl");
    const forged = { agent_id: "aforged", agent_type: "teamwright:builder", transcript_path };
    await world.hook({ event: "SubagentStart", ...forged });
    await world.hook({ event: "SubagentStop", ...forged, last_assistant_message: passing(1) });
    expect(await phase(world, unit)).toBe("review");
    const real = { agent_id: "areal", agent_type: reviewer, transcript_path };
    await world.hook({ event: "SubagentStart", ...real });
    await world.hook({ event: "SubagentStop", ...real, last_assistant_message: failing("It is another word.") });
    expect(await phase(world, unit)).toBe("implement");
  });

  test("a verdict of another reviewer than the one that its call has started is taken back (AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, unit } = await validated(world);
    const { spawn } = await lead.must("review_open", { unit });
    const agent_type = "teamwright:adversarial-reviewer";
    const tool_input = JSON.stringify({ ...spawn, subagent_type: agent_type, run_in_background: false });
    const call = { tool_name: "Agent", tool_use_id: "toolu_rev", tool_input };
    await world.hook({ event: "PreToolUse", ...call });
    await world.hook({ event: "SubagentStart", agent_id: "aother", agent_type });
    const said = { agent_id: "aother", agent_type, last_assistant_message: passing(1) };
    await world.hook({ event: "SubagentStop", ...said });
    expect(await phase(world, unit)).toBe("commit");
    const tool_response = JSON.stringify({ status: "completed", agentId: "areal" });
    await world.hook({ event: "PostToolUse", ...call, tool_response });
    expect(await phase(world, unit)).toBe("validate");
    expect((await lead.call("unit_commit", { unit })).error.code).toBe("RULE_VIOLATED");
  });

  test("a PASS with a line that might be a blocking issue is no verdict (AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, unit } = await validated(world);
    await review(world, lead, unit, `${passing(1)}\nISSUE (BLOCKING) src/a.txt:2 wrong`);
    expect(await phase(world, unit)).toBe("review");
  });

  test("a review that another has replaced gives no verdict (AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, unit } = await validated(world);
    const first = await lead.must("review_open", { unit });
    const reviewer = await askReviewer(world, { prompt: first.review });
    if ("refusal" in reviewer) throw new Error(reviewer.refusal);
    await Promise.all([reviewer.stop(passing(1)), reviewer.stop(passing(1)), lead.call("review_open", { unit })]);
    const { rounds } = await world.person("review_list", { unit });
    expect(rounds.filter((round: { verdict?: string }) => round.verdict !== undefined).length).toBeLessThan(2);
    expect(["commit", "review"]).toContain(await phase(world, unit));
  });

  test("only a person overrides a reviewer's FAIL before the retries are used up (RE-02, AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { repo, lead, ada, unit } = await validated(world);
    await review(world, lead, unit, failing("taste"));
    const ofAgent = await ada.must("escalation_raise", { reason: "it is right", about: unit, operation: "gate" });
    expect(ofAgent.escalation.level).toBe("coordinator");
    await world.runtime.store.db
      .updateTable("escalation")
      .set({ status: "resolved", decision: "override", resolved_by: "lead:s1", resolved_by_name: "lead" })
      .where("key", "=", ofAgent.escalation.id)
      .execute(); // as a lead may at this level
    expect((await lead.call("unit_start", { unit })).error).toMatchObject({ code: "RULE_VIOLATED" });
    const asked = await lead.must("escalation_raise", { reason: "ada is right", about: unit, operation: "gate" });
    expect(asked.escalation.level).toBe("human");
    const decision = { id: asked.escalation.id, decision: "override", note: "it is fine" };
    await world.person("escalation_resolve", decision);
    expect((await lead.must("unit_start", { unit })).unit.phase).toBe("commit");
    expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true, unit: { phase: "done" } });
    expect(repo.git("log", "-1", "--format=%B")).toContain("Overridden-by: pat");
  });

  test("rounds without a verdict are not free: two of one content are, each further one is a failed review, and then a person decides (AR-06, FP-09, RE-02, RE-05)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, unit } = await validated(world);
    await lead.must("review_open", { unit }); // nobody was started on it
    const ask = async () => {
      const opened = await lead.must("review_open", { unit });
      const reviewer = await askReviewer(world, { prompt: opened.review });
      if ("refusal" in reviewer) throw new Error(reviewer.refusal);
      return reviewer;
    };
    const killed = await ask();
    await world.hook({
      event: "PostToolUse",
      tool_name: "TaskStop",
      tool_input: JSON.stringify({ task_id: killed.id }),
    });
    const mumbling = await ask();
    await mumbling.stop("fine");
    await mumbling.stop("fine, really");
    expect((await lead.call("unit_commit", { unit })).error).toMatchObject({
      message: expect.stringContaining("ended without a verdict"),
      problems: ["it has no line VERDICT: PASS or VERDICT: FAIL"],
    });
    for (let round = 3; round <= 6; round += 1) await ask();
    expect((await world.person("review_list", { unit })).void_rounds).toBe(5);
    expect(await phase(world, unit)).toBe("review");
    expect((await lead.call("review_open", { unit })).error).toMatchObject({ code: "RULE_VIOLATED" });
    expect(await phase(world, unit)).toBe("escalated");
    const { rounds, void_rounds } = await world.person("review_list", { unit });
    expect(void_rounds).toBe(6);
    const faults = rounds.map((round: { fault?: string }) => round.fault);
    expect(faults[1]).toBe("its reviewer was killed before it had answered");
    expect(faults[3]).toBe("another review was opened before it was answered");
    const { escalations } = await world.person("escalation_list", {});
    const shown = await world.person("escalation_list", { id: escalations[0].id });
    expect(shown.escalations[0]).toMatchObject({ level: "human", unit, attempts: 4, max_attempts: 4 });
    expect(JSON.stringify(shown.escalations[0].history)).toContain("void, round 6 without a verdict");
  });

  test("an instance that has implemented or reviewed the unit gives none, whatever it says (AR-01, AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { lead, ada, unit } = await validated(world);
    const first = await review(world, lead, unit, "fine");
    await first.stop("fine");
    for (const id of [first.id, ada.id]) {
      const { spawn } = await lead.must("review_open", { unit });
      const again = await askReviewer(world, spawn, { id });
      if ("refusal" in again) throw new Error(again.refusal);
      await again.stop(passing(1));
    }
    expect(await phase(world, unit)).toBe("review");
    const { rounds } = await world.person("review_list", { unit });
    const seen = expect.stringMatching(/^REVIEWER_SEEN/);
    expect(rounds.slice(1)).toMatchObject([{ fault: seen }, { fault: seen }]);
  });

  test("a line that the unit has deleted is evidence, and no test; one that never was is neither (AR-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const { repo, lead, ada, unit } = await begun(world);
    repo.write("src/b.txt", "new\n");
    rmSync(join(world.root, "src/a.txt"));
    await ada.must("unit_submit", { unit });
    await lead.must("unit_validate", { unit });
    const { spawn } = await lead.must("review_open", { unit });
    const reviewer = await askReviewer(world, spawn);
    if ("refusal" in reviewer) throw new Error(reviewer.refusal);
    expect(await reviewer.stop(passing(1, "src/a.txt:2"))).toMatchObject({ decision: "block" });
    await reviewer.stop(passing(1, "src/b.txt:1 | src/a.txt:1").replace(" | none", ""));
    expect(await phase(world, unit)).toBe("review");
    await review(world, lead, unit, passing(1, "src/a.txt:1"));
    expect(await phase(world, unit)).toBe("commit");
  });
});
