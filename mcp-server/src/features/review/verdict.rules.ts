export interface Place {
  readonly path: string;
  readonly line: number;
}

export interface JudgedItem {
  readonly n: number;
  readonly verdict: "PASS" | "FAIL";
  readonly evidence: readonly Place[];
  readonly test: "none" | readonly Place[];
  readonly text: string;
}

export interface Issue {
  readonly blocking: boolean;
  readonly place: Place | undefined;
  readonly text: string;
}

export interface Verdict {
  readonly said: "PASS" | "FAIL";
  readonly items: readonly JudgedItem[];
  readonly issues: readonly Issue[];
}

const MAX_TEXT = 200_000;

/**
 * Reads a reviewer's answer; a text says why it is none. Forgiving about marks and case, strict about content: a PASS
 * judges every item, one fault is enough for a FAIL.
 */
export function parseVerdict(answer: string, itemCount: number): Verdict | string {
  const lines = answer.slice(0, MAX_TEXT).split(/\r?\n/).map(bare);
  const verdicts = lines.flatMap((line) => {
    const match = /^VERDICT\s*[:=-]\s*(PASS|FAIL)\b/i.exec(line);
    return match?.[1] ? [match[1].toUpperCase() as "PASS" | "FAIL"] : [];
  });
  if (verdicts.length === 0) return "it has no line VERDICT: PASS or VERDICT: FAIL";
  if (new Set(verdicts).size > 1) return "it says both PASS and FAIL";
  const items: JudgedItem[] = [];
  const issues: Issue[] = [];
  let unread: string | undefined;
  for (const line of lines) {
    const item = readItem(line);
    if (item) items.push(item);
    const issue = readIssue(line);
    if (issue) issues.push(issue);
    else if (isUnreadIssue(line)) unread ??= line;
  }
  const missing = Array.from({ length: itemCount }, (_, index) => index + 1).filter(
    (n) => !items.some((item) => item.n === n),
  );
  if (missing.length > 0 && verdicts[0] === "PASS") return `it has no ITEM line for ${missing.join(", ")}`;
  if (unread !== undefined && verdicts[0] === "PASS")
    return `its line "${unread.slice(0, 100)}" cannot be read as an ISSUE`;
  const doubled = items.find((item, index) => items.findIndex((other) => other.n === item.n) !== index);
  if (doubled) return `it has two ITEM lines for ${doubled.n}`;
  return {
    said: verdicts[0] ?? "FAIL",
    items: items.filter((item) => item.n <= itemCount || item.verdict === "FAIL"),
    issues,
  };
}

