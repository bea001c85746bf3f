import type {
  BeadsComment,
  BeadsDependency,
  BeadsWarning,
  BeadsWarningCode,
  JsonObject,
  JsonValue,
} from "./beads-issue.schema.ts";
import { findJson, isJsonObject } from "./beads-json.rules.ts";
import { findInstant, instantMs, isZeroTime } from "./beads-time.rules.ts";

export type Warn = (code: BeadsWarningCode, field: string, message: string) => void;

/** Collects warnings of one row. */
export function warnInto(warnings: BeadsWarning[]): Warn {
  return (code, field, message) => {
    warnings.push({ code, field, message });
  };
}

/** True for an id in one word: it is shown in many places, and must neither steer a terminal nor read like a sentence. */
export function isPlainId(id: string): boolean {
  return !/[\s\p{C}]/u.test(id);
}

/** Text of a field; undefined for absent, null and empty. Numbers become text, anything else is no text. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Epoch ms; undefined for absent, empty and zero times, and with a warning for anything that is no time. */
export function timeOf(value: JsonValue | undefined, field: string, warn: Warn): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const instant = typeof value === "string" ? findInstant(value) : undefined;
  if (instant === undefined) {
    warn("bad_time", field, `${field} is no RFC 3339 time`);
    return undefined;
  }
  if (!instant.zoned) warn("time_without_zone", field, `${field} names no zone, read as UTC`);
  return isZeroTime(instant) ? undefined : instantMs(instant);
}

/** Issue-level relation fields of early bd, with the edge type each became (beads-compat §1.1). */
export const LEGACY_EDGES: ReadonlyMap<string, string> = new Map([
  ["replies_to", "replies-to"],
  ["relates_to", "relates-to"],
  ["duplicate_of", "duplicates"],
  ["superseded_by", "supersedes"],
]);

/** Edges named by the early relation fields. */
export function legacyDependencies(record: JsonObject): BeadsDependency[] {
  const edges: BeadsDependency[] = [];
  for (const [field, type] of LEGACY_EDGES) {
    const value = record[field];
    for (const target of Array.isArray(value) ? value : [value]) {
      const id = textOf(target);
      if (id !== undefined && isPlainId(id)) edges.push({ target: id, type });
    }
  }
  return edges;
}

function dependencyMetadata(value: JsonValue | undefined): JsonValue | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const parsed = typeof value === "string" ? (findJson(value) ?? value) : value;
  return isJsonObject(parsed) && Object.keys(parsed).length === 0 ? undefined : parsed;
}

/**
 * Reads one element of `dependencies[]` of issue `owner`; undefined with a warning when it is no edge of that issue.
 * Absent issue_id means the owner, absent type means blocks (beads-compat §6.1).
 */
export function findDependency(value: JsonValue, owner: string, warn: Warn): BeadsDependency | undefined {
  const target = isJsonObject(value) ? textOf(value.depends_on_id) : undefined;
  if (!isJsonObject(value) || target === undefined) {
    warn("dependency_invalid", "dependencies", "dependency without depends_on_id, kept in the raw row only");
    return undefined;
  }
  if (!isPlainId(target)) {
    warn("dependency_invalid", "dependencies", "dependency on what is no id, kept in the raw row only");
    return undefined;
  }
  const source = textOf(value.issue_id) ?? owner;
  if (source !== owner) {
    warn(
      "dependency_foreign_owner",
      "dependencies",
      `edge ${source} → ${target} sits in ${owner}, kept in the raw row only`,
    );
    return undefined;
  }
  if (target === owner) {
    warn("dependency_self", "dependencies", `${owner} depends on itself, kept in the raw row only`);
    return undefined;
  }
  const dependency: BeadsDependency = { target, type: textOf(value.type) ?? "blocks" };
  const createdAt = timeOf(value.created_at, "dependencies.created_at", warn);
  const createdBy = textOf(value.created_by);
  const metadata = dependencyMetadata(value.metadata);
  const threadId = textOf(value.thread_id);
  if (createdAt !== undefined) dependency.createdAt = createdAt;
  if (createdBy !== undefined) dependency.createdBy = createdBy;
  if (metadata !== undefined) dependency.metadata = metadata;
  if (threadId !== undefined) dependency.threadId = threadId;
  return dependency;
}

