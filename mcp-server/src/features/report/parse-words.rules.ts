import { nearest } from "../../kernel/nearest.ts";
import { type ReportStatus, reportStatuses, type Severity, severities } from "./report.schema.ts";

/** requirements C-10 and RP-07: words of other protocols for the four. */
const otherStatuses: Readonly<Record<string, ReportStatus>> = {
  COMPLETED: "COMPLETE",
  DONE: "COMPLETE",
  FINISHED: "COMPLETE",
  SUCCESS: "COMPLETE",
  CLOSED: "COMPLETE",
  WORKING: "IN-PROGRESS",
  ONGOING: "IN-PROGRESS",
  PARTIAL: "IN-PROGRESS",
  WIP: "IN-PROGRESS",
  "IN PROGRESS": "IN-PROGRESS",
  INPROGRESS: "IN-PROGRESS",
  WAITING: "BLOCKED",
  STUCK: "BLOCKED",
  FAILURE: "FAILED",
  FAIL: "FAILED",
  ERROR: "FAILED",
};

/** requirements C-18: what the scales of other protocols come to. */
const otherSeverities: Readonly<Record<string, { severity: Severity; blocking: boolean }>> = {
  BLOCKING: { severity: "HIGH", blocking: true },
  BLOCKER: { severity: "HIGH", blocking: true },
  WARNING: { severity: "MEDIUM", blocking: false },
  IMPORTANT: { severity: "MEDIUM", blocking: false },
  SUGGESTION: { severity: "LOW", blocking: false },
  MINOR: { severity: "LOW", blocking: false },
};

/** The status a word stands for; undefined for a word nobody uses. */
export function statusOf(word: string): ReportStatus | undefined {
  const plain = word.toUpperCase().replace(/_/g, "-");
  return reportStatuses.find((status) => status === plain) ?? otherStatuses[plain.replace(/-/g, " ")];
}

/** What a severity comes to in the four words, and whether it holds the work up. */
export function severityOf(word: string): { severity: Severity; blocking: boolean } | undefined {
  const plain = word.toUpperCase();
  const own = severities.find((severity) => severity === plain);
  if (own) return { severity: own, blocking: own === "CRITICAL" || own === "HIGH" };
  return otherSeverities[plain];
}

export function nearestStatus(word: string): string | undefined {
  return nearest(word, reportStatuses);
}

export function nearestSeverity(word: string): string | undefined {
  return nearest(word, severities);
}

/** Sends its reader elsewhere instead of saying what was found (requirements RP-04, rule 6). */
export function pointsElsewhere(text: string): boolean {
  return /^(?:please )?(?:see|check|read|look at|refer to|as (?:described|noted|said) in|cf\.?)\b.{0,50}\b(?:reports?|above|below|findings?|section|details)\b.{0,20}$/i.test(
    text,
  );
}

/** `none`, `n/a`, a dash and whatever else says that there is nothing to say. */
export function saysNothing(text: string): boolean {
  return /^[-*_([\s]*(?:none|n\/?a|nil|nothing|no (?:findings?|changes?|tags?|learnings?|files?|tests?|issues?)(?: (?:at all|found|made|needed|affected|touched|changed|to report))?|[-–—])[\s.)\]*_]*$/i.test(
    text,
  );
}
