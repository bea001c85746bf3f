/** What is shipped to models: skills, roles, and the parts of the plugin that the client's own validator lets pass. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { configSchema, withDefaults } from "../mcp-server/src/config/config.schema.ts";
import { operations } from "../mcp-server/src/features/index.ts";
import { lintReport } from "../mcp-server/src/features/report/lint.rules.ts";
import { lintSettingOf } from "../mcp-server/src/features/report/lint-setting.rules.ts";
import { loadMarkdown } from "../mcp-server/src/features/report/markdown.rules.ts";
import { parseReport } from "../mcp-server/src/features/report/parse.rules.ts";
import { allProblems } from "../scripts/lint-skills.ts";
import { lintPlugin } from "../scripts/texts/lint-plugin.ts";
import { lintText } from "../scripts/texts/lint-texts.ts";
import { type ShippedText, shippedTexts } from "../scripts/texts/shipped-text.ts";

const root = join(import.meta.dirname, "..");
const texts = shippedTexts(root);
const skills = texts.filter(({ kind }) => kind === "skill").map(({ name }) => name);
const roles = texts.filter(({ kind }) => kind === "agent").map(({ name }) => name);

test("nothing is wrong with what is shipped (CX-06, TZ-04)", () => {
  expect(allProblems(root)).toEqual([]);
});

test("both modes are compared, row by row, where a lead chooses (MD-04)", () => {
  const text = readFileSync(join(root, "skills/choosing-a-mode/SKILL.md"), "utf8");
  const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, name = ""]) => name);
  const from = rows.indexOf("Where");
  expect(rows.slice(from)).toEqual([
    "Where",
    "Spawn",
    "Life",
    "Context",
    "Talk",
    "Review",
    "Done",
    "Client's own task list",
    "Cost",
    "Suits",
  ]);
});

test("the protocol's skills and roles are all there (EN-03, EN-04)", () => {
  expect(skills).toEqual([
    "choosing-a-mode",
    "choosing-models",
    "coordinating-teams",
    "decomposing-work",
    "escalating",
    "leading-a-team",
    "learning",
    "reporting",
    "reviewing-adversarially",
    "routing-tags",
    "running-a-work-unit",
    "working-a-task",
  ]);
  expect(roles).toEqual([
    "adversarial-reviewer",
    "architect",
    "builder",
    "design-reviewer",
    "documenter",
    "enablement-lead",
    "orchestrator",
    "researcher",
    "shepherd",
    "staff-engineer",
    "tester",
  ]);
});

test("every skill is named by a role or by another skill", () => {
  const all = texts.map(({ text }) => text).join("\n");
  for (const name of skills.filter((one) => one !== "leading-a-team")) expect(all).toContain(`\`teamwright:${name}\``);
});

test("each operation of the loop, of reports and of talk is taught somewhere", () => {
  const all = texts.map(({ text }) => text).join("\n");
  const protocol =
    /^(unit|review|tag|checkpoint|escalation|message|knowledge|brief|coordination|sprint|borrow|portfolio)_/;
  const taught = operations.filter(({ name, mcp }) => mcp !== "none" && protocol.test(name));
  expect(taught.length).toBeGreaterThan(10);
  expect(taught.filter(({ name }) => !all.includes(`\`${name}\``))).toEqual([]);
});

describe("rules find what they are for", () => {
  const around = { skills: new Set(skills), names: new Set([...skills, ...roles]), root };
  const good = (kind: ShippedText["kind"]): ShippedText => {
    const name = kind === "skill" ? "learning" : "builder";
    const found = texts.find((one) => one.name === name && one.kind === kind);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const rulesOf = (text: ShippedText) => [...new Set([...lintText(text, around)].map(({ rule }) => rule))];
  const skill = (change: (text: string) => string) => rulesOf({ ...good("skill"), text: change(good("skill").text) });
  const role = (change: (text: string) => string) => rulesOf({ ...good("agent"), text: change(good("agent").text) });
  const field = (line: string) => (text: string) => text.replace(/\n---\n/, `\n${line}\n---\n`);
  const end = (line: string) => (text: string) => `${text}\n${line}\n`;

  test.each<[string, string, (text: string) => string]>([
    ["front matter that is missing", "front-matter", (text) => text.replace("---\n", "")],
    ["front matter that does not end", "front-matter", (text) => text.replace(/\n---\n/, "\n--\n")],
    ["a colon that breaks the YAML", "front-matter", (text) => text.replace("Use when ", "Use when: ")],
    ["another name than the folder's", "name", (text) => text.replace("name: learning", "name: Learning")],
    ["no description", "description", (text) => text.replace(/^description: .*$/m, "description: ''")],
    ["a description that is no trigger", "description", (text) => text.replace("Use when ", "Handles ")],
    ["a long description", "description", (text) => text.replace("Use when ", `Use when ${"x".repeat(1024)} `)],
    ["a field nobody knows", "field", field("colour: red")],
    ["a model nobody has", "field", field("model: gpt")],
    ["a tool nobody has", "tool", field("allowed-tools: Read, Reed")],
    ["a tool of ours that is none", "tool", field("allowed-tools: mcp__plugin_teamwright_teamwright__task_shut")],
    ["too many words", "length", end("word ".repeat(500))],
    ["an operation that is none", "operation", end("Call `task_shut`.")],
    ["an operation with a misspelled noun", "operation", end("Call `taks_show`.")],
    ["an operation that agents cannot call", "operation", end("Call `review_list`.")],
    ["an argument that is none", "argument", end("When it saved you, say `helpful`.")],
    ["a command that is none", "command", end("Run `teamwright task shut`.")],
    ["a writing command for agents", "command", end("Run `teamwright task close ID`.")],
    ["a skill that is none", "reference", end("See `teamwright:teaching`.")],
    ["itself", "reference", end("See `teamwright:learning`.")],
    ["a link to nothing", "reference", end("See [more](more.md).")],
    ["a file that is not shipped", "reference", end(`Read \${CLAUDE_PLUGIN_ROOT}/secrets/all.md.`)],
    ["a variable that is never filled in", "variable", end(`In \${HOME}.`)],
    ["a machine's path", "word", end("It is in /home/ada/notes.")],
    ["a tool of older clients (TR-01)", "word", end("Call TeamCreate.")],
    ["a command run while it is loaded", "word", end("!`git status`")],
    ["shouting", "word", end("You MUST do it.")],
    ["no core", "shape", (text) => text.replaceAll("**", "")],
  ])("skill: %s", (_, rule, change) => {
    expect(skill((text) => text)).toEqual([]);
    expect(skill(change)).toContain(rule);
  });

  test.each<[string, string, (text: string) => string]>([
    ["a field that plugins' agents ignore", "field", field("permissionMode: acceptEdits")],
    ["hooks of its own", "field", field("hooks: {}")],
    ["an isolation that is none", "field", field("isolation: docker")],
    ["a missing section", "shape", (text) => text.replace("## What you refuse", "## Never")],
    ["another role's report", "shape", (text) => text.replace("# Builder Report", "# Tester Report")],
    ["no word about when", "description", (text) => text.replace(/Use when [^\n]*/, "Builds.")],
    ["too many words", "length", end("word ".repeat(400))],
  ])("role: %s", (_, rule, change) => {
    expect(role((text) => text)).toEqual([]);
    expect(role(change)).toContain(rule);
  });
});

