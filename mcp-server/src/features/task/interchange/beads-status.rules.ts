import type { BeadsOutcome, BeadsState, BeadsStatus, JsonObject } from "./beads-issue.schema.ts";

export const BUILT_IN_STATUSES: ReadonlySet<string> = new Set([
  "open",
  "in_progress",
  "blocked",
  "deferred",
  "closed",
  "pinned",
  "hooked",
]);

const STATES: readonly BeadsState[] = ["open", "in_progress", "in_review", "closed", "deferred"];
const OUTCOMES: readonly BeadsOutcome[] = ["done", "failed", "cancelled", "duplicate", "superseded"];

const STATE_OF_WORD: Record<string, BeadsState> = {
  open: "open",
  in_progress: "in_progress",
  deferred: "deferred",
  closed: "closed",
  pinned: "deferred",
  hooked: "in_progress",
  done: "closed",
  in_review: "in_review",
  review: "in_review",
};

/** The status word in bd's spelling; absent means open (beads-compat §1.9). */
export function statusWord(value: string | undefined): string {
  const word = (value ?? "").trim();
  const folded = word.toLowerCase().replaceAll("-", "_");
  if (folded === "") return "open";
  return Object.hasOwn(STATE_OF_WORD, folded) || BUILT_IN_STATUSES.has(folded) || folded === "tombstone"
    ? folded
    : word;
}

/** A word that neither bd nor Teamwright defines: kept, visible, never ready (beads-compat §6.1). */
export function isCustomStatus(word: string): boolean {
  return !Object.hasOwn(STATE_OF_WORD, word) && word !== "blocked";
}

function stateOfWord(word: string, started: boolean): BeadsState {
  if (word === "blocked") return started ? "in_progress" : "open";
  return Object.hasOwn(STATE_OF_WORD, word) ? (STATE_OF_WORD[word] ?? "deferred") : "deferred";
}

/**
 * Reads bd's status, refined by what `metadata.teamwright` remembers. The refinement counts only while it still matches
 * the word: an issue closed in bd is closed, whatever was written beside it.
 */
export function readStatus(value: string | undefined, own: JsonObject | undefined, started: boolean): BeadsStatus {
  const word = statusWord(value);
  const base: BeadsStatus = { state: stateOfWord(word, started) };
  if (word === "blocked") base.blockedFlag = true;
  else if (word === "done" || word === "pinned" || word === "hooked" || word.endsWith("review"))
    base.foreignStatus = word;
  if (isCustomStatus(word)) base.foreignStatus = word;
  const state = STATES.find((name) => name === own?.state);
  if (state !== undefined && base.foreignStatus === undefined && writeStatus({ ...base, state }) === word)
    base.state = state;
  const foreign = own?.status;
  if (typeof foreign === "string" && isCustomStatus(foreign) && word === "deferred") base.foreignStatus = foreign;
  if (base.state === "closed") base.outcome = OUTCOMES.find((name) => name === own?.outcome) ?? "done";
  return base;
}

/** bd's built-in word for a status: in_review becomes in_progress, the blocked flag becomes `blocked` (C-10). */
export function writeStatus(status: BeadsStatus): string {
  if (status.state === "closed") return "closed";
  if (status.blockedFlag === true) return "blocked";
  const foreign = status.foreignStatus;
  if ((foreign === "pinned" || foreign === "hooked") && STATE_OF_WORD[foreign] === status.state) return foreign;
  return status.state === "in_review" ? "in_progress" : status.state;
}

/** What `metadata.teamwright` must remember so that `readStatus` gives the same status back. */
export function rememberStatus(status: BeadsStatus, started: boolean): JsonObject {
  const word = writeStatus(status);
  const remembered: JsonObject = {};
  if (stateOfWord(word, started) !== status.state) remembered.state = status.state;
  const { foreignStatus, outcome } = status;
  if (foreignStatus !== undefined && isCustomStatus(foreignStatus) && word === "deferred")
    remembered.status = foreignStatus;
  if (status.state === "closed" && outcome !== undefined && outcome !== "done") remembered.outcome = outcome;
  return remembered;
}
