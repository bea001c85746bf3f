import { describe, expect, test } from "vitest";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const config = `
gates: []
teams:
  - { id: alpha, agents: [ada, abe] }
  - { id: beta, agents: [bea] }
`;

const report = (status: string, tags: string, box = "x") => `# [Builder] Report
Status: ${status}

## [ada] - [Second line]

**Files touched**: src/a.txt
**Tests affected**: none

### Findings / Changes Made

### Second line added

- File: src/a.txt:1
- Severity: LOW
- The file has a second line now

### Cross-Domain Tags

${tags}

### Verification

- [${box}] Code compiles/runs
- [${box}] Tests pass
- [${box}] No lint errors
- [${box}] Matches existing patterns

### Knowledge Base Additions

- The parser keeps trailing blanks
`;

async function inRun(world: World) {
  const lead = world.lead();
  const { tasks } = await lead.must("task_create", {
    tasks: [
      { ref: "a", title: "Write the second line", acceptance: "- done", scope: ["src/a"], team: "alpha" },
      {
        ref: "b",
        title: "Read the second line",
        acceptance: "- done",
        scope: ["src/b"],
        team: "alpha",
        blocked_by: ["a"],
      },
    ],
  });
  await lead.must("unit_plan", { tasks: [tasks[0].id, tasks[1].id], about: "7" });
  const ada = await world.spawn("ada", { prompt: `Do ${tasks[0].id}` });
  await ada.must("task_claim", { id: tasks[0].id });
  return { lead, ada, first: tasks[0].id as string, second: tasks[1].id as string };
}

const stop = (world: World, agent: Actor, text: string) =>
  world.hook({
    event: "SubagentStop",
    agent_id: agent.id,
    agent_type: "teamwright:builder",
    last_assistant_message: text,
  });

