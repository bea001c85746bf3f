/** One physical line without its LF or CRLF; line numbers start at 1 and count blank lines. */
export interface SourceLine {
  line: number;
  text: string;
  /** Bytes that are no UTF-8 became U+FFFD. */
  damaged: boolean;
}

/** A whole text, whole bytes, or bytes in chunks cut anywhere. */
export type BeadsSource = string | Uint8Array | Iterable<Uint8Array>;

const LF = 0x0a;

function tidy(text: string): string {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  return text.slice(start, text.endsWith("\r") ? -1 : undefined);
}

function* textLines(text: string): Generator<SourceLine> {
  let from = 0;
  let line = 1;
  while (from <= text.length) {
    const end = text.indexOf("\n", from);
    yield { line, text: tidy(text.slice(from, end < 0 ? undefined : end)), damaged: false };
    if (end < 0) return;
    from = end + 1;
    line += 1;
  }
}

function decodeLine(parts: readonly Uint8Array[], line: number): SourceLine {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  try {
    return {
      line,
      text: tidy(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
      damaged: false,
    };
  } catch {
    return { line, text: tidy(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)), damaged: true };
  }
}

function* byteLines(chunks: Iterable<Uint8Array>): Generator<SourceLine> {
  let parts: Uint8Array[] = [];
  let line = 1;
  for (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      parts.push(chunk.subarray(from, end));
      yield decodeLine(parts, line);
      parts = [];
      line += 1;
      from = end + 1;
    }
    // Copied: a reader may fill the same buffer again.
    parts.push(chunk.slice(from));
  }
  yield decodeLine(parts, line);
}

/** Splits at LF or CRLF, drops byte order marks at line starts; no line is too long (beads-compat §6.1). */
export function splitLines(source: BeadsSource): Iterable<SourceLine> {
  if (typeof source === "string") return textLines(source);
  return byteLines(source instanceof Uint8Array ? [source] : source);
}

/** Numbers lines that were split elsewhere. */
export function* numberLines(lines: Iterable<string>): Generator<SourceLine> {
  let line = 1;
  for (const text of lines) {
    yield { line, text: tidy(text), damaged: false };
    line += 1;
  }
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
