import { byteLength, MAX_TITLE_BYTES, TEXT_FIELDS, TIME_FIELDS } from "./beads-fields.rules.ts";
import type { BeadsComment, BeadsDependency, BeadsIssue, JsonObject, JsonValue } from "./beads-issue.schema.ts";
import { canonicalJson, isJsonObject, quote } from "./beads-json.rules.ts";
import { rememberStatus, writeStatus } from "./beads-status.rules.ts";
import { formatSecond } from "./beads-time.rules.ts";

/** Member order of bd's own export lines (beads-compat §1.1, §1.9). */
export const FIELD_ORDER: readonly string[] = [
  "_type",
  "id",
  "title",
  "description",
  "design",
  "acceptance_criteria",
  "notes",
  "spec_id",
  "status",
  "priority",
  "issue_type",
  "assignee",
  "owner",
  "estimated_minutes",
  "created_at",
  "created_by",
  "updated_at",
  "started_at",
  "closed_at",
  "close_reason",
  "closed_by_session",
  "due_at",
  "defer_until",
  "external_ref",
  "source_system",
  "metadata",
  "labels",
  "dependencies",
  "comments",
  "ephemeral",
  "no_history",
  "pinned",
  "is_template",
];

/** JSON text per bd member; an absent key means the member is left out. Times are whole seconds. */
export type WireFields = ReadonlyMap<string, string>;

/** The title within bd's limit, cut between characters. */
function fitTitle(title: string): string {
  if (byteLength(title) <= MAX_TITLE_BYTES) return title;
  let bytes = 0;
  let cut = 0;
  for (const char of title) {
    bytes += byteLength(char);
    if (bytes > MAX_TITLE_BYTES) break;
    cut += char.length;
  }
  return title.slice(0, cut);
}

/** Scalar members an issue needs in a bd row: all but metadata, lists and `updated_at`. */
export function scalarFields(issue: BeadsIssue, plain = false): WireFields {
  const fields = new Map<string, string>();
  const put = (name: string, value: JsonValue | undefined) => {
    if (value !== undefined && value !== "") fields.set(name, quote(value, plain));
  };
  put("id", issue.id);
  put("title", fitTitle(issue.title));
  put("status", writeStatus(issue.status));
  put("priority", issue.priority);
  put("issue_type", issue.kind);
  put("estimated_minutes", issue.estimateMinutes);
  put("created_at", formatSecond(issue.createdAt));
  for (const [field, name] of TEXT_FIELDS) put(name, issue[field]);
  for (const [field, name] of TIME_FIELDS) {
    const time = issue[field];
    if (time !== undefined) put(name, formatSecond(time));
  }
  if (issue.status.state === "closed")
    put("closed_at", formatSecond(issue.closedAt ?? Math.max(issue.createdAt, issue.updatedAt) + 1000));
  if (issue.ephemeral) put("ephemeral", true);
  if (issue.noHistory) put("no_history", true);
  if (issue.pinned) put("pinned", true);
  if (issue.template) put("is_template", true);
  return fields;
}

/** Members of `metadata.teamwright`; an empty record means the key is left out. */
export function ownRecord(issue: BeadsIssue): JsonObject {
  const { team, points, scope, blockedReason } = issue.own;
  const record = rememberStatus(issue.status, issue.startedAt !== undefined);
  if (team !== undefined && team !== "") record.team = team;
  if (points !== undefined) record.points = points;
  if (scope !== undefined && scope.length > 0) record.scope = scope;
  if (blockedReason !== undefined && blockedReason !== "") record.blocked_reason = blockedReason;
  if (fitTitle(issue.title) !== issue.title) record.title = issue.title;
  // Foreign metadata that is no object cannot take our key beside it.
  if (Object.keys(record).length > 0 && issue.metadata !== undefined && !isJsonObject(issue.metadata))
    record.metadata = issue.metadata;
  return record;
}

/** A whole metadata value: the foreign part with our key in it, undefined when there is neither. */
export function metadataValue(issue: BeadsIssue): JsonValue | undefined {
  const own = ownRecord(issue);
  if (Object.keys(own).length === 0) return issue.metadata;
  return isJsonObject(issue.metadata) ? { ...issue.metadata, teamwright: own } : { teamwright: own };
}

/** What an edge says beyond who made it when; two edges to one target differ when this does. */
export function edgeContent(edge: BeadsDependency): string {
  return canonicalJson([edge.target, edge.type, edge.metadata ?? null, edge.threadId ?? ""]);
}

/** What a comment says; ids are left out, they change on the way through bd. */
export function commentContent(comment: BeadsComment): string {
  return canonicalJson([comment.author ?? "", formatSecond(comment.createdAt), comment.text]);
}

/** One element of `dependencies[]`; metadata is a JSON string and always there, as in bd 1.x (beads-compat §1.9). */
export function dependencyText(edge: BeadsDependency, owner: string, plain = false): string {
  const record: JsonObject = { issue_id: owner, depends_on_id: edge.target, type: edge.type };
  if (edge.createdAt !== undefined) record.created_at = formatSecond(edge.createdAt);
  if (edge.createdBy !== undefined) record.created_by = edge.createdBy;
  record.metadata = dependencyMetadataText(edge);
  if (edge.threadId !== undefined) record.thread_id = edge.threadId;
  return quote(record, plain);
}

/** An edge's metadata in bd's form, a JSON string. */
export function dependencyMetadataText(edge: BeadsDependency): string {
  if (typeof edge.metadata === "string") return edge.metadata;
  return edge.metadata === undefined ? "{}" : JSON.stringify(edge.metadata);
}

/** One element of `comments[]`; ids that are no UUID are replaced by one derived from them, since bd keys on UUIDs. */
export function commentText(comment: BeadsComment, owner: string, plain = false): string {
  const record: JsonObject = { id: commentUuid(owner, comment.id), issue_id: owner };
  if (comment.author !== undefined) record.author = comment.author;
  record.text = comment.text;
  record.created_at = formatSecond(comment.createdAt);
  return quote(record, plain);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function hash32(text: string, seed: number): string {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, "0");
}

function commentUuid(owner: string, id: string): string {
  if (UUID.test(id)) return id;
  const name = `${owner}\n${id}`;
  const hex = [0x811c9dc5, 0x9747b28c, 0x5bd1e995, 0x1b873593].map((seed) => hash32(name, seed)).join("");
  // Version 8, variant 10: a UUID of our own making (RFC 9562 §5.8).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
