import type { JsonObject, JsonValue } from "./beads-issue.schema.ts";

/** Offsets into a JSON text; `lead` starts where the previous member (or the bracket) ended. */
export interface JsonSpan {
  key: string;
  lead: number;
  start: number;
  valueStart: number;
  end: number;
}

/** Deeper rows are quarantined: recursive readers of the value would exhaust the stack. */
export const MAX_JSON_DEPTH_LEVELS = 200;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function skipString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    at += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

function opens(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function closes(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

function skipValue(text: string, from: number): number {
  if (text.charCodeAt(from) === QUOTE) return skipString(text, from);
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (depth === 0 && (code === 0x2c || closes(code) || isSpace(code))) return at;
    if (code === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    if (opens(code)) depth += 1;
    at += 1;
    if (closes(code)) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

/** Nesting depth of a JSON text, without recursion. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    if (opens(code)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (closes(code)) depth -= 1;
    at += 1;
  }
  return deepest;
}

/** Members of an object or elements of an array (key ""), in file order; the text must be valid JSON. */
export function jsonSpans(text: string): JsonSpan[] {
  const spans: JsonSpan[] = [];
  const open = skipSpace(text, 0);
  const isObject = text.charCodeAt(open) === 0x7b;
  let lead = open + 1;
  let at = skipSpace(text, lead);
  while (at < text.length && !closes(text.charCodeAt(at))) {
    const start = at;
    let key = "";
    if (isObject) {
      const keyEnd = skipString(text, at);
      key = String(JSON.parse(text.slice(at, keyEnd)));
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    const end = skipValue(text, at);
    spans.push({ key, lead, start, valueStart: at, end });
    lead = end;
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === 0x2c) at = skipSpace(text, at + 1);
  }
  return spans;
}

interface Piece {
  key: string;
  text: string;
  lead: string | undefined;
}

function assemble(text: string, spans: JsonSpan[], pieces: Piece[]): string {
  const first = spans[0];
  const last = spans.at(-1);
  const bracket = skipSpace(text, 0) + 1;
  const head = text.slice(0, first?.start ?? bracket);
  const tail = text.slice(last?.end ?? bracket);
  const second = spans[1];
  const separator = second === undefined ? "," : text.slice(second.lead, second.start);
  return (
    head + pieces.map((piece, index) => (index === 0 ? "" : (piece.lead ?? separator)) + piece.text).join("") + tail
  );
}

function leadOf(text: string, span: JsonSpan, index: number): string | undefined {
  return index === 0 ? undefined : text.slice(span.lead, span.start);
}

/**
 * Sets (text) or removes (undefined) members and leaves every other byte alone: key order, spacing, number lexemes and
 * escapes survive. New keys go where `order` puts them, else last. Of repeated keys the last, the one a reader sees, is set.
 */
export function patchObject(
  text: string,
  edits: ReadonlyMap<string, string | undefined>,
  order: readonly string[] = [],
): string {
  if (edits.size === 0) return text;
  const spans = jsonSpans(text);
  const lastOf = new Map(spans.map((span, index) => [span.key, index]));
  const pieces: Piece[] = [];
  for (const [index, span] of spans.entries()) {
    const lead = leadOf(text, span, index);
    const edited = edits.get(span.key);
    if (!edits.has(span.key)) pieces.push({ key: span.key, lead, text: text.slice(span.start, span.end) });
    else if (edited !== undefined && lastOf.get(span.key) === index)
      pieces.push({ key: span.key, lead, text: text.slice(span.start, span.valueStart) + edited });
  }
  for (const [key, value] of edits) {
    if (value === undefined || lastOf.has(key)) continue;
    pieces.splice(positionFor(key, pieces, order), 0, { key, lead: undefined, text: `${quote(key)}:${value}` });
  }
  return assemble(text, spans, pieces);
}

function positionFor(key: string, pieces: Piece[], order: readonly string[]): number {
  const rank = order.indexOf(key);
  if (rank < 0) return pieces.length;
  const before = pieces.findLastIndex((piece) => {
    const other = order.indexOf(piece.key);
    return other >= 0 && other < rank;
  });
  return before < 0 ? pieces.length : before + 1;
}

/** Maps each element's text (undefined drops it) and appends others; untouched elements keep their bytes. */
export function patchArray(
  text: string,
  edit: (element: string, index: number) => string | undefined,
  appended: readonly string[],
): string {
  const spans = jsonSpans(text);
  const pieces: Piece[] = [];
  for (const [index, span] of spans.entries()) {
    const edited = edit(text.slice(span.valueStart, span.end), index);
    if (edited !== undefined) pieces.push({ key: "", lead: leadOf(text, span, index), text: edited });
  }
  for (const element of appended) pieces.push({ key: "", lead: undefined, text: element });
  return assemble(text, spans, pieces);
}

const HTML_ESCAPES: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON text as Go's encoder writes it, with < > & escaped (beads-compat §1.9); `plain` leaves them, as br does. */
export function quote(value: JsonValue, plain = false): string {
  const text = JSON.stringify(value);
  return plain ? text : text.replace(/[<>&\u2028\u2029]/g, (char) => HTML_ESCAPES[char] ?? char);
}

/** Same text for equal values whatever their key order; for comparison, never for output. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`).join(",")}}`;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parsed value, or undefined when the text is no JSON or nested beyond `MAX_JSON_DEPTH_LEVELS`. */
export function findJson(text: string): JsonValue | undefined {
  try {
    // JSON.parse yields nothing but JsonValue.
    const value = JSON.parse(text) as JsonValue;
    return jsonDepth(text) > MAX_JSON_DEPTH_LEVELS ? undefined : value;
  } catch {
    return undefined;
  }
}
