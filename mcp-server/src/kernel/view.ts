import type { PaintStyle, RenderView } from "./operation.ts";

const codes: Readonly<Record<PaintStyle, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

/** A view without colour, for models, pipes and files: a row of a table is one line there, however long. */
export function plainView(now: number, width = 100): RenderView {
  return { width, now, paint: (_, text) => text, table: (head, rows) => table(head, rows), next: nextLine };
}

/** A view for a terminal of `width` cells: tables keep to it where they can. */
export function terminalView(now: number, width: number, hasColour: boolean): RenderView {
  const paint = (style: PaintStyle, text: string) =>
    hasColour ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text;
  return {
    width,
    now,
    paint,
    table: (head, rows) =>
      table(
        head.map((cell) => paint("bold", cell)),
        rows,
        width,
      ),
    next: nextLine,
  };
}

/** `1 report`, `2 reports`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function nextLine(operations: readonly string[]): string {
  return `Next: ${operations.join(", ")}`;
}

const GAP = 2;
/** Narrower than this nothing can be read in a column. */
const LEAST_COLUMN = 8;

/**
 * Columns padded to their widest cell; colour codes do not count. In a terminal the widest gives way to the others,
 * and where that does not help either the terminal wraps.
 */
function table(head: readonly string[], rows: readonly (readonly string[])[], room = Number.POSITIVE_INFINITY): string {
  const all = [head, ...rows];
  const lengths = all.map((row) => row.map(visibleLength));
  const widths = head.map((_, column) => lengths.reduce((widest, row) => Math.max(widest, row[column] ?? 0), 0));
  const excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  const widest = widths.indexOf(Math.max(...widths));
  const width = (widths[widest] ?? 0) - excess;
  if (excess <= 0 || width < LEAST_COLUMN)
    return all.map((row, index) => flat(row, lengths[index] ?? [], widths)).join("\n");
  const wrapped = all.map((row) => row.map((cell, column) => (column === widest ? wrapCell(cell, width) : [cell])));
  const narrow = widths.map((own, column) => (column === widest ? width : own));
  return wrapped.map((row) => padded(row, narrow)).join("\n");
}

/** One row on one line. */
function flat(row: readonly string[], lengths: readonly number[], widths: readonly number[]): string {
  let line = "";
  for (let column = 0; column < row.length; column += 1) {
    const room = (widths[column] ?? 0) - (lengths[column] ?? 0) + GAP;
    line += row[column] + " ".repeat(Math.max(GAP, room));
  }
  return line.trimEnd();
}

/** One row, on as many lines as its highest cell has. */
function padded(row: readonly (readonly string[])[], widths: readonly number[]): string {
  const height = Math.max(1, ...row.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    row
      .map((lines, column) => {
        const text = lines[line] ?? "";
        return text + " ".repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(text)));
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  ).join("\n");
}

/** Lines of a cell that is painted as a whole or not at all; any other stays on its line. */
function wrapCell(cell: string, width: number): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with one
  const parts = /^(\u001b\[\d+m)?([^\u001b]*)(\u001b\[\d+m)?$/.exec(cell);
  if (!parts) return [cell];
  const [, on = "", text = "", off = ""] = parts;
  return wrapWords(text, width).map((line) => on + line + off);
}

/** Lines of at most `width` cells; a longer word has a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(/\s+/)) {
    if (line === undefined) line = word;
    else if (visibleLength(line) + 1 + visibleLength(word) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line ?? ""];
}

/** Terminal cells of a text: colour codes take none, wide characters two. */
export function visibleLength(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length; // nearly every cell
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with one
  const bare = text.replace(/\u001b\[\d+m/g, "");
  let cells = 0;
  for (const character of bare) {
    const code = character.codePointAt(0) ?? 0;
    const isWide =
      code >= 0x1100 &&
      (code <= 0x115f ||
        (code >= 0x2e80 && code <= 0xa4cf) ||
        (code >= 0xac00 && code <= 0xd7a3) ||
        (code >= 0xf900 && code <= 0xfaff) ||
        (code >= 0xfe30 && code <= 0xfe6f) ||
        (code >= 0xff00 && code <= 0xff60) ||
        (code >= 0x1f300 && code <= 0x1faff));
    if (code < 0x300 || code > 0x36f) cells += isWide ? 2 : 1;
  }
  return cells;
}
