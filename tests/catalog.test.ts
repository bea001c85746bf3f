import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { findOperation, operations } from "../mcp-server/src/features/index.ts";
import { parseInput } from "../mcp-server/src/kernel/execute.ts";
import type { Operation } from "../mcp-server/src/kernel/operation.ts";
import { findCommand, programCommands, wordsOf } from "../mcp-server/src/surfaces/cli/command.ts";
import { completionScript } from "../mcp-server/src/surfaces/cli/completion.ts";
import { type Flag, flagsOf, globalFlags, idempotencyFlag, inputFlag } from "../mcp-server/src/surfaces/cli/flags.ts";
import { nounHelp, operationHelp, programHelp } from "../mcp-server/src/surfaces/cli/help.ts";
import { parseArguments } from "../mcp-server/src/surfaces/cli/parse.ts";
import { listTools } from "../mcp-server/src/surfaces/mcp/tools.ts";
import { generatedFiles, staleFiles } from "../scripts/generate.ts";

const source = join(import.meta.dirname, "../mcp-server/src");

/** One verb, one meaning: a new one is added here on purpose. */
const verbs = [
  "create",
  "ready",
  "claim",
  "update",
  "close",
  "show",
  "list",
  "link",
  "unlink",
  "reopen",
  "stale",
  "import",
  "export",
  "move",
  "limits",
  "declare",
  "resolve",
  "check",
  "check-diff",
  "request",
  "decide",
  "phase",
  "return",
  "status",
  "define",
  "load",
  "distribute",
  "begin",
  "record",
  "apply",
  "checkin",
  "plan",
  "start",
  "submit",
  "validate",
  "commit",
  "end",
  "open",
  "verdict",
  "approve",
  "reject",
  "raise",
  "lint",
  "send",
  "inbox",
  "lease",
  "release",
  "owner",
  "spawn",
  "add",
  "search",
  "prune",
  "log",
  "allocate",
  "reallocate",
  "grant",
  "revoke",
  "audit",
  "team",
  "portfolio",
  "flow",
  "serve",
  "run",
  "compare",
];

/** Fields whose name says everything. */
const obvious = [
  "id",
  "title",
  "description",
  "design",
  "notes",
  "acceptance",
  "labels",
  "add_labels",
  "remove_labels",
  "comment",
  "reason",
  "note",
  "resolution",
  "status",
  "history",
  "unblock",
  "external_ref",
  "to",
  "offset",
  "limit",
  "done",
  "decisions",
  "questions",
  "excerpt",
];

const each = operations.map((operation) => [operation.name, operation] as const);
const view = { width: 100, bold: (text: string) => text };

function tokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4);
}

describe("names", () => {
  test("are unique", () => {
    expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
  });

  test.each(each)("%s is a noun of a slice and a known verb, in 24 characters", (name) => {
    const { noun, verb } = wordsOf(name);
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
    expect(name.length).toBeLessThanOrEqual(24);
    expect(verbs).toContain(verb);
    expect(readdirSync(join(source, "features"))).toContain(noun);
    expect(Object.keys(programCommands)).not.toContain(noun);
  });
});

describe("descriptions", () => {
  test.each(each)("%s has one of at most 600 characters, one line", (_, { description }) => {
    expect(description.length).toBeGreaterThan(30);
    expect(description.length).toBeLessThanOrEqual(600);
    expect(description).not.toContain("\n");
  });

  test.each(each)("%s describes what its fields' names leave open", (_, operation) => {
    const silent = flagsOf(operation).filter((flag) => flag.description === "" && flag.choices.length === 0);
    expect(silent.map((flag) => flag.field).filter((field) => !obvious.includes(field))).toEqual([]);
  });

  test("operations they name exist", () => {
    const named = operations.flatMap(({ name, description }) =>
      [...description.matchAll(/\b[a-z]+_[a-z]+\b/g)].map((match) => ({ name, word: match[0] })),
    );
    const nouns = new Set(operations.map(({ name }) => wordsOf(name).noun));
    expect(named.filter(({ word }) => nouns.has(wordsOf(word).noun) && !findOperation(word))).toEqual([]);
  });
});

