import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findOperation } from "../index.ts";
import { type CommandKind, matchSpawn, parseRecord, roleOf, shellRefusal, taskIdsIn } from "./agent.rules.ts";

const kindOf: CommandKind = (noun, verb) => {
  const found = findOperation(`${noun}_${verb}`);
  if (found === undefined) return undefined;
  if (found.kind === "read") return "read";
  return found.mcp === "none" ? "person" : "write";
};
const refused = (command: string) => shellRefusal(command, kindOf) !== undefined;

describe("shell commands of agents", () => {
  test("a refusal names the tool, or where there is none the person", () => {
    expect(shellRefusal("teamwright task close tw-1", kindOf)).toContain("use the tool task_close");
    expect(shellRefusal("teamwright checkpoint approve cp-1", kindOf)).toContain("ask the person");
  });

  test.each([
    "teamwright task close tw-1",
    "teamwright task close",
    "./bin/teamwright task update tw-1 --release x",
    "npx teamwright task reopen tw-1",
    "cd /tmp && teamwright task close tw-1",
    "FOO=1 teamwright task close tw-1",
    "bash -c 'teamwright task close tw-1'",
    "echo $(teamwright task close tw-1)",
    "team''wright task close tw-1",
    "t\\eamwright task close tw-1",
    "true; /opt/teamwright/bin/teamwright task claim",
    "timeout 5 teamwright task claim",
    "xargs -n1 teamwright task close",
    "sudo -u pat teamwright task close tw-1",
    "node mcp-server/src/main.ts task close tw-1",
    "teamwright serve",
    "teamwright hook session-end",
    "teamwright --json task close tw-1",
    "teamwright task list; teamwright task close tw-1",
    "teamwright task list\nteamwright board move tw-1 ready",
    "cat ids | xargs teamwright task close",
    "sqlite3 .teamwright/state.db 'delete from event'",
    "rm -rf .teamwright",
    "cp ./.teamwright/state.db /tmp",
    "nohup node dist/server.cjs serve &",
    "teamwright task import x.jsonl",
    "env -i teamwright task close tw-1",
    "find . -exec teamwright task close {} +",
    "node --no-warnings bin/teamwright task close tw-1",
    "cd .teamwright;sqlite3 state.db 'delete from task'",
    "cd .teamwright&&ls",
    "echo x >.teamwright/state.db",
    "cp a {.teamwright,x}/y",
    "T=teamwright; $T task close tw-1",
    "T=/x/bin/teamwright && $T task close tw-1",
    "T=$(git rev-parse --show-toplevel)/bin/teamwright; $T task close tw-1",
    "T=`pwd`/bin/teamwright && $T task close tw-1",
    'T="$(dirname "$(pwd)")/bin/teamwright"; $T task close tw-1',
    "T=$(cd ..; (pwd))/bin/teamwright; $T task close tw-1",
    "alias t=teamwright; t task close tw-1",
    "npx -y teamwright@latest task close tw-1",
    "ln -s bin/teamwright /tmp/t; /tmp/t task close tw-1",
    "$(which teamwright) task close tw-1",
    "`command -v teamwright` task close tw-1",
    "python3 -c \"import subprocess; subprocess.run(['teamwright','task','close','tw-1'])\"",
    "cd dist && node lib/main.cjs task close tw-1",
    "find . -exec teamwright unit commit {} +",
    "teamwright task_close tw-1",
  ])("%s is refused", (command) => {
    expect(refused(command)).toBe(true);
  });

  test.each([
    "ls",
    "git status",
    "teamwright task list",
    "teamwright check-diff --base main --author ada",
    "teamwright task show tw-1 --json",
    "teamwright board show | head",
    "teamwright help",
    "teamwright",
    "teamwright --version",
    "grep -rn teamwright README.md",
    "cd /srv/teamwright && npm test",
    "cd ~/teamwright; ls src",
    "git clone https://github.com/acme/teamwright checkout",
    "cat /srv/teamwright/README.md",
    "ls /srv/teamwright src",
    "git commit -m 'rename teamwright docs'",
    "npm test -- teamwright close",
    "cat teamwright.yaml",
    "vim .teamwrightrc",
    "node dist/other.js serve",
    "git log -- teamwright",
    "teamwright task_show tw-1",
    "teamwright task export out.jsonl",
    "which teamwright",
    "git commit -m 'teamwright: task close fixed'",
    "node dist/main.cjs build all",
    "node dist/server.cjs",
    "cp -r teamwright /tmp/copy",
    "TEAM=blue npm test -- teamwright",
  ])("%s is not", (command) => {
    expect([command, shellRefusal(command, kindOf)]).toEqual([command, undefined]);
  });

  test("any text is decided, quickly", () => {
    fc.assert(fc.property(fc.string(), (text) => void shellRefusal(text, kindOf)));
    const begun = performance.now();
    for (const text of [
      "teamwright ".repeat(20_000),
      "a=".repeat(50_000),
      "((((".repeat(20_000),
      `${"A=b ".repeat(20_000)}teamwright`,
    ])
      shellRefusal(text, kindOf);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe("which spawn an agent belongs to", () => {
  const pending = (id: number, name: string | null, subagentType: string | null = "teamwright:builder") => ({
    id,
    name,
    subagentType,
  });

  test("by its name, by its id, by its type when only one can be meant, else none", () => {
    expect(matchSpawn([pending(1, "ada"), pending(2, "bob")], "a1", "ada")?.id).toBe(1);
    expect(matchSpawn([pending(1, "ada"), pending(2, "bob")], "abob-7", "teamwright:builder")?.id).toBe(2);
    expect(matchSpawn([pending(1, "ada"), pending(2, "bob", "Explore")], "a1", "Explore")?.id).toBe(2);
    expect(matchSpawn([pending(1, "ada"), pending(2, "bob")], "a1", "teamwright:builder")).toBeUndefined();
    expect(matchSpawn([pending(1, null, null)], "a1", "general-purpose")?.id).toBe(1);
    expect(matchSpawn([], "a1", "ada")).toBeUndefined();
  });

  test("two of one name are not told apart by it", () => {
    expect(matchSpawn([pending(1, "ada"), pending(2, "ada")], "a1", "ada")).toBeUndefined();
  });
});

test("the role is the definition without the plugin", () => {
  expect([roleOf("teamwright:builder"), roleOf("Explore"), roleOf(null), roleOf(""), roleOf("x:")]).toEqual([
    "builder",
    "Explore",
    null,
    null,
    null,
  ]);
});

test("task ids are found in a prompt, once each, and long text is no harm", () => {
  expect(taskIdsIn("do tw-1a2b3c4d, then (bd-a3f8.1.2) and tw-1a2b3c4d.")).toEqual(["tw-1a2b3c4d", "bd-a3f8.1.2"]);
  expect(taskIdsIn("nothing here")).toEqual([]);
  const begun = performance.now();
  expect(taskIdsIn("a-".repeat(100_000)).length).toBeLessThanOrEqual(50);
  expect(taskIdsIn("a_".repeat(100_000)).length).toBeLessThanOrEqual(50);
  expect(performance.now() - begun).toBeLessThan(1500);
});

test("a hook's text is a record or an empty one", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => void expect(parseRecord(text)).toBeTypeOf("object")),
  );
  for (const text of ["", "null", "[1]", "7", "{"]) expect(parseRecord(text)).toEqual({});
  expect(parseRecord('{"a":1}')).toEqual({ a: 1 });
  expect(parseRecord('{"a":"x\\ud83d y\\u0000z"}')).toEqual({ a: "x\ufffd yz" });
  expect(parseRecord('{"a":"x\\uD83D"}')).toEqual({ a: "x\ufffd" });
});
