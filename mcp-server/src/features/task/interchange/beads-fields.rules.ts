import {
  readComments,
  readDependencies,
  readLabels,
  textOf,
  timeOf,
  type Warn,
  warnInto,
} from "./beads-edges.rules.ts";
import type {
  BeadsIssue,
  BeadsReadOptions,
  BeadsWarning,
  JsonObject,
  JsonValue,
  TeamwrightMetadata,
} from "./beads-issue.schema.ts";
import { findJson, isJsonObject } from "./beads-json.rules.ts";
import { isCustomStatus, readStatus, statusWord } from "./beads-status.rules.ts";
import { floorSecond } from "./beads-time.rules.ts";

export const MAX_TITLE_BYTES = 500;
const MAX_ID_CHARS = 255;

// beads-compat §1.2
const KIND_ALIASES: ReadonlyMap<string, string> = new Map([
  ["enhancement", "feature"],
  ["feat", "feature"],
  ["dec", "decision"],
  ["adr", "decision"],
  ["investigation", "spike"],
  ["timebox", "spike"],
  ["user-story", "story"],
  ["ms", "milestone"],
  ["mr", "merge-request"],
]);

const PRIORITY_WORDS: readonly string[] = ["critical", "high", "medium", "low", "backlog"];

type TextField =
  | "description"
  | "design"
  | "acceptance"
  | "notes"
  | "specId"
  | "assignee"
  | "owner"
  | "createdBy"
  | "closeReason"
  | "closedBySession"
  | "externalRef";

/** Plain text fields, ours and bd's name. */
export const TEXT_FIELDS: readonly (readonly [TextField, string])[] = [
  ["description", "description"],
  ["design", "design"],
  ["acceptance", "acceptance_criteria"],
  ["notes", "notes"],
  ["specId", "spec_id"],
  ["assignee", "assignee"],
  ["owner", "owner"],
  ["createdBy", "created_by"],
  ["closeReason", "close_reason"],
  ["closedBySession", "closed_by_session"],
  ["externalRef", "external_ref"],
];

type TimeField = "startedAt" | "dueAt" | "deferUntil";

/** Optional times, ours and bd's name; closed_at has rules of its own. */
export const TIME_FIELDS: readonly (readonly [TimeField, string])[] = [
  ["startedAt", "started_at"],
  ["dueAt", "due_at"],
  ["deferUntil", "defer_until"],
];

function flagOf(value: JsonValue | undefined): boolean {
  return value === true || value === 1 || value === "1" || value === "true";
}

/** bd's priority 0..4 from an integer, "P1", "1" or a word; undefined when the value is none of these. */
export function findPriority(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 && value <= 4 ? value : undefined;
  if (typeof value !== "string") return undefined;
  const word = value.trim().toLowerCase();
  const digit = /^p?([0-4])$/.exec(word)?.[1];
  if (digit !== undefined) return Number(digit);
  const rank = PRIORITY_WORDS.indexOf(word);
  return rank < 0 ? undefined : rank;
}

function readPriority(value: JsonValue | undefined, options: BeadsReadOptions, warn: Warn): number {
  if (value === undefined || value === null || value === "") {
    if (options.strict === "bd") return 0;
    warn("priority_absent", "priority", "no priority, 2 taken; bd itself reads this as P0");
    return 2;
  }
  const priority = findPriority(value);
  if (priority !== undefined) return priority;
  warn("bad_priority", "priority", "priority is none of 0..4, nearest taken");
  return typeof value === "number" ? Math.min(Math.max(Math.round(value), 0), 4) : 2;
}

/** Lower-cased, aliases resolved; any string is a kind, absent means task (beads-compat §6.1). */
function readKind(value: JsonValue | undefined): string {
  const kind = (textOf(value) ?? "").trim();
  if (kind === "") return "task";
  return KIND_ALIASES.get(kind.toLowerCase()) ?? kind;
}

export interface SplitMetadata {
  /** Foreign part; undefined when nothing but our own key is there. */
  foreign: JsonValue | undefined;
  own: JsonObject | undefined;
}

/** Separates our `teamwright` key from the rest; metadata in string form (backups) is parsed. */
export function splitMetadata(value: JsonValue | undefined): SplitMetadata {
  const parsed = typeof value === "string" ? (findJson(value) ?? value) : value;
  if (!isJsonObject(parsed)) return { foreign: parsed === null || parsed === "" ? undefined : parsed, own: undefined };
  const { teamwright, ...rest } = parsed;
  const own = isJsonObject(teamwright) ? teamwright : undefined;
  if (own !== undefined && own.metadata !== undefined && Object.keys(rest).length === 0)
    return { foreign: own.metadata, own };
  const foreign = own === undefined ? parsed : rest;
  return { foreign: Object.keys(foreign).length === 0 ? undefined : foreign, own };
}

