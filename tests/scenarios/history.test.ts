import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Guard } from "../../mcp-server/src/surfaces/guard/guard.ts";
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
/** A shell command of an agent, or of the lead, as the hooks see it. */
async function shell(
  world: Pick<World, "hook">,
  agent: Actor,
  work: () => unknown,
  more: Record<string, unknown> = {},
  after = "PostToolUse",
): Promise<void> {
  calls += 1;
  const agent_id = agent.id.startsWith("lead:") ? "" : agent.id;
  const call = { agent_id, tool_name: "Bash", tool_use_id: `toolu_sh_${calls}` };
  const tool_input = JSON.stringify({ command: "sh build.sh", ...more });
  await world.hook({ event: "PreToolUse", ...call, tool_input });
  await work();
  await world.hook({ event: after, ...call });
}

/** The session's hooks as a server hears them that was started after the others: it knows what is in the store. */
function restarted(world: World): Pick<World, "hook"> {
  const guard = new Guard(world.runtime);
  return { hook: (payload) => guard.decide({ session_id: "s1", ...payload }) };
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
      const { error } = await lead.call("unit_validate", { unit });
      expect(error).toMatchObject({ code: "BLOCKED", message: expect.stringContaining("History has moved: main") });
      expect(error.message).toContain(`take ${to.slice(0, 10)} back`);

      repo.git("reset", "-q", "--soft", "HEAD~1");
      repo.git("rm", "-q", "-f", "other.txt");
      await shell(world, ada, () => {}); // sees the commit gone: that is no new sighting
      expect(await moved(world)).toHaveLength(1);
      // who has done it was not known: it has cost no attempt
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true, unit: { attempt: 1 } });
    });

    test("a person says that the commit is theirs, and the unit goes on (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      repo.write("src/a.txt", "one\ntwo\n");
      await shell(world, ada, () => sneak(repo));
      await ada.must("unit_submit", { unit });
      expect((await lead.call("unit_validate", { unit })).error.code).toBe("BLOCKED");
      const { escalations } = await world.person("escalation_list", {});
      expect(escalations).toMatchObject([{ level: "human", text: expect.stringContaining("says so with override") }]);
      await world.person("escalation_resolve", { id: escalations[0].id, decision: "override", note: "That was me." });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
      // it says nothing about the unit itself
      expect((await lead.call("unit_commit", { unit })).error.code).toBe("RULE_VIOLATED");
    });

    test("a server that was started anew, or another one, compares with what was seen last (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      await shell(world, ada, () => {});
      const to = sneak(repo); // left running by her command
      const anew = restarted(world);
      await shell(anew, ada, () => {});
      const sighting = { after: { agents: [ada.id], added: [to], units: [unit] } };
      expect(await moved(world)).toMatchObject([sighting]);
      // the first one reads what the other has seen: nothing is told twice
      await shell(world, ada, () => {});
      expect(await moved(world)).toHaveLength(1);
      await shell(world, lead, () => sneak(repo, "by-lead.txt"));
      await shell(anew, lead, () => {});
      const texts = (await moved(world)).map((event) => event.after.text);
      expect(texts).toHaveLength(2);
      expect(texts.join("\n")).toContain("while a command of lead ran");
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

    test("a command that fails, or goes on in the background, has run like any other (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, ada, unit } = await begun(world);
      await shell(world, ada, () => sneak(repo, "one.txt"), {}, "PostToolUseFailure");
      await shell(world, ada, () => {}, { run_in_background: true });
      sneak(repo, "two.txt");
      await shell(world, ada, () => {});
      const events = await moved(world);
      expect(events.map((event) => event.after.units)).toEqual([[unit], [unit]]);
    });

    test("a person's commit of other files while nobody's command runs holds nobody up (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      await shell(world, ada, () => repo.write("src/a.txt", "one\ntwo\n"));
      const first = sneak(repo, "docs.txt");
      await shell(world, ada, () => {});
      repo.git("commit", "-q", "--amend", "-m", "in better words"); // not what the unit stands on
      await ada.must("unit_submit", { unit });
      await stop(world, ada);
      expect((await moved(world)).map((event) => event.after)).toMatchObject([
        { agents: [], added: [first], units: [] },
        { agents: [], added: [repo.git("rev-parse", "HEAD").trim()], units: [] },
      ]);
      const inbox = JSON.stringify(await lead.must("message_inbox"));
      expect(inbox).toContain("work goes on upon it");
      expect(inbox).not.toContain("BLOCKER");
      expect((await world.person("escalation_list", {})).escalations).toEqual([]);
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1));
      sneak(repo, "more.txt");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true });
    });

    test("a person's commit of the unit's files, or one that its base is gone by, is settled by the person (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      await shell(world, ada, () => repo.write("src/a.txt", "one\ntwo\n"));
      await ada.must("unit_submit", { unit });
      const settle = async () => {
        const { escalations } = await world.person("escalation_list", {});
        await world.person("escalation_resolve", { id: escalations[0].id, decision: "override", note: "It was me." });
      };
      sneak(repo, "src/b.txt");
      await stop(world, ada);
      expect((await lead.call("unit_validate", { unit })).error.code).toBe("BLOCKED");
      await settle();
      await lead.must("unit_validate", { unit });
      const { reason } = await lead.must("review_open", { unit });
      expect(reason).toBeUndefined();
      const bob = await world.spawn("bob");
      repo.git("commit", "-q", "--amend", "-m", "other words");
      repo.git("reset", "-q", "--soft", "HEAD~2");
      repo.git("commit", "-q", "-m", "all in one");
      await stop(world, bob);
      expect((await moved(world)).at(-1)?.after).toMatchObject({ units: [unit], agents: [bob.id] });
    });

    test("a unit that is planned anew, in this run or the next, does not launder what waits for a person (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit, task } = await begun(world);
      await shell(world, ada, () => sneak(repo));
      await lead.must("unit_end", { unit, reason: "begun anew" });
      const again = async () => {
        const { units } = await lead.must("unit_plan", { tasks: [task], about: "9" });
        await lead.must("unit_start", { unit: units[0].id });
        repo.write("src/a.txt", "one\ntwo\n");
        await ada.must("unit_submit", { unit: units[0].id });
        return units[0].id as string;
      };
      const second = await again();
      expect((await lead.call("unit_validate", { unit: second })).error.code).toBe("BLOCKED");
      await lead.must("unit_end", { unit: second, reason: "begun anew" });
      await lead.must("unit_end", { reason: "another run" });
      const third = await again();
      expect((await lead.call("unit_validate", { unit: third })).error.code).toBe("BLOCKED");
      const { escalations } = await world.person("escalation_list", {});
      await world.person("escalation_resolve", { id: escalations[0].id, decision: "override", note: "That was me." });
      expect(await lead.must("unit_validate", { unit: third })).toMatchObject({ passed: true });
    });

    test("what decides about units is not changed beside them, and another tool may commit, too (FP-05, FO-03)", async () => {
      await using world = await openWorld({ dialect, config: 'gates: []\nprotected: ["infra/**"]\n' });
      const { repo, ada, unit } = await begun(world);
      for (const file of ["teamwright.yaml", "infra/a", ".claude/settings.json"]) {
        await shell(world, ada, () => {});
        repo.write(file, "gates: []\n");
        repo.git("add", "-f", file);
        repo.git("commit", "-qm", file);
        await shell(world, ada, () => {});
        expect((await moved(world)).at(-1)?.after, file).toMatchObject({ units: [unit] });
      }
      const call = { agent_id: ada.id, tool_name: "mcp__git__commit", tool_use_id: "toolu_other" };
      await world.hook({ event: "PreToolUse", ...call });
      sneak(repo, "by-tool.txt");
      await shell(world, ada, () => {});
      expect((await moved(world)).at(-1)?.after).toMatchObject({ units: [unit], agents: [ada.id] });
      sneak(repo, "by-person.txt"); // that call is long over
      await shell(world, ada, () => {});
      expect((await moved(world)).at(-1)?.after).toMatchObject({ units: [] });
    });

    test("commits that a command throws away are seen, too, until they are back (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, ada, unit } = await begun(world);
      const from = repo.git("rev-parse", "HEAD").trim();
      await shell(world, ada, () => repo.git("reset", "-q", "--hard", "HEAD~1"));
      expect(await moved(world)).toMatchObject([{ after: { added: [], lost: [from] } }]);
      repo.write("src/a.txt", "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      expect((await lead.call("unit_validate", { unit })).error.message).toContain(`put ${from.slice(0, 10)} back`);
      repo.git("reset", "-q", "--soft", from);
      repo.git("checkout", "-q", "HEAD", "--", ".gitignore");
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
      expect((await lead.call("unit_validate", { unit })).error.code).toBe("BLOCKED");
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
