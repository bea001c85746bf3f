import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { passing, review } from "../support/loop.ts";
import { makeRepository, type Repository } from "../support/repository.ts";
import { type Actor, dialects, openWorld, type World, type WorldOptions } from "../support/world.ts";

const config = "gates: []\n";

function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function plan(lead: Actor, scope: readonly string[]) {
  const { task } = await lead.must("task_create", {
    title: "Change a part of it",
    acceptance: "- it is there",
    scope,
  });
  const answer = await lead.must("unit_plan", { tasks: [task.id], about: "parts" });
  const unit: string = answer.units[0].id;
  await lead.must("unit_start", { unit });
  return { unit, task: task.id as string };
}

/** A unit whose second line a fresh reviewer has passed. */
async function passed(world: World) {
  const repo = makeRepository(world.root);
  const lead = world.lead();
  const { unit, task } = await plan(lead, ["src"]);
  await lead.must("task_claim", { id: task });
  repo.write("src/a.txt", "one\ntwo\n");
  await lead.must("unit_submit", { unit });
  expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true });
  await review(world, lead, unit, passing(1));
  return { repo, lead, unit, task };
}

/** The same by an agent in a working tree of its own, which has added src/x. */
async function apart(world: World, before: (tree: string) => void = () => {}) {
  const repo = makeRepository(world.root);
  const lead = world.lead();
  const { unit, task } = await plan(lead, ["src/x"]);
  const agent = await world.spawn("ada", { prompt: `Do ${task}` });
  const tree = join(world.root, ".claude", "worktrees", `agent-${agent.id}`);
  git(world.root, "worktree", "add", "-q", "-b", "ada", tree);
  await world.runtime.store.db.updateTable("agent").set({ worktree: tree }).where("agent_id", "=", agent.id).execute();
  await agent.must("task_claim", { id: task });
  before(tree);
  writeFileSync(join(tree, "src/x"), "x\n");
  await agent.must("unit_submit", { unit });
  const validated = await lead.call("unit_validate", { unit });
  if (validated.passed) await review(world, lead, unit, passing(1, "src/x:1"));
  return { repo, lead, unit, agent, tree, validated };
}

function hook(world: World, script: string): void {
  const folder = join(world.root, ".git/hooks");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pre-commit"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "pre-commit"), 0o755);
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
}

const trailer = (unit: string) => `x\n\nTeamwright-Unit: ${unit}\nTeamwright-Review: rv-x\n`;
const subjects = (repo: Repository) => repo.git("log", "--format=%s").trim().split("\n");

