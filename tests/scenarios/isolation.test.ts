import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

async function planned(lead: Actor, scopes: readonly string[]) {
  const drafts = scopes.map((scope, n) => ({
    title: `Write part ${n} of it`,
    acceptance: "- it is there",
    scope: [scope],
  }));
  const { tasks } = await lead.must("task_create", { tasks: drafts });
  const plan = await lead.must("unit_plan", { tasks: tasks.map((task: Answer) => task.id), about: "5" });
  return plan.units as { id: string; task: string }[];
}

let calls = 0;
/** The Agent call as the guard lets it pass. */
async function call(world: World, prompt: string, input: Record<string, unknown> = {}): Promise<Answer> {
  calls += 1;
  const asked = { subagent_type: "teamwright:builder", model: "sonnet", prompt, ...input };
  const hook = { event: "PreToolUse", tool_name: "Agent", tool_use_id: `toolu_iso_${calls}` };
  const answer = await world.hook({ ...hook, tool_input: JSON.stringify(asked) });
  expect(answer?.hookSpecificOutput?.permissionDecision).not.toBe("deny");
  return answer?.hookSpecificOutput?.updatedInput ?? asked;
}

// git does the work, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  const gates = "gates: []\n";
  describe(`where agents of a run work, on ${dialect}`, () => {
    test("as each call says, all in the project's tree, or each in one of its own: the setting decides (C-16, WT-01)", async () => {
      const isolations = async (units: string) => {
        await using world = await openWorld({ dialect, config: `${gates}${units}` });
        const lead = world.lead();
        const [unit] = await planned(lead, ["src/a.txt"]);
        const given = [undefined, "worktree"].map((isolation) => (isolation ? { isolation } : {}));
        const found = [];
        for (const input of given) found.push((await call(world, `Do ${unit?.task}`, input)).isolation);
        const looker = { subagent_type: "teamwright:researcher" };
        return [...found, (await call(world, `Look at ${unit?.task}`, looker)).isolation];
      };
      expect(await isolations("")).toEqual([undefined, "worktree", undefined]);
      expect(await isolations("units: { isolation: shared }\n")).toEqual([undefined, undefined, undefined]);
      expect(await isolations("units: { isolation: worktree_per_task }\n")).toEqual([
        "worktree",
        "worktree",
        undefined,
      ]);
    });

    test("one working tree per workflow: the lead's session is in it, all its agents are, and each unit is merged from it (C-16, WT-04)", async () => {
      await using world = await openWorld({ dialect, config: `${gates}units: { isolation: worktree_per_workflow }\n` });
      const repo = makeRepository(world.root);
      const tree = join(world.root, ".claude", "worktrees", "issue-5");
      repo.git("worktree", "add", "-q", "-b", "issue-5", tree);
      const units = await planned(world.lead(), ["src/a.txt", "src/b.txt"]);
      const [first, second] = units;
      if (!first || !second) throw new Error("no units");
      const refused = await world.lead("s1", world.root).call("unit_start", { unit: first.id });
      expect(refused.error).toMatchObject({
        code: "RULE_VIOLATED",
        message: expect.stringContaining("units.isolation"),
      });
      const lead = world.lead("s1", tree);
      for (const { id } of units) await lead.must("unit_start", { unit: id });
      expect((await call(world, `Do ${first.task}`, { isolation: "worktree" })).isolation).toBeUndefined();

      // two agents in the one tree, their files apart by lease; who was elsewhere hands nothing in
      const ada = await world.spawn("ada", { prompt: `Do ${first.task}`, cwd: join(tree, "src") });
      const bob = await world.spawn("bob", { prompt: `Do ${second.task}`, cwd: world.root });
      await ada.must("task_claim", { id: first.task });
      await bob.must("task_claim", { id: second.task });
      const edit = { file_path: join(tree, "src/a.txt"), old_string: "one", new_string: "mine" };
      const asked = { event: "PreToolUse", agent_id: bob.id, tool_name: "Edit", tool_use_id: "toolu_e", cwd: tree };
      const answer = await world.hook({ ...asked, tool_input: JSON.stringify(edit) });
      expect(answer?.hookSpecificOutput?.permissionDecisionReason).toContain("is leased to");
      writeFileSync(join(tree, "src/a.txt"), "one\ntwo\n");
      writeFileSync(join(tree, "src/b.txt"), "b\n");
      expect((await bob.call("unit_submit", { unit: second.id })).error.message).toContain("the work was done in");
      const there = world.known(bob.id, "teamwright:builder", "s1", tree);
      for (const [who, unit, file] of [
        [ada, first, "src/a.txt"],
        [there, second, "src/b.txt"],
      ] as const) {
        await who.must("unit_submit", { unit: unit.id });
        expect(await lead.must("unit_validate", { unit: unit.id })).toMatchObject({ passed: true });
        await review(world, lead, unit.id, passing(1, `${file}:1`));
        expect(await lead.must("unit_commit", { unit: unit.id })).toMatchObject({ committed: true, files: [file] });
      }
      expect(repo.read("src/a.txt")).toBe("one\ntwo\n");
      expect(repo.read("src/b.txt")).toBe("b\n");
      // whose tree it is, is written down
      const rows = await world.runtime.store.db.selectFrom("unit").select("worktree").execute();
      expect(new Set(rows.map((row) => row.worktree)).size).toBe(1);
    });
  });
}
