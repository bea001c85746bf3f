import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const lookAt = (world: World, reviewer: Actor, text: string) =>
  world.hook({
    event: "SubagentStop",
    agent_id: reviewer.id,
    agent_type: "teamwright:design-reviewer",
    last_assistant_message: text,
  });

for (const dialect of dialects.slice(0, 1)) {
  describe(`a piece of work from the question to the merge, on ${dialect}`, () => {
    test("goes through nine stages, each with its record, and none before the one it waits for (FP-13)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\nwip_limits: { per_agent: 2 }\n" });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const part = { acceptance: "- it is there" };
      const { tasks } = await lead.must("task_create", {
        tasks: [
          { ref: "look", title: "Find out how pages are read", ...part },
          { ref: "plan", title: "Plan the page cache", ...part, blocked_by: ["look"] },
          { ref: "build", title: "Build the page cache", ...part, scope: ["src/a.txt"], blocked_by: ["plan"] },
          { ref: "whole", title: "Show that the whole works", ...part, scope: ["src/b.txt"], blocked_by: ["build"] },
          { ref: "merge", title: "Bring the branch into main", ...part, blocked_by: ["whole"] },
        ],
      });
      const [look, plan, build, whole, merge] = tasks.map((task: Answer) => task.id as string);

      // 1 research
      const rita = await world.spawn("rita", { role: "teamwright:researcher", prompt: `Answer ${look}` });
      await rita.must("task_claim");
      await rita.must("knowledge_add", { fact: "API: pages are read in order, never at random" });
      await rita.must("task_close", { id: look, reason: "They are read in order." });

      // 2 plan, 3 its review: three perspectives, until none objects
      const archie = await world.spawn("archie", { role: "teamwright:architect", prompt: `Plan ${plan}` });
      expect((await archie.call("task_claim", { id: build })).error.code).toBe("BLOCKED");
      await archie.must("task_claim", { id: plan });
      await archie.must("task_update", { id: plan, design: "A list of the pages last used." });
      const perspectives = ["product", "architecture", "security"];
      const reviewers = await Promise.all(
        perspectives.map((name) =>
          world.spawn(name, { role: "teamwright:design-reviewer", prompt: `${name} of ${plan}` }),
        ),
      );
      for (const [n, reviewer] of reviewers.entries())
        await lookAt(
          world,
          reviewer,
          n === 1 ? "VERDICT: NEEDS_REVISION\nBLOCKER: nobody evicts" : "VERDICT: APPROVED",
        );
      await archie.must("task_update", { id: plan, design: "A list of the pages last used; the oldest goes." });
      await lookAt(world, reviewers[1] as Actor, "VERDICT: APPROVED");
      const { design } = await world.person("review_list", { unit: plan });
      expect(design.map((row: Answer) => `${row.reviewer} ${row.round} ${row.verdict}`)).toEqual([
        "product 1 APPROVED",
        "architecture 1 NEEDS_REVISION",
        "security 1 APPROVED",
        "architecture 2 APPROVED",
      ]);
      await archie.must("task_close", { id: plan, reason: "Approved by three." });

      // 4 what is needed of others, and what must hold before anybody starts
      const { checkpoint } = await lead.must("checkpoint_request", {
        title: "May the cache use a disk?",
        kind: "external",
        about: build,
      });
      await world.person("checkpoint_approve", { id: checkpoint.id });
      const { checks } = await world.person("doctor_check");
      expect(checks.every((check: Answer) => check.ok)).toBe(true);

      // 5 decomposition into units, 6 the loop, 7 the final review
      const run = await lead.must("unit_plan", { tasks: [build, whole], about: "42" });
      expect([run.stages, run.problems]).toEqual([[[build], [whole]], []]);
      for (const [n, unit] of run.units.entries()) {
        const file = `src/${n === 0 ? "a" : "b"}.txt`;
        await lead.must("unit_start", { unit: unit.id });
        await lead.must("task_claim", { id: unit.task });
        repo.write(file, "one\ncache\n");
        await lead.must("unit_submit", { unit: unit.id });
        await lead.must("unit_validate", { unit: unit.id });
        const judged = await review(world, lead, unit.id, passing(1, `${file}:2`));
        expect(judged.shown[0]?.includes("whole-change")).toBe(n === 1);
        await lead.must("unit_commit", { unit: unit.id });
      }

      // 8 what was learned
      const ended = await lead.must("unit_end");
      expect(readFileSync(join(world.root, ended.run_log), "utf8")).toContain("## Deliverables");
      expect(readFileSync(join(world.root, "LEARNINGS.md"), "utf8")).toContain("pages are read in order");

      // 9 the pull request: a shepherd stays with it, a person merges, and then it is closed
      const sam = await world.spawn("sam", { role: "teamwright:shepherd", prompt: `Stay with ${merge}` });
      await sam.must("task_claim");
      for (const state of ["MONITORING", "WAITING_FOR_USER"])
        await sam.must("task_update", { id: merge, comment: state });
      const asked = await sam.must("checkpoint_request", { title: "Merge it?", kind: "named", about: merge });
      await world.person("checkpoint_approve", { id: asked.checkpoint.id, note: "merged" });
      await sam.must("task_close", { id: merge, reason: "DONE: merged" });

      const { events } = await world.person("event_list", { after: 0, limit: 1000 });
      const types = events.map((event: Answer) => event.type as string);
      const stages = [
        "knowledge.added",
        "design.reviewed",
        "checkpoint.approved",
        "unit.planned",
        "unit.committed",
        "run.ended",
      ];
      const places = stages.map((type) => types.indexOf(type));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect((await lead.must("task_list", { status: ["open", "in_progress"] })).total).toBe(0);
    });

    test("a design that is not agreed upon in three rounds is a person's (RE-02, FP-13)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const lead = world.lead();
      const { task } = await lead.must("task_create", {
        title: "Plan the page cache",
        acceptance: "- x",
        scope: ["docs"],
      });
      await lead.must("unit_plan", { tasks: [task.id], about: "4" });
      const cto = await world.spawn("cto", { role: "teamwright:design-reviewer", prompt: `Look at ${task.id}` });
      const open = async () => (await world.person("escalation_list", {})).escalations;
      for (let round = 1; round <= 3; round += 1) {
        expect(await open()).toEqual([]);
        await lookAt(world, cto, `VERDICT: NEEDS_REVISION\nBLOCKER: it is too dear, said ${round} times`);
      }
      const [raised] = await open();
      expect(raised).toMatchObject({ level: "human", operation: "gate", task: task.id });
      const whole = JSON.stringify(await world.person("escalation_list", { id: raised.id }));
      expect(whole).toContain("asks for a revision of the design in round 3");
      expect(whole).toContain("too dear, said 3 times");
    });
  });
}
