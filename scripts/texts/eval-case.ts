import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { operations } from "../../mcp-server/src/features/index.ts";
import { clientTools } from "./lint-fields.ts";
import type { Problem } from "./shipped-text.ts";

const source = z.union([
  z.enum(["last_message", "trace", "files", "mock_calls"]),
  z.strictObject({ source: z.literal("file"), path: z.string() }),
]);
const common = {
  name: z.string().min(1),
  weight: z.number().positive().optional(),
  arm: z.enum(["with-only", "both"]).optional(),
};
const toolRef = z.union([z.string(), z.strictObject({ tool: z.string(), input_match: z.string().optional() })]);
const count = z.number().int().nonnegative().optional();

const grader = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("regex"),
    ...common,
    target: source.optional(),
    pattern: z.string(),
    flags: z
      .string()
      .regex(/^[dgimsuvy]*$/)
      .optional(),
    match: z.union([z.enum(["contains", "not_contains"]), z.string().regex(/^count:\d+$/)]).optional(),
  }),
  z.strictObject({ type: z.literal("tool_order"), ...common, before: toolRef, after: toolRef }),
  z.strictObject({
    type: z.literal("tool_used"),
    ...common,
    tool: z.string(),
    input_match: z.string().optional(),
    min: count,
    max: count,
  }),
  z.strictObject({ type: z.literal("file_exists"), ...common, path: z.string(), exists: z.boolean().optional() }),
  z.strictObject({ type: z.literal("llm"), ...common, criteria: z.string(), focus: source.optional() }),
  z.strictObject({ type: z.literal("baseline"), ...common, baseline_file: z.string(), criteria: z.string() }),
]);

/** case.yaml as the client reads it; stricter at the top, where the client drops unknown keys in silence. */
const evalCase = z.strictObject({
  schema_version: z.literal("1.1"),
  name: z.string().min(1),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  runs: z.number().int().positive().max(50).optional(),
  expected_outcome: z.string().optional(),
  context: z
    .strictObject({
      scaffold_script: z.string().optional(),
      history_file: z.string().optional(),
      add_dirs: z.array(z.string()).optional(),
    })
    .optional(),
  execution: z.strictObject({
    prompt: z.string().min(20),
    max_turns: z.number().int().positive().max(200).optional(),
    timeout_seconds: z.number().int().positive().max(3600).optional(),
    model: z.string().optional(),
    allowed_tools: z.array(z.string()).optional(),
    disallowed_tools: z.array(z.string()).optional(),
    append_system_prompt: z.string().optional(),
    env: z.record(z.string().regex(/^EVAL_/), z.string()).optional(),
  }),
  graders: z.array(grader).min(1),
});
export type EvalCase = z.infer<typeof evalCase>;

export interface ReadCase {
  readonly path: string;
  readonly case?: EvalCase;
  readonly problems: readonly Problem[];
}

/** Every case below `evals/`, with what is wrong with it. */
export function readCases(root: string): ReadCase[] {
  return readdirSync(join(root, "evals"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("case.yaml"))
    .sort()
    .map((file) => readCase(root, `evals/${file}`, readFileSync(join(root, "evals", file), "utf8")));
}

export function readCase(root: string, path: string, text: string): ReadCase {
  const say = (rule: string, message: string): Problem => ({ path, rule, message });
  let fields: unknown;
  try {
    fields = parse(text);
  } catch (error) {
    return { path, problems: [say("yaml", String(error).split("\n")[0] ?? "unreadable")] };
  }
  const read = evalCase.safeParse(fields);
  if (!read.success)
    return {
      path,
      problems: read.error.issues.map((issue) => say("field", `${issue.path.join(".")}: ${issue.message}`)),
    };
  return {
    path,
    case: read.data,
    problems: [...caseProblems(root, path, read.data)].map((message) => say("case", message)),
  };
}

const OWN = "mcp__plugin_teamwright_teamwright__";

function* caseProblems(root: string, path: string, { name, graders, execution }: EvalCase): Generator<string> {
  if (dirname(path) !== `evals/${name}`) yield `lies in ${dirname(path)}, not in evals/${name}`;
  const names = graders.map((one) => one.name);
  if (new Set(names).size !== names.length) yield "two graders have the same name";
  for (const one of graders) for (const problem of graderProblems(root, one)) yield `${one.name} ${problem}`;
  for (const tool of execution.allowed_tools ?? []) if (!isKnown(tool)) yield `allows ${tool}, which is no tool`;
}

function* graderProblems(root: string, one: EvalCase["graders"][number]): Generator<string> {
  for (const tool of toolsOf(one)) if (!isKnown(tool)) yield `waits for ${tool}, which is no tool`;
  // The client expects at least one call unless told otherwise, so that a most of 0 alone can never hold.
  if (one.type === "tool_used" && (one.max ?? Infinity) < (one.min ?? 1)) yield "expects more than its most";
  const pattern = one.type === "regex" ? one.pattern : one.type === "tool_used" ? one.input_match : undefined;
  if (pattern === undefined) return;
  if (!isPattern(pattern)) yield `has ${pattern}, which is no regular expression`;
  const skill = one.type === "tool_used" && /^teamwright:([a-z-]+)$/.exec(pattern)?.[1];
  if (skill && !existsSync(join(root, "skills", skill))) yield `waits for the skill ${skill}, which is none`;
}

function toolsOf(one: EvalCase["graders"][number]): string[] {
  if (one.type === "tool_used") return [one.tool];
  return one.type === "tool_order" ? [one.before, one.after].map(nameOf) : [];
}

function nameOf(tool: string | { tool: string }): string {
  return typeof tool === "string" ? tool : tool.tool;
}

function isKnown(tool: string): boolean {
  if (clientTools.has(tool) || tool === `${OWN}*`) return true;
  return operations.some((operation) => operation.mcp !== "none" && tool === `${OWN}${operation.name}`);
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) !== undefined;
  } catch {
    return false;
  }
}
