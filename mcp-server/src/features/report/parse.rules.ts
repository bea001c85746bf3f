import { type Block, type Heading, lineStartsOf, readBlocks, type TextLine } from "./markdown.rules.ts";
import { type Draft, newDraft, place } from "./parse-draft.rules.ts";
import { escalationLabels, handoffLabels, sectionKey } from "./parse-fields.rules.ts";
import { newFinding, readLabelHeading, readLine } from "./parse-lines.rules.ts";
import { readTags } from "./parse-tags.rules.ts";
import { saysNothing } from "./parse-words.rules.ts";
import type { ParsedReport, ReportShape, Span, Tag } from "./report.schema.ts";

/**
 * Reads an agent's report (requirements RP-01 to RP-08). Total: any text gives a report, and nothing is thrown; await
 * `loadMarkdown` once before. Tags in code, quotes and comments are examples and are not read.
 */
export function parseReport(text: string): ParsedReport {
  const lineStarts = lineStartsOf(text);
  const { blocks, isPlain, isTooDeep } = readBlocks(text);
  const draft = newDraft(text, lineStarts);
  const wrapper = findWrapper(blocks, text);
  if (!wrapper) readAll(draft, blocks);
  const shape = shapeOf(draft);
  if (shape !== "report") takeLabels(draft, shape);
  return {
    text,
    lineStarts,
    shape,
    wrapper,
    isPlain,
    isTooDeep,
    title: draft.title,
    preamble: wrapper ? undefined : preambleOf(draft, blocks),
    statuses: draft.statuses,
    status: statusOfShape[shape] ?? draft.statuses.find(({ status }) => status !== undefined)?.status,
    parts: draft.parts,
    fields: draft.fields,
    sections: draft.sections,
    findings: draft.findings,
    tags: draft.tags,
    almostTags: draft.almostTags,
    untagged: draft.untagged,
    boxes: draft.boxes,
    learnings: draft.learnings,
    code: draft.code,
    prose: draft.prose,
    comments: draft.comments,
  };
}

/**
 * True when the text has the form of a report: a status line, a field or section of the skeleton, the labels of RP-08, or
 * one that hides in a code fence.
 */
export function hasReportForm(report: ParsedReport): boolean {
  const { shape, wrapper, statuses, fields, sections } = report;
  return (
    shape !== "report" ||
    wrapper !== undefined ||
    statuses.length > 0 ||
    fields.length > 0 ||
    sections.some(({ key }) => key !== undefined)
  );
}

function readAll(draft: Draft, blocks: readonly Block[]): void {
  let paragraph: TextLine[] = [];
  const closeParagraph = () => {
    if (paragraph.length > 0) readParagraphTags(draft, paragraph);
    paragraph = [];
  };
  for (const block of blocks) {
    if (block.kind !== "line" || block.isQuoted) {
      closeParagraph();
      readBlock(draft, block);
      continue;
    }
    if (block.paragraph !== paragraph[0]?.paragraph) closeParagraph();
    paragraph.push(block);
    draft.prose.push({ start: block.start, end: block.end, masked: block.masked });
    if (block.masked !== block.text) readInlineComments(draft, block);
    readLine(draft, block);
  }
  closeParagraph();
}

function readParagraphTags(draft: Draft, paragraph: readonly TextLine[]): void {
  const { tags, almost } = readTags(paragraph, draft.text, draft.lineStarts);
  draft.tags.push(...tags);
  draft.almostTags.push(...almost);
  if (tags.length + almost.length === 0) noteUntagged(draft, paragraph);
}

/** A sentence that leads up to the tags, or says that there are none, is for nobody in particular. */
function noteUntagged({ section, text, untagged }: Draft, paragraph: readonly TextLine[]): void {
  const [first, last] = [paragraph[0], paragraph.at(-1)];
  if (section?.key !== "tags" || !first || !last) return;
  const said = text.slice(first.start, last.end).trim();
  if (!saysNothing(said) && !/^no(?:ne|thing)?\b|:$/i.test(said)) untagged.push({ start: first.start, end: last.end });
}

function readInlineComments({ comments }: Draft, line: TextLine): void {
  for (let at = line.text.indexOf("<!--"); at !== -1; at = line.text.indexOf("<!--", at + 4)) {
    const end = line.text.indexOf("-->", at);
    if (line.masked[at] !== "<")
      comments.push({ start: line.start + at, end: end === -1 ? line.end : line.start + end + 3 });
  }
}