for (const dialect of dialects) {
  describe(`reports and tags on ${dialect}`, () => {
    test("a report that cannot be read is sent back twice, then accepted and visible as malformed (RP-01, RP-09)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, first } = await inRun(world);
      await ada.must("task_update", { id: first, release: "done elsewhere" });
      const back = await stop(world, ada, "All done, works fine.");
      expect(back).toMatchObject({ decision: "block" });
      expect(back.reason).toMatch(/TW\d+ line 1/);
      expect(await stop(world, ada, "Really done.")).toMatchObject({ decision: "block" });
      expect(await stop(world, ada, "Done!!")).toBeUndefined();
      expect((await lead.must("tag_list", {})).malformed_reports).toBe(1);
    });

    test("tags become tasks with the finding itself, blocks, and text of dependents before they start (RP-03, RP-04, C-14)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, first, second } = await inRun(world);
      const tags = [
        "CROSS-DOMAIN:bea: the exporter drops the last byte of each page",
        "INTERFACE-CHANGE:abe: parse() now returns a list instead of one value",
        "BLOCKER:abe: the licence server refuses our key",
      ].join("\n");
      const answer = await stop(world, ada, report("BLOCKED", tags, " "));
      expect(answer).toBeUndefined();
      const all = (await lead.must("tag_list", { all: true })).tags;
      expect(all.map((tag: { kind: string; status: string }) => [tag.kind, tag.status])).toEqual([
        ["CROSS-DOMAIN", "routed"],
        ["INTERFACE-CHANGE", "routed"],
        ["BLOCKER", "routed"],
      ]);
      const follow = (await lead.must("task_show", { id: all[0].routed_to })).task;
      expect(follow).toMatchObject({ team: "beta", assignee: "bea" });
      expect(follow.description).toContain("the exporter drops the last byte of each page");
      expect((await lead.must("task_show", { id: second })).task.description).toContain("parse() now returns a list");
      const blocked = (await lead.must("task_show", { id: first })).task;
      expect(blocked.blocked).toContain("the licence server refuses our key");
      expect(blocked.waits_for).toBe(1);
      const helper = await world.spawn("abe", { prompt: `Do ${second}` });
      expect(JSON.stringify(await helper.must("task_show", { id: second }))).toContain("parse() now returns a list");
    });

    test.each(["task", "team"] as const)(
      "a blocker whose task is done is gone by itself, and the lead knows how to go on in %s mode (RP-04, C-30, CA-04, MD-02, MD-03)",
      async (mode) => {
        await using world = await openWorld({ dialect, config: `${config}units: { mode: ${mode} }\n` });
        const { lead, ada, first } = await inRun(world);
        const need = "the licence server refuses our key";
        await stop(world, ada, report("BLOCKED", `BLOCKER:abe: ${need}`, " "));
        const [tag] = (await lead.must("tag_list", { all: true })).tags;
        const told = async (who: Actor) => JSON.stringify(await who.must("message_inbox"));
        expect((await lead.must("task_show", { id: first })).task.blocked).toContain(need);
        await lead.must("task_claim", { id: tag.routed_to });
        await lead.must("task_close", { id: tag.routed_to, reason: "a new key is in place" });
        const { task } = await lead.must("task_show", { id: first });
        expect(task.blocked).toBeUndefined();
        expect([task.state, task.holder]).toEqual(mode === "team" ? ["in_progress", "ada"] : ["ready", undefined]);
        const news = await told(lead);
        if (mode === "team") {
          expect(news).toContain("ada has been told and goes on");
          expect(await told(ada)).toContain(`${first} is not blocked any more`);
          return;
        }
        expect(news).toContain(`Start an agent for ${first}`);
        const tool_input = JSON.stringify({
          subagent_type: "teamwright:builder",
          model: "sonnet",
          prompt: `Do ${first}`,
        });
        await world.hook({ event: "PreToolUse", tool_name: "Agent", tool_use_id: "toolu_next", tool_input });
        const begun = await world.hook({ event: "SubagentStart", agent_id: "anext", agent_type: "teamwright:builder" });
        const brief = begun.hookSpecificOutput.additionalContext;
        expect(brief).toContain("ada, BLOCKED");
        expect(brief).toContain("Second line added; src/a.txt:1");
        expect(brief).toContain(need);
      },
    );

    test("of two blockers on one task neither is gone with the other (RP-04, C-30)", async () => {
      await using world = await openWorld({ dialect, config: `${config}units: { mode: team }\n` });
      const { lead, ada, first } = await inRun(world);
      await stop(world, ada, report("BLOCKED", "BLOCKER:abe: the key is refused\nBLOCKER:bea: the disk is full", " "));
      const [key, disk] = (await lead.must("tag_list", { all: true })).tags;
      const close = async (id: string) => {
        await lead.must("task_claim", { id });
        await lead.must("task_close", { id, reason: "that is in order again" });
        return (await lead.must("task_show", { id: first })).task.blocked;
      };
      const told = async () => JSON.stringify(await ada.must("message_inbox"));
      expect(await close(disk.routed_to)).toContain("the key is refused");
      expect(await told()).not.toContain("not blocked any more");
      expect(await close(key.routed_to)).toBeUndefined();
      expect(await told()).toContain(`${first} is not blocked any more`);
    });

    test("a tag that cannot be routed waits for the lead, who is told and cannot end over it in silence (RP-04, TZ-03)", async () => {
      await using world = await openWorld({
        dialect,
        config,
      });
      const { lead, ada, second } = await inRun(world);
      await stop(world, ada, report("BLOCKED", "BLOCKER:abe: see the report", " "));
      await stop(world, ada, report("BLOCKED", "BLOCKER:abe: see the report", " "));
      await stop(world, ada, report("BLOCKED", "BLOCKER:abe: see the report", " "));
      const open = await lead.must("tag_list", {});
      expect(open.total).toBe(1);
      const told = await world.hook({ event: "UserPromptSubmit", prompt: "go on" });
      expect(told.hookSpecificOutput.additionalContext).toContain("1 tag");
      expect(await world.hook({ event: "Stop" })).toMatchObject({ decision: "block" });
      expect(await world.hook({ event: "Stop" })).toBeUndefined();
      expect((await lead.call("unit_end", {})).error.code).toBe("RULE_VIOLATED");
      expect((await ada.call("tag_resolve", { tag: open.tags[0].id, resolution: "x" })).error.code).toBe("FORBIDDEN");
      const settled = { tag: open.tags[0].id, resolution: "asked ada what she meant" };
      expect((await lead.call("tag_resolve", { ...settled, task: "tw-nothere" })).error.code).toBe("NOT_FOUND");
      await lead.must("tag_resolve", { ...settled, task: second.slice(0, -2) });
      const [{ routed_to }] = (await lead.must("tag_list", { all: true })).tags;
      expect(routed_to).toBe(second);
      expect((await lead.must("tag_list", {})).total).toBe(0);
    });

    test("a tag reaches whom it names: an agent of the session that no file lists, another team, or the lead in its stead (RP-03, RP-04, RP-05, RP-06)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, first, second } = await inRun(world);
      const cleo = await world.spawn("cleo", { prompt: `Do ${second}` });
      const tags = [
        "QUESTION:cleo: which port does the mail server take?",
        "QUESTION:bea: is the export signed?",
        "QUESTION:documenter: where is the manual?",
        "INFO:team:alpha: the parser keeps blanks",
        "INTERFACE-CHANGE:bea: parse() takes a stream now",
      ].join("\n\n");
      await ada.must("task_update", { id: first, release: "done elsewhere" });
      expect(await stop(world, ada, report("COMPLETE", tags))).toBeUndefined();
      const log = (await world.person("message_list", { limit: 50 })).messages as { to: string; text: string }[];
      const sent = log.map(({ to, text }) => `${to}: ${text}`);
      expect(sent).toContain("cleo: which port does the mail server take?");
      expect(sent).toContain("lead: For bea: is the export signed?");
      expect(sent).toContain("lead: For documenter: where is the manual?");
      expect(sent).toContain("team:alpha: the parser keeps blanks");
      expect(
        sent.filter((line) => line.includes("parse() takes a stream now")).map((line) => line.split(": ")[0]),
      ).toEqual(["team:alpha", "team:beta"]);
      expect(JSON.stringify(await cleo.must("message_inbox"))).toContain("which port does the mail server take?");
      expect((await lead.must("tag_list", {})).total).toBe(0);
    });

    test("a stop that is told again, a report sent again and a flood of tags make no second and no thousandth task (RP-03, RP-04)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada } = await inRun(world);
      const total = async () => (await world.person("task_list", {})).total as number;
      const before = await total();
      const finding = (n: number) => `CROSS-DOMAIN:bea: the exporter drops byte ${n} of each page`;
      const once = report("COMPLETE", finding(0));
      for (let told = 0; told < 3; told += 1) await stop(world, ada, once);
      await Promise.all([stop(world, ada, once), stop(world, ada, once)]);
      expect(await total()).toBe(before + 1);
      const flood = report("COMPLETE", Array.from({ length: 300 }, (_, n) => finding(n)).join("\n"));
      for (let told = 0; told < 3; told += 1) await stop(world, ada, flood);
      expect(await total()).toBe(before + 21);
      expect((await lead.must("tag_list", { all: true })).total).toBe(200);
      expect((await lead.must("tag_list", {})).total).toBe(179);
    });

    test("once a report is in, talk is not judged as another; a report, its tags and new work are (RP-01, RP-04)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead } = await inRun(world);
      const { task } = await lead.must("task_create", { title: "Sum up the columns", scope: ["src/c"], team: "alpha" });
      const abe = await world.spawn("abe", { prompt: `Do ${task.id}` });
      await abe.must("task_claim", { id: task.id });
      const all = async () => (await lead.must("tag_list", { all: true })).tags as { kind: string; text: string }[];
      expect((await stop(world, abe, "Nothing to report yet."))?.decision).toBe("block");
      await abe.must("board_move", { id: task.id, to: "review" });
      expect(await stop(world, abe, report("COMPLETE", "None"))).toBeUndefined();
      expect(await stop(world, abe, "Yes, the second line is the one with the total.")).toBeUndefined();
      expect(await stop(world, abe, "Standing by.")).toBeUndefined();
      expect(await stop(world, abe, "One more thing.\n\nCROSS-DOMAIN:bea: the exporter drops a byte")).toBeUndefined();
      expect(await all()).toMatchObject([{ kind: "CROSS-DOMAIN", status: "routed" }]);
      expect((await stop(world, abe, "Status: COMPLETE\n\nAll done."))?.decision).toBe("block");
      expect((await stop(world, abe, "### Verification\n\nall is well"))?.decision).toBe("block");
      expect(await stop(world, abe, report("COMPLETE", "INFO:abe: the total is signed"))).toBeUndefined();
      expect((await all()).map(({ kind }) => kind)).toEqual(["CROSS-DOMAIN", "INFO"]);

      await lead.must("board_move", { id: task.id, to: "in_progress", reason: "the sign is wrong" });
      expect((await stop(world, abe, "I have mended it."))?.decision).toBe("block");
      expect((await lead.must("tag_list", {})).malformed_reports).toBeUndefined();
    });

    test("what is said after a report of an earlier task is no talk: the next task owes its own (RP-01)", async () => {
      await using world = await openWorld({ dialect, config });
      const { lead, ada, first } = await inRun(world);
      await ada.must("task_update", { id: first, release: "done elsewhere" });
      expect(await stop(world, ada, report("COMPLETE", "None"))).toBeUndefined();
      expect(await stop(world, ada, "Ready for more.")).toBeUndefined();
      const { task } = await lead.must("task_create", {
        title: "Write the third line",
        scope: ["src/c"],
        team: "alpha",
      });
      await ada.must("task_claim", { id: task.id });
      await ada.must("task_close", { id: task.id, reason: "done" });
      expect((await stop(world, ada, "Done with that, too."))?.decision).toBe("block");
      expect((await stop(world, ada, report("COMPLETE", "None")))?.decision).toBeUndefined();
    });

    test("FAILED is counted and escalated when the retries are used up (RE-01, RE-03, RP-04)", async () => {
      await using world = await openWorld({ dialect, config });
      const { first } = await inRun(world);
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const agent = await world.spawn("ada", { prompt: `Do ${first}` });
        for (let ask = 0; ask < 3; ask += 1) await stop(world, agent, report("FAILED", "None", " "));
      }
      const { escalations } = await world.person("escalation_list", {});
      expect(escalations.some((each: { about: string }) => each.about === first)).toBe(true);
    });
  });
}
