import { placeOf } from "./markdown.rules.ts";
import type { ParsedReport, Place, Span } from "./report.schema.ts";

/** Arrays and objects that may still grow. */
type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] };

export type DraftFinding = Growing<ParsedReport["findings"][number]>;
export type DraftSection = Growing<ParsedReport["sections"][number]>;
export type DraftField = Growing<ParsedReport["fields"][number]>;
export type DraftLearning = Growing<ParsedReport["learnings"][number]>;

/** A report while it is read: what was found, and what the next line may belong to. */
export interface Draft {
  readonly text: string;
  readonly lineStarts: readonly number[];
  title: ParsedReport["title"];
  readonly statuses: ParsedReport["statuses"][number][];
  readonly parts: ParsedReport["parts"][number][];
  readonly fields: DraftField[];
  /** Labelled lines of a hand-off or an escalation; they count when the report turns out to be one. */
  readonly labels: DraftField[];
  readonly sections: DraftSection[];
  readonly findings: DraftFinding[];
  readonly tags: ParsedReport["tags"][number][];
  readonly almostTags: ParsedReport["almostTags"][number][];
  readonly untagged: Span[];
  readonly boxes: ParsedReport["boxes"][number][];
  readonly learnings: DraftLearning[];
  readonly code: ParsedReport["code"][number][];
  readonly prose: ParsedReport["prose"][number][];
  readonly comments: Span[];
  section: DraftSection | undefined;
  finding: DraftFinding | undefined;
  /** Level of the headings that begin a finding in this section. */
  findingLevel: number;
  /** A field whose value stands in the bullets that follow. */
  openField: DraftField | undefined;
  openLabel: DraftField | undefined;
  learning: DraftLearning | undefined;
  learningParagraph: number;
}

export function newDraft(text: string, lineStarts: readonly number[]): Draft {
  return {
    text,
    lineStarts,
    title: undefined,
    statuses: [],
    parts: [],
    fields: [],
    labels: [],
    sections: [],
    findings: [],
    tags: [],
    almostTags: [],
    untagged: [],
    boxes: [],
    learnings: [],
    code: [],
    prose: [],
    comments: [],
    section: undefined,
    finding: undefined,
    findingLevel: 0,
    openField: undefined,
    openLabel: undefined,
    learning: undefined,
    learningParagraph: -1,
  };
}

export function place(draft: Pick<Draft, "lineStarts">, start: number, end: number): Place {
  return { ...placeOf(draft.lineStarts, start), start, end };
}
