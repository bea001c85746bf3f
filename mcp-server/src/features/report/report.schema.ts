import type { ReportSection } from "../../config/report-rules.schema.ts";

/** requirements RP-01; `working`, `done` and other words are mapped to these (C-10). */
export const reportStatuses = ["COMPLETE", "IN-PROGRESS", "BLOCKED", "FAILED"] as const;
export type ReportStatus = (typeof reportStatuses)[number];

/** requirements C-18: the four words of seed 001; other scales are mapped to them. */
export const severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;
export type Severity = (typeof severities)[number];

/** requirements RP-03 and RP-05 */
export const tagKinds = ["CROSS-DOMAIN", "BLOCKER", "INTERFACE-CHANGE", "QUESTION", "RESOLVED", "INFO"] as const;
export type TagKind = (typeof tagKinds)[number];

/** Characters of the text, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Of the first character; both count from 1, columns in UTF-16 units. */
export interface Place extends Span {
  readonly line: number;
  readonly column: number;
}

export interface Tag extends Place {
  readonly kind: TagKind;
  /** Absent where the author named none. */
  readonly target: string | undefined;
  /** The message on one line; empty where there is none. */
  readonly text: string;
  /** `inline`: not at the start of its line; `label`: the NEED of an escalation, which is for the coordinator. */
  readonly placement: "start" | "inline" | "label";
  /** The head as it should have been written, where it was only understood. */
  readonly canonical?: string;
  /** Of `KIND:target` alone. */
  readonly head: Span;
}

/** Looks like a tag and is none. */
export interface AlmostTag extends Place {
  readonly kind: TagKind;
}

export interface StatusLine extends Place {
  /** Undefined for a word nobody knows. */
  readonly status: ReportStatus | undefined;
  /** As written. */
  readonly word: string;
  readonly wordSpan: Span;
  /** True after the first section, where nobody looks for it. */
  readonly isLate: boolean;
}

export interface ReportPart extends Place {
  readonly agent: string;
  /** Empty when the heading names no action. */
  readonly action: string;
}

export interface ReportField extends Place {
  /** In lower case: `files touched`, `tests affected`, or a label of a hand-off. */
  readonly name: string;
  readonly value: string;
  /** The paths of the value; none for `none`. */
  readonly items: readonly (Span & { readonly text: string })[];
}

export interface Section extends Place {
  readonly key: ReportSection | undefined;
  readonly title: string;
  readonly level: number;
  /** The `## Agent - Action` it stands under: an index of `parts`, or -1. */
  readonly part: number;
  readonly hasText: boolean;
}

export interface Evidence extends Place {
  readonly path: string;
  readonly fromLine: number | undefined;
  readonly toLine: number | undefined;
}

export interface SeverityWord extends Place {
  readonly word: string;
  readonly severity: Severity | undefined;
  /** Said by the author, or what the severity means by itself. */
  readonly blocking: boolean;
}

export interface ReportFinding extends Place {
  readonly title: string;
  readonly evidence: readonly Evidence[];
  readonly severity: SeverityWord | undefined;
  /** Bullets and sentences besides file and severity. */
  readonly details: readonly string[];
}

export interface VerificationBox extends Place {
  readonly text: string;
  readonly checked: boolean;
  readonly check: "compiles" | "tests" | "lint" | "patterns" | undefined;
}

export interface Learning extends Place {
  readonly text: string;
  readonly isBullet: boolean;
}

export interface CodeBlock extends Span {
  readonly lines: number;
  readonly section: ReportSection | undefined;
}

/** `handoff` and `escalation` are the labelled shapes of requirements RP-08. */
export type ReportShape = "report" | "handoff" | "escalation";

/** A report as its readers need it: linter, guard and router. Every span lies inside `text`. */
export interface ParsedReport {
  readonly text: string;
  /** Offsets at which the lines begin. */
  readonly lineStarts: readonly number[];
  readonly shape: ReportShape;
  /** The whole report stands in a code fence: nothing in it was read. */
  readonly wrapper: Span | undefined;
  /** Too large or too deeply nested for the markdown parser; it was read line by line. */
  readonly isPlain: boolean;
  readonly isTooDeep: boolean;
  readonly title: (Place & { readonly text: string }) | undefined;
  /** First thing in the text, when that is not the title. */
  readonly preamble: Span | undefined;
  readonly statuses: readonly StatusLine[];
  /** Of the first status line whose word is known. */
  readonly status: ReportStatus | undefined;
  readonly parts: readonly ReportPart[];
  readonly fields: readonly ReportField[];
  readonly sections: readonly Section[];
  readonly findings: readonly ReportFinding[];
  readonly tags: readonly Tag[];
  readonly almostTags: readonly AlmostTag[];
  /** Paragraphs among the tags that are none and say something: nobody is given them. */
  readonly untagged: readonly Span[];
  readonly boxes: readonly VerificationBox[];
  readonly learnings: readonly Learning[];
  readonly code: readonly CodeBlock[];
  /** Lines of paragraphs, and headings, outside code blocks, quotes and comments; `masked` has no inline code. */
  readonly prose: readonly (Span & { readonly masked: string })[];
  readonly comments: readonly Span[];
}