describe("MCP tools", () => {
  test("all of them: at most 40 and 6,000 tokens, at the price of 34 for 4,900", () => {
    const tools = listTools(operations, "all");
    expect(tools.length).toBeLessThanOrEqual(40);
    expect(tokens({ tools })).toBeLessThanOrEqual(6000);
    expect(tokens({ tools })).toBeLessThanOrEqual((tools.length * 4900) / 34);
  });

  test("the core list: at most 12 and 2,000 tokens", () => {
    const tools = listTools(operations, "core");
    expect(tools.length).toBeLessThanOrEqual(12);
    expect(tokens({ tools })).toBeLessThanOrEqual(2000);
  });

  test("the core list has what a day's work needs", () => {
    const names = listTools(operations, "core").map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        "task_create",
        "task_ready",
        "task_claim",
        "task_update",
        "task_close",
        "task_show",
        "brief_show",
      ]),
    );
  });

  test.each(each)("%s shows every required field in each list, and only fields there are", (_, operation) => {
    const fields = flagsOf(operation);
    for (const shown of [operation.listedFields, operation.coreFields]) {
      if (!shown) continue;
      expect(fields.map((flag) => flag.field)).toEqual(expect.arrayContaining([...shown]));
      expect(shown).toEqual(expect.arrayContaining(fields.filter((flag) => flag.required).map((flag) => flag.field)));
    }
  });

  test.each(["core", "all"] as const)("a field that the %s list leaves out is named in the tool's words", (list) => {
    const left = listTools(operations, list).flatMap((tool) => {
      const operation = findOperation(tool.name);
      const shown = Object.keys((tool.inputSchema.properties ?? {}) as object);
      const hidden = operation ? flagsOf(operation).filter(({ field }) => !shown.includes(field)) : [];
      const more = /More fields: ([a-z_, ]+)\.$/.exec(tool.description)?.[1]?.split(", ") ?? [];
      expect(more).toEqual(hidden.map(({ field }) => field));
      return hidden;
    });
    expect(left.length).toBeGreaterThan(20);
  });

  test("a field that is left out is taken all the same, documented, and listed by a refusal", () => {
    const operation = findOperation("task_update");
    if (!operation) throw new Error("no task_update");
    expect(operation.listedFields).not.toContain("external_ref");
    expect(parseInput(operation, { id: "tw-1", external_ref: "gh-7" })).toMatchObject({ external_ref: "gh-7" });
    const page = generatedFiles().get("docs/operations.md") ?? "";
    expect(page).toMatch(/`external_ref` \| `--external-ref` .* Left out of the tool's listed arguments, and taken\./);
    const refuse = () => parseInput(operation, { id: "tw-1", external: "gh-7" });
    expect(refuse).toThrow(
      expect.objectContaining({ hint: expect.objectContaining({ text: expect.stringContaining("external_ref") }) }),
    );
  });

  test.each(listTools(operations, "all").map((tool) => [tool.name, tool] as const))(
    "%s has a root object without alternatives",
    (_, { inputSchema }) => {
      expect(inputSchema.type).toBe("object");
      for (const key of ["anyOf", "oneOf", "allOf", "$ref"]) expect(inputSchema).not.toHaveProperty(key);
    },
  );

  test("no tool lets its caller say who it is", () => {
    const identity = [
      "actor",
      "agent",
      "agent_id",
      "as",
      "by",
      "user",
      "caller",
      "role",
      "session",
      "principal",
      "on_behalf_of",
    ];
    expect(
      operations.flatMap((operation) =>
        flagsOf(operation)
          // whom a loan is about, never who asks for it
          .filter(
            (flag) => identity.includes(flag.field) && `${operation.name}.${flag.field}` !== "borrow_request.agent",
          )
          .map((flag) => `${operation.name}.${flag.field}`),
      ),
    ).toEqual([]);
  });

  test("a read is never destructive and says that it reads", () => {
    expect(
      operations.filter((operation) => operation.kind === "read" && operation.destructive).map(({ name }) => name),
    ).toEqual([]);
    const annotated = listTools(operations, "all").filter((tool) => tool.annotations.readOnlyHint === true);
    expect(annotated.map(({ name }) => name)).toEqual(
      operations.filter(({ kind, mcp }) => kind === "read" && mcp !== "none").map(({ name }) => name),
    );
  });
});

