import { commentElements, findDependency, LEGACY_EDGES, legacyDependencies } from "./beads-edges.rules.ts";
import { splitMetadata } from "./beads-fields.rules.ts";
import type { BeadsDependency, BeadsIssue, JsonObject, JsonValue } from "./beads-issue.schema.ts";
import {
  canonicalJson,
  findJson,
  isJsonObject,
  jsonSpans,
  patchArray,
  patchObject,
  quote,
} from "./beads-json.rules.ts";
import {
  commentContent,
  commentText,
  dependencyMetadataText,
  dependencyText,
  edgeContent,
  ownRecord,
} from "./beads-wire.rules.ts";

/** New member texts for a row; undefined removes the member. */
export type Edits = Map<string, string | undefined>;

/** An imported row beside the issue as the store has it now; `was` is what the row itself says. */
export interface Patch {
  raw: string;
  record: JsonObject;
  was: BeadsIssue;
  now: BeadsIssue;
  plain: boolean;
  /** The row is written anew or must pass bd: what bd refuses or would misread is mended on the way. */
  repair: boolean;
  /** Only what an unconfigured bd takes: built-in status words, one well-formed edge per pair. */
  strict: boolean;
}

const ignore = () => undefined;

function memberText(raw: string, name: string): string | undefined {
  const span = jsonSpans(raw).findLast(({ key }) => key === name);
  return span === undefined ? undefined : raw.slice(span.valueStart, span.end);
}

