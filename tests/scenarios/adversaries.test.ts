import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askReviewer, passing, review } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const config = "gates: []\n";

async function begun(world: World, options: { apart?: boolean; acceptance?: string } = {}) {
  const repo = makeRepository(world.root);
  repo.write(".gitignore", ".teamwright/\n.claude/\n");
  repo.git("add", ".gitignore");
  repo.git("commit", "-qm", "Ignore");
  const lead = world.lead();
  const { acceptance = "- it is there" } = options;
  const { task } = await lead.must("task_create", { title: "Write a line", acceptance, scope: ["src"] });
  const unit: string = (await lead.must("unit_plan", { tasks: [task.id], about: "9" })).units[0].id;
  await lead.must("unit_start", { unit });
  const ada = await world.spawn("ada", { prompt: `Do ${task.id}` });
  await ada.must("task_claim", { id: task.id });
  const tree = options.apart ? join(world.root, ".claude/worktrees/agent-a") : world.root;
  if (options.apart) {
    repo.git("worktree", "add", "-q", "-b", "agent-a", tree);
    const { db } = world.runtime.store;
    await db.updateTable("agent").set({ worktree: tree }).where("agent_id", "=", ada.id).execute();
  }
  return { repo, lead, ada, unit, tree, task: task.id as string };
}

type Begun = Awaited<ReturnType<typeof begun>>;

/** Work is handed in and has passed its gates. */
async function validated({ lead, ada, unit, tree }: Begun, text = "one\ntwo\n"): Promise<void> {
  writeFileSync(join(tree, "src/a.txt"), text);
  await ada.must("unit_submit", { unit });
  expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
}

let calls = 0;
async function shell(world: World, agent: Actor | undefined, work: () => unknown): Promise<void> {
  calls += 1;
  const call = { agent_id: agent?.id ?? "", tool_name: "Bash", tool_use_id: `toolu_adv_${calls}` };
  await world.hook({ event: "PreToolUse", ...call, tool_input: JSON.stringify({ command: "sh build.sh" }) });
  await work();
  await world.hook({ event: "PostToolUse", ...call });
}

const moved = async (world: World) =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events.filter(
    (event: { type: string }) => event.type === "history.moved",
  );

const evil = ({ repo, tree }: Begun, message = "sneaked") => {
  writeFileSync(join(tree, "evil.txt"), "evil\n");
  repo.git("-C", tree, "add", "evil.txt");
  repo.git("-C", tree, "commit", "-qm", message);
};

