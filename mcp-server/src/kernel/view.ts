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

/** A view without colour, for models, pipes and files. */
export function plainView(now: number, width = 100): RenderView {
  return { width, now, paint: (_, text) => text, table: (head, rows) => table(head, rows), next: nextLine };
}

/** A view for a terminal. */
export function colourView(now: number, width: number): RenderView {
  const paint = (style: PaintStyle, text: string) => `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m`;
  return {
    width,
    now,
    paint,
    table: (head, rows) =>
      table(
        head.map((cell) => paint("bold", cell)),
        rows,
      ),
    next: nextLine,
  };
}

function nextLine(operations: readonly string[]): string {
  return `Next: ${operations.join(", ")}`;
}

/** Columns padded to their widest cell; colour codes do not count. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const lengths = all.map((row) => row.map(visibleLength));
  const widths = head.map((_, column) => lengths.reduce((widest, row) => Math.max(widest, row[column] ?? 0), 0));
  return all
    .map((row, line) =>
      row
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - (lengths[line]?.[column] ?? 0))))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
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