/** Keys are foreign, `constructor` and the like included: only own members count. */
function memberOf(record: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function changedKeys(was: JsonObject, now: JsonObject): string[] {
  const differs = (key: string) => {
    const [left, right] = [memberOf(was, key), memberOf(now, key)];
    if (left === undefined || right === undefined) return left !== right;
    return canonicalJson(left) !== canonicalJson(right);
  };
  return [...new Set([...Object.keys(was), ...Object.keys(now)])].filter(differs);
}

function editsFor(keys: readonly string[], now: JsonObject, plain: boolean): Edits {
  return new Map(
    keys.map((key) => {
      const value = memberOf(now, key);
      return [key, value === undefined ? undefined : quote(value, plain)];
    }),
  );
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

const MANAGED_KEYS: readonly string[] = ["state", "status", "outcome", "title", "metadata"];

function ownChanges({ was, now, repair, strict }: Patch, own: JsonObject): string[] {
  const changed = changedKeys(ownRecord(was), ownRecord(now));
  if (!repair) return changed;
  const stale = changedKeys(own, ownRecord(now)).filter((key) => MANAGED_KEYS.includes(key));
  return [...new Set([...changed, ...stale.filter((key) => key !== "status" || strict)])];
}

/** Edits `metadata` key by key, so that foreign keys keep their bytes and ours keeps what newer versions put there. */
export function editMetadata(patch: Patch, edits: Edits): void {
  const { raw, record, was, now, plain } = patch;
  const value = record.metadata;
  const { own } = splitMetadata(value);
  const ownKeys = ownChanges(patch, own ?? {});
  const hasForeignChange = canonicalJson(was.metadata ?? null) !== canonicalJson(now.metadata ?? null);
  if (ownKeys.length === 0 && !hasForeignChange) return;
  const inner = typeof value === "string" ? value : memberText(raw, "metadata");
  const text = inner !== undefined && isJsonObject(findJson(inner)) ? inner : "{}";
  const ownText = own === undefined ? "{}" : (memberText(text, "teamwright") ?? "{}");
  const nextOwn = patchObject(ownText, editsFor(ownKeys, ownRecord(now), plain));
  const foreignKeys = changedKeys(asObject(was.metadata), asObject(now.metadata)).filter((key) => key !== "teamwright");
  const next = editsFor(foreignKeys, asObject(now.metadata), plain);
  const hasOwn = jsonSpans(nextOwn).length > 0;
  if (hasOwn || own !== undefined) next.set("teamwright", hasOwn ? nextOwn : undefined);
  const result = patchObject(text, next);
  if (jsonSpans(result).length > 0) edits.set("metadata", result);
  else edits.set("metadata", now.metadata === undefined ? undefined : quote(now.metadata, plain));
}

function arrayText(patch: Patch, name: string): string {
  const text = Array.isArray(patch.record[name]) ? memberText(patch.raw, name) : undefined;
  return text ?? "[]";
}

function setList(edits: Edits, name: string, text: string): void {
  edits.set(name, jsonSpans(text).length === 0 ? undefined : text);
}

function labelName(value: JsonValue | undefined): string {
  return typeof value === "string" ? value.trim() : "";
}

/** Edits `labels`: kept ones keep their bytes, new ones go last. */
export function editLabels(patch: Patch, edits: Edits): void {
  const { was, now, plain } = patch;
  const kept = new Set(now.labels.map((label) => label.trim()));
  const had = new Set(was.labels.map((label) => label.trim()));
  const added = now.labels.filter((label) => !had.has(label.trim()));
  if (added.length === 0 && was.labels.every((label) => kept.has(label.trim()))) return;
  const keep = (element: string) => (kept.has(labelName(findJson(element))) ? element : undefined);
  setList(
    edits,
    "labels",
    patchArray(
      arrayText(patch, "labels"),
      keep,
      added.map((label) => quote(label, plain)),
    ),
  );
}

function retypeEdge(element: string, was: BeadsDependency, now: BeadsDependency, plain: boolean): string {
  if (edgeContent(was) === edgeContent(now)) return element;
  const edits: Edits = new Map([["type", quote(now.type, plain)]]);
  if (canonicalJson(was.metadata ?? null) !== canonicalJson(now.metadata ?? null))
    edits.set("metadata", quote(dependencyMetadataText(now), plain));
  if (was.threadId !== now.threadId)
    edits.set("thread_id", now.threadId === undefined ? undefined : quote(now.threadId, plain));
  return patchObject(element, edits);
}

/**
 * Edits `dependencies`. Elements the store does not know (no target, foreign owner, second type of a pair) stay as long
 * as their pair does. Edges from early relation fields move into the list as soon as one of them changes.
 */
export function editDependencies(patch: Patch, edits: Edits, dropped: ReadonlySet<string>): void {
  const { record, was, now, plain, strict } = patch;
  const before = new Map(was.dependencies.map((edge) => [edge.target, edge]));
  const after = new Map(
    now.dependencies.filter(({ target }) => !dropped.has(target)).map((edge) => [edge.target, edge]),
  );
  const isSame =
    before.size === after.size &&
    [...before].every(([target, edge]) => {
      const next = after.get(target);
      return next !== undefined && edgeContent(edge) === edgeContent(next);
    });
  const listed = record.dependencies;
  const unknown = (Array.isArray(listed) ? listed.length : 0) + legacyDependencies(record).length - before.size;
  if (isSame && !(strict && unknown > 0)) return;
  const seen = new Set<string>();
  const edit = (element: string) => {
    const edge = findDependency(findJson(element) ?? null, now.id, ignore);
    if (edge === undefined) return strict ? undefined : element;
    const next = after.get(edge.target);
    if (next === undefined) return undefined;
    if (seen.has(edge.target))
      return !strict && edgeContent(before.get(edge.target) ?? edge) === edgeContent(next) ? element : undefined;
    seen.add(edge.target);
    return retypeEdge(element, edge, next, plain);
  };
  const kept = patchArray(arrayText(patch, "dependencies"), edit, []);
  const legacy = legacyDependencies(record).filter(({ target }) => !seen.has(target) && before.has(target));
  const isLegacySame = legacy.every((edge) => after.get(edge.target)?.type === edge.type);
  if (isLegacySame) for (const { target } of legacy) seen.add(target);
  else for (const name of LEGACY_EDGES.keys()) if (Object.hasOwn(record, name)) edits.set(name, undefined);
  const added = [...after.values()].filter(({ target }) => !seen.has(target));
  const text = patchArray(
    kept,
    (element) => element,
    added.map((edge) => dependencyText(edge, now.id, plain)),
  );
  setList(edits, "dependencies", text);
  if (Object.hasOwn(record, "dependency_count")) edits.set("dependency_count", String(jsonSpans(text).length));
}

/** Edits `comments`: by id, kept ones keep their bytes, an edited one gets its new text, new ones go last. */
export function editComments(patch: Patch, edits: Edits): void {
  const { record, was, now, plain } = patch;
  const before = new Map(was.comments.map((comment) => [comment.id, comment]));
  const after = new Map(now.comments.map((comment) => [comment.id, comment]));
  const isSame =
    before.size === after.size &&
    [...before].every(([id, comment]) => {
      const next = after.get(id);
      return next !== undefined && commentContent(comment) === commentContent(next);
    });
  if (isSame) return;
  const elements = commentElements(record, now.id, ignore);
  const edit = (element: string, index: number) => {
    const comment = elements[index];
    if (comment === undefined) return element;
    const next = after.get(comment.id);
    if (next === undefined) return undefined;
    return next.text === comment.text ? element : patchObject(element, new Map([["text", quote(next.text, plain)]]));
  };
  const added = now.comments.filter(({ id }) => !before.has(id));
  const text = patchArray(
    arrayText(patch, "comments"),
    edit,
    added.map((comment) => commentText(comment, now.id, plain)),
  );
  setList(edits, "comments", text);
  if (Object.hasOwn(record, "comment_count")) edits.set("comment_count", String(jsonSpans(text).length));
}
