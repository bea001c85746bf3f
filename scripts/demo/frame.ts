/** One picture of the run: progress, both boards, who does what, the latest events. Pure: state in, lines out. */
import type { RenderView } from "../../mcp-server/src/kernel/operation.ts";
import type { Agent, Mood } from "./agent.ts";
import { bar, seconds, toWidth } from "./terminal.ts";
import type { Board, Card, Column } from "./watch.ts";

export interface Scene {
  readonly boards: readonly Board[];
  readonly agents: readonly Agent[];
  readonly ticker: readonly string[];
  readonly elapsedMs: number;
}

const GAP = 2;
/** Shares of the width: backlog, ready, in progress, review, done. */
const SHARES = [0.17, 0.19, 0.27, 0.2, 0.17];

/** How much fits into the terminal: rows of cards per board, a line between the boards, lines of the ticker. */
export function sizes(rows: number): { cards: number; gap: number; ticker: number } {
  const cards = rows >= 40 ? 7 : rows >= 34 ? 6 : rows >= 28 ? 4 : rows >= 22 ? 3 : 2;
  const gap = rows >= 26 ? 1 : 0;
  const used = 2 + 2 * (cards + 2) + gap + 5;
  return { cards, gap, ticker: Math.max(1, Math.min(10, rows - used - 2)) };
}

export function renderFrame(scene: Scene, view: RenderView, rows: number): string[] {
  const size = sizes(rows);
  const boards = scene.boards.map((board) => renderBoard(board, view, size.cards));
  const between = Array<string>(size.gap).fill("");
  const lines = [
    ...header(scene, view),
    "",
    ...boards.flatMap((board, index) => (index > 0 ? [...between, ...board] : board)),
  ];
  lines.push("", ...renderAgents(scene, view), "");
  const recent = scene.ticker.slice(-size.ticker);
  return [...lines, ...recent.map((line) => lineToWidth(line, view)), ...Array(size.ticker - recent.length).fill("")];
}

function totalOf(boards: readonly Board[], column: string): number {
  return boards.reduce((sum, board) => sum + (board.columns.find((col) => col.column === column)?.total ?? 0), 0);
}

function header({ boards, elapsedMs }: Scene, view: RenderView): string[] {
  const total = ["backlog", "ready", "in_progress", "review", "done"].reduce(
    (sum, name) => sum + totalOf(boards, name),
    0,
  );
  const [done, review, progress] = ["done", "review", "in_progress"].map((name) => totalOf(boards, name));
  const numbers = `${String(done).padStart(3)} of ${total} closed  ${seconds(elapsedMs).padStart(6)}`;
  const width = Math.max(10, view.width - numbers.length - 1);
  const parts = [
    { share: done ?? 0, colour: "green" as const },
    { share: review ?? 0, colour: "yellow" as const },
    { share: progress ?? 0, colour: "blue" as const },
  ];
  return [`${bar(view, width, total, parts)} ${view.paint("bold", numbers)}`];
}

export function renderBoard(board: Board, view: RenderView, cards: number): string[] {
  const widths = columnWidths(view.width);
  const heads = board.columns.map((column, index) => paintHead(column, widths[index] ?? 10, view));
  const lines = [view.paint("bold", `Team ${board.team} · ${board.name ?? board.team}`), heads.join(" ".repeat(GAP))];
  const cells = board.columns.map((column, index) => columnCells(column, widths[index] ?? 10, cards, view));
  for (let row = 0; row < cards; row += 1) {
    lines.push(
      cells
        .map((column, index) => column[row] ?? " ".repeat(widths[index] ?? 10))
        .join(" ".repeat(GAP))
        .trimEnd(),
    );
  }
  return lines;
}

function columnWidths(width: number): number[] {
  const free = width - GAP * (SHARES.length - 1);
  const widths = SHARES.map((share) => Math.floor(free * share));
  widths[2] = (widths[2] ?? 0) + free - widths.reduce((sum, one) => sum + one, 0);
  return widths;
}

function paintHead(column: Column, width: number, view: RenderView): string {
  const name = column.column.replace("_", " ");
  const text = toWidth(`${name} ${column.total}${column.limit === undefined ? "" : `/${column.limit}`}`, width);
  const isFull = column.limit !== undefined && column.total >= column.limit;
  return isFull ? view.paint("yellow", text) : view.paint("cyan", text);
}

function columnCells(column: Column, width: number, cards: number, view: RenderView): string[] {
  const shown = column.total > cards ? cards - 1 : cards;
  const cells = column.tasks.slice(0, shown).map((card) => paintCard(card, column.column, width, view));
  const rest = column.total - cells.length;
  if (rest > 0) cells.push(view.paint("dim", toWidth(`+${rest} more`, width)));
  return cells;
}

function paintCard(card: Card, column: string, width: number, view: RenderView): string {
  if (card.blocked !== undefined) return view.paint("red", toWidth(`■ ${card.holder ?? ""}: ${card.blocked}`, width));
  if (column === "done") return view.paint("dim", toWidth(card.title, width));
  if (card.kind === "epic") return view.paint("bold", toWidth(`◆ ${card.title}`, width));
  if (card.state === "deferred") return view.paint("dim", toWidth(`○ ${card.title}`, width));
  if (card.holder === undefined || width < 14) return toWidth(card.title, width);
  return view.paint("cyan", card.holder) + toWidth(` ${card.title}`, width - card.holder.length);
}

const moods: Readonly<Record<Mood, readonly [string, "green" | "yellow" | "red" | "dim" | "blue"]>> = {
  starting: ["…", "dim"],
  working: ["▶", "blue"],
  review: ["◆", "yellow"],
  waiting: ["‖", "yellow"],
  blocked: ["■", "red"],
  idle: ["·", "dim"],
  down: ["✗", "red"],
  done: ["✓", "green"],
};

/** Both teams side by side, one agent a line. */
function renderAgents({ agents, boards }: Scene, view: RenderView): string[] {
  const width = Math.floor((view.width - GAP) / 2);
  const teams = boards.map((board) => agents.filter((agent) => agent.team === board.team));
  const height = Math.max(...teams.map((team) => team.length));
  return Array.from({ length: height }, (_, row) =>
    teams
      .map((team) => paintAgent(team[row], width, view))
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

function paintAgent(agent: Agent | undefined, width: number, view: RenderView): string {
  if (!agent) return " ".repeat(width);
  const [sign, colour] = moods[agent.mood];
  const text = {
    waiting: "waits: ",
    blocked: "blocked: ",
    down: "killed",
    done: "done",
    idle: "",
    starting: "starts",
    working: "",
    review: "",
  };
  const doing = agent.mood === "down" || agent.mood === "done" ? "" : agent.doing;
  const count = String(agent.closed).padStart(3);
  return `${view.paint("cyan", toWidth(agent.name, 6))} ${view.paint(colour, toWidth(`${sign} ${text[agent.mood]}${doing}`, width - 10))}${view.paint("dim", count)}`;
}

/** Ticker lines carry colour already; one that is too long loses it and is cut. */
function lineToWidth(line: string, view: RenderView): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with one
  const bare = line.replace(/\u001b\[\d+m/g, "");
  return bare.length <= view.width ? line : toWidth(bare, view.width);
}
