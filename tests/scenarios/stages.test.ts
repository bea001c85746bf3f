import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { passing, review } from "../support/loop.ts";
import { makeRepository, type Repository } from "../support/repository.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

/** A run of two stages: what the first makes is what the second builds on. */
async function twoStages(world: World, team?: string) {
  const repo = makeRepository(world.root);
  repo.git("remote", "add", "origin", join(world.root, "..", "none"));
  const lead = world.lead();
  const { tasks } = await lead.must("task_create", {
    ...(team === undefined ? {} : { team }),
    tasks: [
      { ref: "first", title: "Write the first line", acceptance: "- it is there", scope: ["src/a.txt"] },
      {
        ref: "second",
        title: "Try the first line",
        acceptance: "- it is there",
        scope: ["src/b.txt"],
        blocked_by: ["first"],
      },
    ],
  });
  const plan = await lead.must("unit_plan", { tasks: tasks.map((task: Answer) => task.id), about: "55" });
  const [first, second] = plan.units as { id: string; task: string; stage: number }[];
  if (!first || !second) throw new Error("no units");
  expect([first.stage, second.stage]).toEqual([1, 2]);
  return { repo, lead, run: plan.run.id as string, first, second };
}

async function deliver(world: World, lead: Actor, unit: { id: string; task: string }, repo: Repository) {
  await lead.must("unit_start", { unit: unit.id });
  await lead.must("task_claim", { id: unit.task });
  repo.write("src/a.txt", "one\ntwo\n");
  await lead.must("unit_submit", { unit: unit.id });
  await lead.must("unit_validate", { unit: unit.id });
  await review(world, lead, unit.id, passing(1));
  return lead.must("unit_commit", { unit: unit.id });
}

const problems = async (call: Promise<Answer>): Promise<string> => {
  const { error } = await call;
  return error === undefined ? "started" : `${error.code}: ${(error.problems ?? []).join("; ")}`;
};

/** What the guard says of a shell command of the lead; undefined lets it pass. */
const shell = async (world: World, command: string, cwd = world.root): Promise<string | undefined> => {
  const tool_input = JSON.stringify({ command });
  const answer = await world.hook({ event: "PreToolUse", tool_name: "Bash", tool_use_id: command, tool_input, cwd });
  return answer?.hookSpecificOutput?.permissionDecisionReason;
};

/** A `gh` that knows of one merged pull request, once a file says so. */
function putGh(world: World): { merge: () => void; asked: () => string; path: string } {
  const folder = join(world.root, ".tools");
  mkdirSync(folder);
  const script = `#!/bin/sh\necho "$@" >> "${folder}/asked"\nif test -e "${folder}/merged"; then echo '[{"number":7}]'; else echo '[]'; fi\n`;
  writeFileSync(join(folder, "gh"), script);
  chmodSync(join(folder, "gh"), 0o755);
  const asked = () => readFileSync(join(folder, "asked"), "utf8");
  return { path: folder, asked, merge: () => writeFileSync(join(folder, "merged"), "") };
}