describe("manifest, hooks and monitors", () => {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-lint-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A copy of the plugin's parts with one file changed. */
  function changed(path: string, change: (text: string) => string): string[] {
    const copy = mkdtempSync(join(folder, "copy-"));
    for (const part of [".claude-plugin", "hooks", "monitors", "bin"])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    mkdirSync(join(copy, path, ".."), { recursive: true });
    writeFileSync(join(copy, path), change(readFileSync(join(copy, path), "utf8")));
    return lintPlugin(copy).map(({ rule }) => rule);
  }

  test.each<[string, string, string, string, string]>([
    [
      "a server key nobody reads",
      "server",
      ".claude-plugin/plugin.json",
      '"type": "stdio"',
      '"type": "stdio", "cwd": "x"',
    ],
    ["a server's missing file", "server", ".claude-plugin/plugin.json", "bin/teamwright", "bin/gone"],
    ["a reserved server name", "server", ".claude-plugin/plugin.json", '"teamwright": {', '"workspace": {'],
    [
      "a matcher that is no pattern",
      "hook",
      "hooks/hooks.json",
      '"mcp__plugin_teamwright_teamwright__.*"',
      '"mcp__(.*"',
    ],
    ["a server that is none", "hook", "hooks/hooks.json", '"plugin:teamwright:teamwright"', '"teamwright"'],
    ["a setting that is not declared", "config", "hooks/hooks.json", '"session-start"', `"\${user_config.level}"`],
    ["a monitor's key nobody reads", "monitor", "monitors/monitors.json", '"name"', '"every": 1, "name"'],
  ])("%s", (_, rule, path, from, to) => {
    expect(changed(path, (text) => text)).toEqual([]);
    expect(changed(path, (text) => text.replace(from, to))).toContain(rule);
  });
});

describe("the report that the skill shows", () => {
  const text = texts.find(({ name }) => name === "reporting")?.text ?? "";
  const example = /```markdown\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const setting = lintSettingOf(withDefaults(configSchema.parse({}), root));

  test("is accepted by the linter without a finding (RP-01, RP-02, RP-06)", async () => {
    await loadMarkdown();
    expect(lintReport(parseReport(example), setting)).toEqual([]);
    expect(parseReport(example)).toMatchObject({
      status: "COMPLETE",
      tags: [{ kind: "CROSS-DOMAIN" }, { kind: "INTERFACE-CHANGE" }],
    });
  });

  test("is the form that every working role answers in", () => {
    const others = ["adversarial-reviewer", "design-reviewer", "enablement-lead", "orchestrator", "staff-engineer"];
    for (const { name, text: role } of texts.filter((one) => one.kind === "agent" && !others.includes(one.name))) {
      const title = `${name[0]?.toUpperCase()}${name.slice(1)}`;
      expect(role, name).toContain(`\`# ${title} Report\` in the form of the skill \`teamwright:reporting\``);
      const report = parseReport(example.replace("# Builder Report", `# ${title} Report`));
      expect(lintReport(report, setting), name).toEqual([]);
    }
  });
});