/** Without list marks, emphasis and code marks. */
function bare(line: string): string {
  return line
    .replace(/^[\s>*+-]*/, "")
    .replace(/\*\*|`/g, "")
    .replace(EMPHASIS, "$1")
    .trim();
}

/** Two underscores around words of the form; a file's name may have them, too. */
const EMPHASIS = /__((?:VERDICT|ITEM|ISSUES?|BLOCKING|WARNING|PASS|FAIL|NONE)(?![a-z])[^|_]*)__/gi;

function readItem(line: string): JudgedItem | undefined {
  const match = /^ITEM\s*#?(\d{1,3})\s*[:.-]\s*(PASS|FAIL)\b\s*\|?(.*)$/i.exec(line);
  if (!match) return undefined;
  const [change = "", test = "", ...text] = (match[3] ?? "").split("|").map((part) => part.trim());
  return {
    n: Number(match[1]),
    verdict: (match[2] ?? "").toUpperCase() as "PASS" | "FAIL",
    evidence: placesIn(change),
    test: /^none\b/i.test(test) ? "none" : placesIn(test),
    text: text.join(" | "),
  };
}

function readIssue(line: string): Issue | undefined {
  const match = /^ISSUE\s+(BLOCKING|WARNING)\s*[:.-]\s*(.*)$/i.exec(line);
  if (!match || NO_ISSUE.test(line)) return undefined;
  const text = match[2] ?? "";
  return { blocking: match[1]?.toUpperCase() === "BLOCKING", place: placesIn(text)[0], text };
}

const NO_ISSUE =
  /^(?:ISSUES?|BLOCKING)(?:\s+(?:BLOCKING|WARNING|ISSUES?))?\s*[:.-]?\s*(?:none(?:\s+found)?|no|nil|n\/a|0)?\W*$/i;

/** Something like an issue that has another form: passing over it would make a PASS of a FAIL. "No issues" is none. */
function isUnreadIssue(line: string): boolean {
  const text = line.replace(/^[#\d.)(\s|[\]]+/, "");
  return /^(?:ISSUES?|BLOCKING)\b/i.test(text) && !NO_ISSUE.test(text);
}

/** `src/a.ts:12`, several apart from each other by blanks or commas; `12-20` and `12:5` mean line 12. */
export function placesIn(text: string): Place[] {
  return [...text.matchAll(/([^\s,;()|:]+\.?[^\s,;()|:]*):(\d{1,7})\b/g)].map((match) => ({
    path: (match[1] ?? "").replace(/^\.\//, ""),
    line: Number(match[2]),
  }));
}

/**
 * What the verdict counts as, or why it counts as none. A PASS with a blocking issue, or with an item that failed, is a
 * FAIL (design §8); a PASS whose evidence is missing or does not exist is no verdict (AR-06). `exists` knows the diff,
 * and of a test, the tree.
 */
export function judge(
  verdict: Verdict,
  exists: (place: Place, isTest: boolean) => boolean,
): { verdict: "PASS" | "FAIL" } | { fault: string } {
  const failing =
    verdict.items.some((item) => item.verdict === "FAIL") || verdict.issues.some((issue) => issue.blocking);
  if (verdict.said === "FAIL") {
    return failing ? { verdict: "FAIL" } : { fault: "it says FAIL and names no item and no blocking issue" };
  }
  if (failing) return { verdict: "FAIL" };
  for (const item of verdict.items) {
    if (item.evidence.length === 0) return { fault: `item ${item.n} has no evidence of the form file:line` };
    const tests = item.test === "none" ? [] : item.test;
    if (item.test !== "none" && tests.length === 0) return { fault: `item ${item.n} names neither a test nor none` };
    const invented =
      item.evidence.find((place) => !exists(place, false)) ?? tests.find((place) => !exists(place, true));
    if (invented) return { fault: `item ${item.n} names ${invented.path}:${invented.line}, which does not exist` };
  }
  return { verdict: "PASS" };
}

/** Every place a verdict names, for looking them up. */
export function placesOf(verdict: Verdict): Place[] {
  return verdict.items.flatMap((item) => [...item.evidence, ...(item.test === "none" ? [] : item.test)]);
}

export interface DesignVerdict {
  readonly verdict: "APPROVED" | "NEEDS_REVISION";
  readonly blockers: readonly string[];
  readonly suggestions: readonly string[];
  readonly questions: readonly string[];
  /** Cases that were walked through it. */
  readonly useCases: readonly string[];
  readonly threats: readonly string[];
}

/** A design reviewer's answer (requirements FP-14); an approval with blockers is none. */
export function parseDesignVerdict(answer: string): DesignVerdict | undefined {
  const lines = answer.slice(0, MAX_TEXT).split(/\r?\n/).map(bare);
  const said = lines.flatMap((line) => {
    const match = /^VERDICT\s*[:=-]\s*(APPROVED|NEEDS[_ ]REVISION)\b/i.exec(line);
    return match?.[1] ? [match[1].toUpperCase().replace(" ", "_")] : [];
  });
  if (new Set(said).size !== 1) return undefined;
  const of = (name: string) =>
    lines.flatMap((line) => {
      const match = new RegExp(`^${name}\\s*:\\s*(.+)$`, "i").exec(line);
      return match?.[1] ? [match[1]] : [];
    });
  const blockers = of("BLOCKER");
  const verdict = blockers.length > 0 ? "NEEDS_REVISION" : (said[0] as DesignVerdict["verdict"]);
  return {
    verdict,
    blockers,
    suggestions: of("SUGGESTION"),
    questions: of("QUESTION"),
    useCases: of("USE[ _-]CASE"),
    threats: of("THREAT"),
  };
}
