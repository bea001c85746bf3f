import type { ClaudeSettings } from "../../../config/claude.schema.ts";
import { isRecord } from "../../../kernel/records.ts";

/** The oldest client the plugin works in; the manifest says the same. */
export const OLDEST_CLIENT = "2.1.197";

const SERVER = "mcp__plugin_teamwright_teamwright";

export type SessionPurpose = "team" | "coordination" | "triage";

/** Time and stories are the runner's, and a round is its own session's: the others cannot call these at all. */
const withheld: Readonly<Record<SessionPurpose, readonly string[]>> = {
  team: ["sprint_start", "coordination_begin", "portfolio_distribute"],
  coordination: ["sprint_start", "portfolio_distribute"],
  triage: ["sprint_start", "coordination_begin", "portfolio_distribute"],
};

/**
 * The version in what `claude --version` prints, whatever a wrapper of it prints besides; undefined when it is something
 * else.
 */
export function clientVersion(printed: string): string | undefined {
  const own = /(?:^|\s)v?(\d{1,6}\.\d{1,6}\.\d{1,6})\S* \(Claude Code\)/.exec(printed);
  return (own ?? /(?:^|\s)v?(\d{1,6}\.\d{1,6}\.\d{1,6})\b/.exec(printed))?.[1];
}

/** Whether a version `a.b.c` is `least` or newer. */
export function isAtLeast(version: string, least: string): boolean {
  const [own, other] = [version, least].map((text) => text.split(".").map(Number));
  for (const [index, number] of (other ?? []).entries()) {
    const difference = (own?.[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * Arguments of one headless session, a list that no shell reads. The prompt goes to standard input: it may be long, and
 * a list of processes shows arguments.
 */
export function sessionArguments(
  settings: ClaudeSettings,
  { id, pluginDir, purpose }: { id: string; pluginDir: string; purpose: SessionPurpose },
): string[] {
  return [
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    "--session-id",
    id,
    "--plugin-dir",
    pluginDir,
    "--permission-mode",
    settings.permission_mode,
    "--allowedTools",
    SERVER,
    "Skill",
    ...settings.allowed_tools,
    "--disallowedTools",
    ...withheld[purpose].map((name) => `${SERVER}__${name}`),
    ...(settings.model === undefined ? [] : ["--model", settings.model]),
    ...(settings.max_turns === undefined ? [] : ["--max-turns", String(settings.max_turns)]),
    ...settings.args,
  ];
}

/** How a session has ended. Cost is the client's own estimate, in US dollars. */
export interface SessionResult {
  readonly text: string;
  readonly isError: boolean;
  readonly turns?: number;
  readonly costUsd?: number;
}

/** The result in a line of the client's stream; undefined for every other line. Never throws. */
export function resultIn(line: string): SessionResult | undefined {
  if (!line.includes('"result"')) return undefined;
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(event) || event.type !== "result") return undefined;
  const { result, num_turns: turns, total_cost_usd: cost } = event;
  return {
    text: typeof result === "string" ? result : "",
    isError: event.is_error === true || (typeof event.subtype === "string" && event.subtype !== "success"),
    ...(typeof turns === "number" ? { turns } : {}),
    ...(typeof cost === "number" ? { costUsd: cost } : {}),
  };
}

/** `idle`: the team had nothing to do, and no session was started. */
export type SessionState = "ended" | "failed" | "timed_out" | "cancelled" | "not_started" | "idle";

export interface SessionEnd extends Partial<SessionResult> {
  readonly state: SessionState;
  readonly seconds: number;
  /** Why it failed, one line. */
  readonly why?: string;
}

const wordsFor: Readonly<Record<SessionState, string>> = {
  ended: "ended by itself",
  failed: "failed",
  timed_out: "was ended when its time was over",
  cancelled: "was ended with the run",
  not_started: "could not be started",
  idle: "was not needed",
};

/** One line for the console and the retrospective. */
export function howItEnded({ state, seconds, why }: SessionEnd): string {
  return `${wordsFor[state]}${seconds > 0 ? ` after ${Math.round(seconds)} s` : ""}${why === undefined ? "" : ` (${why})`}`;
}

/** A team's sessions of one sprint as one: the last says how it ended, all together what they took and said. */
export function inAll(ends: readonly SessionEnd[]): SessionEnd | undefined {
  const worked = ends.filter(({ state }) => state !== "idle");
  const last = worked.at(-1) ?? ends.at(-1);
  if (last === undefined || worked.length < 2) return last;
  const sum = (numbers: readonly (number | undefined)[]) => {
    const known = numbers.filter((number) => number !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, number) => total + number, 0);
  };
  const text = worked.flatMap((one) => one.text || []).join("\n");
  const [turns, costUsd] = [sum(worked.map((one) => one.turns)), sum(worked.map((one) => one.costUsd))];
  return {
    ...last,
    seconds: Math.round((sum(worked.map((one) => one.seconds)) ?? 0) * 10) / 10,
    ...(text === "" ? {} : { text }),
    ...(turns === undefined ? {} : { turns }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}
