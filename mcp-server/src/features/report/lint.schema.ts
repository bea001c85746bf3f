import * as z from "zod";
import { type ReportRuleId, type ReportSection, reportRuleIds } from "../../config/report-rules.schema.ts";
import type { ParsedReport, Span } from "./report.schema.ts";

export type LintLevel = "error" | "warn";

/** Replaces the characters of the span. */
export interface Edit extends Span {
  readonly text: string;
}

/** What a rule found; positions and levels are added by `lintReport`. */
export interface Problem extends Span {
  readonly message: string;
  /** Safe: the meaning stays what it was. */
  readonly fix?: readonly Edit[];
}

/** What a rule may know besides the report; a rule whose fact is absent finds nothing. */
export interface LintSetting {
  readonly required: readonly ReportSection[];
  readonly maxCharacters: number;
  readonly maxCodeLines: number;
  readonly levels: Readonly<Partial<Record<ReportRuleId, LintLevel | "off">>>;
  /** Who may be the target of a tag. */
  readonly targets: readonly string[];
  /** Lines of each evidence path in the tree; undefined for a path that is no file there. */
  readonly lineCounts?: ReadonlyMap<string, number | undefined>;
  /** Whether the author's lease covers a path. */
  readonly isLeased?: (path: string) => boolean;
  /** The paths that the work changed. */
  readonly changed?: ReadonlySet<string>;
  readonly isProtected?: (path: string) => boolean;
}

/** Parts of the example report that an example replaces; `whole` replaces all of it. */
export type Example = Readonly<
  Partial<
    Record<
      "whole" | "title" | "status" | "agent" | "fields" | "sections" | "finding" | "tags" | "boxes" | "learnings",
      string
    >
  >
>;

export interface LintRule {
  readonly id: ReportRuleId;
  readonly level: LintLevel;
  /** Why it matters and what to write instead, for docs and SARIF. */
  readonly description: string;
  readonly good: Example;
  /** The rule, and no other, finds something in it. */
  readonly bad: Example;
  readonly isFixable?: boolean;
  /** It reads the characters and not the structure, so it also looks at what the parser could not read. */
  readonly readsText?: boolean;
  check(report: ParsedReport, setting: LintSetting): Iterable<Problem>;
}

/** A finding as it is shown; line and column count from 1, columns in UTF-16 units. */
const lintFinding = z.object({
  rule: z.enum(reportRuleIds),
  name: z.string(),
  level: z.enum(["error", "warn"]),
  message: z.string(),
  line: z.number(),
  column: z.number(),
  end_line: z.number(),
  end_column: z.number(),
  fixable: z.boolean(),
  /** The line around the place, without control characters and secrets. */
  excerpt: z.string(),
  /** Characters of the excerpt before the place, and of the place. */
  caret: z.tuple([z.number(), z.number()]),
});
export type LintFinding = z.infer<typeof lintFinding>;

const lintedFile = z.object({
  path: z.string(),
  findings: z.array(lintFinding),
  fixed: z.number().optional(),
});
export type LintedFile = z.infer<typeof lintedFile>;

export const lintFormats = ["text", "json", "sarif", "github", "junit"] as const;

export const lintResult = z.object({
  /** False when something was found at the level that fails. */
  ok: z.boolean(),
  reports: z.number(),
  errors: z.number(),
  warnings: z.number(),
  fixed: z.number(),
  /** Findings that a fix would mend. */
  fixable: z.number(),
  /** The files with findings, or mended ones. */
  files: z.array(lintedFile),
  format: z.enum(lintFormats).optional(),
});
export type LintResult = z.infer<typeof lintResult>;
