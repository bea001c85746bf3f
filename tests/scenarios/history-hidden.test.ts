import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { beginUnit } from "../support/loop.ts";
import { makeRepository } from "../support/repository.ts";
import { type Actor, type Answer, dialects, openWorld, type World } from "../support/world.ts";

const config = 'gates: []\nprotected: ["infra/**"]\n';

async function begun(world: World) {
  const repo = makeRepository(world.root);
  repo.write(".gitignore", ".teamwright/\n");
  repo.git("add", ".gitignore");
  repo.git("commit", "-qm", "Ignore");
  return beginUnit(world, undefined, repo);
}

let calls = 0;
async function shell(world: World, agent: Actor, work: () => unknown = () => {}): Promise<void> {
  calls += 1;
  const agent_id = agent.id.startsWith("lead:") ? "" : agent.id;
  const call = { agent_id, tool_name: "Bash", tool_use_id: `toolu_hidden_${calls}` };
  await world.hook({ event: "PreToolUse", ...call, tool_input: JSON.stringify({ command: "sh build.sh" }) });
  await work();
  await world.hook({ event: "PostToolUse", ...call });
}

const moved = async (world: World): Promise<Answer[]> =>
  (await world.person("event_list", { after: 0, limit: 5000 })).events
    .filter((event: { type: string }) => event.type === "history.moved")
    .map((event: Answer) => event.after);

const settle = async (world: World) => {
  const { escalations } = await world.person("escalation_list", {});
  await world.person("escalation_resolve", { id: escalations[0].id, decision: "override", note: "It was me." });
};

type Repo = ReturnType<typeof makeRepository>;
const at = (repo: Repo, name = "HEAD") => repo.git("rev-parse", name).trim();
/** A commit of one file, without the working tree. */
const made = (repo: Repo, parent: string, path: string, text: string): string => {
  const run = (input: string, ...args: string[]) =>
    execFileSync("git", args, { cwd: repo.git("rev-parse", "--show-toplevel").trim(), input, encoding: "utf8" }).trim();
  const blob = run(text, "hash-object", "-w", "--stdin");
  const tree = run(`${repo.git("ls-tree", parent)}100644 blob ${blob}\t${path}\n`, "mktree");
  return repo.git("commit-tree", "-p", parent, "-m", path, tree).trim();
};
const sneak = (repo: Repo, name = "other.txt") => {
  repo.write(name, "more\n");
  repo.git("add", "-f", name);
  repo.git("commit", "-qm", name);
  return at(repo);
};

