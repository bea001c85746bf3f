/** The parts of the plugin that no compiler looks at. */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configSchema } from "../mcp-server/src/config/config.schema.ts";
import { operations } from "../mcp-server/src/features/index.ts";
import { coordinatorRoles } from "../mcp-server/src/kernel/principal.ts";
import { listOf, partsOf, shippedTexts } from "../scripts/texts/shipped-text.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readJson = (path: string) => JSON.parse(read(path));

describe("manifests", () => {
  const manifest = readJson(".claude-plugin/plugin.json");
  const marketplace = readJson(".claude-plugin/marketplace.json");

  test("the version is the same everywhere", () => {
    const { version } = readJson("package.json");
    expect(manifest.version).toBe(version);
    expect(marketplace.plugins.map((plugin: { version: string }) => plugin.version)).toEqual([version]);
    expect(readJson("package-lock.json").version).toBe(version);
    expect(read("CHANGELOG.md")).toContain(`## ${version}`);
  });

  test("the marketplace entry agrees with the manifest, and the launcher with the package on the oldest Node", () => {
    expect(marketplace.plugins[0]).toMatchObject({ name: manifest.name, description: manifest.description });
    const minimum = readJson("package.json").engines.node.replace(">=", "");
    expect(read("bin/teamwright")).toContain(`"${minimum}"`);
  });

  test("the server's launcher and the icon exist", () => {
    expect(manifest.mcpServers.teamwright.args).toEqual([`\${CLAUDE_PLUGIN_ROOT}/bin/teamwright`, "serve"]);
    expect(statSync(join(root, "bin/teamwright")).mode & 0o111).not.toBe(0);
    const icon = readFileSync(join(root, manifest.icon));
    expect(icon.subarray(1, 4).toString()).toBe("PNG");
    const [width, height] = [icon.readUInt32BE(16), icon.readUInt32BE(20)];
    expect(width).toBe(height);
    expect(width).toBeGreaterThanOrEqual(512);
  });

  test("nothing at the root makes the client install dependencies of the packed plugin", () => {
    const shipped = read("scripts/pack-plugin.ts").match(/const SHIPPED = \[(.*?)\]/s)?.[1] ?? "";
    expect(shipped).toContain('"bin"');
    expect(shipped).not.toMatch(/package(-lock)?\.json/);
  });
});

describe("what the texts promise", () => {
  test("comes along: the schema for editors, the examples and the documents (TC-01, EX-02, EX-03)", () => {
    const lists = [...read("scripts/pack-plugin.ts").matchAll(/const (?:SHIPPED\w*|TEXTS|REFERENCES) = \[(.*?)\]/gs)];
    const shipped = lists.flatMap(([, list = ""]) => [...list.matchAll(/"([^"]+)"/g)].map(([, path = ""]) => path));
    const isShipped = (path: string) => shipped.some((each) => path === each || path.startsWith(`${each}/`));
    const promised = [...read("README.md").matchAll(/\b(?:examples|docs|schemas)\/[\w./-]*\w/g)].map(([path]) => path);
    expect(promised.length).toBeGreaterThan(8);
    for (const path of ["schemas/teamwright.schema.json", ...promised]) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(isShipped(path), path).toBe(true);
    }
  });
});

