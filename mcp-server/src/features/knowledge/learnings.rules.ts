import { plainLine } from "../../kernel/fence.ts";
import type { Knowledge, KnowledgeKind } from "./knowledge.schema.ts";

export const LEARNINGS_FILE = "LEARNINGS.md";
/** The whole file, what people wrote included (requirements CX-04, C-28). */
export const MAX_LEARNINGS_LINES = 100;
/** However long the rest of the file is, this much is rendered. */
const MIN_BLOCK_LINES = 12;

export const BEGIN = "<!-- teamwright:learnings:begin (rendered from the knowledge base; change it there) -->";
export const END = "<!-- teamwright:learnings:end -->";
const beginMark = Buffer.from("<!-- teamwright:learnings:begin");
const endMark = Buffer.from(END);

/** The headings that agents are told facts under, in this order (requirements LP-04). */
export const headings = ["MUST FOLLOW", "GOTCHAS", "PATTERNS", "DECISIONS", "API", "OPEN"] as const;
const headingOf: Readonly<Record<KnowledgeKind, (typeof headings)[number]>> = {
  rule: "MUST FOLLOW",
  mistake: "MUST FOLLOW",
  gotcha: "GOTCHAS",
  pattern: "PATTERNS",
  solution: "PATTERNS",
  decision: "DECISIONS",
  api: "API",
  fact: "API",
  question: "OPEN",
};

/** Facts under their headings; headings without facts are left out. */
export function byHeading(facts: readonly Knowledge[]): [string, Knowledge[]][] {
  return headings
    .map((heading): [string, Knowledge[]] => [heading, facts.filter((fact) => headingOf[fact.kind] === heading)])
    .filter(([, group]) => group.length > 0);
}

/** One fact as one line. */
export function factLine(fact: Pick<Knowledge, "key" | "kind" | "fact" | "recommendation" | "confidence">): string {
  const what = fact.kind === "mistake" ? "Mistake: " : "";
  const advice = fact.recommendation === null ? "" : ` → ${plainLine(fact.recommendation, 120)}`;
  return `- ${what}${plainLine(fact.fact, 160)}${advice} (${fact.confidence}, ${fact.key})`;
}

/** The file cut at the marks. `damaged` says what is wrong with them; nothing may be written then. */
export interface Parts {
  readonly before: Buffer;
  readonly block: Buffer | undefined;
  readonly after: Buffer;
  readonly damaged?: string;
}

export function splitLearnings(file: Buffer): Parts {
  const whole = { before: file, block: undefined, after: Buffer.alloc(0) };
  const begin = file.indexOf(beginMark);
  const end = file.indexOf(endMark);
  if (begin < 0 && end < 0) return whole;
  if (begin < 0 || end < begin)
    return { ...whole, damaged: "the mark that begins the rendered part is missing or comes after its end" };
  if (file.indexOf(beginMark, begin + 1) >= 0 || file.indexOf(endMark, end + 1) >= 0)
    return { ...whole, damaged: "the marks of the rendered part stand there more than once" };
  const stop = end + endMark.length;
  return { before: file.subarray(0, begin), block: file.subarray(begin, stop), after: file.subarray(stop) };
}

export function countLines(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  let lines = bytes.at(-1) === 10 ? 0 : 1;
  for (const byte of bytes) if (byte === 10) lines += 1;
  return lines;
}

/** Lines behind the block: what follows its mark on the same line is none of its own. */
function linesAfter({ after }: Parts): number {
  return Math.max(0, countLines(after) - 1);
}

/** Lines that people wrote, outside the block. */
export function ownLines(parts: Parts): number {
  return countLines(parts.before) + linesAfter(parts);
}

/**
 * The file with the facts between the marks; every other byte stays. Undefined when nothing is to be rendered, or when
 * the marks are damaged. `facts` come best first; those that find no room are found by search alone.
 */
export function renderLearnings(
  file: Buffer | undefined,
  facts: readonly Knowledge[],
): { text: Buffer; shown: number } | undefined {
  const parts = splitLearnings(file ?? Buffer.alloc(0));
  if (parts.damaged !== undefined || (facts.length === 0 && parts.block === undefined)) return undefined;
  const isFresh = file === undefined || file.length === 0;
  const head = isFresh ? Buffer.from("# Learnings\n\n") : parts.before;
  const isAppended = parts.block === undefined && !isFresh;
  const gap = isAppended ? Buffer.from(head.at(-1) === 10 ? "\n" : "\n\n") : Buffer.alloc(0);
  const tail = parts.block === undefined ? Buffer.from("\n") : parts.after;
  const own = countLines(head) + countLines(gap) + linesAfter(parts);
  const { lines, shown } = blockLines(facts, Math.max(MIN_BLOCK_LINES, MAX_LEARNINGS_LINES - own));
  return { text: Buffer.concat([head, gap, Buffer.from(lines.join("\n")), tail]), shown };
}

/** The block within so many lines: as many of the best facts as have room with their headings. */
function blockLines(facts: readonly Knowledge[], most: number): { lines: string[]; shown: number } {
  for (let shown = Math.min(facts.length, most); ; shown -= 1) {
    const lines = [BEGIN];
    for (const [heading, group] of byHeading(facts.slice(0, shown)))
      lines.push("", `### ${heading}`, "", ...group.map((fact) => withoutMarks(factLine(fact))));
    if (shown < facts.length) lines.push("", `${facts.length - shown} more: \`knowledge_search\`.`);
    lines.push("", END);
    if (lines.length <= most || shown === 0) return { lines, shown };
  }
}

/** A fact cannot end the block it stands in. */
function withoutMarks(line: string): string {
  return line.replaceAll("<!--", "<! --").replaceAll("-->", "-- >");
}

/** The first lines of the file, without the marks; for agents at their start. */
export function firstLines(file: Buffer, most: number): { lines: string[]; total: number } {
  const all = file.toString("utf8").split(/\r?\n/);
  if (all.at(-1) === "") all.pop();
  const lines = all.filter((line) => !line.startsWith("<!-- teamwright:learnings:"));
  return { lines: lines.slice(0, most), total: lines.length };
}
