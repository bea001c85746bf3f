/** Files have owners in the real client: who may writes, who may not is told why, and a shell's write is found in git. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ToolCall, Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, teamwright, tool, until } from "./support/teamwright.ts";

const config = `
ownership:
  - { paths: ["src/**"], owner: bob }
  - { paths: ["src/api/**"], owner: ada, notes: The public surface }
protected: ["examples/**"]
teams: [{ id: main, agents: [ada, bob, eve] }]
`;
const files = {
  "teamwright.yaml": config,
  ".gitignore": ".claude/\n.teamwright/\n",
  "src/api/a.ts": "one\n",
  "src/b.ts": "one\n",
  "examples/x.ts": "one\n",
  "src/api/n.ipynb":
    '{"cells":[{"cell_type":"code","id":"c1","metadata":{},"outputs":[],"execution_count":null,"source":[]}],"metadata":{},"nbformat":4,"nbformat_minor":5}\n',
};

/** Reads and then edits: the client itself refuses to edit what was not read. */
async function edit(turn: Turn, path: string) {
  await turn.must("Read", { file_path: path });
  return turn.call("Edit", { file_path: path, old_string: "one", new_string: "two" });
}

describe.each(clientVersions)("the %s client", (version) => {
  test("an owner writes, another is told whose file it is, and what a shell wrote is found", async () => {
    await using box = await openSandbox(files);
    await using model = await startModel();
    const { project, home } = box;
    const at = (path: string) => join(project, path);
    const text = (path: string) => readFileSync(at(path), "utf8");
    const store = () => readStore(project);
    const isOver = (name: string) => store().agent(name).ended_at !== null;

    const lead = model.actor("lead", async (turn) => {
      const task = { title: "Write the shared part", acceptance: "ACCEPT", scope: ["shared/**"] };
      await turn.must(tool("task_create"), task);
      await turn.must(tool("task_create"), {
        title: "Write the other part",
        scope: ["other/**"],
        acceptance: "ACCEPT",
      });
      const agent = (name: string, more: object = {}): ToolCall => {
        const prompt = `[actor:${name}] Begin.`;
        const input = { description: name, name, subagent_type: "teamwright:builder", run_in_background: true, prompt };
        return { tool: "Agent", input: { ...input, ...more } };
      };
      await turn.call("Write", { file_path: at(".env"), content: "SECRET=1\n" });
      await turn.must("Write", { file_path: at("lead.md"), content: "mine\n" });
      await turn.callAll([agent("ada"), agent("bob"), agent("eve", { isolation: "worktree" })]);
      for (;;) await turn.say("LEAD-WAITS");
    });
    const ada = model.actor("ada", async (turn) => {
      await turn.must(tool("task_claim"), { id: store().task("Write the shared part").key });
      expect((await edit(turn, at("src/api/a.ts"))).isError).toBe(false);
      await turn.must("Write", { file_path: at("shared/new.ts"), content: "new\n" });
      await until(() => isOver("bob") && isOver("eve"), "the others have ended");
      await turn.must(tool("task_close"), { id: store().task("Write the shared part").key });
    });
    const bob = model.actor("bob", async (turn) => {
      expect((await edit(turn, at("src/b.ts"))).isError).toBe(false);
      await until(() => existsSync(at("shared/new.ts")), "ada has her lease");
      await turn.must("Read", { file_path: at("src/api/a.ts") });
      await turn.call("Edit", { file_path: at("src/api/a.ts"), old_string: "two", new_string: "three" });
      await turn.call("Write", { file_path: at("src/api/new.ts"), content: "mine\n" });
      await turn.must("Read", { file_path: at("src/api/n.ipynb") });
      await turn.call("NotebookEdit", { notebook_path: at("src/api/n.ipynb"), cell_id: "c1", new_source: "1" });
      await turn.call("Write", { file_path: at("shared/mine.ts"), content: "mine\n" });
      await turn.call("Write", { file_path: at("examples/y.ts"), content: "mine\n" });
      await turn.must(tool("task_claim"));
      await turn.call(tool("file_lease"), { task: store().task("Write the other part").key, paths: ["shared/*.ts"] });
      await turn.must(tool("task_update"), { id: store().task("Write the other part").key, release: "Tried" });
      await turn.must("Bash", { command: "echo four >> src/api/a.ts; echo x > examples/z.ts", description: "Write" });
    });
    const eve = model.actor("eve", async (turn) => {
      const tree = (await turn.must("Bash", { command: "pwd", description: "Where" })).text.trim();
      await turn.call("Write", { file_path: join(tree, "src/api/eve.ts"), content: "mine\n" });
      await turn.must("Write", { file_path: join(tree, "free.md"), content: "mine\n" });
    });

    const ran = await runClaude({ version, cwd: project, home, pluginDir, model, prompt: "[actor:lead] Begin." });
    expect(ran).toMatchObject({ code: 0, timedOut: false });
    model.check();

    const refusals = (actor: typeof lead) =>
      actor.calls.filter((call) => call.result?.isError).map((call) => call.result?.text);
    expect(refusals(ada)).toEqual([]);
    expect(refusals(lead)).toEqual([expect.stringContaining(".env is protected (**/.env): only people change it")]);
    const owned = /belongs to ada \(src\/api\/\*\*: The public surface\)[\s\S]*Ask its owner by message/;
    const key = store().task("Write the shared part").key;
    expect(refusals(bob)).toEqual([
      expect.stringMatching(owned),
      expect.stringMatching(owned),
      expect.stringMatching(owned),
      expect.stringContaining(`shared/mine.ts is leased to ada for ${key} (shared/**)`),
      expect.stringContaining("examples/y.ts is protected (examples/**)"),
      expect.stringMatching(/^CONFLICT.*which ada has leased/),
    ]);
    expect(refusals(eve)).toEqual([expect.stringMatching(/src\/api\/eve\.ts belongs to ada/)]);
    expect(eve.calls[0]?.result?.text).toContain(".claude/worktrees/");
    expect(text("src/api/a.ts")).toBe("two\nfour\n");
    for (const path of ["src/api/new.ts", "shared/mine.ts", "examples/y.ts", ".env"])
      expect(existsSync(at(path))).toBe(false);
    const refused = store().events.filter((event) => event.type === "file.refused");
    const who = (subject: string | null) => store().agents.find((row) => row.agent_id === subject)?.name ?? "lead";
    expect(Object.groupBy(refused, (event) => who(event.subject))).toMatchObject({
      lead: { length: 1 },
      bob: { length: 5 },
      eve: { length: 1 },
    });

    const checked = await teamwright({ project, home }, "check-diff", "--author", "bob", "--json");
    expect(checked.code).toBe(1);
    const found = JSON.parse(checked.stdout).findings as { path: string; rule: string }[];
    expect(found.map(({ path, rule }) => `${path} ${rule}`)).toEqual(["examples/z.ts protected", "src/api/a.ts owned"]);
  });
});
