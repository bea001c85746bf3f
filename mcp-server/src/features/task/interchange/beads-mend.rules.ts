import { textOf } from "./beads-edges.rules.ts";
import { byteLength, findPriority, MAX_TITLE_BYTES, TEXT_FIELDS } from "./beads-fields.rules.ts";
import type { BeadsIssue, JsonValue } from "./beads-issue.schema.ts";
import { isJsonObject, quote } from "./beads-json.rules.ts";
import type { Edits, Patch } from "./beads-patch.rules.ts";
import { BUILT_IN_STATUSES } from "./beads-status.rules.ts";
import { findInstant } from "./beads-time.rules.ts";
import { commentText, dependencyText, scalarFields } from "./beads-wire.rules.ts";

type Check = (value: JsonValue) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isCount: Check = (value) => Number.isInteger(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

/** RFC 3339 proper, which is all that bd parses. */
export function isBdTime(value: JsonValue | undefined): boolean {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && findInstant(value)?.zoned === true;
}

function has(value: JsonValue, members: Record<string, Check>): boolean {
  return (
    isJsonObject(value) &&
    Object.entries(members).every(([name, check]) => isAbsent(value[name]) || check(value[name] ?? null))
  );
}

/** A text itself, any other value as JSON, which equals no status word. */
function jsonText(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function isAbsent(value: JsonValue | undefined): boolean {
  return value === undefined || value === null;
}

const isEdge: Check = (value) =>
  has(value, {
    issue_id: isText,
    depends_on_id: isText,
    type: isText,
    created_at: isBdTime,
    created_by: isText,
    metadata: isText,
    thread_id: isText,
  });
const isComment: Check = (value) =>
  has(value, {
    id: (id) => isText(id) || isCount(id),
    issue_id: isText,
    author: isText,
    text: isText,
    created_at: isBdTime,
  }) &&
  isJsonObject(value) &&
  isText(value.text ?? null);

// What bd's decoder wants of each member; a mismatch there fails the whole import (beads-compat §1.1, §1.9).
const MEMBER_TYPES: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...TEXT_FIELDS.map(([, name]): [string, Check] => [name, isText]),
  ...["sender", "await_type", "await_id", "mol_type", "work_type", "wisp_type", "storage_class"].map(
    (name): [string, Check] => [name, isText],
  ),
  ...["source_system", "source_formula", "source_location", "event_kind", "actor", "target", "payload"].map(
    (name): [string, Check] => [name, isText],
  ),
  ...["started_at", "due_at", "defer_until", "updated_at", "compacted_at"].map((name): [string, Check] => [
    name,
    isBdTime,
  ]),
  ...["ephemeral", "no_history", "pinned", "is_template", "wisp"].map((name): [string, Check] => [name, isFlag]),
  ...["timeout", "compaction_level", "original_size"].map((name): [string, Check] => [name, isCount]),
  ["waiters", isTexts],
  ["labels", isTexts],
  ["dependencies", (value) => Array.isArray(value) && value.every(isEdge)],
  ["comments", (value) => Array.isArray(value) && value.every(isComment)],
]);

function listText(issue: BeadsIssue, name: string, dropped: ReadonlySet<string>): string | undefined {
  const edges = issue.dependencies.filter(({ target }) => !dropped.has(target));
  const elements: Record<string, () => string[]> = {
    labels: () => issue.labels.map((label) => quote(label)),
    dependencies: () => edges.map((edge) => dependencyText(edge, issue.id)),
    comments: () => issue.comments.map((comment) => commentText(comment, issue.id)),
  };
  const texts = elements[name]?.() ?? [];
  return texts.length === 0 ? undefined : `[${texts.join(",")}]`;
}

/**
 * Sets what bd would refuse or misread. Rows on their way to an unconfigured bd (`strict`) also get built-in statuses,
 * canonical types and members of the right JSON type; what has no right value is removed.
 */
export function mendRow({ record, now, plain, strict }: Patch, edits: Edits, dropped: ReadonlySet<string>): void {
  const sound = scalarFields(now, plain);
  const mend = (name: string, isSound: boolean) => {
    if (!isSound) edits.set(name, sound.get(name));
  };
  const { title, priority, closed_at: closedAt, estimated_minutes: estimate, status } = record;
  mend("id", typeof record.id === "string");
  mend("title", typeof title === "string" && title.trim() !== "" && byteLength(title) <= MAX_TITLE_BYTES);
  mend("priority", typeof priority === "number" && findPriority(priority) !== undefined);
  mend("created_at", isBdTime(record.created_at));
  mend("closed_at", now.status.state === "closed" ? isBdTime(closedAt) : isAbsent(closedAt));
  mend("estimated_minutes", isAbsent(estimate) || jsonText(estimate) === sound.get("estimated_minutes"));
  if (!strict) return;
  mend("status", BUILT_IN_STATUSES.has(isAbsent(status) ? "open" : jsonText(status)));
  mend(
    "issue_type",
    (textOf(record.issue_type) ?? "task") === now.kind && typeof (record.issue_type ?? "") === "string",
  );
  for (const [name, check] of MEMBER_TYPES) {
    const value = record[name];
    if (value === undefined || value === null || check(value)) continue;
    if (Array.isArray(value) || name === "labels" || name === "dependencies" || name === "comments")
      edits.set(name, listText(now, name, dropped));
    else if (name !== "updated_at") edits.set(name, sound.get(name));
  }
}
