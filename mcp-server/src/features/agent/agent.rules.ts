import { isRecord } from "../../kernel/records.ts";
import { storable } from "../../kernel/storable.ts";

/** An Agent call the guard has seen, not yet joined with the agent it started. */
export interface PendingSpawn {
  readonly id: number;
  readonly name: string | null;
  readonly subagentType: string | null;
}

/**
 * The spawn an agent belongs to, when only one can be meant. In interactive teams the hook's agent_type is the
 * teammate's name, elsewhere the definition; several candidates mean waiting for PostToolUse, which names the id.
 */
export function matchSpawn(
  pending: readonly PendingSpawn[],
  agentId: string,
  agentType: string,
): PendingSpawn | undefined {
  const byName = pending.filter(
    (spawn) => spawn.name !== null && (spawn.name === agentType || agentId.startsWith(`a${spawn.name}-`)),
  );
  if (byName.length === 1) return byName[0];
  const byType = pending.filter((spawn) => (spawn.subagentType ?? "general-purpose") === agentType);
  return byType.length === 1 ? byType[0] : undefined;
}

/** The role without the plugin's prefix: `teamwright:builder` → `builder`. */
export function roleOf(subagentType: string | null): string | null {
  if (!subagentType) return null;
  return subagentType.slice(subagentType.lastIndexOf(":") + 1) || null;
}

/** Roles of the plugin that have no tool to change a file with. */
const lookers = new Set(
  "architect researcher shepherd design-reviewer adversarial-reviewer staff-engineer enablement-lead".split(" "),
);

/** True for a role that looks, judges or plans, and takes no work on files of its own accord (requirement TZ-02). */
export function changesNothing(role: string | undefined): boolean {
  return role !== undefined && lookers.has(role);
}

/** What in a spawn's prompt looks like a task id of the project, in its order, each once. */
export function taskIdsIn(text: string): string[] {
  return [...new Set(text.match(/\b[a-z0-9][a-z0-9_-]{0,40}-[a-z0-9]{2,12}(?:\.\d+)*\b/g) ?? [])].slice(0, 50);
}

/** What may stand before a program: others that start it, settings, numbers. */
const leading =
  /^(sudo|env|node|npx|nohup|time|exec|command|xargs|bash|sh|zsh|eval|setsid|timeout|nice|then|do|else|if|while|until|!|\{|\w+=.*|\d+[smh]?)$/;
const entryFile = /(^|\/)(main\.ts|server\.cjs|cli\.cjs|main\.cjs)$/;
const storeFolder = /(?<![\w.-])\.teamwright(?![\w-]|\.\w)/;
/** `$(which teamwright)` is the program, whatever shell word finds it. */
const lookup = /(?:\$\(|`)\s*(?:which|command\s+-v|type\s+-p)\s+([^\s;|&()`]*teamwright)\s*[)`]/g;

/** The innermost ones; a subshell is looked at as commands of its own. */
const substitution = /\$?\([^()]*\)|`[^`]*`/g;
/** Deeper ones nobody writes. */
const MOST_NESTED = 8;

/** What a command of two words is in the table of operations; undefined when there is none. `person`: writes, and is no tool. */
export type CommandKind = (noun: string, verb: string) => "read" | "write" | "person" | undefined;

/**
 * Why a shell command is refused to an agent, or undefined. The command line is the person's way in and acts as them;
 * an agent uses the tools, where the guard knows who it is (design §3). Quotes and backslashes are taken out first,
 * so that splitting the word does not hide it.
 */
export function shellRefusal(command: string, kindOf: CommandKind): string | undefined {
  const bare = command.replace(/\\\n/g, " ").replace(/['"\\]/g, "");
  if (storeFolder.test(bare)) {
    return "The store under .teamwright is not to be opened from a shell; use the teamwright tools.";
  }
  const isOurs = /mcp-server|dist/.test(bare);
  // with what a shell puts in looked at as commands, and without it: `T=$(pwd)/bin/teamwright` is one word
  for (const text of [bare.replace(lookup, "$1"), withoutSubstitutions(bare)])
    for (const part of text.split(/[;|&()<>`\n]+|\$\(/)) {
      const words = part.split(/[\s,[\]]+/).filter((word) => word !== "");
      const refusal = commandRefusal(words, isOurs, kindOf);
      if (refusal !== undefined) return refusal;
    }
  return undefined;
}

function withoutSubstitutions(command: string): string {
  let text = command;
  for (let depth = 0; depth < MOST_NESTED && /[(`]/.test(text); depth += 1) text = text.replace(substitution, "");
  return text;
}

/** Looks at one simple command: a folder of that name, or the word in a text, is not the program. */
function commandRefusal(words: readonly string[], isOurs: boolean, kindOf: CommandKind): string | undefined {
  for (const [index, word] of words.entries()) {
    const path = word.replace(/^\w+=/, "").replace(/@[\w.^~-]*$/, "");
    const isName = path.slice(path.lastIndexOf("/") + 1) === "teamwright";
    if (isName && path.length < word.length && !word.startsWith(path)) return renamedRefusal;
    if (isName && /^(ln|cp|mv|install)$/.test(words[0] ?? "") && /(^|\/)bin\/teamwright$/.test(path))
      return renamedRefusal;
    if (!isName && !(isOurs && entryFile.test(word))) continue;
    const [first, second] = words.slice(index + 1).filter((next) => !next.startsWith("-"));
    if (first === undefined || /^(help|completion|check-diff)$/.test(first)) continue;
    const [noun, verb] = first.includes("_") ? halves(first) : [first, second];
    const kind = verb === undefined ? undefined : kindOf(noun, verb);
    const before = words.slice(0, index);
    const isProgram = before.every(
      (each) => leading.test(each.slice(each.lastIndexOf("/") + 1)) || each.startsWith("-"),
    );
    if (isProgram && (noun === "serve" || noun === "hook")) return serveRefusal;
    // a program of somebody else may have an entry file of the same name
    if (kind === "write" || kind === "person" || (isProgram && isName && kind === undefined)) {
      const instead =
        kind === "person" ? "ask the person, who types it themselves" : `use the tool ${noun}_${verb ?? "…"}`;
      return `Writing through the command line acts as the person and is not for agents; ${instead}.`;
    }
  }
  return undefined;
}

/** `task_close` is `task close`. */
function halves(name: string): [string, string] {
  const cut = name.indexOf("_");
  return [name.slice(0, cut), name.slice(cut + 1)];
}

const serveRefusal =
  "A second server started from a shell would not know who you are; use the teamwright tools of this session.";
const renamedRefusal =
  "The command line under another name is still the person's way in and not for agents; use the teamwright tools.";

/** Reads a hook's JSON text argument, as a store gives it back; anything else is an empty record. */
export function parseRecord(text: string): Record<string, unknown> {
  if (text === "") return {}; // what the client leaves out, at nearly every hook; a failing parse costs more than all else
  try {
    const plain = (_: string, value: unknown) => (typeof value === "string" ? storable(value) : value);
    const isRisky = /\\u(?:0000|d[89a-f])/i.test(text);
    const value: unknown = isRisky ? JSON.parse(text, plain) : JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
