import { operations } from "../../mcp-server/src/features/index.ts";
import { listOf, type Parts, type ShippedText } from "./shipped-text.ts";

/** [rule, message] */
export type Found = readonly [string, string];

const TOOL_PREFIX = "mcp__plugin_teamwright_teamwright";

/** Tools of the client that a role or skill may name; those of a newer or older client among them. */
export const clientTools: ReadonlySet<string> = new Set([
  ..."Agent Task TaskStop SendMessage ListAgents Skill ToolSearch Workflow Monitor AskUserQuestion ExitPlanMode".split(
    " ",
  ),
  ..."Bash BashOutput Read Edit MultiEdit Write NotebookEdit Glob Grep LS WebFetch WebSearch".split(" "),
  ..."EnterWorktree ExitWorktree ListMcpResources ReadMcpResource".split(" "),
]);

const skillKeys = new Set(
  "name description when_to_use argument-hint arguments disable-model-invocation user-invocable allowed-tools disallowed-tools model effort context agent background paths shell metadata license compatibility".split(
    " ",
  ),
);
const agentKeys = new Set(
  "name description tools disallowedTools model maxTurns skills memory background omitClaudeMd effort isolation color".split(
    " ",
  ),
);
/** The client takes them from a user's own agents and skips them, without a word, in a plugin's. */
const ignoredInPlugins = new Set(["permissionMode", "hooks", "mcpServers", "initialPrompt"]);

const allowed: Readonly<Record<string, (value: unknown) => boolean>> = {
  model: (value) => typeof value === "string" && /^(sonnet|opus|haiku|fable|inherit|claude-[a-z0-9.-]+)$/.test(value),
  effort: (value) => ["low", "medium", "high", "xhigh", "max"].includes(String(value)),
  isolation: (value) => value === "worktree",
  color: (value) => "red blue green yellow purple orange pink cyan".split(" ").includes(String(value)),
  memory: (value) => ["user", "project", "local"].includes(String(value)),
  maxTurns: (value) => Number.isInteger(value) && Number(value) > 0,
  background: (value) => typeof value === "boolean",
  omitClaudeMd: (value) => typeof value === "boolean",
  context: (value) => value === "fork",
  shell: (value) => value === "bash" || value === "powershell",
};

const MAX_NAME = 64;
const MAX_DESCRIPTION = 1024;

/** What is wrong with the front matter; most of it the client's own validator lets pass. */
export function* fieldProblems(
  { kind, name }: ShippedText,
  { fields }: Parts,
  names: ReadonlySet<string>,
): Generator<Found> {
  if (fields.name !== name) yield ["name", `is called ${JSON.stringify(fields.name)}, not ${name}`];
  if (name.length > MAX_NAME || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    yield ["name", `is not kebab-case of at most ${MAX_NAME} characters`];
  if (/anthropic|claude/.test(name)) yield ["name", "uses a name that the client reserves"];
  yield* descriptionProblems(kind, fields.description);
  const known = kind === "skill" ? skillKeys : agentKeys;
  for (const [key, value] of Object.entries(fields)) {
    if (kind === "agent" && ignoredInPlugins.has(key)) yield ["field", `${key} is ignored in a plugin's agents`];
    else if (!known.has(key)) yield ["field", `${key} is no field of ${kind}s`];
    else if (allowed[key]?.(value) === false) yield ["field", `${key} cannot be ${JSON.stringify(value)}`];
  }
  for (const key of ["tools", "disallowedTools", "allowed-tools", "disallowed-tools"])
    for (const tool of listOf(fields[key])) if (!isTool(tool)) yield ["tool", `${key} names ${tool}, which is no tool`];
  for (const skill of listOf(fields.skills))
    if (!names.has(skill.replace(/^teamwright:/, "")))
      yield ["reference", `skills names ${skill}, which does not exist`];
}

function* descriptionProblems(kind: ShippedText["kind"], description: unknown): Generator<Found> {
  if (typeof description !== "string" || description.trim() === "") {
    yield ["description", "is missing"];
    return;
  }
  if (description.length > MAX_DESCRIPTION)
    yield ["description", `has ${description.length} characters; the most is ${MAX_DESCRIPTION}`];
  if (kind === "skill" && !description.startsWith("Use when "))
    yield ["description", 'does not begin with "Use when "'];
  if (kind === "agent" && !/\b(Use (when|before|after|for)|Started by|Not for) /.test(description))
    yield ["description", "does not say when to use it"];
}

/** `Read`, `Bash(git log:*)`, one of our tools, or all of them. */
function isTool(tool: string): boolean {
  const bare = tool.replace(/\(.*\)$/s, "");
  if (clientTools.has(bare) || bare === TOOL_PREFIX || bare === `${TOOL_PREFIX}__*`) return true;
  const own = bare.startsWith(`${TOOL_PREFIX}__`) ? bare.slice(TOOL_PREFIX.length + 2) : undefined;
  return operations.some((operation) => operation.name === own && operation.mcp !== "none");
}
