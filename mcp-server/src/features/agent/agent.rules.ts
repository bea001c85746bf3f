import { isRecord } from "../../kernel/records.ts";

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

/** What in a spawn's prompt looks like a task id of the project, in its order, each once. */
export function taskIdsIn(text: string): string[] {
  return [...new Set(text.match(/\b[a-z0-9][a-z0-9_-]{0,40}-[a-z0-9]{2,12}(?:\.\d+)*\b/g) ?? [])].slice(0, 50);
}

/** What may stand before a program: others that start it, settings, numbers. */
const leading =
  /^(sudo|env|node|npx|nohup|time|exec|command|xargs|bash|sh|zsh|eval|setsid|timeout|nice|then|do|else|if|while|until|!|\{|\w+=.*|\d+[smh]?)$/;
const entryFile = /(^|\/)(main\.ts|server\.cjs|cli\.cjs|main\.cjs)$/;

/**
 * Why a shell command is refused to an agent, or undefined. The command line is the person's way in and acts as them;
 * an agent uses the tools, where the guard knows who it is (design §3). Quotes and backslashes are taken out first,
 * so that splitting the word does not hide it.
 */
export function shellRefusal(
  command: string,
  isReadCommand: (noun: string, verb: string) => boolean,
): string | undefined {
  const bare = command.replace(/\\\n/g, " ").replace(/['"\\]/g, "");
  if (/(^|[\s/=:(])\.teamwright(\/|\s|$)/.test(bare)) {
    return "The store under .teamwright is not to be opened from a shell; use the teamwright tools.";
  }
  for (const part of bare.split(/[;|&()<>`\n]+|\$\(/)) {
    const refusal = commandRefusal(
      part.split(/\s+/).filter((word) => word !== ""),
      isReadCommand,
    );
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Looks at one simple command: a folder of that name, or the word in a text, is not the program. */
function commandRefusal(
  words: readonly string[],
  isReadCommand: (noun: string, verb: string) => boolean,
): string | undefined {
  for (const [index, word] of words.entries()) {
    const name = word.slice(word.lastIndexOf("/") + 1);
    if (name !== "teamwright" && !(entryFile.test(word) && /mcp-server|dist/.test(word))) continue;
    const [noun, verb] = words.slice(index + 1).filter((part) => !part.startsWith("-"));
    const isProgram = words
      .slice(0, index)
      .every((before) => leading.test(before.slice(before.lastIndexOf("/") + 1)) || before.startsWith("-"));
    if (noun === undefined || /^(help|completion|check-diff)$/.test(noun)) continue;
    if (isProgram && (noun === "serve" || noun === "hook")) return serveRefusal;
    if (verb !== undefined && isReadCommand(noun, verb)) continue;
    if (isProgram || (verb !== undefined && nouns.has(noun) && /^[a-z-]+$/.test(verb))) {
      return `Writing through the command line acts as the person and is not for agents; use the tool ${noun}_${verb ?? "…"}.`;
    }
  }
  return undefined;
}

const serveRefusal =
  "A second server started from a shell would not know who you are; use the teamwright tools of this session.";
const nouns = new Set([
  "task",
  "board",
  "dependency",
  "team",
  "brief",
  "doctor",
  "checkpoint",
  "escalation",
  "knowledge",
]);
/** Reads a hook's JSON text argument; anything else is an empty record. */
export function parseRecord(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
