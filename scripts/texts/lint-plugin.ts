import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "./shipped-text.ts";

interface Hook {
  readonly type?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly server?: string;
  readonly tool?: string;
}
type Hooks = Readonly<Record<string, readonly { matcher?: string; hooks: readonly Hook[] }[]>>;

const serverKeys = new Set("type command args env url headers headersHelper oauth timeout alwaysLoad".split(" "));
const reserved = new Set(["workspace", "claude-in-chrome", "computer-use", "Claude Preview", "Claude Browser"]);
const monitorKeys = new Set("name command description when".split(" "));
const PLUGIN_ROOT = `\${CLAUDE_PLUGIN_ROOT}`;

/** What the client's validator lets pass in manifest, hooks and monitors, and then drops or fails on. */
export function lintPlugin(root: string): Problem[] {
  const manifest = readJson(root, ".claude-plugin/plugin.json") as {
    mcpServers?: Record<string, Record<string, unknown>>;
    userConfig?: Record<string, unknown>;
  };
  const hooks = (readJson(root, "hooks/hooks.json") as { hooks?: Hooks }).hooks ?? {};
  return [
    ...serverProblems(root, manifest.mcpServers ?? {}),
    ...hookProblems(root, hooks, Object.keys(manifest.mcpServers ?? {})),
    ...monitorProblems(root),
    ...configProblems(root, new Set(Object.keys(manifest.userConfig ?? {}))),
  ];
}

function readJson(root: string, path: string): unknown {
  return existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), "utf8")) : {};
}

function* serverProblems(root: string, servers: Record<string, Record<string, unknown>>): Generator<Problem> {
  const at = { path: ".claude-plugin/plugin.json", rule: "server" };
  for (const [name, server] of Object.entries(servers)) {
    if (reserved.has(name) || !/^[A-Za-z0-9_-]+$/.test(name))
      yield { ...at, message: `${name} is no name for a server` };
    for (const key of Object.keys(server))
      if (!serverKeys.has(key)) yield { ...at, message: `${name}.${key} is read by nobody` };
    yield* missingFiles(root, at, (server.args as string[] | undefined) ?? []);
  }
}

function* missingFiles(root: string, at: Omit<Problem, "message">, words: readonly string[]): Generator<Problem> {
  for (const word of words) {
    const path = word.replaceAll('"', "").split(/\s/)[0] ?? "";
    if (path.startsWith(`${PLUGIN_ROOT}/`) && !existsSync(join(root, path.slice(PLUGIN_ROOT.length + 1))))
      yield { ...at, message: `${path} does not exist` };
  }
}

function* hookProblems(root: string, hooks: Hooks, servers: readonly string[]): Generator<Problem> {
  const at = { path: "hooks/hooks.json", rule: "hook" };
  for (const [event, groups] of Object.entries(hooks)) {
    for (const { matcher, hooks: list } of groups) {
      if (!isPattern(matcher ?? "")) yield { ...at, message: `${event}: ${matcher} is no regular expression` };
      for (const hook of list) {
        if (event === "SessionStart" && hook.type !== "command")
          yield { ...at, message: `${event}: ${hook.type} has no server to call yet` };
        if (hook.type === "mcp_tool" && !servers.some((name) => hook.server === `plugin:teamwright:${name}`))
          yield { ...at, message: `${event}: ${hook.server} is no server of the plugin` };
        if (hook.type === "command" && hook.args === undefined)
          yield { ...at, message: `${event}: a command without args is read by a shell` };
        yield* missingFiles(root, at, hook.args ?? []);
      }
    }
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) !== undefined;
  } catch {
    return false;
  }
}

function* monitorProblems(root: string): Generator<Problem> {
  const at = { path: "monitors/monitors.json", rule: "monitor" };
  const monitors = readJson(root, at.path);
  const list = Array.isArray(monitors) ? (monitors as Record<string, unknown>[]) : [];
  if (!Array.isArray(monitors) && existsSync(join(root, at.path))) yield { ...at, message: "is no list" };
  for (const monitor of list) {
    for (const key of Object.keys(monitor))
      if (!monitorKeys.has(key)) yield { ...at, message: `${key} is read by nobody` };
    for (const key of ["name", "command", "description"])
      if (typeof monitor[key] !== "string") yield { ...at, message: `a monitor has no ${key}` };
    yield* missingFiles(root, at, String(monitor.command ?? "").match(/\$\{CLAUDE_PLUGIN_ROOT\}[^\s"]*/g) ?? []);
  }
  if (new Set(list.map(({ name }) => name)).size !== list.length) yield { ...at, message: "a name stands there twice" };
}

function* configProblems(root: string, declared: ReadonlySet<string>): Generator<Problem> {
  for (const path of [".claude-plugin/plugin.json", "hooks/hooks.json", "monitors/monitors.json"]) {
    const text = existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
    for (const [, key = ""] of text.matchAll(/\$\{user_config\.(\w+)\}/g))
      if (!declared.has(key)) yield { path, rule: "config", message: `user_config.${key} is not declared` };
  }
}
