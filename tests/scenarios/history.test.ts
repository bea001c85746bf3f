import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { beginUnit, passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

async function begun(world: World) {
  const repo = makeRepository(world.root);
  repo.write(".gitignore", ".teamwright/\n");
  repo.git("add", ".gitignore");
  repo.git("commit", "-qm", "Ignore");
  return beginUnit(world, undefined, repo);
}

let calls = 0;
/** A shell command of an agent, as the hooks see it. */
async function shell(world: World, agent: Actor, work: () => unknown): Promise<void> {
  calls += 1;
  const call = { agent_id: agent.id, tool_name: "Bash", tool_use_id: `toolu_sh_${calls}` };
  const tool_input = JSON.stringify({ command: "sh build.sh" });
  await world.hook({ event: "PreToolUse", ...call, tool_input });
  await work();
  await world.hook({ event: "PostToolUse", ...call });
}

const stop = (world: World, agent: Actor) =>
  world.hook({ event: "SubagentStop", agent_id: agent.id, last_assistant_message: "x" });

const moved = async (world: World): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events.filter(
    (event: { type: string }) => event.type === "history.moved",
  );

const sneak = (repo: ReturnType<typeof makeRepository>, name = "other.txt") => {
  repo.write(name, "more\n");
  repo.git("add", name);
  repo.git("commit", "-qm", "sneaked");
  return repo.git("rev-parse", "HEAD").trim();
};

for (const dialect of dialects) {
  describe(`history that moves past unit_commit on ${dialect}`, () => {
    test("a script's commit is an event, urgent for the lead, and fails the validation until it is taken back (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      const from = repo.git("rev-parse", "HEAD").trim();
      let to = "";
      await shell(world, ada, () => repo.write("src/a.txt", "one\ntwo\n"));
      expect(await moved(world)).toEqual([]);
      await shell(world, ada, () => {
        to = sneak(repo);
      });
      const [event, ...others] = await moved(world);
      expect(others).toEqual([]);
      expect(event).toMatchObject({
        before: { at: expect.arrayContaining([`refs/heads/main ${from}`]) },
        after: { agents: [ada.id], added: [to], lost: [], units: [unit] },
      });
      const inbox = JSON.stringify(await lead.must("message_inbox"));
      expect(inbox).toContain(`main from ${from.slice(0, 10)} to ${to.slice(0, 10)}, while a command of ada ran`);
      expect(inbox).toContain("not who has done it");
      expect(inbox).toContain("BLOCKER");

      await ada.must("unit_submit", { unit });
      const failed = await lead.must("unit_validate", { unit });
      expect(failed).toMatchObject({ passed: false, reason: expect.stringContaining("History has moved: main") });
      expect(failed.reason).toContain(`take ${to.slice(0, 10)} back`);

      repo.git("reset", "-q", "--soft", "HEAD~1");
      repo.git("rm", "-q", "-f", "other.txt");
      await shell(world, ada, () => {}); // sees the commit gone: that is no new sighting
      expect(await moved(world)).toHaveLength(1);
      await ada.must("unit_submit", { unit });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
    });

    test("a person says that the commit is theirs, and the unit goes on (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      repo.write("src/a.txt", "one\ntwo\n");
      await shell(world, ada, () => sneak(repo));
      await ada.must("unit_submit", { unit });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: false });
      const { escalations } = await world.person("escalation_list", {});
      expect(escalations).toMatchObject([{ level: "human", text: expect.stringContaining("says so with override") }]);
      await world.person("escalation_resolve", { id: escalations[0].id, decision: "override", note: "That was me." });
      await ada.must("unit_submit", { unit });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
      // it says nothing about the unit itself
      expect((await lead.call("unit_commit", { unit })).error.code).toBe("RULE_VIOLATED");
    });
  });
}

