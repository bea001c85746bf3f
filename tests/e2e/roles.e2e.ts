/** Skills, roles and evals in the real client: what it lists, what it gives each role, what it reads. */
import { execFileSync } from "node:child_process";
import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listing } from "../../scripts/texts/listing-cost.ts";
import { shippedTexts } from "../../scripts/texts/shipped-text.ts";
import { runClaude, runCommand } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, tool } from "./support/teamwright.ts";

const texts = shippedTexts(pluginDir);
const roles = texts.filter(({ kind }) => kind === "agent");
const EDITING = ["Edit", "Write", "NotebookEdit"];
/** Roles that judge, decide or accompany; what they make is on tasks. */
const looking = [
  ...["adversarial-reviewer", "architect", "design-reviewer", "enablement-lead", "orchestrator"],
  ...["researcher", "shepherd", "staff-engineer"],
];

test.each(clientVersions)(
  "the %s client lists skills and roles as they are counted, gives roles their tools, and has the parameters our answers name (TR-01)",
  async (version) => {
    await using box = await openSandbox();
    await using model = await startModel();
    const tools = new Map<string, readonly string[]>();
    const spawned = roles.filter(({ name }) => name !== "adversarial-reviewer"); // it starts from a packet alone
    const lead = model.actor("lead", async (turn) => {
      for (const { name } of spawned) {
        const call = { description: name, subagent_type: `teamwright:${name}`, run_in_background: false };
        await turn.must("Agent", { ...call, prompt: `[actor:${name}] Say what you can do.` });
      }
      return "asked all";
    });
    const actors = spawned.map(({ name }) =>
      model.actor(name, async (turn) => {
        await turn.must(tool("brief_show"));
        tools.set(name, turn.tools());
        return "that";
      }),
    );
    const ran = await runClaude({
      version,
      cwd: box.project,
      home: box.home,
      model,
      pluginDir,
      prompt: "[actor:lead] Begin.",
    });
    model.check();
    expect(ran).toMatchObject({ code: 0, text: "asked all" });

    const shown = JSON.stringify(lead.conversations[0]?.requests[0]);
    for (const { part, lines } of listing(pluginDir)) {
      if (part !== "skills" && part !== "roles") continue;
      for (const line of lines) expect(shown).toContain(JSON.stringify(line).slice(1, -1));
      const ours = [
        ...shown.matchAll(
          part === "skills" ? /\\n- teamwright:[^\\]*?: Use when/g : /\\n- teamwright:[^\\]*?\(Tools: /g,
        ),
      ];
      expect(ours.length).toBe(lines.length);
    }
    // what review_open, coordination_begin and the guard put into an Agent call
    const agentTool = lead.conversations[0]?.requests[0]?.tools?.find(({ name }) => name === "Agent");
    const parameters = Object.keys((agentTool?.input_schema?.properties ?? {}) as object);
    for (const each of ["subagent_type", "description", "prompt", "model", "isolation", "run_in_background"])
      expect(parameters).toContain(each);
    for (const name of spawned.map((role) => role.name)) {
      const given = tools.get(name) ?? [];
      expect(given, name).not.toContain(name === "orchestrator" ? "Write" : "Agent");
      for (const each of EDITING) if (looking.includes(name)) expect(given, name).not.toContain(each);
      if (["builder", "tester", "documenter"].includes(name))
        expect(given, name).toEqual(expect.arrayContaining(["Edit", "Write"]));
      if (name === "design-reviewer") expect(given).not.toContain("Bash");
    }
    for (const [index, actor] of actors.entries()) {
      const system = JSON.stringify(actor.conversations[0]?.requests[0]?.system);
      expect(system).toContain(JSON.stringify(firstLine(spawned[index]?.text ?? "")).slice(1, -1));
    }
  },
);

/** Of the body: what makes sure that the role's own text is the agent's. */
function firstLine(text: string): string {
  return text.split("\n---\n\n")[1]?.split("\n")[0] ?? "nothing";
}

test.each(clientVersions)("in the %s client the orchestrator leads a session and edits nothing", async (version) => {
  await using box = await openSandbox();
  await using model = await startModel();
  const actor = model.actor("lead", async (turn) => {
    const [title, acceptance, scope] = ["Write the parser", "npm test parser passes.", ["src/**"]];
    await turn.must(tool("task_create"), { title, acceptance, scope });
    const id = readStore(box.project).task(title).key;
    await turn.must(tool("unit_plan"), { tasks: [id], tools: [...turn.tools()] });
    expect(turn.tools().filter((name) => EDITING.includes(name))).toEqual([]);
    return "planned";
  });
  const args = ["--agent", "teamwright:orchestrator"];
  const ran = await runClaude({
    version,
    cwd: box.project,
    home: box.home,
    model,
    pluginDir,
    args,
    prompt: "[actor:lead] Begin.",
  });
  model.check();
  expect(ran).toMatchObject({ code: 0, text: "planned" });
  expect(JSON.stringify(actor.conversations[0]?.requests[0]?.system)).toContain(
    "You lead. Others build, test and judge",
  );
  expect(readStore(box.project).events.map(({ type }) => type)).toContain("run.started");
});

test("the client reads every eval case and runs it; a model that says only ok passes none", async () => {
  await using box = await openSandbox();
  await using model = await startModel();
  const plugin = join(box.root, "plugin");
  await cp(pluginDir, plugin, { recursive: true });
  const at = { version: "newest", cwd: box.project, home: box.home, modelUrl: model.url, timeoutMs: 240_000 } as const;
  const flags = ["--trust-plugin", "--no-publish", "--runs", "1", "--ablation", "none", "--mocks", "off"];
  const grant = ["--allow-tools", tool("*"), "ToolSearch", "Write", "Edit"];
  const evaluate = (...more: string[]) =>
    runCommand(["plugin", "eval", plugin, ...flags, "--output-dir", join(box.root, "results"), ...more, ...grant], at);

  const { stdout, stderr } = await evaluate("-j", "4");
  const said = stdout + stderr;
  expect(said).not.toMatch(/invalid case|Couldn't load|not granted|sandbox required/);
  const rows = [...stdout.matchAll(/^([a-z-]+) +(\d\.\d\d) +(\d+)% +1 /gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual(await caseNames(plugin));
  expect(rows.filter(([, , score]) => Number(score) >= 1)).toEqual([]);

  await writeFile(join(plugin, "evals/reporting/case.yaml"), "schema_version: '1.1'\nname: reporting\nruns: 99\n");
  const broken = await evaluate("--case", "reporting");
  expect(broken.stdout + broken.stderr).toMatch(/invalid case\.yaml/);
  // The client keeps the folders of runs that failed, closed to everybody.
  execFileSync("chmod", ["-R", "u+rwX", join(box.home, "tmp")]);
}, 300_000);

async function caseNames(plugin: string): Promise<string[]> {
  const entries = await readdir(join(plugin, "evals"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