describe("hooks", () => {
  const hooks: Record<string, { matcher?: string; hooks: Record<string, unknown>[] }[]> =
    readJson("hooks/hooks.json").hooks;
  const entries = Object.entries(hooks).flatMap(([event, groups]) =>
    groups.flatMap((group) => group.hooks.map((hook) => ({ event, matcher: group.matcher, hook }))),
  );
  const guarded = entries.filter(({ hook }) => hook.type === "mcp_tool");
  const commands = entries.filter(({ hook }) => hook.type === "command");

  test.each(guarded)("$event $matcher calls the hidden guard with its own name and the caller", ({ event, hook }) => {
    expect(hook).toMatchObject({ server: "plugin:teamwright:teamwright", tool: "guard" });
    const input = hook.input as Record<string, string>;
    expect(input.event).toBe(event);
    for (const name of ["session_id", "agent_id", "agent_type"]) expect(input[name]).toBe(`\${${name}}`);
  });

  test("the guard stays hidden", () => {
    expect(operations.map((operation) => operation.name)).not.toContain("guard");
  });

  test("hooks around the session's ends are commands, since no server answers there", () => {
    expect(commands.map(({ event }) => event).sort()).toEqual(["SessionEnd", "SessionStart"]);
    for (const { hook } of commands) {
      expect(hook.args).toEqual([
        `\${CLAUDE_PLUGIN_ROOT}/bin/teamwright`,
        "hook",
        expect.stringMatching(/^session-(start|end)$/),
      ]);
    }
  });

  test("each tool call passes exactly one PreToolUse hook, and our own are refused when it fails", () => {
    const matchers = (hooks.PreToolUse ?? []).map(({ matcher, hooks: [hook] }) => {
      const isList = /^[A-Za-z0-9_ ,|-]+$/.test(matcher ?? "");
      return { pattern: new RegExp(isList ? `^(?:${matcher})$` : (matcher ?? "")), onFailure: hook?.onFailure };
    });
    const own = operations.map((operation) => `mcp__plugin_teamwright_teamwright__${operation.name}`);
    const others = [
      "Agent",
      "Task",
      "TaskStop",
      "SendMessage",
      "Bash",
      "BashOutput",
      "Edit",
      "Write",
      "Read",
      "mcp__other__edit",
    ];
    for (const tool of [...own, ...others]) {
      const hit = matchers.filter(({ pattern }) => pattern.test(tool));
      expect(hit, tool).toHaveLength(1);
      expect(hit[0]?.onFailure, tool).toBe(own.includes(tool) ? "block" : "continue");
    }
  });
});

describe("monitors", () => {
  const monitors: { name: string; description: string; command: string; when?: string }[] =
    readJson("monitors/monitors.json");

  test("start with a skill that is there, so that a session without a team has none", () => {
    for (const { when } of monitors)
      expect(readdirSync(join(root, "skills")).map((name) => `on-skill-invoke:teamwright:${name}`)).toContain(when);
  });

  test("run the launcher in the place of their shell, so that the client's signal reaches it", () => {
    for (const { command } of monitors)
      expect(command).toMatch(/ exec node "\$\{CLAUDE_PLUGIN_ROOT\}\/bin\/teamwright" hook [a-z-]+$/);
  });
});

describe("documents", () => {
  test("AGENTS.md is short and has one home", () => {
    expect(read("AGENTS.md").split("\n").length).toBeLessThanOrEqual(120);
    expect(lstatSync(join(root, "CLAUDE.md")).isSymbolicLink()).toBe(true);
    expect(read("CLAUDE.md")).toBe(read("AGENTS.md"));
  });

  test("LEARNINGS.md stays within what is worth reading", () => {
    expect(read("LEARNINGS.md").split("\n").length).toBeLessThanOrEqual(100);
  });

  test.each(["README.md", "CONTRIBUTING.md", "AGENTS.md"])("%s links to files that exist", (path) => {
    for (const [, target] of read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(existsSync(join(root, target ?? "")), target).toBe(true);
    }
  });

  test("README.md shows how to start and how to test", () => {
    for (const command of ["npm ci && npm start", "npm ci && npm test"]) expect(read("README.md")).toContain(command);
  });
});

test("a run starts the roles that can only read without a task, and names no role that is not there (C-27)", () => {
  const roles = shippedTexts(root).filter(({ kind }) => kind === "agent");
  const can = (text: string, tool: string) => {
    const parts = partsOf(text);
    if (typeof parts === "string") throw new Error(parts);
    const { tools, disallowedTools } = parts.fields;
    return tools === undefined ? !listOf(disallowedTools).includes(tool) : listOf(tools).includes(tool);
  };
  const readers = roles.filter(({ text }) => !["Bash", "Edit", "Write"].some((tool) => can(text, tool)));
  const { spawn_exceptions: exceptions } = configSchema.parse({});
  expect(exceptions).toEqual(expect.arrayContaining(readers.map(({ name }) => name)));
  const ofClient = ["Explore", "Plan"];
  const known = [...roles.filter(({ text }) => !can(text, "Edit")).map(({ name }) => name), ...ofClient];
  expect(exceptions.filter((name) => !known.includes(name) && !coordinatorRoles.includes(name))).toEqual([]);
});
