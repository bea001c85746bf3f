import { plainLine } from "../../kernel/fence.ts";
import type { ParsedReport, Span } from "./report.schema.ts";
import { maskSecrets } from "./secrets.rules.ts";

/** Where a global expression matches in paragraphs and headings, inline code left out unless `withCode`. */
export function* matchesInProse({ text, prose }: ParsedReport, pattern: RegExp, withCode = false): Generator<Span> {
  let index = 0;
  for (const match of text.matchAll(pattern)) {
    const start = match.index;
    while (index < prose.length && (prose[index]?.end ?? 0) <= start) index += 1;
    const line = prose[index];
    if (!line || start < line.start) continue;
    if (!withCode && line.masked[start - line.start] !== text[start]) continue;
    yield { start, end: Math.min(start + match[0].length, line.end) };
  }
}

/** The first line that says anything, for what is missing from the whole. */
export function topOf({ text, title, parts }: ParsedReport): Span {
  const first = title ?? parts[0];
  if (first) return { start: first.start, end: first.end };
  const start = Math.max(0, text.search(/\S/));
  const length = /^[^\r\n]*/.exec(text.slice(start, start + 400))?.[0].length ?? 0;
  return { start, end: start + length };
}

/** Text of the report in a message: one line, short, without secrets. */
export function quoted(text: string, width = 50): string {
  return JSON.stringify(plainLine(maskSecrets(text.slice(0, 2000)), width));
}
