import type { Nodes, PhrasingContent, Root } from "mdast";
import type { Span } from "./report.schema.ts";

/** A line of a paragraph; `masked` has the same length with code and HTML blotted out. */
export interface TextLine extends Span {
  readonly kind: "line";
  readonly text: string;
  readonly masked: string;
  /** It begins a list item. */
  readonly isItem: boolean;
  /** Lists around it. */
  readonly depth: number;
  readonly isQuoted: boolean;
  /** Lines of one paragraph have the same number. */
  readonly paragraph: number;
}

export interface Heading extends Span {
  readonly kind: "heading";
  readonly level: number;
  readonly text: string;
  readonly isQuoted: boolean;
}

export interface CodeOrHtml extends Span {
  readonly kind: "code" | "html";
  readonly isQuoted: boolean;
}

export type Block = TextLine | Heading | CodeOrHtml;

export interface Blocks {
  readonly blocks: readonly Block[];
  readonly isPlain: boolean;
  readonly isTooDeep: boolean;
}

/** Beyond this the parser's time grows faster than the text; such a text is read line by line. */
const MAX_TREE_CHARACTERS = 50_000;
const DEEP_NESTING = /^(?:[ \t]{0,8}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){30}/m;
/** Stands for a blotted character: no space, no letter. */
const BLOT = "\ufffc";

/**
 * Constructs that reports do without. Emphasis and links take cubic time on hostile text (10 kB of `*_` took a minute);
 * a definition would swallow `[BLOCKER:ada]: soon`, and a rule under `Status: COMPLETE` would make a heading of it.
 */
const SWITCHED_OFF = [
  "attention",
  "autolink",
  "characterReference",
  "definition",
  "labelEnd",
  "labelStartImage",
  "labelStartLink",
  "setextUnderline",
];

let parseTree: ((text: string) => Root) | undefined;

/** Loads the markdown parser; needed once before `readBlocks`. */
export async function loadMarkdown(): Promise<void> {
  if (parseTree) return;
  const { fromMarkdown } = await import("mdast-util-from-markdown");
  const options = { extensions: [{ disable: { null: SWITCHED_OFF } }] };
  parseTree = (text) => fromMarkdown(text, options);
}

/** Headings, lines of paragraphs, code and HTML in document order. Never throws once `loadMarkdown` is done. */
export function readBlocks(text: string): Blocks {
  if (!parseTree) throw new Error("loadMarkdown was not awaited");
  const isTooDeep = DEEP_NESTING.test(text);
  const bom = text.charCodeAt(0) === 0xfeff ? 1 : 0; // the parser does not count it
  if (!isTooDeep && text.length <= MAX_TREE_CHARACTERS) {
    try {
      return { blocks: flatten(parseTree(bom ? text.slice(1) : text), text, bom), isPlain: false, isTooDeep };
    } catch {
      // read line by line like what is too large
    }
  }
  return { blocks: scanLines(text, bom), isPlain: true, isTooDeep };
}

function flatten(root: Root, text: string, shift: number): Block[] {
  const blocks: Block[] = [];
  let paragraph = 0;
  const visit = (node: Nodes, depth: number, isQuoted: boolean, isItem: boolean): void => {
    const start = (node.position?.start.offset ?? 0) + shift;
    const end = (node.position?.end.offset ?? 0) + shift;
    switch (node.type) {
      case "paragraph": {
        paragraph += 1;
        const masked = mask(text.slice(start, end), node.children, start - shift);
        pushLines(blocks, { text, start, end, masked, isItem, depth, isQuoted, paragraph });
        return;
      }
      case "heading":
        blocks.push({
          kind: "heading",
          level: node.depth,
          text: headingText(text.slice(start, end)),
          start,
          end,
          isQuoted,
        });
        return;
      case "code":
      case "html":
        blocks.push({ kind: node.type, start, end, isQuoted });
        return;
      case "list":
        for (const item of node.children) visit(item, depth + 1, isQuoted, true);
        return;
      case "root":
      case "listItem":
      case "blockquote":
        node.children.forEach((child, index) => {
          visit(
            child,
            depth,
            isQuoted || node.type === "blockquote",
            isItem && node.type === "listItem" && index === 0,
          );
        });
        return;
      default: // a thematic break says nothing
    }
  };
  visit(root, 0, false, false);
  return blocks;
}

