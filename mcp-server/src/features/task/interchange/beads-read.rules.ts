import { isPlainId, textOf, timeOf, type Warn, warnInto } from "./beads-edges.rules.ts";
import { findId, readIssue } from "./beads-fields.rules.ts";
import type {
  BeadsBadReason,
  BeadsIssue,
  BeadsReadOptions,
  BeadsTombstone,
  BeadsWarning,
  JsonObject,
  JsonValue,
  ParsedRow,
} from "./beads-issue.schema.ts";
import { isJsonObject, jsonDepth, MAX_JSON_DEPTH_LEVELS } from "./beads-json.rules.ts";
import {
  type BeadsSource,
  type ConflictSide,
  conflictTracker,
  type SourceLine,
  splitLines,
} from "./beads-lines.rules.ts";
import { statusWord } from "./beads-status.rules.ts";
import { compareInstants, findInstant, type Instant } from "./beads-time.rules.ts";

type LiveRow = Extract<ParsedRow, { kind: "issue" | "tombstone" }>;

const BAD_MESSAGES: Record<BeadsBadReason, string> = {
  torn: "the row is cut off",
  not_json: "the line is no JSON",
  not_object: "the line is JSON but no object",
  too_deep: `the row is nested deeper than ${MAX_JSON_DEPTH_LEVELS} levels`,
  missing_id: "the row has no id",
  missing_key: "the memory has no key",
  id_not_plain: "the id is not one word of plain characters",
  invalid_utf8: "the row is not UTF-8",
  conflict_base: "common ancestor inside a merge conflict, not taken",
};

function bad(raw: string, line: number, reason: BeadsBadReason): ParsedRow {
  return { kind: "bad", line, raw, warnings: [], reason, message: BAD_MESSAGES[reason] };
}

function parseJson(raw: string): JsonValue | undefined {
  try {
    // JSON.parse yields nothing but JsonValue.
    return JSON.parse(raw) as JsonValue;
  } catch {
    return undefined;
  }
}

/** A row of `bd backup`'s table dump: every column present, null or empty where unset (beads-compat §5). */
export function isBackupRow(record: JsonObject): boolean {
  if (Object.hasOwn(record, "timeout_ns")) return true;
  return Object.hasOwn(record, "content_hash") && Object.values(record).filter((value) => value === null).length >= 3;
}

function readTombstone(record: JsonObject, id: string, warn: Warn): BeadsTombstone {
  const deletedAt = timeOf(record.deleted_at, "deleted_at", warn);
  const updatedAt = timeOf(record.updated_at, "updated_at", warn);
  const tombstone: BeadsTombstone = { id, updatedAt: updatedAt ?? deletedAt ?? 0 };
  if (deletedAt !== undefined) tombstone.deletedAt = deletedAt;
  for (const [field, name] of [
    ["title", "title"],
    ["deletedBy", "deleted_by"],
    ["deleteReason", "delete_reason"],
    ["originalType", "original_type"],
  ] as const) {
    const value = textOf(record[name]);
    if (value !== undefined) tombstone[field] = value;
  }
  return tombstone;
}

/** Reads one line; never throws, whatever the text (beads-compat §6.1). Blank lines are the caller's to skip. */
export function readRow(raw: string, line: number, options: BeadsReadOptions = {}): ParsedRow {
  const record = parseJson(raw);
  if (record === undefined) {
    const text = raw.trim();
    return bad(raw, line, text.startsWith("{") && !text.endsWith("}") ? "torn" : "not_json");
  }
  if (!isJsonObject(record)) return bad(raw, line, "not_object");
  if (jsonDepth(raw) > MAX_JSON_DEPTH_LEVELS) return bad(raw, line, "too_deep");
  const type = record._type;
  const warnings: BeadsWarning[] = [];
  if (type === "memory") {
    const key = textOf(record.key);
    if (key === undefined) return bad(raw, line, "missing_key");
    const value = record.value ?? "";
    return {
      kind: "memory",
      line,
      raw,
      warnings,
      key,
      value: typeof value === "string" ? value : JSON.stringify(value),
    };
  }
  if (type !== undefined && type !== null && type !== "issue")
    return { kind: "unknown", line, raw, warnings, type: textOf(type) ?? JSON.stringify(type) };
  const id = findId(record);
  if (id === undefined) {
    const schema = record._schema;
    if (schema !== undefined) return { kind: "header", line, raw, warnings, schema: textOf(schema) ?? "" };
    return bad(raw, line, "missing_id");
  }
  if (!isPlainId(id)) return bad(raw, line, "id_not_plain");
  if (statusWord(textOf(record.status)) === "tombstone")
    return { kind: "tombstone", line, raw, warnings, tombstone: readTombstone(record, id, warnInto(warnings)) };
  const read = readIssue(record, raw, options);
  return { kind: "issue", line, raw, ...read, shape: isBackupRow(record) ? "backup" : "export" };
}

