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

/** The first text in a spawn's prompt that looks like a task id of the project. */
export function taskIdsIn(text: string): string[] {
  return [...new Set(text.match(/\b[a-z0-9][a-z0-9_-]{0,40}-[a-z0-9]{2,12}(?:\.\d+)*\b/g) ?? [])].slice(0, 50);
}

const wrappers = /^(sudo|env|node|npx|nohup|time|exec|command|xargs|bash|sh|zsh|eval|setsid|timeout|nice)$/;
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
  const words = bare.split(/[\s;|&()<>`]+|\$\(/).filter((word) => word !== "");
  for (const [index, word] of words.entries()) {
    const name = word.slice(word.lastIndexOf("/") + 1);
    const isProgram = name === "teamwright" || (entryFile.test(word) && /mcp-server|dist/.test(word));
    if (!isProgram) continue;
    const rest = words.slice(index + 1).filter((part) => !part.startsWith("-"));
    const [noun, verb] = rest;
    const atCommand =
      index === 0 || wrappers.test(words[index - 1] ?? "") || word.includes("/") || startsCommand(bare, word);
    if (noun === undefined || /^(help|completion)$/.test(noun)) continue;
    if (noun === "serve" || noun === "hook") return serveRefusal;
    if (verb !== undefined && isReadCommand(noun, verb)) continue;
    if (atCommand || (verb !== undefined && /^[a-z]+$/.test(noun) && isKnownNoun(noun))) {
      return `Writing through the command line acts as the person and is not for agents; use the tool ${noun}_${verb ?? "…"}.`;
    }
  }
  return undefined;
}

const serveRefusal =
  "A second server started from a shell would not know who you are; use the teamwright tools of this session.";
const nouns = new Set(["task", "board", "dependency", "team", "brief", "doctor"]);
function isKnownNoun(word: string): boolean {
  return nouns.has(word);
}

/** True when the word stands where a command begins: after ; | & ( ` or a line break. */
function startsCommand(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[;|&(\`\\n]|&&|\\$\\()\\s*(\\w+=\\S*\\s+)*${escaped}(\\s|$)`).test(text);
}

/** Reads a hook's JSON text argument; anything else is an empty record. */
export function parseRecord(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
