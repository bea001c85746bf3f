import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failing, passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const gates = `
gates:
  - { name: tests, command: [sh, -c, "test ! -e src/left || test ! -e src/right-breaks-left"] }
`;

/** An agent in a git worktree of its own, as the client leaves it. */
async function isolated(world: World, name: string, task: string): Promise<{ agent: Actor; tree: string }> {
  const agent = await world.spawn(name, { prompt: `Do ${task}` });
  const tree = join(world.root, ".claude", "worktrees", `agent-${agent.id}`);
  makeTree(world.root, tree, agent.id);
  await world.runtime.store.db.updateTable("agent").set({ worktree: tree }).where("agent_id", "=", agent.id).execute();
  await agent.must("task_claim", { id: task });
  return { agent, tree };
}

function makeTree(root: string, tree: string, name: string): void {
  runGit(root, "worktree", "add", "-q", "-b", `agent-${name}`, tree);
}

function runGit(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function plan(lead: Actor, scopes: readonly string[]) {
  const { tasks } = await lead.must("task_create", {
    tasks: scopes.map((scope, n) => ({
      title: `Change part ${n} of the tree`,
      acceptance: "- it is there",
      scope: [scope],
    })),
  });
  const answer = await lead.must("unit_plan", { tasks: tasks.map((task: { id: string }) => task.id), about: "parts" });
  for (const unit of answer.units) await lead.must("unit_start", { unit: unit.id });
  return answer.units as { id: string; task: string }[];
}

// git does the work here, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  describe(`units in working trees of their own on ${dialect}`, () => {
    test("two units are integrated one at a time, and gates on the merged tree decide (WT-01, WT-02, FP-12)", async () => {
      await using world = await openWorld({ dialect, config: gates });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const [left, right] = await plan(lead, ["src/left", "src/right-breaks-left"]);
      if (!left || !right) throw new Error("no units");
      const a = await isolated(world, "ada", left.task);
      const b = await isolated(world, "abe", right.task);
      writeFileSync(join(a.tree, "src/left"), "left\n");
      writeFileSync(join(b.tree, "src/right-breaks-left"), "right\n");
      for (const [who, unit, file] of [
        [a, left, "src/left"],
        [b, right, "src/right-breaks-left"],
      ] as const) {
        await who.agent.must("unit_submit", { unit: unit.id });
        expect(await lead.must("unit_validate", { unit: unit.id })).toMatchObject({ passed: true });
        await review(world, lead, unit.id, passing(1, `${file}:1`));
      }
      expect(await lead.must("unit_commit", { unit: left.id })).toMatchObject({ committed: true });
      expect(repo.read("src/left")).toBe("left\n");
      const broken = await lead.must("unit_commit", { unit: right.id });
      expect(broken).toMatchObject({ committed: false, unit: { phase: "implement", attempt: 2 } });
      expect(broken.reason).toContain("on the merged tree");
      expect(existsSync(join(world.root, "src/right-breaks-left"))).toBe(false);
      expect(existsSync(join(b.tree, "src/right-breaks-left"))).toBe(true);
    });

    test("a conflict goes back to its owner, marked in their own tree, and passes every gate again (WT-02)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const [first] = await plan(lead, ["src/a.txt"]);
      if (!first) throw new Error("no unit");
      const a = await isolated(world, "ada", first.task);
      writeFileSync(join(a.tree, "src/a.txt"), "mine\n");
      await a.agent.must("unit_submit", { unit: first.id });
      await lead.must("unit_validate", { unit: first.id });
      await review(world, lead, first.id, passing(1));
      repo.write("src/a.txt", "theirs\n");
      repo.git("commit", "-q", "-am", "Somebody else was faster");
      const answer = await lead.must("unit_commit", { unit: first.id });
      expect(answer).toMatchObject({ committed: false, conflicts: ["src/a.txt"], unit: { phase: "implement" } });
      expect(repo.read("src/a.txt")).toBe("theirs\n");
      expect(repo.git("status", "--porcelain", "src").trim()).toBe("");
      await a.agent.must("unit_submit", { unit: first.id });
      expect((await lead.must("unit_validate", { unit: first.id })).reason).toBe("its files hold conflict marks");
      writeFileSync(join(a.tree, "src/a.txt"), "theirs\nmine\n");
      await a.agent.must("unit_submit", { unit: first.id });
      expect(await lead.must("unit_validate", { unit: first.id })).toMatchObject({ passed: true });
      await review(world, lead, first.id, passing(1));
      expect(await lead.must("unit_commit", { unit: first.id })).toMatchObject({ committed: true });
      expect(repo.read("src/a.txt")).toBe("theirs\nmine\n");
    });

    test("an agent that was to be isolated and was not is found when it hands in (WT-03)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      makeRepository(world.root);
      const lead = world.lead();
      const [unit] = await plan(lead, ["src/a.txt"]);
      if (!unit) throw new Error("no unit");
      const agent = await world.spawn("ada", { prompt: `Do ${unit.task}` });
      await agent.must("task_claim", { id: unit.task });
      await world.runtime.store.db.updateTable("spawn").set({ worktree: 1 }).where("agent_id", "=", agent.id).execute();
      expect((await agent.call("unit_submit", { unit: unit.id })).error).toMatchObject({ code: "RULE_VIOLATED" });
    });

    test("a crash between the commit and its record, a dead lead, and three failed reviews lose nothing (FP-11, RE-02, RE-05, FP-09, MD-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const [unit] = await plan(lead, ["src/a.txt"]);
      if (!unit) throw new Error("no unit");
      const agent = await world.spawn("ada", { prompt: `Do ${unit.task}` });
      await agent.must("task_claim", { id: unit.task });
      for (let round = 1; round <= 4; round += 1) {
        repo.write("src/a.txt", `round ${round}\n`);
        await agent.must("unit_submit", { unit: unit.id });
        await lead.must("unit_validate", { unit: unit.id });
        await review(world, lead, unit.id, failing(`fault ${round}`));
      }
      expect((await world.person("unit_show", { unit: unit.id })).unit.phase).toBe("escalated");
      expect((await lead.call("unit_start", { unit: unit.id })).error.code).toBe("BLOCKED");
      const { escalations } = await world.person("escalation_list", {});
      const open = escalations.find((each: { unit?: string }) => each.unit === unit.id);
      expect(open.level).toBe("human");
      await world.person("escalation_resolve", { id: open.id, decision: "retry", note: "one more" });
      const other = world.lead("s2");
      expect((await other.call("unit_start", { unit: unit.id })).error.code).toBe("CONFLICT");
      world.clock.advance(10 * 60_000);
      await world.hook({ event: "UserPromptSubmit", prompt: "still here" });
      world.clock.advance(10 * 60_000);
      expect((await other.call("unit_start", { unit: unit.id })).error.code).toBe("CONFLICT");
      world.clock.advance(20 * 60_000);
      expect((await other.must("unit_start", { unit: unit.id })).unit).toMatchObject({
        phase: "implement",
        attempt: 5,
      });
      repo.write("src/a.txt", "right at last\n");
      const task = (await other.must("task_show", { id: unit.task })).task;
      if (task.state === "open" || task.state === "ready") {
        const next = await world.spawn("ada", { prompt: `Do ${unit.task}`, session: "s2" });
        await next.must("task_claim", { id: unit.task });
        await next.must("unit_submit", { unit: unit.id });
      } else await agent.must("unit_submit", { unit: unit.id });
      expect(await other.must("unit_validate", { unit: unit.id })).toMatchObject({ passed: true });
      const opened = await other.must("review_open", { unit: unit.id });
      expect(opened.review).toBeDefined();
      await review(world, other, unit.id, passing(1));
      // the commit is there, its record is not: as after kill -9
      repo.git("add", "src/a.txt");
      repo.git(
        "commit",
        "-q",
        "-m",
        `feat(${unit.id}): x\n\nTeamwright-Unit: ${unit.id}\nTeamwright-Review: ${opened.review}\n`,
      );
      expect(await other.must("unit_commit", { unit: unit.id })).toMatchObject({
        committed: true,
        unit: { phase: "done" },
      });
      expect(repo.git("log", "--format=%s").trim().split("\n")).toHaveLength(2);
    });
  });
}
