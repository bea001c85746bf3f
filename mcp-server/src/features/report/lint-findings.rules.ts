import type { LintRule } from "./lint.schema.ts";
import { quoted } from "./lint-match.rules.ts";
import { nearestSeverity } from "./parse-words.rules.ts";
import { type ReportFinding, severities } from "./report.schema.ts";

const words = severities.join(", ");

function nameOf({ title }: ReportFinding): string {
  return title === "" ? "A finding without title" : quoted(title);
}

export const findingRules: readonly LintRule[] = [
  {
    id: "TW301",
    level: "error",
    description:
      "Every finding or change names where: `- File: path:line`. What cannot be looked up cannot be checked.",
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- Severity: LOW\n- It is HttpOnly now." },
    *check({ findings }) {
      for (const finding of findings)
        if (finding.evidence.length === 0)
          yield {
            start: finding.start,
            end: finding.end,
            message: `${nameOf(finding)} names no place; add \`- File: path:line\`.`,
          };
    },
  },
  {
    id: "TW302",
    level: "warn",
    description: "Evidence has a line: `path:line`, `path:from-to`. A file alone leaves its reader searching.",
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42-45\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts\n- Severity: LOW\n- It is HttpOnly now." },
    *check({ findings }) {
      for (const { evidence } of findings)
        for (const { path, fromLine, start, end } of evidence)
          if (fromLine === undefined) yield { start, end, message: `Which line of ${quoted(path)}?` };
    },
  },
  {
    id: "TW303",
    level: "error",
    description: `Every finding has a severity: \`- Severity: <word>\`, one of ${words}.`,
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- It is HttpOnly now." },
    *check({ findings }) {
      for (const finding of findings)
        if (!finding.severity)
          yield {
            start: finding.start,
            end: finding.end,
            message: `${nameOf(finding)} has no \`- Severity: <word>\`: ${words}.`,
          };
    },
  },
  {
    id: "TW304",
    level: "error",
    description: `The severity is one of ${words}; words of other scales (blocking, important, suggestion) are understood.`,
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: MEDIUM\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: TERRIBLE\n- It is HttpOnly now." },
    *check({ findings }) {
      for (const { severity } of findings) {
        if (!severity || severity.severity !== undefined) continue;
        const close = nearestSeverity(severity.word);
        const message = `${quoted(severity.word)} is no severity${close ? `; did you mean ${close}?` : `: ${words}.`}`;
        yield { start: severity.start, end: severity.end, message };
      }
    },
  },
  {
    id: "TW305",
    level: "warn",
    description:
      "The severity is written in the four words: blocking is HIGH, important and warning are MEDIUM, suggestion and minor are LOW. The fix writes it so.",
    isFixable: true,
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: suggestion\n- It is HttpOnly now." },
    *check({ findings }) {
      for (const { severity: found } of findings) {
        if (!found?.severity || found.severity === found.word) continue;
        const { start, end, word, severity } = found;
        yield {
          start,
          end,
          message: `${quoted(word)} is ${severity} here; write that.`,
          fix: [{ start, end, text: severity }],
        };
      }
    },
  },
  {
    id: "TW306",
    level: "error",
    description:
      "Evidence exists: the file is in the tree and has that line. A place that is not there proves nothing.",
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts:4200\n- Severity: LOW\n- It is HttpOnly now." },
    *check({ findings }, { lineCounts }) {
      if (!lineCounts) return;
      for (const { evidence } of findings) {
        for (const { path, fromLine, toLine, start, end } of evidence) {
          if (!lineCounts.has(path)) continue;
          const lines = lineCounts.get(path);
          if (lines === undefined) yield { start, end, message: `There is no file ${quoted(path)}.` };
          else if (Math.max(fromLine ?? 1, toLine ?? 1) > Math.max(lines, 1) || fromLine === 0)
            yield { start, end, message: `${quoted(path)} has ${lines} ${lines === 1 ? "line" : "lines"}.` };
        }
      }
    },
  },
  {
    id: "TW307",
    level: "warn",
    description: "A finding says what was found or changed, in at least one bullet besides file and severity.",
    good: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now." },
    bad: { finding: "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW" },
    *check({ findings }) {
      for (const finding of findings)
        if (finding.details.length === 0)
          yield {
            start: finding.start,
            end: finding.end,
            message: `${nameOf(finding)} has a place and a severity, and says nothing.`,
          };
    },
  },
];
