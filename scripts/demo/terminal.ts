/** What the demo draws with: one line per event into a pipe, a board that is redrawn in place on a terminal. */
import type { RenderView } from "../../mcp-server/src/kernel/operation.ts";
import { plainView, terminalView, visibleLength } from "../../mcp-server/src/kernel/view.ts";

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR = "\u001b[2J\u001b[H";
/** Terminals that know it show the whole frame at once; the others ignore it. */
const [BEGIN_FRAME, END_FRAME] = ["\u001b[?2026h", "\u001b[?2026l"];
const PIPE_WIDTH = 100;
const WIDEST = 160;

export class Screen {
  readonly isLive = process.stdout.isTTY === true && process.env.TERM !== "dumb";
  #drawn = 0;
  #resized = false;

  constructor() {
    if (!this.isLive) return;
    process.stdout.on("resize", () => {
      this.#resized = true;
    });
    process.on("exit", () => this.close());
  }

  view(): RenderView {
    if (!this.isLive) return plainView(Date.now(), PIPE_WIDTH);
    return terminalView(Date.now(), Math.min(process.stdout.columns || 80, WIDEST), !process.env.NO_COLOR);
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  line(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  /** Puts these lines where the last ones were. */
  draw(lines: readonly string[]): void {
    const back = this.#resized ? CLEAR : this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : HIDE_CURSOR;
    this.#resized = false;
    this.#drawn = lines.length;
    process.stdout.write(
      `${BEGIN_FRAME}${back}${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J${END_FRAME}`,
    );
  }

  /** Leaves the last frame where it is; what follows comes below it. */
  close(): void {
    if (this.isLive && this.#drawn > 0) process.stdout.write(SHOW_CURSOR);
    this.#drawn = 0;
  }
}

/** Exactly `width` cells: cut with an ellipsis or filled with spaces. The text carries no colour yet. */
export function toWidth(text: string, width: number): string {
  if (width <= 0) return "";
  if (visibleLength(text) <= width) return text + " ".repeat(width - visibleLength(text));
  let cut = "";
  for (const character of text) {
    if (visibleLength(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut.trimEnd()}…${" ".repeat(width - visibleLength(cut.trimEnd()) - 1)}`;
}

/** A bar of `width` cells whose parts have the given shares of `total`; the rest stays light. */
export function bar(
  view: RenderView,
  width: number,
  total: number,
  parts: readonly { share: number; colour: "green" | "blue" | "yellow" | "red" }[],
): string {
  let used = 0;
  let sum = 0;
  let text = "";
  for (const { share, colour } of parts) {
    sum += share;
    const end = total === 0 ? 0 : Math.min(width, Math.round((sum / total) * width));
    if (end > used) text += view.paint(colour, "█".repeat(end - used));
    used = Math.max(used, end);
  }
  return text + view.paint("dim", "░".repeat(width - used));
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A horizontal bar as fine as eighths of a cell. */
export function fineBar(value: number, most: number, width: number): string {
  const eighths = most === 0 ? 0 : Math.round((value / most) * width * 8);
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

const LEVELS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** One character per value, as high as its share of `most`. */
export function sparkline(values: readonly number[], most: number): string {
  return values
    .map((value) => LEVELS[value === 0 ? 0 : Math.max(1, Math.round((value / Math.max(most, 1)) * 8))])
    .join("");
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