function mask(source: string, children: readonly PhrasingContent[], origin: number): string {
  if (children.length < 2 && children[0]?.type === "text") return source;
  let masked = source;
  for (const child of children) {
    if (child.type !== "inlineCode" && child.type !== "html") continue;
    const from = (child.position?.start.offset ?? 0) - origin;
    const to = (child.position?.end.offset ?? 0) - origin;
    masked = masked.slice(0, from) + masked.slice(from, to).replace(/[^\r\n]/g, BLOT) + masked.slice(to);
  }
  return masked;
}

interface Paragraph extends Omit<TextLine, "kind"> {}

/** `text` is the whole report, `masked` belongs to the paragraph. */
function pushLines(blocks: Block[], { text, start, masked, isItem, depth, isQuoted, paragraph }: Paragraph): void {
  let from = 0;
  for (const piece of masked.split(/\r\n|\n|\r/)) {
    const lead = piece.length - piece.trimStart().length;
    const line = piece.trim();
    const at = start + from + lead;
    if (line !== "")
      blocks.push({
        kind: "line",
        text: text.slice(at, at + line.length),
        masked: line,
        start: at,
        end: at + line.length,
        isItem: isItem && from === 0,
        depth,
        isQuoted,
        paragraph,
      });
    from += piece.length;
    from += masked.startsWith("\r\n", from) ? 2 : 1;
  }
}

function headingText(source: string): string {
  return source
    .replace(/^#{1,6}/, "")
    .replace(/[ \t]#+[ \t]*$/, "")
    .trim();
}

/** The same blocks by looking at each line alone: fences, headings, bullets. */
function scanLines(text: string, from: number): Block[] {
  const blocks: Block[] = [];
  let fence: { start: number; mark: string } | undefined;
  let paragraph = 0;
  let at = from;
  for (const [source, end] of linesOf(text, from)) {
    const line = source.trim();
    const start = at + (source.length - source.trimStart().length);
    at = end;
    const mark = /^(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence) {
      if (mark?.startsWith(fence.mark) && line === mark) {
        blocks.push({ kind: "code", start: fence.start, end: start + line.length, isQuoted: false });
        fence = undefined;
      }
      continue;
    }
    if (mark) fence = { start, mark };
    else pushPlain(blocks, line, start, paragraph++);
  }
  if (fence) blocks.push({ kind: "code", start: fence.start, end: text.length, isQuoted: false });
  return blocks;
}

function pushPlain(blocks: Block[], line: string, start: number, paragraph: number): void {
  if (line === "") return;
  const heading = /^(#{1,6})(?=[ \t]|$)/.exec(line)?.[1];
  const end = start + line.length;
  if (heading) {
    blocks.push({ kind: "heading", level: heading.length, text: headingText(line), start, end, isQuoted: false });
    return;
  }
  const bullet = /^(?:[-+*]|\d{1,9}[.)])[ \t]+/.exec(line)?.[0] ?? "";
  const text = line.slice(bullet.length);
  if (text === "") return;
  const masked = text.replace(/`[^`]{1,500}`/g, (code) => BLOT.repeat(code.length));
  const isItem = bullet !== "";
  const isQuoted = line.startsWith(">");
  const at = start + bullet.length;
  blocks.push({ kind: "line", text, masked, start: at, end, isItem, depth: isItem ? 1 : 0, isQuoted, paragraph });
}

/** Each line without its ending, and where the next begins. */
function* linesOf(text: string, from: number): Generator<[string, number]> {
  const ending = /\r\n|\n|\r/g;
  ending.lastIndex = from;
  let start = from;
  for (let match = ending.exec(text); match; match = ending.exec(text)) {
    yield [text.slice(start, match.index), ending.lastIndex];
    start = ending.lastIndex;
  }
  yield [text.slice(start), text.length];
}

/** Offsets at which lines begin; the first is 0. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  const ending = /\r\n|\n|\r/g;
  while (ending.exec(text)) starts.push(ending.lastIndex);
  return starts;
}

/** Line and column of an offset, both from 1. */
export function placeOf(lineStarts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