function liveId(row: LiveRow): string {
  return row.kind === "issue" ? row.issue.id : row.tombstone.id;
}

/** When a row says it was last changed, at the precision of the file; undefined when it says nothing. */
export function findUpdated(raw: string): Instant | undefined {
  const record = parseJson(raw);
  if (!isJsonObject(record)) return undefined;
  return findInstant(textOf(record.updated_at) ?? textOf(record.deleted_at) ?? "");
}

/** Whether `later`, further down the file, beats `earlier`: newest updated_at wins, and of equals the last, as in bd. */
function beats(later: LiveRow, earlier: LiveRow): { wins: boolean; tie: boolean } {
  const left = findUpdated(later.raw);
  const right = findUpdated(earlier.raw);
  if (left === undefined || right === undefined) return { wins: left !== undefined || right === undefined, tie: true };
  const order = compareInstants(left, right);
  return { wins: order !== "older", tie: order === "same" };
}

function resolveDuplicates(rows: ParsedRow[]): ParsedRow[] {
  const winners = new Map<string, LiveRow>();
  const losers = new Map<ParsedRow, string>();
  for (const row of rows) {
    if (row.kind !== "issue" && row.kind !== "tombstone") continue;
    const id = liveId(row);
    const earlier = winners.get(id);
    if (earlier === undefined) {
      winners.set(id, row);
      continue;
    }
    const { wins, tie } = beats(row, earlier);
    const [winner, loser] = wins ? [row, earlier] : [earlier, row];
    winners.set(id, winner);
    losers.set(loser, id);
    const message = `${id} is also in line ${loser.line}; line ${winner.line} taken`;
    winner.warnings.push({ code: "duplicate_id", field: "id", message });
    if (tie && winner.raw.trim() !== loser.raw.trim())
      winner.warnings.push({ code: "duplicate_tie", field: "updated_at", message: `${message}: neither is newer` });
  }
  return rows.map((row) => {
    const id = losers.get(row);
    if (id === undefined) return row;
    const { line, raw, warnings } = row;
    return { kind: "duplicate", line, raw, warnings, id, winnerLine: winners.get(id)?.line ?? line };
  });
}

function noteConflict(row: ParsedRow, side: ConflictSide | undefined): ParsedRow {
  if (side === undefined) return row;
  if (side === "base") return { ...bad(row.raw, row.line, "conflict_base"), warnings: row.warnings };
  row.warnings.push({ code: "conflict_side", message: `inside a committed merge conflict (${side})` });
  return row;
}

/** A row is taken as it is or not at all: what a damaged byte stood for nobody knows. */
function readDecoded(text: string, line: number, damagedAt: number | undefined, options: BeadsReadOptions): ParsedRow {
  if (damagedAt === undefined) return readRow(text, line, options);
  const row = bad(text, line, "invalid_utf8");
  return { ...row, message: `${BAD_MESSAGES.invalid_utf8} from byte ${damagedAt} of the file on` } as ParsedRow;
}

function readSourceLines(lines: Iterable<SourceLine>, options: BeadsReadOptions): ParsedRow[] {
  const rows: ParsedRow[] = [];
  const track = conflictTracker();
  for (const { line, text, damagedAt } of lines) {
    if (text.trim() === "") continue;
    const { isMarker, side } = track(text);
    if (isMarker) rows.push({ kind: "marker", line, raw: text, warnings: [] });
    else rows.push(noteConflict(readDecoded(text, line, damagedAt, options), side));
  }
  return resolveDuplicates(rows);
}

/**
 * Reads a bd export of any version: one row per non-blank line in file order, exactly one live row per id. Bad lines
 * are quarantined with number and reason, both sides of a committed merge conflict are taken; never throws (§6.1).
 */
export function readBeads(source: BeadsSource, options: BeadsReadOptions = {}): ParsedRow[] {
  return readSourceLines(splitLines(source), options);
}

/** The live issues among rows. */
export function issuesOf(rows: readonly ParsedRow[]): BeadsIssue[] {
  return rows.flatMap((row) => (row.kind === "issue" ? [row.issue] : []));
}
