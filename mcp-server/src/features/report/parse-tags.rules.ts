import { nearest } from "../../kernel/nearest.ts";
import { placeOf, type TextLine } from "./markdown.rules.ts";
import { saysNothing } from "./parse-words.rules.ts";
import { type AlmostTag, type Tag, type TagKind, tagKinds } from "./report.schema.ts";

/** Kinds that mean nothing without somebody they are for. */
export const targetedKinds: readonly TagKind[] = ["CROSS-DOMAIN", "BLOCKER"];

const NAME = "(?:team:)?[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]{0,63}";
const KIND = tagKinds.join("|");
/** Spellings that leave no doubt about the kind; of the other kinds a sentence may well begin with the word. */
const LOOSE_KIND = "cross[-_ ]?domain|blocker|interface[-_ ]?change";

/** `KIND:target: message`, `KIND: message`, each perhaps in bold. */
const colonForm = new RegExp(`^[*_]{0,3}(${KIND})(?::(${NAME}))?[*_]{0,3}:[*_]{0,3}(?=\\s|$)`, "u");
/** `KIND:target` and nothing after it. */
const headOnly = new RegExp(`^[*_]{0,3}(${KIND}):(${NAME})[*_]{0,3}$`, "u");
/** `[KIND:target] message`, with or without a colon after the bracket. */
const bracketForm = new RegExp(`^[*_]{0,3}\\[(${KIND})(?::(${NAME}))?\\][*_]{0,3}:?[*_]{0,3}(?=\\s|$)`, "u");
/** The same in other spellings; a target is one only with a colon or a bracket after it. */
const looseTarget = new RegExp(
  `^[*_]{0,3}\\[?(${LOOSE_KIND})\\s*:\\s*@?(${NAME})[*_]{0,3}(?:\\s*\\]\\s*:?|\\s*:)[*_]{0,3}(?!//)`,
  "iu",
);
const looseBare = new RegExp(`^[*_]{0,3}\\[?(${LOOSE_KIND})[*_]{0,3}\\]?(?:\\s*:[*_]{0,3}(?=\\s|$)|\\s[-–—]\\s)`, "iu");
/** In capitals and close to a kind, as in `BLOCKED:ada:` and `CROSSDOMAIN:ada:`. */
const almostForm = new RegExp(`^[*_]{0,3}\\[?([A-Z][A-Z_-]{3,19}):(${NAME})[*_]{0,3}(?:\\]|:(?=\\s|$))`, "u");
const almostBare = /^[*_]{0,3}\[?(CROSS-DOMAIN|BLOCKER|INTERFACE-CHANGE)(?![A-Za-z-])/;
/** `blocker:ada the key is missing`: no colon ends the head. */
const almostLoose = new RegExp(`^[*_]{0,3}\\[?(${LOOSE_KIND}):${NAME}(?=\\s)`, "iu");
/** Inside a line only what can be nothing else. */
const innerForm = new RegExp(`(?:\\[(${KIND})(?::(${NAME}))?\\]|\\b(${KIND}):(${NAME}):(?=\\s|$))`, "gu");
/** The cheap test that most lines fail. */
const anyHint = /cross|block|interface|QUESTION|RESOLVED|INFO/i;

interface Found {
  readonly kind: TagKind;
  readonly target: string | undefined;
  readonly start: number;
  readonly headEnd: number;
  readonly placement: "start" | "inline";
  readonly canonical?: string;
}

/** The tags of one paragraph, whose lines outside code are given; a message runs on to the next tag or the paragraph's end. */
export function readTags(
  lines: readonly TextLine[],
  text: string,
  lineStarts: readonly number[],
): { tags: Tag[]; almost: AlmostTag[] } {
  const found: Found[] = [];
  const almost: AlmostTag[] = [];
  for (const line of lines) {
    if (!anyHint.test(line.masked)) continue;
    const first = readStart(line);
    if (first) found.push(first);
    else {
      const kind = almostKind(line.masked);
      if (kind) almost.push({ kind, start: line.start, end: line.end, ...placeOf(lineStarts, line.start) });
    }
    found.push(...readInner(line, first ? first.headEnd - line.start : 0));
  }
  const tags = found.map((tag, index) => finish(tag, found[index + 1], lines, text, lineStarts));
  return { tags: tags.filter((tag) => tag.target !== undefined || !saysNothing(tag.text)), almost };
}

function readStart(line: TextLine): Found | undefined {
  const exact = colonForm.exec(line.masked) ?? bracketForm.exec(line.masked) ?? headOnly.exec(line.masked);
  const loose = looseTarget.exec(line.masked) ?? looseBare.exec(line.masked);
  const isLooseBetter = loose?.[2] !== undefined && exact?.[2] === undefined;
  const match = isLooseBetter ? loose : (exact ?? loose);
  const kind = kindOf(match?.[1]);
  if (!match || !kind) return undefined;
  const target = match[2];
  const tag = { kind, target, start: line.start, headEnd: line.start + match[0].length, placement: "start" } as const;
  return match === exact ? tag : { ...tag, canonical: `${kind}${target === undefined ? "" : `:${target}`}:` };
}

function kindOf(word: string | undefined): TagKind | undefined {
  const letters = word?.toUpperCase().replace(/[-_ ]/g, "");
  return tagKinds.find((kind) => kind.replace("-", "") === letters);
}

function almostKind(masked: string): TagKind | undefined {
  const word = almostForm.exec(masked)?.[1];
  return kindOf(
    (word === undefined ? undefined : nearest(word, tagKinds)) ??
      (almostBare.exec(masked) ?? almostLoose.exec(masked))?.[1],
  );
}

function readInner(line: TextLine, from: number): Found[] {
  const found: Found[] = [];
  innerForm.lastIndex = from;
  for (let match = innerForm.exec(line.masked); match; match = innerForm.exec(line.masked)) {
    const kind = (match[1] ?? match[3]) as TagKind;
    const target = match[2] ?? match[4];
    if (target === undefined && targetedKinds.includes(kind)) continue;
    const start = line.start + match.index;
    found.push({ kind, target, start, headEnd: start + match[0].length, placement: "inline" });
  }
  return found;
}

function finish(
  { kind, target, start, headEnd, placement, canonical }: Found,
  next: Found | undefined,
  lines: readonly TextLine[],
  text: string,
  lineStarts: readonly number[],
): Tag {
  const limit = next?.start ?? lines.at(-1)?.end ?? headEnd;
  const message = text
    .slice(headEnd, limit)
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^[-–—:]\s+/, "")
    .replace(/^(\*\*|__)(.*)\1$/, "$2")
    .replace(/(?:^|\s)(?:[*_]{1,3}|[-;,|])$/, "")
    .trim();
  const end = Math.max(headEnd, start + text.slice(start, limit).trimEnd().length);
  return {
    kind,
    target,
    text: message,
    placement,
    head: { start, end: headEnd },
    start,
    end,
    ...(canonical === undefined ? {} : { canonical }),
    ...placeOf(lineStarts, start),
  };
}