test("every operation answers in words", () => {
  expect(operations.filter((operation) => !operation.render).map(({ name }) => name)).toEqual([]);
});

test("every hint names an operation", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && path !== join("kernel", "errors.ts"),
  );
  const named = files.flatMap((path) =>
    [...readFileSync(join(source, path), "utf8").matchAll(/\bhint\(\s*"([^"]+)"/g)].map((match) => ({
      path,
      operation: match[1] ?? "",
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ operation }) => !findOperation(operation))).toEqual([]);
});

test("every next step a source lists is an operation", () => {
  const files = readdirSync(join(source, "features"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".operations.ts"),
  );
  const lists = files.flatMap((path) =>
    [...readFileSync(join(source, "features", path), "utf8").matchAll(/\bnext: \[([^\]]*)\]/g)].map(
      (match) => match[1] ?? "",
    ),
  );
  const names = lists.flatMap((list) => [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ""));
  expect(names.filter((name) => !findOperation(name))).toEqual([]);
});

describe("the command line", () => {
  test.each(each)("%s is found and has help with all its flags", (name, operation) => {
    const { noun, verb } = wordsOf(name);
    expect(findCommand(operations, noun, verb)).toBe(operation);
    const help = operationHelp(operation, view);
    for (const flag of flagsOf(operation)) {
      const word = operation.positional?.includes(flag.field) ? flag.name.toUpperCase() : flag.name;
      expect(help).toContain(word);
    }
    expect(nounHelp(noun, [operation], view)).toContain(verb);
    expect(programHelp(operations, view)).toContain(verb);
  });

  test.each(each)("%s has no flag that clashes with one of every command", (_, operation) => {
    const taken: string[] = [...globalFlags.map(({ name }) => name), inputFlag.name, idempotencyFlag.name];
    const names = flagsOf(operation).map((flag) => flag.name);
    expect(names.filter((name) => taken.includes(name) || name.startsWith("no-"))).toEqual([]);
    for (const field of operation.positional ?? []) expect(Object.keys(operation.input.shape)).toContain(field);
  });

  test.each(each)("%s takes each of its fields as a flag and gives it on unchanged", (_, operation) => {
    const wanted = Object.fromEntries(flagsOf(operation).map((flag) => [flag.field, sample(operation, flag)]));
    const args = flagsOf(operation).flatMap((flag) => asArguments(flag, wanted[flag.field]));
    expect(parseArguments(operation, args, () => "").input).toEqual(wanted);
  });

  test.each(["bash", "zsh", "fish"])("completion for %s knows every command and flag", (shell) => {
    const script = completionScript(operations, shell);
    for (const operation of operations) {
      expect(script).toContain(wordsOf(operation.name).verb);
      for (const flag of flagsOf(operation)) expect(script).toContain(flag.name);
    }
  });
});

/** A value of the field's type; the schema's finer rules do not matter to the command line. */
function sample(operation: Operation, flag: Flag): unknown {
  if (flag.type === "boolean") return false;
  if (flag.type === "json")
    return operation.input.shape[flag.field] instanceof z.ZodObject ? { a: 1 } : [{ a: "b, c" }];
  const one = flag.choices[0] ?? (flag.isNumeric ? -3 : "- two words");
  return flag.type === "list" ? [one, "x/{a,b}.ts"].slice(0, flag.choices.length > 0 ? 1 : 2) : one;
}

function asArguments(flag: Flag, value: unknown): string[] {
  if (flag.type === "boolean") return [`--no-${flag.name}`];
  if (flag.type === "json") return [`--${flag.name}`, JSON.stringify(value)];
  return Array.isArray(value)
    ? value.flatMap((item) => [`--${flag.name}`, String(item)])
    : [`--${flag.name}`, String(value)];
}

describe("generated files", () => {
  test("are up to date; `npm run generate` makes them so", () => {
    expect(staleFiles()).toEqual([]);
  });

  test("describe every operation", () => {
    const page = generatedFiles().get("docs/operations.md") ?? "";
    for (const { name } of operations) expect(page).toContain(`## ${name}\n`);
  });
});
