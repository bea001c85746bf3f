import { type ReportRuleId, reportRules } from "../../config/report-rules.schema.ts";
import type { Edit, LintFinding, LintRule, LintSetting, Problem } from "./lint.schema.ts";
import { findingRules } from "./lint-findings.rules.ts";
import { learningRules } from "./lint-learnings.rules.ts";
import { scopeRules } from "./lint-scope.rules.ts";
import { statusRules } from "./lint-status.rules.ts";
import { structureRules } from "./lint-structure.rules.ts";
import { tagRules } from "./lint-tags.rules.ts";
import { textRules } from "./lint-text.rules.ts";
import { placeOf } from "./markdown.rules.ts";
import { parseReport } from "./parse.rules.ts";
import type { ParsedReport } from "./report.schema.ts";
import { maskSecrets } from "./secrets.rules.ts";

/** Every rule, by id (requirements RP-09). */
export const lintRules: readonly LintRule[] = [
  ...structureRules,
  ...statusRules,
  ...tagRules,
  ...findingRules,
  ...learningRules,
  ...scopeRules,
  ...textRules,
];

/** More of one rule say nothing new; the last one shown counts the others. */
const MAX_OF_A_RULE = 20;
const EXCERPT_WIDTH = 100;
const MAX_FIX_ROUNDS = 100;

interface Raw extends Problem {
  readonly rule: LintRule;
}

function* problemsOf(report: ParsedReport, setting: LintSetting): Generator<Raw> {
  for (const rule of lintRules) {
    if (setting.levels[rule.id] === "off") continue;
    if (report.wrapper && !rule.readsText) continue;
    for (const problem of rule.check(report, setting)) yield { ...problem, rule };
  }
}

/** What the rules in force find, by place. */
export function lintReport(report: ParsedReport, setting: LintSetting): LintFinding[] {
  const counts = new Map<ReportRuleId, number>();
  const shown: Raw[] = [];
  for (const problem of problemsOf(report, setting)) {
    const count = (counts.get(problem.rule.id) ?? 0) + 1;
    counts.set(problem.rule.id, count);
    if (count <= MAX_OF_A_RULE) shown.push(problem);
  }
  const last = new Map(shown.map((problem) => [problem.rule.id, problem]));
  return shown
    .map((problem) => {
      const more = last.get(problem.rule.id) === problem ? (counts.get(problem.rule.id) ?? 0) - MAX_OF_A_RULE : 0;
      return toFinding(problem, report, setting, more);
    })
    .sort((a, b) => a.line - b.line || a.column - b.column || a.rule.localeCompare(b.rule));
}

function toFinding(problem: Raw, report: ParsedReport, setting: LintSetting, more: number): LintFinding {
  const { rule, start, end } = problem;
  const level = setting.levels[rule.id] ?? rule.level;
  const from = placeOf(report.lineStarts, start);
  const to = placeOf(report.lineStarts, Math.max(start, end));
  return {
    rule: rule.id,
    name: reportRules[rule.id],
    level: level === "off" ? rule.level : level,
    message: more > 0 ? `${problem.message} And ${more} more of this rule.` : problem.message,
    line: from.line,
    column: from.column,
    end_line: to.line,
    end_column: to.column,
    fixable: problem.fix !== undefined,
    ...excerptOf(report, start, end, from),
  };
}

/** The line of a place as one that can be printed: characters stand for characters, so that the caret fits. */
function excerptOf(
  { text, lineStarts }: ParsedReport,
  start: number,
  end: number,
  { line, column }: { line: number; column: number },
): Pick<LintFinding, "excerpt" | "caret"> {
  const lineStart = lineStarts[line - 1] ?? 0;
  const lineEnd = Math.min(lineStarts[line] ?? text.length, lineStart + 5000);
  const source = maskSecrets(text.slice(lineStart, lineEnd).replace(/[\r\n]+$/, ""));
  const from = column - 1 > EXCERPT_WIDTH - 30 ? column - 31 : 0;
  const cut = source.slice(from, from + EXCERPT_WIDTH);
  const length = Math.max(1, Math.min(end - start, cut.length - (column - 1 - from)));
  const excerpt = cut.replace(/[\p{Cc}\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, (it) =>
    it === "\t" ? " " : "\u00b7",
  );
  return { excerpt, caret: [Math.min(column - 1 - from, excerpt.length), length] };
}

/** Applies every safe fix until none is left. The result is the same when it is fixed again. */
export function fixReport(text: string, setting: LintSetting): { text: string; fixed: number } {
  let current = text;
  let fixed = 0;
  for (let round = 0; round < MAX_FIX_ROUNDS; round += 1) {
    const edits: Edit[] = [];
    for (const problem of problemsOf(parseReport(current), setting)) {
      if (!problem.fix) continue;
      edits.push(...problem.fix);
      fixed += 1;
    }
    const next = applyEdits(current, edits);
    if (next === current) break;
    current = next;
  }
  return { text: current, fixed };
}

/** From the end to the start; an edit that overlaps a later one waits for the next round. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text;
  let limit = Number.POSITIVE_INFINITY;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => b.start - a.start || b.end - a.end)) {
    if (end > limit) continue;
    result = result.slice(0, start) + replacement + result.slice(end);
    limit = start;
  }
  return result;
}
