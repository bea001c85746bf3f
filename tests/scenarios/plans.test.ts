import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Actor, type Answer, dialects, openWorld } from "../support/world.ts";

const teams = `
gates: []
teams:
  - { id: alpha, team_type: platform, agents: [ada, abe], wip_limits: { in_progress: 3 } }
`;

/** Tasks of one file each; `chained`: each waits for the one before. */
async function tasks(lead: Actor, count: number, chained = false): Promise<string[]> {
  const drafts = Array.from({ length: count }, (_, n) => ({
    ref: `t${n}`,
    title: `Write part ${n} of the parser`,
    acceptance: "- it is there",
    scope: [`src/part-${n}`],
    ...(chained && n > 0 ? { blocked_by: [`t${n - 1}`] } : {}),
  }));
  return (await lead.must("task_create", { tasks: drafts })).tasks.map((task: Answer) => task.id);
}

const mayWrite = ["Agent", "SendMessage"];

describe.each(dialects)("plans on %s", (dialect) => {
  test("no team without a need to talk: the verdict is counted from tasks and needs (EN-01, EN-02, EN-05, C-03)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const ids = await tasks(lead, 3);
    const [a, b, c] = ids;
    const chain = await tasks(lead, 2, true);
    const preview = async (of: readonly (string | undefined)[], ...pairs: (readonly [unknown, unknown])[]) => {
      const needs = pairs.map(([from, to]) => ({ from, to }));
      const plan = await lead.must("unit_plan", { tasks: of, needs, tools: mayWrite, preview: true });
      return [plan.verdict, plan.pairs.length, plan.mode];
    };
    expect(await preview([a])).toEqual(["single", 0, "task"]);
    expect(await preview([a, b, c])).toEqual(["parallel", 0, "task"]);
    expect(await preview(chain)).toEqual(["delegated", 0, "task"]);
    expect(await preview([a, b, c], [a, b])).toEqual(["single", 1, "task"]);
    // either direction is the same pair
    expect(await preview([a, b, c], [a, b], [b, a])).toEqual(["single", 1, "task"]);
    expect(await preview([a, b, c], [a, b], [b, c])).toEqual(["team", 2, "team"]);
    for (const [from, to] of [
      [a, chain[0]],
      [a, a],
    ])
      expect((await lead.call("unit_plan", { tasks: [a, b], needs: [{ from, to }] })).error).toMatchObject({
        code: "INVALID_INPUT",
        problems: [`${from} needs ${to}`],
      });
    expect((await lead.must("brief_show")).runs).toBeUndefined();
  });

  test("the mode comes from what the caller can do, once: nothing changes it while the run lives (MD-01, C-02, C-03)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const [a, b, c, d] = await tasks(lead, 4);
    const needs = [
      { from: a, to: b },
      { from: b, to: c },
    ];
    const plan = (input: Record<string, unknown>) =>
      lead.must("unit_plan", { tasks: [a, b, c], needs, preview: true, ...input });
    expect(await plan({ tools: ["Agent"] })).toMatchObject({ verdict: "team", mode: "task" });
    expect(await plan({ tools: mayWrite })).toMatchObject({ verdict: "team", mode: "team" });
    const begun = await plan({ tools: ["Agent"], preview: false });
    expect(begun).toMatchObject({ mode: "task", mode_reason: expect.stringContaining("no named agents") });
    // after a compaction it sees other tools, and decides nothing anew
    const more = await lead.must("unit_plan", { tasks: [d], needs: [], tools: mayWrite });
    expect(more).toMatchObject({ mode: "task", run: begun.run });
    expect((await world.lead("s2").must("brief_show")).runs).toMatchObject([{ id: begun.run.id, mode: "task" }]);
  });

  test("what is added to a run comes behind what it waits for there, and meets nobody in a file (FP-07, FO-04, FO-07)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const [first, second] = await tasks(lead, 2, true);
    const draft = { title: "Write the first part anew", acceptance: "- done", scope: ["src/part-0/x.ts"] };
    const { task: same } = await lead.must("task_create", draft);
    await lead.must("unit_plan", { tasks: [first] });
    expect((await lead.call("unit_plan", { tasks: [first] })).error, "planned again").toMatchObject({
      code: "CONFLICT",
    });
    const added = await lead.must("unit_plan", { tasks: [second] });
    expect(added).toMatchObject({ units: [{ stage: 2 }], stages: [[], [second]] });
    expect((await lead.call("unit_plan", { tasks: [same.id] })).error).toMatchObject({
      code: "RULE_VIOLATED",
      problems: [expect.stringContaining("may both change")],
    });
  });

  test("a setting decides before both (C-02)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}units: { mode: team }\n` });
    const lead = world.lead();
    const [a] = await tasks(lead, 1);
    expect(await lead.must("unit_plan", { tasks: [a], preview: true })).toMatchObject({
      verdict: "single",
      mode: "team",
    });
  });

  test("tasks come before the run, and the run before its agents (EN-06)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    expect((await lead.call("unit_plan", { tasks: [] })).error.code).toBe("INVALID_INPUT");
    expect((await lead.call("unit_plan", { tasks: ["tw-00000000"] })).error.code).toBe("NOT_FOUND");
    const [a] = await tasks(lead, 1);
    const spawn = async (prompt: string) => {
      const tool_input = JSON.stringify({ subagent_type: "teamwright:builder", model: "sonnet", prompt });
      const call = { event: "PreToolUse", tool_name: "Agent", tool_use_id: `toolu_${prompt}`, tool_input };
      return (await world.hook(call))?.hookSpecificOutput?.permissionDecision;
    };
    await lead.must("unit_plan", { tasks: [a], about: "8" });
    expect(await spawn("Do something")).toBe("deny");
    expect(await spawn(`Do ${a}`)).not.toBe("deny");
  });

  test("a lead is told what is known, in hand and who is there before it starts, and then what is next (LP-01, FP-10, CA-06)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    mkdirSync(join(world.root, "team-registry/teams"), { recursive: true });
    writeFileSync(join(world.root, "team-registry/teams/alpha.md"), "# Alpha\n");
    writeFileSync(join(world.root, "LEARNINGS.md"), "- LEARNED that the build is slow\n");
    const lead = world.lead();
    await lead.must("knowledge_add", { fact: "GOTCHA: the parser drops the last comment", scope: "org" });
    await lead.must("knowledge_add", { fact: "GOTCHA: invoices are rounded per line", scope: "org" });
    const [a, old] = await tasks(lead, 2);
    const earlier = await world.spawn("abe", { session: "s0", prompt: `Do ${old}` });
    await earlier.must("task_claim", { id: old });
    const plan = await lead.must("unit_plan", { tasks: [a], about: "9" });
    expect(plan.read_first).toContain("the parser drops the last comment");
    expect(plan.read_first).not.toContain("invoices");
    expect(plan.read_first).toContain("LEARNED that the build is slow");
    expect(plan.read_first).toContain(`${old} (in_progress, abe)`);
    expect(plan.read_first).toContain(
      "alpha (platform): ada, abe; limits: in_progress 3; definition: team-registry/teams/alpha.md",
    );
    expect((await lead.must("brief_show")).next).toEqual(["unit_start"]);
    await lead.must("task_update", { id: a, block: "the licence is missing" });
    expect((await lead.must("brief_show")).next).toEqual(["task_update", "message_send", "unit_start"]);
    await lead.must("task_update", { id: a, unblock: true });
    await lead.must("unit_end", { unit: plan.units[0].id, reason: "the part is not needed" });
    expect((await lead.must("brief_show")).next).toEqual(["unit_end"]);
  });

  test("a run ends with everything closed or said, and the server writes log and learnings: its lead need not write files (TD-04, C-12, CA-04)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const lead = world.lead();
    const [a] = await tasks(lead, 1);
    const { units } = await lead.must("unit_plan", { tasks: [a], about: "77" });
    await lead.must("knowledge_add", { fact: "PATTERN: the parser reads line by line", task: a });
    const early = await lead.call("unit_end");
    expect(early.error).toMatchObject({ code: "RULE_VIOLATED", problems: [`${units[0].id} is in phase planned`] });
    const ended = await lead.must("unit_end", { reason: "the parser comes from elsewhere" });
    expect(ended).toMatchObject({
      left: early.error.problems,
      run_log: expect.stringMatching(/2026-11-01-alpha-issue-77\.md$/),
    });
    const text = readFileSync(join(world.root, ended.run_log), "utf8");
    expect(text).toContain("| Mode | task; entry verdict single |");
    expect(text).toContain("the parser reads line by line");
    expect(readFileSync(join(world.root, "LEARNINGS.md"), "utf8")).toContain("the parser reads line by line");
  });

  test("a person at the command line plans, looks and ends by commands that are named as they are typed", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const [a] = await tasks(world.lead(), 1);
    expect(await world.personText("unit_plan", { tasks: [a], about: "3" })).toMatch(/Next: teamwright unit start, /);
    expect(await world.personText("unit_show", { unit: a })).toContain("Next: teamwright unit start begins it");
    expect(await world.personText("unit_end", { reason: "only tried" })).toContain("Ended issue-3.");
    await expect(world.person("unit_end", { reason: "again" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("an initiative and its issues are two levels: each lead has its own run, and the upper one ends last (CA-05, TN-01, TN-03)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}units: { runs: 1 }\n` });
    const [top, orchestrator, third] = [world.lead("s1"), world.lead("s2"), world.lead("s3")];
    const [a, b, c] = await tasks(top, 3);
    const swarm = await top.must("unit_plan", { tasks: [a], level: "swarm", about: "auth overhaul" });
    expect(swarm.run.name).toBe("swarm-auth-overhaul");
    const issue = await orchestrator.must("unit_plan", { tasks: [b], about: "123" });
    // the limit is on issues at once, and the initiative is none
    expect((await third.call("unit_plan", { tasks: [c], about: "124" })).error.code).toBe("OVER_LIMIT");
    const { runs } = await top.must("brief_show");
    expect(runs.map((run: Answer) => [run.name, run.part_of])).toEqual([
      ["issue-123", "swarm-auth-overhaul"],
      ["swarm-auth-overhaul", undefined],
    ]);
    expect(await world.personText("unit_show")).toContain("part of swarm-auth-overhaul");
    expect((await orchestrator.call("unit_end", { run: swarm.run.id, reason: "mine" })).error.code).toBe("CONFLICT");
    expect((await top.call("unit_end")).error.problems).toContain(`issue-123 (${issue.run.id}) is part of it and open`);
    await orchestrator.must("unit_end", { reason: "done elsewhere" });
    await top.must("unit_end", { unit: swarm.units[0].id, reason: "done elsewhere" });
    expect((await top.must("unit_end")).ended).toBe("swarm-auth-overhaul");
    // what comes afterwards is part of nothing
    await orchestrator.must("unit_plan", { tasks: [c], about: "125" });
    expect((await orchestrator.must("brief_show")).runs).toMatchObject([{ name: "issue-125" }]);
    expect((await orchestrator.must("brief_show")).runs[0].part_of).toBeUndefined();
  });

  test("who has taken over a second run is held to the units of both (CA-05, FP-05)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const [top, orchestrator] = [world.lead("s1"), world.lead("s2")];
    const [a, b, c] = await tasks(top, 3);
    const { units } = await top.must("unit_plan", { tasks: [a, b], level: "swarm", about: "auth overhaul" });
    const issue = await orchestrator.must("unit_plan", { tasks: [c], about: "123" });
    world.clock.advance(3_600_000); // the other session has been silent for longer than a lease
    await orchestrator.must("unit_end", { unit: units[0].id, reason: "done elsewhere" });
    await orchestrator.must("unit_end", { unit: issue.units[0].id, reason: "done elsewhere" });
    const tool_input = JSON.stringify({ command: "git commit -am x" });
    const asked = { event: "PreToolUse", session_id: "s2", tool_name: "Bash", tool_use_id: "toolu_both", tool_input };
    const answer = await world.hook(asked);
    expect(answer?.hookSpecificOutput?.permissionDecisionReason).toContain(units[1].id);
  });
});