// git does the rest, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  describe(`looks at history on ${dialect}`, () => {
    test("what a command leaves running is seen at the next look, and at the agent's stop (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, ada, task } = await begun(world);
      const bob = await world.spawn("bob", { prompt: `Help with ${task}` });
      await shell(world, ada, () => {});
      sneak(repo, "one.txt");
      await shell(world, bob, async () => {
        await shell(world, ada, () => {});
        sneak(repo, "two.txt");
        await stop(world, ada);
      });
      const texts = (await moved(world)).map((event) => event.after.text).reverse();
      expect(texts).toHaveLength(2);
      const all = texts.join("\n");
      expect(all).toContain("before a command of bob began, perhaps by something left running");
      expect(all).toContain("before it stopped, as did commands of bob");
    });

    test("commits that a command throws away are seen, too, until they are back (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      const from = repo.git("rev-parse", "HEAD").trim();
      await shell(world, ada, () => repo.git("reset", "-q", "--hard", "HEAD~1"));
      expect(await moved(world)).toMatchObject([{ after: { added: [], lost: [from] } }]);
      repo.write("src/a.txt", "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      expect((await lead.must("unit_validate", { unit })).reason).toContain(`put ${from.slice(0, 10)} back`);
      repo.git("reset", "-q", "--soft", from);
      repo.git("checkout", "-q", "HEAD", "--", ".gitignore");
      await ada.must("unit_submit", { unit });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
    });

    test("unit_commit, new branches, and what happens without agents, units or a run is nobody's fault", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const repo = makeRepository(world.root);
      repo.write(".gitignore", ".teamwright/\n");
      const early = await world.spawn("early");
      await shell(world, early, () => sneak(repo, "early.txt"));
      await stop(world, early);
      const lead = world.lead();
      const make = async (scope: string) =>
        (await lead.must("task_create", { title: `Write ${scope}`, acceptance: "- x", scope: [scope] })).task.id;
      const [one, two] = [await make("src"), await make("lib")];
      const plan = await lead.must("unit_plan", { tasks: [one, two], about: "9" });
      const [first, second]: string[] = plan.units.map((each: { id: string }) => each.id);
      await lead.must("unit_start", { unit: first });
      sneak(repo, "person.txt"); // nobody is at work
      const ada = await world.spawn("ada", { prompt: `Do ${one}` });
      const bob = await world.spawn("bob", { prompt: `Do ${two}` });
      await ada.must("task_claim", { id: one });
      repo.write("src/a.txt", "one\ntwo\n");
      await shell(world, ada, () => repo.git("branch", "side"));
      await ada.must("unit_submit", { unit: first });
      await lead.must("unit_validate", { unit: first });
      await review(world, lead, first ?? "", passing(1));
      await shell(world, bob, () => lead.must("unit_commit", { unit: first }));
      await shell(world, bob, () => {});
      expect(repo.git("log", "-1", "--format=%B")).toContain(`Teamwright-Unit: ${first}`);
      expect(await moved(world)).toEqual([]);
      await lead.must("unit_end", { unit: second, reason: "not needed" });
      await shell(world, bob, () => sneak(repo, "late.txt")); // no unit is open
      expect(await moved(world)).toEqual([]);
    });

    test("after the review it is found, too: the unit is not committed beside it (FP-05)", async () => {
      await using world = await openWorld({ config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      repo.write("src/a.txt", "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1));
      await shell(world, ada, () => sneak(repo));
      const refused = await lead.must("unit_commit", { unit });
      expect(refused).toMatchObject({ committed: false, reason: expect.stringContaining("History has moved") });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: false });
    });

    test("a unit's merge is ours, and one that holds more is not (FP-05, WT-02)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit, task } = await begun(world);
      const bob = await world.spawn("bob", { prompt: `Help with ${task}` });
      const tree = join(world.root, ".claude/worktrees/agent-a");
      repo.git("worktree", "add", "-q", "-b", "agent-a", tree);
      const { db } = world.runtime.store;
      await db.updateTable("agent").set({ worktree: tree }).where("agent_id", "=", ada.id).execute();
      writeFileSync(join(tree, "src/a.txt"), "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1));
      const { id } = (await lead.must("task_create", { title: "Write the rest", acceptance: "- x", scope: ["lib"] }))
        .task;
      const next = (await lead.must("unit_plan", { tasks: [id] })).units[0].id;
      await shell(world, bob, () => lead.must("unit_commit", { unit }));
      expect(repo.git("rev-list", "--merges", "HEAD").trim()).not.toBe("");
      expect(await moved(world)).toEqual([]);

      const merge = repo.git("rev-parse", "HEAD").trim();
      await shell(world, bob, () => {
        repo.git("reset", "-q", "--hard", "HEAD~1");
        repo.git("merge", "-q", "--no-ff", "--no-commit", "agent-a");
        repo.write("other.txt", "more\n");
        repo.git("add", "other.txt");
        repo.git("commit", "-qm", `Merge ${unit}: Write a line`);
      });
      const forged = repo.git("rev-parse", "HEAD").trim();
      expect(await moved(world)).toMatchObject([{ after: { added: [forged], lost: [merge], units: [next] } }]);
    });
  });
}
