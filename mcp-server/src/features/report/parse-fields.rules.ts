import type { ReportSection } from "../../config/report-rules.schema.ts";
import { saysNothing } from "./parse-words.rules.ts";
import type { Evidence, Span, VerificationBox } from "./report.schema.ts";

/** `Files touched: …` in bold or not, perhaps as a bullet. */
const fieldLine =
  /^[*_]{0,3}(files? (?:touched|changed|modified)|tests? (?:affected|touched|changed))[*_]{0,3}\s*:[*_]{0,3}\s*(.*)$/i;
/** The labels of a hand-off and of an escalation (requirements RP-08). */
const labelLine =
  /^(?:#{1,6} )?[*_]{0,3}(COMPLETED|RESULT|FILES CHANGED|FINDINGS|CONCERNS|BLOCKED|CAUSE|ATTEMPTED|NEED)[*_]{0,3}(?:\s*:[*_]{0,3}\s*(.*))?$/;
const statusLine = /^[*_]{0,3}status[*_]{0,3}\s*:[*_]{0,3}\s*(.*)$/i;
const severityLine = /^[*_]{0,3}severity[*_]{0,3}\s*:[*_]{0,3}\s*(.*)$/i;
const fileLine = /^[*_]{0,3}(?:files?|location|evidence)[*_]{0,3}\s*:[*_]{0,3}\s*(.*)$/i;
const boxLine = /^\[([ xX])\]\s+(.*)$/;

export const handoffLabels = ["completed", "result", "files changed", "findings", "concerns"];
export const escalationLabels = ["blocked", "cause", "attempted", "need"];

export interface Labelled {
  readonly name: string;
  readonly value: string;
  /** Where the value begins in the line. */
  readonly at: number;
}

function labelled(pattern: RegExp, line: string, name?: string): Labelled | undefined {
  const match = pattern.exec(line);
  if (!match) return undefined;
  const value = (match[name === undefined ? 2 : 1] ?? "").replace(/[*_]{2,3}$/, "");
  return {
    name: name ?? (match[1] ?? "").toLowerCase(),
    value,
    at: line.length - (match[name === undefined ? 2 : 1] ?? "").length,
  };
}

export function readField(line: string): Labelled | undefined {
  const field = labelled(fieldLine, line);
  return field && { ...field, name: field.name.startsWith("test") ? "tests affected" : "files touched" };
}

export const readLabel = (line: string): Labelled | undefined => labelled(labelLine, line);
export const readStatus = (line: string): Labelled | undefined => labelled(statusLine, line, "status");
export const readSeverity = (line: string): Labelled | undefined => labelled(severityLine, line, "severity");
export const readFile = (line: string): Labelled | undefined => labelled(fileLine, line, "file");

/** The word of a status or severity value: letters, perhaps with a dash or one space (`in progress`), after any sign. */
export function firstWord(value: string): Span & { readonly text: string } {
  const match = /\p{L}[\p{L}\p{N}_/]*(?:-\p{L}+)*(?: progress\b)?/iu.exec(value);
  const start = match?.index ?? 0;
  const text = match?.[0] ?? "";
  return { text, start, end: start + text.length };
}

/** The items of `a.ts, b.ts` or of a bullet; `none` and its like are no item. Offsets are those in `value`. */
export function readItems(value: string): (Span & { text: string })[] {
  const items: (Span & { text: string })[] = [];
  for (const match of value.matchAll(/[^,;]+/g)) {
    const text = /^[\s`"'[(]*([^\s`"'\])]+)/.exec(match[0])?.[1];
    if (text === undefined || saysNothing(match[0])) continue;
    const start = match.index + match[0].indexOf(text);
    items.push({ text, start, end: start + text.length });
  }
  return items;
}

const evidenceItem = /([^\s`"'[\](),;|]+?):(\d{1,7})(?:[-–:](\d{1,7}))?(?=$|[\s`"'[\](),;.|])/g;
const proseEvidence =
  /(?:^|[\s`"'([])((?:[\w.@+~-]+[\\/])*[\w@+~-][\w.@+~-]*\.[A-Za-z]\w{0,9}):(\d{1,7})(?:[-–:](\d{1,7}))?(?![\w/])/g;

export type EvidenceSpan = Pick<Evidence, "path" | "fromLine" | "toLine"> & Span;

/** The value of `File:`, with or without line numbers. */
export function readEvidence(value: string): EvidenceSpan[] {
  const found = [...value.matchAll(evidenceItem)].map(toEvidence);
  if (found.length > 0) return found;
  return readItems(value)
    .filter(({ text }) => /[\w]/.test(text))
    .map(({ text, start, end }) => ({ path: text, fromLine: undefined, toLine: undefined, start, end }));
}

/** `src/a.ts:12` in a sentence. */
export function evidenceIn(line: string): EvidenceSpan[] {
  if (!line.includes(":")) return [];
  return [...line.matchAll(proseEvidence)].map(toEvidence);
}

function toEvidence(match: RegExpExecArray): EvidenceSpan {
  const [whole, path = "", from, to] = match;
  const start = match.index + whole.indexOf(path);
  return {
    path,
    fromLine: Number(from),
    toLine: to === undefined || whole.includes(`:${from}:`) ? undefined : Number(to),
    start,
    end: match.index + whole.length,
  };
}

export function readBox(line: string): Pick<VerificationBox, "text" | "checked" | "check"> | undefined {
  const match = boxLine.exec(line);
  if (!match) return undefined;
  const text = match[2] ?? "";
  return { text, checked: match[1] !== " ", check: checkOf(text) };
}

/** requirements RP-01: the four boxes. */
function checkOf(text: string): VerificationBox["check"] {
  if (/\blint/i.test(text)) return "lint";
  if (/\bpatterns?\b/i.test(text)) return "patterns";
  if (/\btests?\b/i.test(text)) return "tests";
  return /\b(?:compiles?|builds?|runs?)\b/i.test(text) ? "compiles" : undefined;
}

/** Which of the fixed sections a heading names (requirements RP-01, C-24). */
export function sectionKey(title: string): ReportSection | undefined {
  const plain = title
    .toLowerCase()
    .replace(/[^\p{L}\s/&-]/gu, "")
    .trim();
  if (/^(?:findings?(?:\s*(?:\/|&|and)\s*changes?(?: made)?)?|changes? made)$/.test(plain)) return "findings";
  if (/^(?:cross[- ]domain(?: tags?)?|tags?)$/.test(plain)) return "tags";
  if (plain === "verification") return "verification";
  return /^(?:learnings?|knowledge base(?: additions?)?)$/.test(plain) ? "learnings" : undefined;
}