/** One edge per target, the first in the file; a second type for the same pair is reported (beads-compat §1.4, §6.1). */
export function readDependencies(record: JsonObject, owner: string, warn: Warn): BeadsDependency[] {
  const byTarget = new Map<string, BeadsDependency>();
  const listed = record.dependencies;
  const edges = Array.isArray(listed) ? listed.map((value) => findDependency(value, owner, warn)) : [];
  for (const edge of [...edges, ...legacyDependencies(record)]) {
    if (edge === undefined || edge.target === owner) continue;
    const kept = byTarget.get(edge.target);
    if (kept === undefined) byTarget.set(edge.target, edge);
    else if (kept.type === edge.type)
      warn("dependency_duplicate", "dependencies", `edge to ${edge.target} (${edge.type}) is listed twice`);
    else
      warn(
        "dependency_retyped",
        "dependencies",
        `edge to ${edge.target} is ${kept.type}; second type ${edge.type} not taken`,
      );
    if (edge.type === "blocked-by")
      warn(
        "blocked_by_edge",
        "dependencies",
        `blocked-by is a custom type and never blocks; blocks may be meant (${edge.target})`,
      );
  }
  return [...byTarget.values()];
}

/** Reads one element of `comments[]`; undefined when it has no text. */
function findComment(value: JsonValue, owner: string, index: number, warn: Warn): BeadsComment | undefined {
  if (!isJsonObject(value) || typeof value.text !== "string") {
    warn("comment_invalid", "comments", "comment without text, kept in the raw row only");
    return undefined;
  }
  const { id } = value;
  const author = textOf(value.author);
  const comment: BeadsComment = {
    id: typeof id === "string" && id !== "" ? id : `${owner}/${typeof id === "number" ? id : `at-${index}`}`,
    text: value.text,
    createdAt: timeOf(value.created_at, "comments.created_at", warn) ?? 0,
  };
  if (author !== undefined) comment.author = author;
  return comment;
}

/**
 * One entry per element of `comments[]`: undefined for what is no comment, the earlier comment for a repeat of
 * (author, created_at, text). A repeated id with other text gets an id of its own.
 */
export function commentElements(record: JsonObject, owner: string, warn: Warn): (BeadsComment | undefined)[] {
  const byIdentity = new Map<string, BeadsComment>();
  const taken = new Set<string>();
  const listed = record.comments;
  return (Array.isArray(listed) ? listed : []).map((value, index) => {
    const comment = findComment(value, owner, index, warn);
    if (comment === undefined) return undefined;
    const identity = JSON.stringify([comment.author ?? "", comment.createdAt, comment.text]);
    const earlier = byIdentity.get(identity);
    if (earlier !== undefined) {
      warn("comment_duplicate", "comments", `comment ${comment.id} repeats another one`);
      return earlier;
    }
    comment.id = freeId(comment.id, taken);
    taken.add(comment.id);
    byIdentity.set(identity, comment);
    return comment;
  });
}

/** Comments in file order, repeats once. */
export function readComments(record: JsonObject, owner: string, warn: Warn): BeadsComment[] {
  return [...new Set(commentElements(record, owner, warn).filter((comment) => comment !== undefined))];
}

function freeId(id: string, taken: ReadonlySet<string>): string {
  let free = id;
  for (let copy = 2; taken.has(free); copy += 1) free = `${id}~${copy}`;
  return free;
}

/** Labels with their stored bytes; those equal after trimming count once, blank ones not at all. */
export function readLabels(record: JsonObject): string[] {
  const listed = record.labels;
  const byName = new Map<string, string>();
  for (const label of Array.isArray(listed) ? listed : []) {
    const name = textOf(label)?.trim() ?? "";
    if (typeof label === "string" && name !== "" && !byName.has(name)) byName.set(name, label);
  }
  return [...byName.values()];
}