/** Everything but a line of text. */
function readBlock(draft: Draft, block: Block): void {
  if (block.kind === "heading" && !block.isQuoted) {
    readHeading(draft, block);
    return;
  }
  if (draft.section) draft.section.hasText = true;
  if (block.kind === "line" && draft.section?.key === "tags")
    draft.untagged.push({ start: block.start, end: block.end });
  if (draft.finding && !block.isQuoted) draft.finding.details.push("");
  if (block.kind === "code") {
    const lines = draft.text.slice(block.start, block.end).split(/\r\n|\n|\r/).length;
    draft.code.push({ start: block.start, end: block.end, lines, section: draft.section?.key });
  }
  if (block.kind === "html" && draft.text.startsWith("<!--", block.start))
    draft.comments.push({ start: block.start, end: block.end });
}

function readHeading(draft: Draft, { level, text, start, end }: Heading): void {
  const at = place(draft, start, end);
  draft.prose.push({ start, end, masked: draft.text.slice(start, end) });
  draft.openField = undefined;
  draft.openLabel = undefined;
  draft.learning = undefined;
  readLabelHeading(draft, text, start, end);
  const key = sectionKey(text);
  if (level === 1 && !draft.title) draft.title = { ...at, text };
  else if (key === undefined && draft.section?.key === "findings" && level > 2)
    readFindingHeading(draft, level, text, at);
  else if (key === undefined && level === 2) {
    const [, agent = text, action = ""] = /^(.+?)\s+(?:[-–—]+|:)\s+(.+)$/.exec(text) ?? [];
    draft.parts.push({ ...at, agent, action });
    draft.section = undefined;
    draft.finding = undefined;
  } else {
    draft.section = { ...at, key, title: text, level, part: draft.parts.length - 1, hasText: false };
    draft.sections.push(draft.section);
    draft.finding = undefined;
    draft.findingLevel = 0;
  }
}

function readFindingHeading(draft: Draft, level: number, title: string, at: Span): void {
  if (draft.section) draft.section.hasText = true;
  if (draft.findingLevel !== 0 && level > draft.findingLevel) {
    draft.finding?.details.push(title);
    return;
  }
  const introduction = draft.findingLevel === 0 ? draft.finding : undefined;
  if (introduction && !introduction.severity && introduction.evidence.length === 0) draft.findings.pop();
  draft.findingLevel = level;
  draft.finding = newFinding(draft, title, at.start, at.end);
  draft.findings.push(draft.finding);
}

/** A report that is put into a fence as a whole, as models like to do; an inner fence may have cut it short. */
function findWrapper(blocks: readonly Block[], text: string): Span | undefined {
  const first = blocks.find((block) => block.kind !== "line");
  if (first?.kind !== "code" || first.isQuoted || blocks.indexOf(first) > 3) return undefined;
  const source = text.slice(first.start, first.end);
  if (!/^(?:`{3,}|~{3,})[ \t]*(?:markdown|md)?[ \t]*(?:\r\n|\n|\r)\s*(?:# |\*{0,2}status\b)/i.test(source))
    return undefined;
  const hasTitleOutside = blocks.some((block) => block.kind === "heading" && block.level === 1);
  return hasTitleOutside ? undefined : { start: first.start, end: first.end };
}

function preambleOf({ title }: Draft, blocks: readonly Block[]): Span | undefined {
  const first = blocks[0];
  return title && first && first.start < title.start ? { start: first.start, end: first.end } : undefined;
}

const statusOfShape: Readonly<Partial<Record<ReportShape, ParsedReport["status"]>>> = {
  handoff: "COMPLETE",
  escalation: "BLOCKED",
};

/** requirements RP-08: labels in capitals instead of the skeleton. */
function shapeOf({ labels, parts, statuses }: Draft): ReportShape {
  if (labels.length < 2 || parts.length > 0 || statuses.length > 0) return "report";
  const names = new Set(labels.map(({ name }) => name));
  const handoff = handoffLabels.filter((name) => names.has(name)).length;
  const escalation = escalationLabels.filter((name) => names.has(name)).length;
  if (Math.max(handoff, escalation) < 2) return "report";
  return handoff >= escalation ? "handoff" : "escalation";
}

function takeLabels(draft: Draft, shape: ReportShape): void {
  draft.fields.length = 0;
  draft.fields.push(
    ...draft.labels.map((label) => ({ ...label, name: label.name === "files changed" ? "files touched" : label.name })),
  );
  draft.findings.length = 0;
  draft.sections.length = 0;
  const need =
    shape === "escalation" ? draft.labels.find(({ name, value }) => name === "need" && value !== "") : undefined;
  if (need) draft.tags.push(needTag(need));
}

/** An escalation names nobody: what it needs is for the coordinator. */
function needTag({ value, start, end, line, column }: Draft["labels"][number]): Tag {
  const head = { start, end: start + "NEED".length };
  return { kind: "BLOCKER", target: "coordinator", text: value, placement: "label", head, start, end, line, column };
}