function readOwn(own: JsonObject | undefined): TeamwrightMetadata {
  const result: TeamwrightMetadata = {};
  const team = textOf(own?.team);
  const points = own?.points;
  const scope = own?.scope;
  const blockedReason = textOf(own?.blocked_reason);
  if (team !== undefined) result.team = team;
  if (typeof points === "number") result.points = points;
  if (Array.isArray(scope) && scope.length > 0) result.scope = scope.filter((glob) => typeof glob === "string");
  if (blockedReason !== undefined) result.blockedReason = blockedReason;
  return result;
}

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function readTitle(record: JsonObject, own: JsonObject | undefined, id: string, warn: Warn): string {
  const title = textOf(record.title);
  if (title === undefined || title.trim() === "") {
    warn("title_missing", "title", "no title, the id stands in");
    return id;
  }
  const full = textOf(own?.title);
  // Written beside a title cut to bd's limit; void once somebody retitles the issue in bd.
  const bytes = byteLength(title);
  if (full?.startsWith(title) === true && bytes <= MAX_TITLE_BYTES && bytes > MAX_TITLE_BYTES - 4) return full;
  if (bytes > MAX_TITLE_BYTES)
    warn("title_too_long", "title", `title exceeds ${MAX_TITLE_BYTES} bytes, kept in full; bd would refuse it`);
  return title;
}

/** The id as text; undefined when there is none. */
export function findId(record: JsonObject): string | undefined {
  const id = textOf(record.id);
  return id === undefined || id.trim() === "" ? undefined : id;
}

function readClosedAt(record: JsonObject, issue: BeadsIssue, warn: Warn): number | undefined {
  const closedAt = timeOf(record.closed_at, "closed_at", warn);
  if (issue.status.state !== "closed") {
    if (closedAt !== undefined)
      warn("closed_at_on_open", "closed_at", "not closed but has closed_at; kept in the raw row only");
    return undefined;
  }
  if (closedAt !== undefined) return closedAt;
  warn("closed_without_closed_at", "closed_at", "closed without closed_at; one second after the last change taken");
  return floorSecond(Math.max(issue.createdAt, issue.updatedAt)) + 1000;
}

function readTimes(record: JsonObject, warn: Warn): { createdAt: number; updatedAt: number } {
  const created = timeOf(record.created_at, "created_at", warn);
  const updated = timeOf(record.updated_at, "updated_at", warn);
  if (created === undefined) warn("time_absent", "created_at", "no created_at");
  if (updated === undefined) warn("time_absent", "updated_at", "no updated_at");
  return { createdAt: created ?? updated ?? 0, updatedAt: updated ?? created ?? 0 };
}

function readEstimate(value: JsonValue | undefined, warn: Warn): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  warn("bad_estimate", "estimated_minutes", "estimated_minutes is no whole number of minutes");
  return undefined;
}

/** Reads one row by the field rules of beads-compat §6.1; total for every record that has an id. */
export function readIssue(
  record: JsonObject,
  raw: string,
  options: BeadsReadOptions = {},
): { issue: BeadsIssue; warnings: BeadsWarning[] } {
  const warnings: BeadsWarning[] = [];
  const warn = warnInto(warnings);
  const id = findId(record) ?? "";
  if (typeof record.id !== "string") warn("id_not_text", "id", "id is a number, read as text");
  if (id.length > MAX_ID_CHARS) warn("id_too_long", "id", `id exceeds ${MAX_ID_CHARS} characters`);
  const { foreign, own } = splitMetadata(record.metadata);
  const word = statusWord(textOf(record.status));
  if (isCustomStatus(word)) warn("custom_status", "status", `status ${word} is not built in: kept, visible, not ready`);
  const startedAt = timeOf(record.started_at, "started_at", () => undefined);
  const issue: BeadsIssue = {
    id,
    title: readTitle(record, own, id, warn),
    status: readStatus(word, own, startedAt !== undefined),
    priority: readPriority(record.priority, options, warn),
    kind: readKind(record.issue_type),
    ...readTimes(record, warn),
    own: readOwn(own),
    labels: readLabels(record),
    dependencies: readDependencies(record, id, warn),
    comments: readComments(record, id, warn),
    pinned: flagOf(record.pinned),
    ephemeral: flagOf(record.ephemeral) || flagOf(record.wisp),
    noHistory: flagOf(record.no_history),
    template: flagOf(record.is_template),
    raw,
  };
  for (const [field, name] of TEXT_FIELDS) {
    const value = textOf(record[name]);
    if (value !== undefined) issue[field] = value;
    else if (record[name] !== undefined && record[name] !== null && record[name] !== "")
      warn("bad_field", name, `${name} is no text; kept in the raw row only`);
  }
  for (const [field, name] of TIME_FIELDS) {
    const value = timeOf(record[name], name, warn);
    if (value !== undefined) issue[field] = value;
  }
  const estimate = readEstimate(record.estimated_minutes, warn);
  if (estimate !== undefined) issue.estimateMinutes = estimate;
  const closedAt = readClosedAt(record, issue, warn);
  if (closedAt !== undefined) issue.closedAt = closedAt;
  if (foreign !== undefined) issue.metadata = foreign;
  if (typeof foreign === "string") warn("bad_metadata", "metadata", "metadata is a string that is no JSON");
  return { issue, warnings };
}