// git does it, and is the same under every store
for (const dialect of dialects.slice(0, 1)) {
  describe(`ways around the watch of history on ${dialect}`, () => {
    test("of many commits all are taken back, and not the newest alone (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      const first = made(repo, at(repo), "first.txt", "x");
      await shell(world, ada, () => {
        let tip = first;
        for (let n = 0; n < 20; n += 1)
          tip = repo.git("commit-tree", "-p", tip, "-m", String(n), `${tip}^{tree}`).trim();
        repo.git("reset", "-q", "--hard", tip);
      });
      await shell(world, ada, () => repo.git("reset", "-q", "--hard", first));
      repo.write("src/a.txt", "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      const { error } = await lead.call("unit_validate", { unit });
      expect(error).toMatchObject({ code: "BLOCKED", message: expect.stringContaining(first.slice(0, 10)) });
    });

    test("what decides about all units stops all, whoever has done it (FP-05, FO-03)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      const { id } = (await lead.must("task_create", { title: "Another", acceptance: "- x", scope: ["lib"] })).task;
      const other = (await lead.must("unit_plan", { tasks: [id] })).units[0].id;
      await shell(world, ada, () => sneak(repo, "plain.txt"));
      await shell(world, ada, () => sneak(repo, "infra/a"));
      expect((await moved(world)).map(({ units }) => units)).toEqual([[unit], [unit, other]]);
    });

    test("a script's commit beside a unit_commit that goes on is told when that has ended (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      const { id } = (await lead.must("task_create", { title: "Another", acceptance: "- x", scope: ["lib"] })).task;
      const other = (await lead.must("unit_plan", { tasks: [id] })).units[0].id;
      const { db } = world.runtime.store;
      const set = (values: { phase: "commit" | "implement"; busy_until: number | null }) =>
        db.updateTable("unit").set(values).where("key", "=", other).execute();
      await shell(world, ada);
      await set({ phase: "commit", busy_until: world.clock.now + 60_000 }); // its gates run
      await shell(world, ada, () => sneak(repo));
      expect(await moved(world)).toEqual([]);
      await set({ phase: "implement", busy_until: null });
      await shell(world, lead);
      expect(await moved(world)).toMatchObject([{ agents: [ada.id], units: [unit] }]);
    });

    test("a branch that began strange vouches for nothing when it goes on (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, ada, unit } = await begun(world);
      const base = at(repo);
      await shell(world, ada);
      const first = made(repo, base, "infra-like.txt", "x");
      await shell(world, ada, () => repo.git("branch", "side", first));
      const second = made(repo, first, "second.txt", "x");
      repo.git("update-ref", "refs/heads/side", second); // by something left running
      await shell(world, ada);
      await shell(world, ada, () => repo.git("reset", "-q", "--hard", "side"));
      expect(await moved(world)).toMatchObject([
        { added: [second], units: [] },
        { added: [first], units: [unit] },
      ]);
    });

    test("a commit whose object a script puts out of sight for a while counts, too (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      const base = at(repo);
      const hidden = made(repo, base, "hidden.txt", "x");
      const file = join(world.root, ".git/objects", hidden.slice(0, 2), hidden.slice(2));
      await shell(world, ada, () => {
        repo.git("reset", "-q", "--hard", hidden);
        renameSync(file, join(world.root, ".git/away"));
      });
      mkdirSync(dirname(file), { recursive: true });
      renameSync(join(world.root, ".git/away"), file);
      repo.write("src/a.txt", "one\ntwo\n");
      await ada.must("unit_submit", { unit });
      const { error } = await lead.call("unit_validate", { unit });
      expect(error).toMatchObject({ code: "BLOCKED", message: expect.stringContaining(hidden.slice(0, 10)) });
    });

    test("a person's commit is not thrown away unseen, and a branch that is made anew ends no watch (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, ada, unit } = await begun(world);
      const base = at(repo);
      repo.git("branch", "old", made(repo, base, "old.txt", "x"));
      await shell(world, ada);
      repo.git("branch", "-q", "-D", "old");
      repo.git("reflog", "expire", "--expire=now", "--all");
      repo.git("gc", "-q", "--prune=now");
      const person = sneak(repo, "docs.txt");
      repo.git("branch", "old", base);
      await shell(world, ada);
      await shell(world, ada, () => repo.git("reset", "-q", "--hard", base));
      expect(await moved(world)).toMatchObject([
        { added: [person], units: [] },
        { lost: [person], units: [unit], agents: [ada.id] },
      ]);
    });

    test("what a person has settled once is not settled when it happens again (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      const base = at(repo);
      repo.write("src/a.txt", "one\ntwo\n");
      await shell(world, ada, () => repo.git("reset", "-q", "--soft", "HEAD~1"));
      await settle(world);
      repo.git("reset", "-q", "--soft", base);
      await shell(world, ada);
      await shell(world, ada, () => repo.git("reset", "-q", "--soft", "HEAD~1"));
      await ada.must("unit_submit", { unit });
      expect((await lead.call("unit_validate", { unit })).error.code).toBe("BLOCKED");
    });

    test("a call that the person refused is over at their next prompt, and their commit is theirs", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, unit } = await begun(world);
      const call = { agent_id: "", tool_name: "Bash", tool_input: JSON.stringify({ command: "make" }) };
      await world.hook({ event: "PreToolUse", tool_use_id: "toolu_refused", ...call });
      await world.hook({ event: "UserPromptSubmit", prompt: "Not that." });
      sneak(repo, "docs.txt");
      await shell(world, lead);
      await world.hook({ event: "PreToolUse", tool_use_id: "toolu_stopped", ...call });
      sneak(repo, "by-it.txt");
      await world.hook({ event: "UserPromptSubmit", prompt: "Stop." }); // it had run until then
      expect(await moved(world)).toMatchObject([{ units: [] }, { units: [unit] }]);
    });

    test("a unit is validated upon what it stands on, and not upon what a script has checked out (FP-05)", async () => {
      await using world = await openWorld({ dialect, config });
      const { repo, lead, ada, unit } = await begun(world);
      repo.write("src/a.txt", "one\ntwo\n");
      await shell(world, ada, () => repo.git("checkout", "-q", "--detach", "HEAD~1"));
      await ada.must("unit_submit", { unit });
      const { error } = await lead.call("unit_validate", { unit });
      expect(error).toMatchObject({ code: "BLOCKED", message: expect.stringContaining("git checkout of the branch") });
      repo.git("checkout", "-q", "main");
      expect(existsSync(join(world.root, ".gitignore"))).toBe(true);
      expect(await lead.must("unit_validate", { unit })).toMatchObject({ passed: true, unit: { attempt: 1 } });
    });
  });
}
