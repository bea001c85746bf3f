/** One physical line without its LF or CRLF; line numbers start at 1 and count blank lines. */
export interface SourceLine {
  line: number;
  text: string;
  /** Where in the source the first byte lies that is no UTF-8, counted from 0. */
  damagedAt?: number;
}

/** A whole text, whole bytes, or bytes in chunks cut anywhere. */
export type BeadsSource = string | Uint8Array | Iterable<Uint8Array>;

const LF = 0x0a;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

function tidy(text: string): string {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  return text.slice(start, text.endsWith("\r") ? -1 : undefined);
}

function* textLines(text: string): Generator<SourceLine> {
  let from = 0;
  let line = 1;
  while (from <= text.length) {
    const end = text.indexOf("\n", from);
    yield { line, text: tidy(text.slice(from, end < 0 ? undefined : end)) };
    if (end < 0) return;
    from = end + 1;
    line += 1;
  }
}

function decodeLine(parts: readonly Uint8Array[], line: number, start: number): SourceLine {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  try {
    return { line, text: tidy(strict.decode(bytes)) };
  } catch {
    const text = lenient.decode(bytes);
    return { line, text: tidy(text), damagedAt: start + firstDamage(bytes, new TextEncoder().encode(text)) };
  }
}

/** Where the bytes begin to differ from what was understood of them, at the start of that character. */
function firstDamage(bytes: Uint8Array, understood: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && bytes[at] === understood[at]) at += 1;
  // U+FFFD itself is EF BF BD: a character that was cut off may agree with its beginning
  if ((bytes[at - 1] ?? 0) >= 0xc0) return at - 1;
  return bytes[at - 2] === 0xef ? at - 2 : at;
}

function* byteLines(chunks: Iterable<Uint8Array>): Generator<SourceLine> {
  let parts: Uint8Array[] = [];
  let line = 1;
  let start = 0; // of the line, in bytes of the source
  let passed = 0; // of the chunks before this one
  for (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      parts.push(chunk.subarray(from, end));
      yield decodeLine(parts, line, start);
      parts = [];
      line += 1;
      from = end + 1;
      start = passed + from;
    }
    passed += chunk.length;
    // Copied: a reader may fill the same buffer again.
    parts.push(chunk.slice(from));
  }
  yield decodeLine(parts, line, start);
}

/** Splits at LF or CRLF, drops byte order marks at line starts; no line is too long (beads-compat §6.1). */
export function splitLines(source: BeadsSource): Iterable<SourceLine> {
  if (typeof source === "string") return textLines(source);
  return byteLines(source instanceof Uint8Array ? [source] : source);
}

export type ConflictSide = "ours" | "base" | "theirs";

export interface MarkedLine {
  isMarker: boolean;
  /** Set inside a committed merge conflict; `base` is the common ancestor that diff3 style adds. */
  side: ConflictSide | undefined;
}

/** Follows git conflict markers over the lines of one file; `=======` and `|||||||` mean nothing outside a conflict. */
export function conflictTracker(): (text: string) => MarkedLine {
  let side: ConflictSide | undefined;
  const enter = (next: ConflictSide | undefined): MarkedLine => {
    side = next;
    return { isMarker: true, side };
  };
  return (text) => {
    if (/^<{7}(?: |$)/.test(text)) return enter("ours");
    if (/^>{7}(?: |$)/.test(text)) return enter(undefined);
    if (side === "ours" && /^\|{7}(?: |$)/.test(text)) return enter("base");
    if (side !== undefined && /^={7}$/.test(text)) return enter("theirs");
    return { isMarker: false, side };
  };
}
