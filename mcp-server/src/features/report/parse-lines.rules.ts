import type { TextLine } from "./markdown.rules.ts";
import { type Draft, type DraftFinding, place } from "./parse-draft.rules.ts";
import {
  type EvidenceSpan,
  evidenceIn,
  firstWord,
  type Labelled,
  readBox,
  readEvidence,
  readField,
  readFile,
  readItems,
  readLabel,
  readSeverity,
  readStatus,
} from "./parse-fields.rules.ts";
import { saysNothing, severityOf, statusOf } from "./parse-words.rules.ts";

/** What a line outside code and quotes adds to the report. */
export function readLine(draft: Draft, line: TextLine): void {
  if (draft.section) draft.section.hasText = true;
  const inFindings = draft.section?.key === "findings";
  readLabelLine(draft, line);
  if (!inFindings && (readStatusLine(draft, line) || readFieldLine(draft, line))) return;
  if (inFindings) readFindingLine(draft, line);
  else if (draft.section?.key === "verification") readBoxLine(draft, line);
  else if (draft.section?.key === "learnings") readLearningLine(draft, line);
}

function readStatusLine(draft: Draft, line: TextLine): boolean {
  const found = readStatus(line.text);
  if (!found) return false;
  const word = firstWord(found.value);
  const at = line.start + found.at;
  draft.statuses.push({
    ...place(draft, line.start, line.end),
    status: statusOf(word.text),
    word: word.text,
    wordSpan: { start: at + word.start, end: at + word.end },
    isLate: draft.sections.length > 0,
  });
  return true;
}

function readFieldLine(draft: Draft, line: TextLine): boolean {
  const found = readField(line.text);
  if (found) {
    const field = newField(draft, line, found);
    draft.fields.push(field);
    draft.openField = found.value === "" ? field : undefined;
    return true;
  }
  if (!draft.openField) return false;
  if (!line.isItem) {
    draft.openField = undefined;
    return false;
  }
  extend(draft.openField, line);
  return true;
}

function newField(draft: Draft, line: TextLine, { name, value, at }: Labelled) {
  const items = readItems(value).map((item) => shifted(item, line.start + at));
  return { ...place(draft, line.start, line.end), name, value, items };
}

function extend(field: NonNullable<Draft["openField"]>, line: TextLine): void {
  field.value = `${field.value} ${line.text}`.trim();
  field.items.push(
    ...readItems(line.text)
      .slice(0, 1)
      .map((item) => shifted(item, line.start)),
  );
}

function shifted<T extends { start: number; end: number }>(item: T, by: number): T {
  return { ...item, start: item.start + by, end: item.end + by };
}

function readLabelLine(draft: Draft, line: TextLine): void {
  const found = readLabel(line.text);
  if (!found) {
    if (draft.openLabel) extend(draft.openLabel, line);
    return;
  }
  draft.openLabel = newField(draft, line, found);
  draft.labels.push(draft.openLabel);
}

export function readLabelHeading(draft: Draft, title: string, start: number, end: number): void {
  const found = readLabel(title);
  if (!found) return;
  draft.openLabel = { ...place(draft, start, end), name: found.name, value: found.value, items: [] };
  draft.labels.push(draft.openLabel);
}

/** Text before the first heading of a finding is a finding without title, or an introduction when headings follow. */
function readFindingLine(draft: Draft, line: TextLine): void {
  if (!draft.finding) {
    if (saysNothing(line.text)) return;
    draft.finding = newFinding(draft, "", line.start, line.end);
    draft.findings.push(draft.finding);
  }
  const { finding } = draft;
  const severity = readSeverity(line.text);
  const file = severity ? undefined : readFile(line.text);
  if (severity && !finding.severity) finding.severity = readSeverityWord(draft, line, severity);
  else if (file) addEvidence(draft, finding, readEvidence(file.value), line.start + file.at);
  else {
    finding.details.push(line.text);
    addEvidence(draft, finding, evidenceIn(line.text), line.start);
  }
}

export function newFinding(draft: Draft, title: string, start: number, end: number): DraftFinding {
  return { ...place(draft, start, end), title, evidence: [], severity: undefined, details: [] };
}

function addEvidence(draft: Draft, finding: DraftFinding, spans: readonly EvidenceSpan[], shift: number): void {
  for (const { path, fromLine, toLine, start, end } of spans) {
    if (saysNothing(path)) continue;
    finding.evidence.push({ ...place(draft, start + shift, end + shift), path, fromLine, toLine });
  }
}

function readSeverityWord(draft: Draft, line: TextLine, { value, at }: Labelled): DraftFinding["severity"] {
  const word = firstWord(value);
  const known = severityOf(word.text);
  const rest = value.slice(word.end);
  const blocking = /\bnon-?blocking\b/i.test(rest) ? false : /\bblocking\b/i.test(rest) || (known?.blocking ?? false);
  const start = line.start + at + word.start;
  return {
    ...place(draft, start, start + word.text.length),
    word: word.text,
    severity: known?.severity,
    blocking,
  };
}

function readBoxLine(draft: Draft, line: TextLine): void {
  const box = line.isItem ? readBox(line.text) : undefined;
  if (box) draft.boxes.push({ ...place(draft, line.start, line.end), ...box });
}

function readLearningLine(draft: Draft, line: TextLine): void {
  if (draft.learning && !line.isItem && draft.learningParagraph === line.paragraph) {
    draft.learning.text += ` ${line.text}`;
    draft.learning.end = line.end;
    return;
  }
  draft.learning = undefined;
  if (saysNothing(line.text)) return;
  draft.learning = { ...place(draft, line.start, line.end), text: line.text, isBullet: line.isItem };
  draft.learningParagraph = line.paragraph;
  draft.learnings.push(draft.learning);
}
