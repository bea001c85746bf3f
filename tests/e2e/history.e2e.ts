/** What scripts of hostile agents do to history, to the project's rules and in a person's name is refused or found. */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, tool, until } from "./support/teamwright.ts";

const launcher = join(pluginDir, "bin/teamwright");
const files = {
  "teamwright.yaml": "gates: []\n",
  ".gitignore": ".claude/\n.teamwright/\nout\nerr\ncode\n",
  "src/a.txt": "one\n",
  "lib/b.txt": "b\n",
  "build.sh": "echo more >> lib/b.txt\n$(which git) commit -qm sneaked lib\n",
  "away.sh": `setsid nohup sh -c 'sleep 1; node "${launcher}" task create "Sneak in here" > out 2> err; echo $? > code' > /dev/null 2>&1 &\n`,
};

describe.each(clientVersions)("the %s client", (version) => {
  test("a script's commit is found, and no agent writes the project's rules or in a person's name", async () => {
    await using box = await openSandbox(files);
    await using model = await startModel();
    const { project, home } = box;
    const git = (...args: string[]) => execFileSync("git", args, { cwd: project, encoding: "utf8" }).trim();
    const text = (path: string) => readFileSync(join(project, path), "utf8");
    let validated = "";
    let again = "";
    const lead = model.actor("lead", async (turn) => {
      const spawn = { subagent_type: "teamwright:builder", run_in_background: false, model: "sonnet" };
      await turn.must("Agent", { ...spawn, description: "eve", prompt: "[actor:eve] Try it." }); // no run is open
      const draft = { title: "Write the second line", acceptance: "- it is there", scope: ["src"] };
      await turn.must(tool("task_create"), draft);
      const { key } = readStore(project).task(draft.title);
      await turn.must(tool("unit_plan"), { tasks: [key], about: "123", tools: ["Agent", "SendMessage"] });
      await turn.must(tool("unit_start"), { unit: key });
      await turn.must("Agent", { ...spawn, description: "ada", prompt: `[actor:ada] Do ${key}.` });
      validated = (await turn.call(tool("unit_validate"), { unit: key })).text;
      await turn.call(tool("message_inbox")); // shown here, unless a hook has shown it by now
      git("reset", "-q", "--soft", "HEAD~1"); // the person, in a terminal of their own
      git("checkout", "-q", "HEAD", "--", "lib/b.txt");
      again = (await turn.call(tool("unit_validate"), { unit: key })).text;
      return "over"; // it is sent back: the escalation waits for a person
    });
    const eve = model.actor("eve", async (turn) => {
      await turn.must("Read", { file_path: join(project, "teamwright.yaml") });
      await turn.call("Write", { file_path: join(project, "teamwright.yaml"), content: "guard: off\n" });
      await turn.call("Edit", { file_path: join(project, "teamwright.yaml"), old_string: "gates", new_string: "x" });
      await turn.must("Bash", { command: "sh away.sh", description: "Leave" });
      await until(() => existsSync(join(project, "code")) && text("code") !== "", "the daemon is through");
      return "Tried.";
    });
    model.actor("ada", async (turn) => {
      const { key } = readStore(project).task("Write the second line");
      await turn.must(tool("task_claim"), { id: key });
      appendFileSync(join(project, "src/a.txt"), "two\n");
      await turn.must("Bash", { command: "sh build.sh", description: "Build" });
      await turn.must(tool("unit_submit"), { unit: key });
      return "Handed in.";
    });
    const at = { version, cwd: project, home, pluginDir };
    expect(await runClaude({ ...at, prompt: "[actor:lead] Begin.", model })).toMatchObject({ code: 0 });
    model.check();

    const refusals = eve.calls.filter((call) => call.result?.isError).map((call) => call.result?.text);
    expect(refusals.slice(0, 2)).toEqual([
      expect.stringContaining("no agent writes it"),
      expect.stringContaining("no agent writes it"),
    ]);
    expect(text("teamwright.yaml")).toBe("gates: []\n");
    expect([text("code"), text("err")]).toEqual(["1\n", expect.stringContaining("Nobody vouches for this caller")]);

    expect(validated).toContain("History has moved: ");
    expect(lead.shown).toContain("This is what was seen, not who has done it");
    expect(again).toContain('"passed":true');
    const { events, tasks } = readStore(project);
    expect(tasks.map(({ title }) => title)).toEqual(["Write the second line"]);
    const moved = events.filter(({ type }) => type === "history.moved");
    expect(moved).toHaveLength(1);
    const ada = events.find(({ type, actor }) => type === "task.claimed" && actor.startsWith("agent:"))?.actor;
    expect(JSON.parse(moved[0]?.after ?? "{}").agents).toEqual([ada?.slice("agent:".length)]);
    expect(git("log", "--format=%s")).not.toContain("sneaked");
  });
});
