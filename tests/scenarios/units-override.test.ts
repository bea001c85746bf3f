import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { failing, passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const config = `
gates:
  - { name: lint, command: "! grep -rq bad src" }
  - { name: tests, command: "true" }
`;

function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function plan(lead: Actor, scope: readonly string[]) {
  const { task } = await lead.must("task_create", { title: "Change a part of it", acceptance: "- it is there", scope });
  const answer = await lead.must("unit_plan", { tasks: [task.id], about: "parts" });
  const unit: string = answer.units[0].id;
  await lead.must("unit_start", { unit });
  return { unit, task: task.id as string };
}

/** An agent in a working tree of its own, as the client leaves it. */
async function isolated(world: World, name: string, task: string) {
  const agent = await world.spawn(name, { prompt: `Do ${task}` });
  const tree = join(world.root, ".claude", "worktrees", `agent-${agent.id}`);
  git(world.root, "worktree", "add", "-q", "-b", name, tree);
  await world.runtime.store.db.updateTable("agent").set({ worktree: tree }).where("agent_id", "=", agent.id).execute();
  await agent.must("task_claim", { id: task });
  return { agent, tree };
}

/** Asks for a person's decision about the unit's gates, and gives it. */
async function overridden(world: World, lead: Actor, unit: string) {
  const { escalations } = await world.person("escalation_list", {});
  const open = escalations.find(
    (each: { unit?: string; level: string }) => each.unit === unit && each.level === "human",
  );
  const id =
    open?.id ?? (await lead.must("escalation_raise", { reason: "x", about: unit, operation: "gate" })).escalation.id;
  return world.person("escalation_resolve", { id, decision: "override", note: "we take it" });
}

// git does the work here, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  describe(`a person takes a unit as it is on ${dialect}`, () => {
    test("as it was when they decided and not a byte later; the gates run, and history says which failed (RE-02, AR-04, FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src"]);
      await lead.must("task_claim", { id: task });
      for (let round = 1; round <= 4; round += 1) {
        repo.write("src/a.txt", `bad ${round}\n`);
        await lead.must("unit_submit", { unit });
        expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: false });
      }
      await overridden(world, lead, unit);
      repo.write("src/a.txt", "bad, and slipped in after the decision\n");
      expect((await lead.must("unit_start", { unit })).unit.phase).toBe("commit");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: false, unit: { phase: "validate" } });
      expect((await lead.call("unit_start", { unit })).error).toMatchObject({ code: "RULE_VIOLATED" });
      repo.write("src/a.txt", "bad 4\n");
      expect((await lead.must("unit_start", { unit })).unit.phase).toBe("commit");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true, overridden: ["lint failed"] });
      const message = repo.git("log", "-1", "--format=%B");
      expect(message).toContain("Overridden-by: pat");
      expect(message).toContain("\nTeamwright-Gates: failed lint\n");
      expect(repo.git("show", "HEAD:src/a.txt")).toBe("bad 4\n");
      const shown = await world.person("unit_show", { unit });
      expect(shown.override).toMatchObject({ by: "pat" });
      const last = shown.gates.slice(-2).map((gate: { gate: string; result: string }) => [gate.gate, gate.result]);
      expect(last).toEqual([
        ["lint", "failed"],
        ["tests", "passed"],
      ]);
      expect((await lead.must("task_show", { id: task })).task.close_reason).toContain(
        "Committed as it was, by the decision of pat.",
      );
    });

    test("from a tree of its own it is merged over failed gates, and the merge says so; nothing is taken where nothing is (RE-02, WT-02)", async () => {
      await using world = await openWorld({ dialect, config });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src/x"]);
      const ada = await isolated(world, "ada", task);
      await expect(overridden(world, lead, unit)).rejects.toMatchObject({ code: "RULE_VIOLATED" });
      writeFileSync(join(ada.tree, "src/x"), "bad\n");
      await ada.agent.must("unit_submit", { unit });
      await overridden(world, lead, unit);
      expect((await lead.must("unit_start", { unit })).unit.phase).toBe("commit");
      repo.write("README.md", "a person's\n");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true, overridden: ["lint failed"] });
      expect(repo.read("src/x")).toBe("bad\n");
      expect(repo.git("log", "-2", "--format=%B").match(/^Teamwright-Gates: failed lint$/gm)).toHaveLength(2);
      expect(repo.git("status", "--porcelain", "README.md")).toBe(" M README.md\n");
    });
  });

  describe(`a unit changes hands on ${dialect}`, () => {
    test("from a working tree of its own to the project's: what the present holder did counts, the rest is named and stays (WT-01, WT-03)", async () => {
      await using world = await openWorld({ dialect, config });
      const repo = makeRepository(world.root);
      repo.write("notes.txt", "here before the unit began\n");
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src/x"]);
      const other = await plan(lead, ["src/y"]);
      const ada = await isolated(world, "ada", task);
      writeFileSync(join(ada.tree, "src/x"), "ada\n");
      await ada.agent.must("unit_submit", { unit });
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, failing("wrong"));
      await ada.agent.must("task_update", { id: task, release: "off to something else" });
      const abe = await world.spawn("abe", { prompt: `Do ${task}` });
      await abe.must("task_claim", { id: task });
      repo.write("src/x", "abe\n");
      repo.write("src/y", "y\n");
      await lead.must("task_claim", { id: other.task });
      await lead.must("unit_submit", { unit: other.unit });
      expect(await lead.must("unit_validate", { unit: other.unit })).toMatchObject({ passed: true });
      const submitted = await abe.must("unit_submit", { unit });
      expect(submitted.left_behind).toEqual({ folder: ada.tree, files: ["src/x"] });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
      await review(world, lead, unit, passing(1, "src/x:1"));
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true, files: ["src/x"] });
      expect(repo.git("show", "HEAD:src/x")).toBe("abe\n");
      expect(readFileSync(join(ada.tree, "src/x"), "utf8")).toBe("ada\n");
      expect((await world.person("unit_show", { unit })).left_behind).toMatchObject({ files: ["src/x"] });
    });

    test("from the project's tree to one of its own: what was left in the project's is named (WT-01)", async () => {
      await using world = await openWorld({ dialect, config });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src/x"]);
      await lead.must("task_claim", { id: task });
      repo.write("src/x", "lead\n");
      repo.write("elsewhere.txt", "not of this unit\n");
      await lead.must("task_update", { id: task, release: "ada does it" });
      const ada = await isolated(world, "ada", task);
      writeFileSync(join(ada.tree, "src/x"), "ada\n");
      const submitted = await ada.agent.must("unit_submit", { unit });
      expect(submitted.left_behind).toEqual({
        folder: git(world.root, "rev-parse", "--show-toplevel").trim(),
        files: ["src/x"],
      });
      expect(repo.read("src/x")).toBe("lead\n");
    });

    test("a reservation that was lost is not prolonged, nor ended, by whoever had it (FP-11)", async () => {
      const hold = "gates: [{ name: t, command: 'touch began; while test -e hold; do sleep 0.1; done' }]\n";
      await using world = await openWorld({ dialect, config: hold });
      const repo = makeRepository(world.root);
      repo.git("config", "core.excludesFile", join(world.root, ".git/ignored"));
      repo.write(".git/ignored", "hold\nbegan\n");
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src"]);
      await lead.must("task_claim", { id: task });
      repo.write("src/a.txt", "one\ntwo\n");
      await lead.must("unit_submit", { unit });
      repo.write("hold", "");
      const first = lead.call("unit_validate", { unit });
      while (!existsSync(join(world.root, "began"))) await sleep(50);
      await sleep(4000);
      world.clock.advance(45_000); // it stands still, and its half minute is over
      const second = lead.call("unit_validate", { unit });
      await sleep(8000); // the beat of the first comes late, that of the second is yet to come
      expect((await lead.call("unit_validate", { unit })).error).toMatchObject({ code: "CONFLICT" });
      rmSync(join(world.root, "hold"));
      const answers = await Promise.all([first, second]);
      expect(answers[0].error).toMatchObject({ code: "CONFLICT" });
      expect(answers[1]).toMatchObject({ passed: true, unit: { phase: "review", attempt: 1 } });
    });
  });
}
