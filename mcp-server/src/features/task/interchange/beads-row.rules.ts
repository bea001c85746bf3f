import { textOf } from "./beads-edges.rules.ts";
import { findId, readIssue } from "./beads-fields.rules.ts";
import type { BeadsIssue, BeadsReadOptions, JsonObject } from "./beads-issue.schema.ts";
import { findJson, isJsonObject, patchObject, quote } from "./beads-json.rules.ts";
import { isBdTime, mendRow } from "./beads-mend.rules.ts";
import {
  type Edits,
  editComments,
  editDependencies,
  editLabels,
  editMetadata,
  type Patch,
} from "./beads-patch.rules.ts";
import { isBackupRow } from "./beads-read.rules.ts";
import { findInstant, floorSecond, formatSecond, instantMs } from "./beads-time.rules.ts";
import { commentText, dependencyText, FIELD_ORDER, metadataValue, scalarFields } from "./beads-wire.rules.ts";

export interface RenderRowOptions extends BeadsReadOptions {
  /**
   * `faithful` (default) gives unchanged imported rows back byte for byte, even those that bd refuses.
   * `bd` also mends those, and nothing else: what bd takes stays byte for byte.
   */
  mode?: "faithful" | "bd";
  /** The line this issue was last exported as; a further change then gets a later updated_at, no change the same line. */
  lastLine?: string;
  /** Targets whose edges are left out of this row. */
  dropped?: ReadonlySet<string>;
}

const NOTHING_DROPPED: ReadonlySet<string> = new Set();
const SECOND_MS = 1000;

function newRow(issue: BeadsIssue, updatedAt: number, dropped: ReadonlySet<string>): string {
  const members = new Map<string, string>(scalarFields(issue));
  members.set("_type", quote("issue"));
  members.set("updated_at", quote(formatSecond(updatedAt)));
  const metadata = metadataValue(issue);
  if (metadata !== undefined) members.set("metadata", quote(metadata));
  const edges = issue.dependencies.filter(({ target }) => !dropped.has(target) && target !== issue.id);
  const lists: [string, string[]][] = [
    ["labels", issue.labels.map((label) => quote(label))],
    ["dependencies", edges.map((edge) => dependencyText(edge, issue.id))],
    ["comments", issue.comments.map((comment) => commentText(comment, issue.id))],
  ];
  for (const [name, elements] of lists) if (elements.length > 0) members.set(name, `[${elements.join(",")}]`);
  const present = FIELD_ORDER.filter((name) => members.has(name));
  return `{${present.map((name) => `${quote(name)}:${members.get(name)}`).join(",")}}`;
}

function editScalars({ record, was, now, plain }: Patch, edits: Edits): void {
  const before = scalarFields(was, plain);
  const after = scalarFields(now, plain);
  for (const name of new Set([...before.keys(), ...after.keys()]))
    if (before.get(name) !== after.get(name)) edits.set(name, after.get(name));
  if (edits.has("ephemeral") && Object.hasOwn(record, "wisp")) edits.set("wisp", undefined);
}

/** The first whole second that bd, which rounds half up, cannot take for the same time as `ms`. */
function secondAfter(ms: number): number {
  return Math.ceil(ms / SECOND_MS) * SECOND_MS + SECOND_MS;
}

function changedRow(patch: Patch, dropped: ReadonlySet<string>): Edits {
  const edits: Edits = new Map();
  editScalars(patch, edits);
  editMetadata(patch, edits);
  editLabels(patch, edits);
  editDependencies(patch, edits, dropped);
  editComments(patch, edits);
  if (patch.repair) mendRow(patch, edits, dropped);
  return edits;
}

function importedRow(
  record: JsonObject,
  raw: string,
  now: BeadsIssue,
  options: RenderRowOptions,
): (at: number) => string {
  const { issue: was } = readIssue(record, raw, options);
  const dropped = options.dropped ?? NOTHING_DROPPED;
  // br writes < > & as they are, bd escapes them: new text follows the row.
  const plain = /[<>&]/.test(raw);
  const patch: Patch = { raw, record, was, now, plain, repair: false, strict: false };
  const newlyDropped = withoutOld(dropped, was);
  const isChanged = changedRow(patch, newlyDropped).size > 0;
  const strict = options.mode === "bd";
  const edits = changedRow({ ...patch, repair: isChanged || strict, strict }, strict ? dropped : newlyDropped);
  if (isChanged || ((edits.size > 0 || strict) && !isBdTime(record.updated_at))) {
    const least = isChanged ? secondAfter(was.updatedAt) : was.updatedAt;
    return (at) => patchWithTime(raw, edits, Math.max(floorSecond(now.updatedAt), least, at), plain);
  }
  return () => patchObject(raw, edits, FIELD_ORDER);
}

/** bd skips and reports edges to nowhere, so those a row came with may stay in it. */
function withoutOld(dropped: ReadonlySet<string>, was: BeadsIssue): ReadonlySet<string> {
  const old = new Set(was.dependencies.map(({ target }) => target));
  return new Set([...dropped].filter((target) => !old.has(target)));
}

function patchWithTime(raw: string, edits: Edits, updatedAt: number, plain: boolean): string {
  return patchObject(raw, new Map([...edits, ["updated_at", quote(formatSecond(updatedAt), plain)]]), FIELD_ORDER);
}

function updatedAtOf(line: string): number | undefined {
  const record = findJson(line);
  const text = isJsonObject(record) ? textOf(record.updated_at) : undefined;
  const instant = text === undefined ? undefined : findInstant(text);
  return instant === undefined ? undefined : instantMs(instant);
}

/**
 * One line of a bd export, without its newline. An imported row changes only where the store differs from it: unknown
 * members of issue, dependencies and comments, key order, number lexemes and escapes stay byte for byte; unchanged, it
 * is its own raw text. A new row follows beads-compat §6.2. Any change moves updated_at at least a second on, since bd
 * keeps its own row on a tie.
 */
export function renderRow(issue: BeadsIssue, options: RenderRowOptions = {}): string {
  const { raw } = issue;
  const { lastLine, mode } = options;
  const parsed = raw === undefined ? undefined : findJson(raw);
  const record = isJsonObject(parsed) && findId(parsed) === issue.id ? parsed : undefined;
  const isFresh = raw === undefined || record === undefined || (mode === "bd" && isBackupRow(record));
  const render = isFresh
    ? (at: number) => newRow(issue, Math.max(floorSecond(issue.updatedAt), at), options.dropped ?? NOTHING_DROPPED)
    : importedRow(record, raw, issue, options);
  const last = lastLine === undefined ? undefined : updatedAtOf(lastLine);
  const line = render(Number.NEGATIVE_INFINITY);
  if (last === undefined || line === raw) return line;
  const again = render(last);
  return again === lastLine ? again : render(secondAfter(last));
}
