import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { coordinatorRoles, type Principal } from "../../kernel/principal.ts";
import {
  type CountedOperation,
  countedOperations,
  type EscalatedOperation,
  type HistoryEntry,
  type Level,
  levels,
  type RetryState,
} from "./escalation.schema.ts";

type RetryTable = Readonly<Record<CountedOperation, number>>;

export function isCounted(operation: string): operation is CountedOperation {
  return countedOperations.some((counted) => counted === operation);
}

/**
 * How many attempts may still follow after so many failures in a row. A retry is an attempt after a failure: with 3
 * retries the fourth failure is the last (C-05). `granted` are attempts that a decision has added.
 */
export function retriesLeft(operation: CountedOperation, failures: number, table: RetryTable, granted = 0): number {
  const retries = table[operation] + granted;
  return Math.max(0, Math.min(retries, retries + 1 - failures));
}

export function retryState(
  operation: CountedOperation,
  { failures, granted }: { readonly failures: number; readonly granted: number },
  table: RetryTable,
): RetryState {
  const retries = table[operation] + granted;
  return {
    failures,
    retriesLeft: retriesLeft(operation, failures, table, granted),
    retries,
    maxAttempts: retries + 1,
    exhausted: failures > retries,
  };
}

/** Where something goes whose retries are used up (requirements RE-01, RE-02, C-21). */
const whenExhausted: Readonly<Record<CountedOperation, Level>> = {
  build_test: "orchestrator",
  review_fix: "orchestrator",
  research: "coordinator",
  deploy: "orchestrator",
  gate: "human",
};

export interface Climb {
  readonly operation: EscalatedOperation;
  /** Level of who raises it. */
  readonly raiser: Level;
  /** Level at which the same thing is open already. */
  readonly current?: Level | undefined;
  readonly exhausted: boolean;
}

/** The level that has to settle it: one above whoever raises it, and one above where it got stuck before. */
export function levelFor({ operation, raiser, current, exhausted }: Climb): Level {
  const above = (level: Level) => Math.min(levels.indexOf(level) + 1, levels.length - 1);
  const least = exhausted && isCounted(operation) ? levels.indexOf(whenExhausted[operation]) : 0;
  const rank = Math.max(above(raiser), current === undefined ? 0 : above(current), least);
  return levels[rank] ?? "human";
}

/** Where the caller stands in the chain; a coordinator is an agent of such a role (C-22). */
export function levelOf({ kind, role }: Pick<Principal, "kind" | "role">): Level {
  if (kind === "human") return "human";
  if (kind === "lead" || (kind === "agent" && role === "orchestrator")) return "orchestrator";
  return kind === "agent" && role !== undefined && coordinatorRoles.includes(role) ? "coordinator" : "agent";
}

/**
 * Refuses whoever stands below the level, and whoever raised it: an agent does not settle its own escalation. What
 * waits for a person is settled by a person alone.
 */
export function checkMayResolve(row: { key: string; level: string; raised_by: string }, principal: Principal): void {
  if (principal.kind === "human") return;
  const level = levels.find((known) => known === row.level) ?? "human";
  const other = hint("brief_show", "shows what waits for whom");
  if (level === "human")
    throw new TeamwrightError("FORBIDDEN", `${row.key} waits for a person; nobody else can settle it.`, other);
  if (row.raised_by === principal.key && principal.kind !== "lead")
    throw new TeamwrightError("FORBIDDEN", `You raised ${row.key}; somebody above you settles it.`, other);
  if (levels.indexOf(levelOf(principal)) < levels.indexOf(level) || principal.kind === "unverified")
    throw new TeamwrightError("FORBIDDEN", `${row.key} is for the ${level} to settle.`, other);
}

const MAX_TEXT = 4000;

/** Reason and excerpt as one text; the end of a long one is kept, where programs say what failed. */
export function entryText(reason: string | undefined, excerpt: string | undefined): { text?: string } {
  const text = [reason, excerpt].filter((part) => part !== undefined && part.trim() !== "").join("\n");
  if (text === "") return {};
  return { text: text.length > MAX_TEXT ? `…${text.slice(1 - MAX_TEXT)}`.toWellFormed() : text };
}

/** All entries in the order they happened, each once. */
export function mergeHistory(...lists: readonly (readonly HistoryEntry[])[]): HistoryEntry[] {
  const seen = new Map<string, HistoryEntry>();
  for (const entry of lists.flat())
    seen.set(JSON.stringify([entry.at, entry.by, entry.what, entry.result, entry.text]), entry);
  return [...seen.values()].sort((a, b) => a.at - b.at);
}

/** A history as it is stored. */
export function readHistory(text: string): HistoryEntry[] {
  return JSON.parse(text) as HistoryEntry[]; // written by this slice only
}