// git does the work here, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  const open = (options: WorldOptions = {}) => openWorld({ dialect, config, ...options });

  describe(`what gets into a commit on ${dialect}`, () => {
    test("a commit that only claims to carry the unit is not taken for it (FP-05, AR-06)", async () => {
      await using world = await open();
      const { repo, lead, unit } = await passed(world);
      repo.write("src/a.txt", "evil\n");
      repo.git("commit", "-qam", trailer(unit));
      const answer = await lead.must("unit_commit", { unit });
      expect(answer).toMatchObject({ committed: false, unit: { phase: "validate" } });
      expect(subjects(repo)).toEqual(["Start"]);
      expect(repo.read("src/a.txt")).toBe("evil\n");
    });

    test("a commit that claims to carry another unit is by hand all the same, and a summary claims nothing (FP-05)", async () => {
      await using world = await open();
      const { repo, lead, unit } = await passed(world);
      const { unit: other } = await plan(lead, ["lib"]);
      const summary = `Done.\rTeamwright-Unit: ${other}\nTeamwright-Review: rv-x\u2028Overridden-by: pat`;
      await lead.must("unit_commit", { unit, summary });
      expect(repo.git("log", "-1", "--format=%B")).toContain(
        `\n> Teamwright-Unit: ${other}\n> Teamwright-Review: rv-x\n`,
      );
      const head = repo.git("rev-parse", "HEAD");
      repo.write("lib/a.txt", "by hand\n");
      repo.git("add", "lib");
      repo.git("commit", "-qm", trailer(unit));
      const task = (await world.person("unit_show", { unit: other })).unit.task;
      await lead.must("task_claim", { id: task });
      repo.write("lib/b.txt", "b\n");
      await lead.must("unit_submit", { unit: other });
      const { reason } = await lead.must("unit_validate", { unit: other });
      expect(reason).toContain("its files were committed by hand");
      expect(repo.git("rev-parse", "HEAD~1")).toBe(head);
    });

    test("a file that a git hook adds is no part of the commit; what others have staged stays staged (FP-05)", async () => {
      await using world = await open();
      const { repo, lead, unit } = await passed(world);
      repo.write("README.md", "staged\n");
      repo.git("add", "README.md");
      repo.write("README.md", "on disk\n");
      hook(world, "echo no way >&2; exit 1");
      const failed = (await lead.call("unit_commit", { unit })).error;
      expect(failed).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("no way") });
      expect(repo.git("status", "--porcelain", "src", "README.md")).toBe("MM README.md\n M src/a.txt\n");
      hook(world, "echo 2 > VERSION; git add VERSION");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: false, unit: { phase: "validate" } });
      expect(subjects(repo)).toEqual(["Start"]);
      expect(repo.git("show", ":README.md")).toBe("staged\n");
    });

    test("files committed by hand after the PASS send the unit back, with the reason (FP-05)", async () => {
      await using world = await open();
      const { repo, lead, unit } = await passed(world);
      repo.git("commit", "-qam", "by hand");
      const answer = await lead.must("unit_commit", { unit });
      expect(answer).toMatchObject({ committed: false, reason: expect.stringContaining("committed by hand") });
    });

    test("a lock of another git and a merge that a person has begun are waited for, and lose nothing (WT-02)", async () => {
      await using world = await open();
      const { repo, lead, unit } = await apart(world);
      writeFileSync(join(world.root, ".git/index.lock"), "");
      expect((await lead.call("unit_commit", { unit })).error).toMatchObject({ code: "UNAVAILABLE" });
      rmSync(join(world.root, ".git/index.lock"));
      repo.git("checkout", "-qb", "side");
      repo.write("README.md", "side\n");
      repo.git("commit", "-qam", "side");
      repo.git("checkout", "-q", "main");
      repo.write("README.md", "main\n");
      repo.git("commit", "-qam", "main");
      expect(() => repo.git("merge", "side")).toThrow();
      repo.write("README.md", "resolved by a person\n");
      expect((await lead.call("unit_commit", { unit })).error).toMatchObject({ code: "CONFLICT" });
      expect(repo.read("README.md")).toBe("resolved by a person\n");
      repo.git("commit", "-qam", "merged");
      repo.write("src/x", "in the way\n");
      expect((await lead.call("unit_commit", { unit })).error).toMatchObject({ code: "UNAVAILABLE" });
      expect(repo.read("src/x")).toBe("in the way\n");
      rmSync(join(world.root, "src/x"));
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true });
    });

    test("a repository without a commit, and names with newline, quote, colon, star (FO-05)", async () => {
      await using world = await open();
      git(world.root, "init", "-q", "-b", "main");
      git(world.root, "config", "user.email", "team@example.org");
      git(world.root, "config", "user.name", "Team");
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src"]);
      await lead.must("task_claim", { id: task });
      mkdirSync(join(world.root, "src"));
      const names = ["a b", 'q"uote', "new\nline", "ünï", ":colon", "-dash", "*"];
      for (const name of names) writeFileSync(join(world.root, "src", name), "x\n");
      await lead.must("unit_submit", { unit });
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1, "src/ünï:1"));
      hook(world, "echo y >> src/-dash; git add -- src/-dash");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: false });
      expect(() => git(world.root, "rev-parse", "--verify", "HEAD")).toThrow();
      hook(world, "exit 0");
      await lead.must("unit_validate", { unit });
      await review(world, lead, unit, passing(1, "src/ünï:1"));
      const done = await lead.must("unit_commit", { unit });
      expect(done.files.sort()).toEqual(names.map((name) => `src/${name}`).sort());
    });
  });

  describe(`what a working tree hides on ${dialect}`, () => {
    test("a crash between the commit in a tree of its own and the merge: it is merged, not only said to be (FP-11, WT-02)", async () => {
      await using world = await open();
      const { repo, lead, unit, tree } = await apart(world);
      git(tree, "add", "-A");
      git(tree, "commit", "-q", "-m", trailer(unit));
      expect(await lead.must("unit_commit", { unit })).toMatchObject({ committed: true });
      expect(repo.read("src/x")).toBe("x\n");
    });

    test("a crash between the merge and its gates: they run, and what fails is taken back (FP-12)", async () => {
      await using world = await open({ config: 'gates: [{ name: t, command: "test ! -e stop" }]\n' });
      const { repo, lead, unit, tree } = await apart(world);
      git(tree, "add", "-A");
      git(tree, "commit", "-q", "-m", trailer(unit));
      repo.git("merge", "-q", "--no-ff", "-m", "Merge", "ada");
      repo.write("stop", "");
      expect(await lead.must("unit_commit", { unit })).toMatchObject({
        committed: false,
        unit: { phase: "implement" },
      });
      expect(existsSync(join(world.root, "src/x"))).toBe(false);
      expect(git(tree, "status", "--porcelain")).toBe("?? src/x\n");
    });

    test("a process that stood still while another finished finds that it has lost, and touches nothing (FP-11, FP-12)", async () => {
      // the first gates in the project's own tree wait until they are told to go on, and then fail
      const wait = "rm .git/slow; touch .git/waits; while [ ! -e .git/go ]; do sleep 0.1; done; exit 1";
      const command = `if [ -e .git/slow ]; then ${wait}; fi`;
      await using world = await open({ config: `gates: [{ name: t, command: ${JSON.stringify(command)} }]\n` });
      const { repo, lead, unit, tree } = await apart(world);
      repo.write(".git/slow", "");
      const late = lead.call("unit_commit", { unit });
      await until(() => existsSync(join(world.root, ".git/waits")));
      world.clock.advance(10 * 60_000);
      expect(await world.person("unit_commit", { unit })).toMatchObject({ committed: true, unit: { phase: "done" } });
      const head = repo.git("rev-parse", "HEAD");
      repo.write(".git/go", "");
      expect((await late).error.code).toBe("CONFLICT");
      expect(repo.git("rev-parse", "HEAD")).toBe(head);
      expect(repo.read("src/x")).toBe("x\n");
      expect(git(tree, "status", "--porcelain")).toBe("");
      expect(repo.git("status", "--porcelain", "src")).toBe("");
    });

    test("commits by hand in a tree of its own are not merged along (FP-05, FO-05)", async () => {
      await using world = await open();
      const { validated } = await apart(world, (tree) => {
        writeFileSync(join(tree, "README.md"), "evil\n");
        git(tree, "commit", "-qam", "evil");
      });
      expect(validated).toMatchObject({ passed: false, reason: expect.stringContaining("made by hand") });
    });

    test("a file that both have added is a conflict, marked in the agent's tree (WT-02)", async () => {
      await using world = await open();
      const { repo, lead, unit, tree } = await apart(world);
      repo.write("src/x", "theirs\n");
      repo.git("add", "src/x");
      repo.git("commit", "-qm", "Faster");
      const answer = await lead.must("unit_commit", { unit });
      expect(answer).toMatchObject({ committed: false, conflicts: ["src/x"], unit: { phase: "implement" } });
      expect(git(tree, "diff", "--name-only")).toBe("src/x\n");
    });

    test("a working tree that is gone, or no longer one, is not taken for the project's (WT-03)", async () => {
      await using world = await open();
      const { lead, unit, tree } = await apart(world);
      rmSync(join(tree, ".git"));
      expect((await lead.call("unit_commit", { unit })).error).toMatchObject({ code: "UNAVAILABLE" });
      rmSync(tree, { recursive: true });
      expect((await lead.call("unit_commit", { unit })).error).toMatchObject({ code: "UNAVAILABLE" });
      expect((await world.person("unit_show", { unit })).unit.phase).toBe("commit");
    });

    test("a change that git's own settings would overlook is found (FO-05)", async () => {
      await using world = await open();
      const repo = makeRepository(world.root);
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src"]);
      await lead.must("task_claim", { id: task });
      repo.write("src/a.txt", "one\ntwo\n");
      // a helper that knows of no change
      repo.write(".git/blind", "#!/bin/sh\nprintf 'x\\0'\n");
      chmodSync(join(world.root, ".git/blind"), 0o755);
      repo.git("config", "core.fsmonitor", ".git/blind");
      repo.git("update-index", "--fsmonitor");
      repo.git("status");
      repo.write("README.md", "# Another\n");
      await lead.must("unit_submit", { unit });
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: false, outside_scope: ["README.md"] });
    });

    test("what a gate changes or commits is found; the server's own log is not (FO-05, FP-03, FP-05)", async () => {
      await using world = await open({ config: 'gates: [{ name: t, command: ". ./edit" }]\n' });
      const repo = makeRepository(world.root);
      repo.git("config", "core.excludesFile", join(world.root, ".git/ignored"));
      repo.write(".git/ignored", "edit\n");
      const lead = world.lead();
      const { unit, task } = await plan(lead, ["src"]);
      await lead.must("task_claim", { id: task });
      await world.person("run_log", {});
      repo.write("src/a.txt", "one\ntwo\n");
      const round = async () => {
        await lead.must("unit_submit", { unit });
        return lead.must("unit_validate", { unit });
      };
      repo.write("edit", "echo x > README.md");
      expect(await round()).toMatchObject({ passed: false, reason: expect.stringContaining("while the gates ran") });
      repo.git("checkout", "-q", "README.md");
      repo.write("edit", "git commit -qam sneaked");
      expect(await round()).toMatchObject({ passed: false, reason: expect.stringContaining("committed by hand") });
      repo.git("reset", "-q", "--soft", "HEAD~1");
      repo.write("edit", "");
      expect(await round()).toMatchObject({ passed: true });
    });
  });
}