// git does the work, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  describe(`the gate between two stages on ${dialect}`, () => {
    test("a person merges what has left, unless the project says that agents may (FP-13)", async () => {
      await using world = await openWorld({ dialect });
      const merge = "gh pr merge 7 --squash";
      expect(await shell(world, merge)).toBeUndefined();
      const { run } = await twoStages(world);
      expect(await shell(world, merge)).toContain("A person merges");
      const tool = {
        event: "PreToolUse",
        tool_name: "mcp__github__merge_pull_request",
        tool_use_id: "toolu_m",
        cwd: world.root,
      };
      expect(JSON.stringify(await world.hook(tool))).toContain("A person merges");
      await world.lead().must("unit_end", { run, reason: "given up" });
      expect(await shell(world, merge)).toBeUndefined();
    });

    test("merged_local: the next begins when the commits of the one before are on this branch (FP-07, C-19)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, first, second } = await twoStages(world);
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe(
        `BLOCKED: ${first.id} of stage 1 is in phase planned`,
      );
      expect(await deliver(world, lead, first, repo)).toMatchObject({ committed: true });
      const { messages } = await world.person("message_list");
      expect(messages).toMatchObject([{ kind: "INFO", from: "teamwright", to: "lead" }]); // once, and not urgent (MB-06)
      expect(messages[0].text).toMatch(new RegExp(`Stage 1 of run-\\w+ is over[^]*Stage 2 .${second.id}. may begin`));
      repo.git("checkout", "-q", "-b", "elsewhere", "HEAD~1");
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe(
        `BLOCKED: the commit of ${first.id} is not on this branch`,
      );
      repo.git("checkout", "-q", "main");
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe("started");
    });

    test("a team hears of another's commit that changes what its tasks may write, and else nothing (MB-06, DE-07)", async () => {
      const teams = ["alpha, agents: [ada]", "beta, agents: [bea]", "gamma, agents: [gus]"];
      const config = `gates: []\nteams:\n${teams.map((team) => `  - { id: ${team} }\n`).join("")}`;
      await using world = await openWorld({ dialect, config });
      const { repo, lead, first } = await twoStages(world, "alpha");
      const [bea, gus] = [await world.spawn("bea", { session: "s2" }), await world.spawn("gus", { session: "s3" })];
      const make = async (actor: Actor, scope: string[]) =>
        (await actor.must("task_create", { title: "Write some more", scope })).task.id;
      const [theirs, others] = [await make(bea, ["src/*.txt"]), await make(gus, ["web/**"])];
      await gus.must("task_claim", { id: others });
      const told = async (team: string) =>
        (await world.person("message_list", { channel: `team:${team}` })).messages.map(({ text }: Answer) => text);
      await deliver(world, lead, first, repo);
      expect(await told("beta")).toEqual([expect.stringContaining(`${first.id} of team alpha is committed`)]);
      expect((await told("beta"))[0]).toContain(`It changes src/a.txt, in the scope of your ${theirs}.`);
      expect([...(await told("gamma")), ...(await told("alpha"))]).toEqual([]);
    });

    test("whoever reviews the last unit of a run is shown the whole, and nobody else is (FP-12, DC-02)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\n" });
      const { repo, lead, first, second } = await twoStages(world);
      await deliver(world, lead, first, repo);
      await lead.must("unit_start", { unit: second.id });
      await lead.must("task_claim", { id: second.task });
      repo.write("src/b.txt", "it reads SECOND\n");
      await lead.must("unit_submit", { unit: second.id });
      await lead.must("unit_validate", { unit: second.id });
      const last = await review(world, lead, second.id, passing(1, "src/b.txt:1"));
      const rows = await world.runtime.store.db.selectFrom("review").select("packet").orderBy("id").execute();
      const [before = "", packet = ""] = rows.map((row) => row.packet);
      expect(before).not.toContain("whole-change");
      expect(last.shown[0]).toBe(packet);
      const [diff = "", whole = ""] = packet.split("<whole-change");
      expect([diff.includes("+two"), diff.includes("+it reads SECOND")]).toEqual([false, true]);
      expect([whole.includes("+two"), whole.includes("+it reads SECOND")]).toEqual([true, true]);
      expect(await lead.must("unit_commit", { unit: second.id })).toMatchObject({ committed: true });
    });

    test("manual: the next begins when a person has approved, and who it was is kept (FP-07, FP-08, C-19)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\nunits: { phase_gate: manual }\n" });
      const { repo, lead, run, first, second } = await twoStages(world);
      const about = `${run}:stage-2`;
      const cut = (id: string) => id.slice(0, -2);
      const asked = { title: "All right so far?", kind: "gate", about: `${cut(run)}:stage-2` };
      const early = await lead.must("checkpoint_request", asked);
      await world.person("checkpoint_approve", { id: early.checkpoint.id });
      world.clock.advance(1000);
      await deliver(world, lead, first, repo);
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toContain("was not done yet: ask again");
      const gate = { title: "Build on it?", kind: "gate" };
      const { task } = await lead.must("task_create", { title: "Write to the users", acceptance: "- it is sent" });
      const other = await lead.must("checkpoint_request", { ...gate, about: task.id });
      expect(other.checkpoint.about, "a task of no unit is no stage").toBe(task.id);
      // who names a unit that waits behind the gate, or the run, means the gate
      const { checkpoint } = await lead.must("checkpoint_request", { ...gate, about: cut(second.id) });
      expect(await lead.must("checkpoint_request", gate)).toMatchObject({ checkpoint: { id: checkpoint.id, about } });
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe(
        "BLOCKED: no person has approved the stage before: a checkpoint of kind gate asks one",
      );
      await world.person("checkpoint_approve", { id: checkpoint.id });
      expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe("started");
      const { checkpoints } = await world.person("checkpoint_list", { status: "all" });
      expect(checkpoints[0]).toMatchObject({ about, status: "approved", decided_by: expect.stringContaining("pat") });
    });

    test("pr_merged: each unit is pushed as it is done, and the next stage begins when its pull request is merged (FP-06, FP-07, C-19)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\nunits: { phase_gate: pr_merged }\n" });
      const { repo, lead, first, second } = await twoStages(world);
      expect(await shell(world, "git push -u origin main")).toContain("has nothing to push yet");
      const done = await deliver(world, lead, first, repo);
      expect(done.publish).toContain("shepherd");
      const unmerged = `BLOCKED: the pull request of ${first.id} is not merged`;
      const path = process.env.PATH;
      const gh = putGh(world);
      try {
        process.env.PATH = `${gh.path}:${path}`;
        expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe(unmerged);
        expect(gh.asked()).toContain(`--search ${repo.git("rev-parse", "HEAD").trim()}`);
        // what has been reviewed leaves at once, while the second unit is still open
        for (const push of ["git push", "git push -u origin main", "git push origin HEAD"])
          expect(await shell(world, push)).toBeUndefined();
        for (const push of [
          "git push --force origin main",
          "git push origin +main",
          "git push origin main:release",
          "git push --all",
          "git push origin elsewhere",
          "git commit -am x && git push",
        ])
          expect(await shell(world, push), push).toContain("would bypass the review");
        gh.merge();
        expect(await problems(lead.call("unit_start", { unit: second.id }))).toBe("started");
      } finally {
        process.env.PATH = path;
      }
      repo.git("commit", "-q", "--allow-empty", "-m", "nobody has reviewed this");
      expect(await shell(world, "git push")).toContain("that no unit_commit has made");
    });

    test("a plain push means what its words say: not another tree's branch, not what settings add to it (FP-05, FP-06)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\nunits: { phase_gate: pr_merged }\n" });
      const { repo, lead, first } = await twoStages(world);
      await deliver(world, lead, first, repo);
      expect(await shell(world, "git push")).toBeUndefined();
      for (const command of ["git push\nmake", "git push origin\nmain", "git push .", "git push .. main"])
        expect(await shell(world, command), command).toContain("would bypass the review");

      // the shell's folder stays from call to call: the HEAD of another tree or repository is another
      const tree = join(world.root, ".claude", "worktrees", "side");
      repo.git("worktree", "add", "-q", "-b", "side", tree);
      execFileSync("git", ["commit", "-q", "--allow-empty", "-m", "nobody has reviewed this"], { cwd: tree });
      for (const command of ["git push", "git push origin HEAD"])
        expect(await shell(world, command, tree), command).toContain("that no unit_commit has made");
      expect(await shell(world, "git push origin main", join(tree, "src"))).toBeUndefined();
      const other = join(world.root, "other");
      execFileSync("git", ["init", "-q", other]);
      expect(await shell(world, "git push", other)).toContain("would bypass the review");

      for (const [key, value] of [
        ["remote.origin.mirror", "true"],
        ["remote.origin.push", "+refs/heads/*:refs/heads/*"],
        ["push.default", "matching"],
        ["push.followTags", "true"],
        ["push.recurseSubmodules", "on-demand"],
      ] as const) {
        repo.git("config", key, value);
        expect(await shell(world, "git push"), key).toContain(key.toLowerCase());
        expect(await shell(world, "git push origin main"), key).toContain(key.toLowerCase());
        repo.git("config", "--unset", key);
      }
      repo.git("config", "push.default", "simple");
      expect(await shell(world, "git push")).toBeUndefined();
    });

    test("what came before a unit that was started later is looked at, too (FP-05)", async () => {
      await using world = await openWorld({ dialect, config: "gates: []\nunits: { phase_gate: pr_merged }\n" });
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const drafts = ["src/b.txt", "src/a.txt"].map((scope, n) => ({
        title: `Write line ${n} of it`,
        acceptance: "- it is there",
        scope: [scope],
      }));
      const { tasks } = await lead.must("task_create", { tasks: drafts });
      const { units } = await lead.must("unit_plan", { tasks: tasks.map((task: Answer) => task.id), about: "55" });
      await deliver(world, lead, units[1], repo);
      repo.git("commit", "-q", "--allow-empty", "-m", "nobody has reviewed this");
      await lead.must("unit_start", { unit: units[0].id });
      expect(await shell(world, "git push")).toContain("that no unit_commit has made");
    });
  });
}