for (const dialect of dialects) {
  describe(`what is committed though nobody has reviewed it, on ${dialect}`, () => {
    test("a commit made to look like the unit's own does not take another along into the merge (FP-05, AR-06)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world, { apart: true });
      const { repo, lead, unit, tree } = all;
      await validated(all);
      await review(world, lead, unit, passing(1));
      evil(all);
      repo.git("-C", tree, "commit", "-qam", `feat(${unit}): x\n\nTeamwright-Unit: ${unit}\nTeamwright-Review: rv-1`);
      const answer = await lead.must("unit_commit", { unit });
      expect(answer).toMatchObject({ committed: false, reason: expect.stringContaining("commit made by hand") });
      expect(repo.git("ls-tree", "--name-only", "HEAD")).not.toContain("evil.txt");
    });

    test("what is committed past unit_commit after the validation keeps the unit from its commit (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { repo, lead, ada, unit } = all;
      await shell(world, ada, () => {});
      await validated(all);
      await shell(world, ada, () => evil(all));
      await review(world, lead, unit, passing(1));
      const answer = await lead.must("unit_commit", { unit });
      expect(answer).toMatchObject({ committed: false, reason: expect.stringContaining("History has moved") });
      repo.git("reset", "-q", "--soft", "HEAD~1");
      repo.git("rm", "-q", "-f", "evil.txt");
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1));
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true });
    });

    test("a hook of git's puts nothing beneath the unit's commit (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { repo, lead, unit } = all;
      await validated(all);
      await review(world, lead, unit, passing(1));
      const before = repo.git("rev-parse", "HEAD").trim();
      const hook = join(world.root, ".git/hooks/post-commit");
      mkdirSync(join(world.root, ".git/hooks"), { recursive: true });
      writeFileSync(
        hook,
        `#!/bin/sh
blob=$(echo evil | git hash-object -w --stdin)
export GIT_INDEX_FILE=.git/evil-index
git read-tree HEAD~1
git update-index --add --cacheinfo 100644,$blob,evil.txt
lower=$(git commit-tree -p HEAD~1 -m lower $(git write-tree))
git read-tree HEAD
git update-index --add --cacheinfo 100644,$blob,evil.txt
git update-ref HEAD $(git commit-tree -p $lower -m "$(git log -1 --format=%B HEAD)" $(git write-tree))
`,
      );
      chmodSync(hook, 0o755);
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: false });
      expect(repo.git("rev-parse", "HEAD").trim()).toBe(before);
    });

    test("a reviewer is shown what will be committed, not what a replaced object says of it (AR-01, AR-04)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { repo, lead, ada, unit } = all;
      repo.write("src/a.txt", "one\nbackdoor\n");
      repo.write("benign.tmp", "one\nharmless\n");
      const bad = repo.git("hash-object", "-w", "src/a.txt").trim();
      const good = repo.git("hash-object", "-w", "benign.tmp").trim();
      repo.git("rm", "-q", "--ignore-unmatch", "--cached", "benign.tmp");
      repo.git("clean", "-qf", "benign.tmp");
      repo.git("replace", bad, good);
      await ada.must("unit_submit", { unit });
      await lead.must("unit_validate", { unit });
      const opened = await lead.must("review_open", { unit });
      const reviewer = await askReviewer(world, { prompt: opened.spawn.prompt });
      if ("refusal" in reviewer) throw new Error(reviewer.refusal);
      expect(reviewer.shown[0]).toContain("+backdoor");
    });

    test("an attribute does not hide from a reviewer what has changed (AR-01)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      writeFileSync(join(world.root, ".git/info/attributes"), "*.txt -diff\n");
      all.repo.write("src/real.bin", "a\u0000b\n");
      await validated(all);
      const opened = await all.lead.must("review_open", { unit: all.unit });
      const reviewer = await askReviewer(world, { prompt: opened.spawn.prompt });
      if ("refusal" in reviewer) throw new Error(reviewer.refusal);
      expect(reviewer.shown[0]).toContain("+two");
      expect(reviewer.shown[0]).toMatch(/Binary files .*real\.bin/);
    });
  });

  describe(`a lead that wants a PASS at any price, on ${dialect}`, () => {
    test("a definition of the project's own that has the reviewer's name is no reviewer (AR-01)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      await validated(all);
      const { review: key } = await all.lead.must("review_open", { unit: all.unit });
      for (const type of ["adversarial-reviewer", "mine:adversarial-reviewer"])
        expect(await askReviewer(world, { prompt: key, subagent_type: type })).toMatchObject({
          refusal: expect.stringMatching(/^REVIEWER_/),
        });
      expect(await askReviewer(world, { prompt: key })).not.toHaveProperty("refusal");
    });

    test("a byte changed between rounds without a verdict makes none of them free (AR-06, FP-09)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { lead, unit, repo } = all;
      await validated(all);
      let asked = 0;
      for (; asked < 14; asked += 1) {
        const opened = await lead.call("review_open", { unit });
        if (opened.error?.code === "CONFLICT") {
          await lead.call("unit_validate", { unit });
          continue;
        }
        if (opened.error) break;
        await askReviewer(world, { prompt: opened.review });
        repo.write("src/a.txt", `one\ntwo\n${" ".repeat(asked)}\n`);
      }
      expect((await world.person("unit_show", { unit })).unit.phase).toBe("escalated");
    });
  });

  describe(`words of a reviewer and a report, on ${dialect}`, () => {
    test("evidence in a file whose name has underscores counts (AR-06)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      all.repo.write("src/__tests__/a.test.txt", "shown\n");
      all.repo.write("src/__init__.py", "x\n");
      await validated(all);
      const answer =
        "__VERDICT: PASS__\n__ITEM 1__: **PASS** | `src/__init__.py:1` | src/__tests__/a.test.txt:1 | it is there";
      await review(world, all.lead, all.unit, answer);
      expect((await world.person("unit_show", { unit: all.unit })).unit.phase).toBe("commit");
    });

    test("an item that failed makes a FAIL also where its number is none of the list (AR-06)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      await validated(all);
      await review(world, all.lead, all.unit, `${passing(1)}\nITEM 2: FAIL | src/a.txt:1 | none | it breaks`);
      expect((await world.person("unit_show", { unit: all.unit })).unit.phase).toBe("implement");
    });

    test("a character that a store does not take keeps neither verdict nor report out of it (RP-03, AR-06)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      await validated(all);
      await review(world, all.lead, all.unit, `${passing(1)} \u0000 indeed`);
      expect((await world.person("unit_show", { unit: all.unit })).unit.phase).toBe("commit");
      for (const text of ["\u0000 bye", "\u0000 bye", "\u0000 bye \n[CROSS-DOMAIN:lead] look \u0000 here"])
        await world.hook({ event: "SubagentStop", agent_id: all.ada.id, last_assistant_message: text });
      expect(await world.runtime.store.db.selectFrom("report").select("key").execute()).toHaveLength(1);
    });

    test("a builder under a reviewer's name owes a report, too (RP-03)", async () => {
      await using world = await openWorld({ dialect, config });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const { task } = await lead.must("task_create", { title: "Write", acceptance: "- x", scope: ["src"] });
      const unit: string = (await lead.must("unit_plan", { tasks: [task.id], about: "9" })).units[0].id;
      await lead.must("unit_start", { unit });
      const ada = await world.spawn("ada", { prompt: `Do ${task.id}`, role: "code-reviewer" });
      const stop = () => world.hook({ event: "SubagentStop", agent_id: ada.id, last_assistant_message: "done" });
      await ada.must("task_claim", { id: task.id });
      repo.write("src/a.txt", "two\n");
      await ada.must("unit_submit", { unit });
      expect((await stop())?.reason).toContain("report");
    });
  });

  describe(`people who work beside the loop, on ${dialect}`, () => {
    test("what somebody commits while the gates of a merge run is not thrown away with it (WT-02, FP-12)", async () => {
      const command = "if test -f .claude/on && test -d .git; then git commit -q --allow-empty -m person; exit 1; fi";
      await using world = await openWorld({
        dialect,
        config: `gates:\n  - { name: tests, command: [sh, -c, ${JSON.stringify(command)}] }\n`,
      });
      const all = await begun(world, { apart: true });
      await validated(all);
      await review(world, all.lead, all.unit, passing(1));
      writeFileSync(join(world.root, ".claude/on"), "");
      expect((await all.lead.call("unit_commit", { unit: all.unit })).error.code).toBe("CONFLICT");
      expect(all.repo.git("log", "-1", "--format=%s").trim()).toBe("person");
    });
  });

  describe(`looks at history that a script goes around, on ${dialect}`, () => {
    test("a commit that was first put on a new branch is none that was there (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { repo, ada } = all;
      const tree = repo.git("rev-parse", "HEAD^{tree}").trim();
      const sly = repo.git("commit-tree", "-p", "HEAD", "-m", "sly", tree).trim();
      await shell(world, ada, () => repo.git("branch", "side", sly));
      await shell(world, ada, () => repo.git("update-ref", "refs/heads/main", sly));
      expect(await moved(world)).toMatchObject([{ after: { added: [sly] } }]);
    });

    test("a branch that is gone in one command and elsewhere in the next has moved (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const all = await begun(world);
      const { repo, ada } = all;
      const tree = repo.git("rev-parse", "HEAD^{tree}").trim();
      const sly = repo.git("commit-tree", "-p", "HEAD", "-m", "sly", tree).trim();
      await shell(world, ada, () => repo.git("update-ref", "-d", "refs/heads/main"));
      await shell(world, ada, () => repo.git("update-ref", "refs/heads/main", sly));
      expect(JSON.stringify(await moved(world))).toContain(sly);
    });
  });
}
