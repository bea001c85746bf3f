import { LEGACY_EDGES } from "./beads-edges.rules.ts";
import type { BeadsIssue, JsonObject, JsonValue, ParsedRow } from "./beads-issue.schema.ts";
import { canonicalJson, findJson, isJsonObject } from "./beads-json.rules.ts";
import { findUpdated } from "./beads-read.rules.ts";
import { compareInstants, findInstant, type Instant, instantFromMs } from "./beads-time.rules.ts";
import { commentContent, edgeContent, FIELD_ORDER, ownRecord, scalarFields } from "./beads-wire.rules.ts";

export interface ExistingRow {
  updatedAt: number;
  /** The time as the store's raw row has it, for the digits below a millisecond. */
  updatedAtText?: string;
  /** Any digest of `contentText(issue)`. */
  contentDigest: string;
  /** Allows field names in the verdict and the check for a different issue with the same id. */
  issue?: BeadsIssue;
  isDeleted?: boolean;
}

export interface IncomingRow {
  row: ParsedRow;
  /** The same digest of `contentText(row.issue)`; ignored for rows that are no issue. */
  contentDigest?: string;
}

export interface ImportOptions {
  /** Takes every row whatever its time, as `bd import --allow-stale` does, but says so. */
  allowStale?: boolean;
}

export type ImportVerdict = "created" | "updated" | "kept" | "conflict" | "quarantined";
export type ImportReason =
  | "new"
  | "newer"
  | "stale_allowed"
  | "deleted"
  | "revived"
  | "identical"
  | "stale"
  | "already_deleted"
  | "same_time"
  | "different_issue"
  | "duplicate"
  | "not_an_issue"
  | "unknown_type"
  | "bad_row";

export interface ImportDecision {
  verdict: ImportVerdict;
  reason: ImportReason;
  /** Names of differing fields, when the existing issue was given. */
  fields: string[];
}

// Derived, node-local or renamed on read: no difference in what an issue says.
const NO_CONTENT: ReadonlySet<string> = new Set([
  ...FIELD_ORDER,
  ...LEGACY_EDGES.keys(),
  "wisp",
  "content_hash",
  "parent",
  "dependency_count",
  "dependent_count",
  "comment_count",
  "is_blocked",
  "lease_expires_at",
  "heartbeat_at",
  "lease_granted_node",
]);

function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function contentParts(issue: BeadsIssue): Map<string, string> {
  const parts = new Map(scalarFields(issue));
  parts.delete("created_at");
  parts.set("title", canonicalJson(issue.title));
  for (const [key, value] of Object.entries(ownRecord(issue)))
    if (key !== "title" && key !== "metadata") parts.set(`teamwright.${key}`, canonicalJson(value));
  if (issue.metadata !== undefined) parts.set("metadata", canonicalJson(issue.metadata));
  const lists: [string, string[]][] = [
    ["labels", issue.labels.map((label) => label.trim())],
    ["dependencies", issue.dependencies.map(edgeContent)],
    ["comments", issue.comments.map(commentContent)],
  ];
  for (const [name, items] of lists) if (items.length > 0) parts.set(name, canonicalJson(items.toSorted()));
  const record = issue.raw === undefined ? undefined : findJson(issue.raw);
  if (isJsonObject(record)) addForeign(record, parts);
  return parts;
}

function addForeign(record: JsonObject, parts: Map<string, string>): void {
  for (const [key, value] of Object.entries(record))
    if (!NO_CONTENT.has(key) && !isEmpty(value)) parts.set(key, canonicalJson(value));
}

/**
 * What an issue says, as one text to digest: equal for equal content whatever the order of keys, labels, edges and
 * comments, fractions of seconds, creation or update time. Foreign members count, derived ones do not.
 */
export function contentText(issue: BeadsIssue): string {
  return JSON.stringify([...contentParts(issue)].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** bd's names of the fields in which two issues differ, sorted. */
export function differingFields(left: BeadsIssue, right: BeadsIssue): string[] {
  const a = contentParts(left);
  const b = contentParts(right);
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort();
}

// Two clones gave one id to two issues: an edit changes the title, nothing changes created_at (beads-compat §6.3).
function isDifferentIssue(existing: BeadsIssue | undefined, incoming: BeadsIssue): boolean {
  if (existing === undefined) return false;
  return Math.abs(existing.createdAt - incoming.createdAt) > 1000 && existing.title !== incoming.title;
}

function storedInstant(existing: ExistingRow): Instant {
  return findInstant(existing.updatedAtText ?? "") ?? instantFromMs(existing.updatedAt);
}

function decideByTime(
  existing: ExistingRow,
  incoming: Instant,
  options: ImportOptions,
): Pick<ImportDecision, "verdict" | "reason"> {
  const order = compareInstants(incoming, storedInstant(existing));
  if (order === "newer") return { verdict: "updated", reason: "newer" };
  if (options.allowStale === true) return { verdict: "updated", reason: "stale_allowed" };
  return order === "older" ? { verdict: "kept", reason: "stale" } : { verdict: "conflict", reason: "same_time" };
}

/**
 * Verdict on one row; `conflict` keeps the existing row, like `kept`, and must be shown. Older rows are kept, equal
 * content is kept, newer content updates, and one second is no order where either side has whole seconds
 * (beads-compat §6.1, §6.3).
 */
export function decideImport(
  existing: ExistingRow | undefined,
  incoming: IncomingRow,
  options: ImportOptions = {},
): ImportDecision {
  const { row } = incoming;
  if (row.kind === "bad") return { verdict: "quarantined", reason: "bad_row", fields: [] };
  if (row.kind === "unknown") return { verdict: "quarantined", reason: "unknown_type", fields: [] };
  if (row.kind === "duplicate") return { verdict: "kept", reason: "duplicate", fields: [] };
  if (row.kind !== "issue" && row.kind !== "tombstone") return { verdict: "kept", reason: "not_an_issue", fields: [] };
  const updatedAt = row.kind === "issue" ? row.issue.updatedAt : row.tombstone.updatedAt;
  const instant = findUpdated(row.raw) ?? instantFromMs(updatedAt);
  if (row.kind === "tombstone") return decideTombstone(existing, instant, options);
  if (existing === undefined) return { verdict: "created", reason: "new", fields: [] };
  const fields = existing.issue === undefined ? [] : differingFields(existing.issue, row.issue);
  if (existing.isDeleted === true) {
    const decision = decideByTime(existing, instant, options);
    return { ...decision, reason: decision.verdict === "updated" ? "revived" : decision.reason, fields };
  }
  if (existing.contentDigest === incoming.contentDigest) return { verdict: "kept", reason: "identical", fields: [] };
  if (isDifferentIssue(existing.issue, row.issue)) return { verdict: "conflict", reason: "different_issue", fields };
  return { ...decideByTime(existing, instant, options), fields };
}

function decideTombstone(existing: ExistingRow | undefined, instant: Instant, options: ImportOptions): ImportDecision {
  if (existing === undefined) return { verdict: "created", reason: "deleted", fields: [] };
  if (existing.isDeleted === true) return { verdict: "kept", reason: "already_deleted", fields: [] };
  const decision = decideByTime(existing, instant, options);
  return { ...decision, reason: decision.verdict === "updated" ? "deleted" : decision.reason, fields: [] };
}
