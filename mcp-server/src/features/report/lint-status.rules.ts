import type { LintRule } from "./lint.schema.ts";
import { quoted, topOf } from "./lint-match.rules.ts";
import { nearestStatus } from "./parse-words.rules.ts";
import { type ParsedReport, reportStatuses } from "./report.schema.ts";

const words = reportStatuses.join(", ");

/** What shows that a failure was looked at: a label, a block of output, a heading. */
function saysWhy({ text, code }: ParsedReport): boolean {
  if (code.length > 0) return true;
  return /^[ \t>#*_-]*(?:error|cause|root cause|reason|attempts?|attempted|tried|failure)\b[^\n]{0,40}:[*_]*[ \t]*\S/im.test(
    text,
  );
}

/** BLOCKER tags without a RESOLVED for the same target, or for all. */
function openBlockers({ tags }: ParsedReport) {
  const resolved = new Set(tags.filter(({ kind }) => kind === "RESOLVED").map(({ target }) => target));
  return tags.filter(({ kind, target }) => kind === "BLOCKER" && !resolved.has(target) && !resolved.has(undefined));
}

const boxes = {
  compiles: "Code compiles/runs",
  tests: "Tests pass",
  lint: "No lint errors",
  patterns: "Matches existing patterns",
} as const;

export const statusRules: readonly LintRule[] = [
  {
    id: "TW101",
    level: "error",
    description: `A line \`Status: <word>\` under the title says how the work stands: ${words}.`,
    good: { status: "Status: COMPLETE" },
    bad: { status: "" },
    *check(report) {
      if (report.shape === "report" && report.statuses.length === 0)
        yield { ...topOf(report), message: `There is no line \`Status: <word>\`; the words are ${words}.` };
    },
  },
  {
    id: "TW102",
    level: "error",
    description: `The status is one of ${words}; words of other protocols (done, working, waiting) are understood.`,
    good: { status: "Status: COMPLETE" },
    bad: { status: "Status: SPLENDID" },
    *check({ statuses }) {
      for (const { status, word, start, end } of statuses) {
        if (status !== undefined) continue;
        const close = nearestStatus(word);
        yield {
          start,
          end,
          message: `${quoted(word)} is no status${close ? `; did you mean ${close}?` : `: ${words}.`}`,
        };
      }
    },
  },
  {
    id: "TW103",
    level: "warn",
    description:
      "The status is written in its own word, in capitals. The fix puts it in place of `done`, `working` and the like.",
    isFixable: true,
    good: { status: "Status: COMPLETE" },
    bad: { status: "Status: done" },
    *check({ statuses }) {
      for (const { status, word, wordSpan } of statuses) {
        if (status === undefined || status === word) continue;
        yield {
          ...wordSpan,
          message: `${quoted(word)} is understood as ${status}; write that.`,
          fix: [{ ...wordSpan, text: status }],
        };
      }
    },
  },
  {
    id: "TW104",
    level: "error",
    description: "One report has one status. Two that differ leave open which one holds.",
    good: { status: "Status: COMPLETE" },
    bad: { status: "Status: COMPLETE\nStatus: IN-PROGRESS" },
    *check({ statuses, parts }) {
      if (parts.length > 1 && statuses.length <= parts.length + 1) return;
      const known = statuses.filter(({ status }) => status !== undefined);
      for (const { status, start, end } of known.slice(1))
        if (status !== known[0]?.status)
          yield { start, end, message: `The status is ${known[0]?.status} above and ${status} here.` };
    },
  },
  {
    id: "TW105",
    level: "warn",
    description: "The status stands at the top, before the first section.",
    good: { status: "Status: COMPLETE" },
    bad: { status: "", learnings: "- Cookies are set in one place, in src/login.ts.\n\nStatus: COMPLETE" },
    *check({ statuses }) {
      const [first] = statuses;
      if (first?.isLate)
        yield { start: first.start, end: first.end, message: "The status stands below; put it under the title." };
    },
  },
  {
    id: "TW106",
    level: "error",
    description: "A BLOCKED report says who has to do what: `BLOCKER:<target>: <what you need>`.",
    good: { status: "Status: BLOCKED", tags: "- BLOCKER:builder: The timeout in src/login.ts is missing" },
    bad: { status: "Status: BLOCKED", tags: "None." },
    *check(report) {
      if (report.status !== "BLOCKED" || report.tags.some(({ kind }) => kind === "BLOCKER")) return;
      const { start, end } = report.statuses[0] ?? topOf(report);
      yield { start, end, message: "BLOCKED by whom? Add `- BLOCKER:<target>: <what you need>`." };
    },
  },
  {
    id: "TW107",
    level: "error",
    description:
      "A FAILED report shows the error, or what was tried: a line `Error:`, `Cause:` or `Attempted:`, or the output in a code block.",
    good: {
      status: "Status: FAILED",
      finding:
        "### The page does not load\n- File: src/login.ts:42\n- Severity: HIGH\n- Attempted: three ways to load the module; each ended in a timeout.",
    },
    bad: { status: "Status: FAILED" },
    *check(report) {
      if (report.status !== "FAILED" || saysWhy(report)) return;
      const { start, end } = report.statuses[0] ?? topOf(report);
      yield { start, end, message: "FAILED, but neither an error nor what was tried is shown." };
    },
  },
  {
    id: "TW108",
    level: "error",
    description: "A COMPLETE report has no open BLOCKER; one that is over is followed by `RESOLVED:<target>: …`.",
    good: { tags: "- BLOCKER:builder: The timeout was missing\n- RESOLVED:builder: It is in src/login.ts:42 now" },
    bad: { tags: "- BLOCKER:builder: The timeout in src/login.ts is missing" },
    *check(report) {
      if (report.status !== "COMPLETE") return;
      for (const { start, end, target } of openBlockers(report))
        yield { start, end, message: `COMPLETE while ${quoted(target ?? "somebody")} blocks it.` };
    },
  },
  {
    id: "TW109",
    level: "error",
    description: "A COMPLETE report has every verification box ticked.",
    good: {
      boxes: "- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns",
    },
    bad: { boxes: "- [x] Code compiles/runs\n- [ ] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns" },
    *check({ status, boxes: found }) {
      if (status !== "COMPLETE") return;
      for (const { checked, text, start, end } of found)
        if (!checked) yield { start, end, message: `COMPLETE, but ${quoted(text)} is not ticked.` };
    },
  },
  {
    id: "TW110",
    level: "warn",
    description: `Verification has its four boxes: ${Object.values(boxes).join(", ")}; an unticked box is an answer too.`,
    good: {
      boxes: "- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns",
    },
    bad: { boxes: "- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors" },
    *check({ sections, boxes: found }) {
      const section = sections.find(({ key }) => key === "verification");
      if (!section?.hasText) return;
      const there = new Set(found.map(({ check }) => check));
      const missing = Object.entries(boxes).filter(([check]) => !there.has(check as keyof typeof boxes));
      if (missing.length > 0) {
        const { start, end } = section;
        yield { start, end, message: `Without a box: ${missing.map(([, text]) => text).join(", ")}.` };
      }
    },
  },
];
