import { type ReportSection, reportSections } from "../../config/report-rules.schema.ts";
import type { LintRule, Problem } from "./lint.schema.ts";
import { matchesInProse, quoted, topOf } from "./lint-match.rules.ts";
import { escalationLabels, handoffLabels } from "./parse-fields.rules.ts";
import type { ParsedReport, Section } from "./report.schema.ts";

const headings: Readonly<Record<ReportSection, string>> = {
  findings: "### Findings / Changes Made",
  tags: "### Cross-Domain Tags",
  verification: "### Verification",
  learnings: "### Knowledge Base Additions",
};

const skeletonFields = ["files touched", "tests affected"];

function requiredFields({ shape }: ParsedReport): readonly string[] {
  if (shape === "report") return skeletonFields;
  return (shape === "handoff" ? handoffLabels : escalationLabels).map((name) =>
    name === "files changed" ? "files touched" : name,
  );
}

function fieldName(name: string, { shape }: ParsedReport): string {
  if (shape !== "report") return `${(name === "files touched" ? "files changed" : name).toUpperCase()}:`;
  return `**${name.charAt(0).toUpperCase()}${name.slice(1)}**:`;
}

/** What a template leaves for its author (requirements RP-01). */
const placeholders =
  /\[(?:Role|Agent Name|Action Summary|Title|list of [^\]\n]{1,40}|bullet list[^\]\n]{0,60}|Patterns worth[^\]\n]{0,60})\]|\{(?:TARGET|message|what you need)\}|path\/to\/file\b(?::line)?|COMPLETE ?\| ?IN-PROGRESS|CRITICAL ?\| ?HIGH|<(?:fill in|your [^>\n]{1,30})>|(?<=^[ \t]*(?:[-*+] )?)(?:TBD|TODO|to be done|\.{3}|…)\.?(?=[ \t]*$)|lorem ipsum/gim;

/** Sections of one `## Agent - Action`, in their order. */
function sectionsByPart({ sections }: ParsedReport): Section[][] {
  return [...Map.groupBy(sections, ({ part }) => part).values()];
}

function* outOfOrder(sections: readonly Section[]): Generator<Problem> {
  let highest = -1;
  for (const { key, title, start, end } of sections) {
    if (key === undefined) continue;
    const index = reportSections.indexOf(key);
    if (index < highest)
      yield {
        start,
        end,
        message: `${quoted(title)} stands after ${headings[reportSections[highest] ?? key]}, which follows it.`,
      };
    highest = Math.max(highest, index);
  }
}

function* repeated(sections: readonly Section[]): Generator<Problem> {
  const seen = new Set<ReportSection>();
  for (const { key, title, start, end } of sections) {
    if (key === undefined) continue;
    if (seen.has(key)) yield { start, end, message: `${quoted(title)} is this section a second time; keep one.` };
    seen.add(key);
  }
}

export const structureRules: readonly LintRule[] = [
  {
    id: "TW001",
    level: "error",
    description: "The first heading is `# <Role> Report`: readers and the router recognise a report by it.",
    good: { title: "# Builder Report" },
    bad: { title: "# What I did" },
    *check(report) {
      if (report.shape !== "report" || /\breport\b/i.test(report.title?.text ?? "")) return;
      yield { ...topOf(report), message: "There is no title; begin with `# <Role> Report`." };
    },
  },
  {
    id: "TW002",
    level: "error",
    description: "A level-2 heading names the agent and sums its work up: `## <agent> - <action>`.",
    good: { agent: "## ada - Added the login page" },
    bad: { agent: "## ada" },
    *check(report) {
      if (report.shape !== "report") return;
      if (report.parts.length === 0)
        yield { ...topOf(report), message: "No heading `## <agent> - <action>` says who did what." };
      for (const { agent, action, start, end } of report.parts)
        if (action === "") yield { start, end, message: `Say what was done: \`## ${agent.slice(0, 40)} - <action>\`.` };
    },
  },
  {
    id: "TW003",
    level: "error",
    description:
      "`**Files touched**:` and `**Tests affected**:` are there, with `none` where there are none; a hand-off has all its labels (RESULT, FILES CHANGED, …), an escalation CAUSE, ATTEMPTED and NEED.",
    good: { fields: "**Files touched**: src/login.ts\n**Tests affected**: none" },
    bad: { fields: "**Files touched**: src/login.ts" },
    *check(report) {
      const there = new Set(report.fields.map(({ name }) => name));
      const missing = requiredFields(report).filter((name) => !there.has(name));
      if (missing.length > 0)
        yield {
          ...topOf(report),
          message: `Missing: ${missing.map((name) => `\`${fieldName(name, report)}\``).join(", ")}.`,
        };
    },
  },
  {
    id: "TW004",
    level: "error",
    description: "A field that is there says something; `none` is an answer, silence is not.",
    good: { fields: "**Files touched**: src/login.ts\n**Tests affected**: none" },
    bad: { fields: "**Files touched**: src/login.ts\n**Tests affected**:" },
    *check({ fields }) {
      for (const { name, value, start, end } of fields)
        if (value.trim() === "") yield { start, end, message: `"${name}" is empty; write \`none\` if there are none.` };
    },
  },
  {
    id: "TW005",
    level: "error",
    description:
      "Every section the project requires is there. `### Learnings` counts as `### Knowledge Base Additions`.",
    good: { learnings: "- Cookies are set in one place, in src/login.ts." },
    bad: {
      sections:
        "### Findings / Changes Made\n### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- It is HttpOnly now.\n\n### Cross-Domain Tags\nNone.\n\n### Knowledge Base Additions\n- Cookies are set in one place, in src/login.ts.",
    },
    *check(report, { required }) {
      if (report.shape !== "report") return;
      const there = new Set(report.sections.map(({ key }) => key));
      const missing = required.filter((key) => !there.has(key));
      if (missing.length > 0)
        yield { ...topOf(report), message: `Missing: ${missing.map((key) => `\`${headings[key]}\``).join(", ")}.` };
    },
  },
  {
    id: "TW006",
    level: "warn",
    description:
      "A section holds something; write `None.` where there is nothing, so that it is not taken for forgotten.",
    good: { tags: "None." },
    bad: { tags: "" },
    *check({ sections }) {
      for (const { key, hasText, title, start, end } of sections)
        if (key !== undefined && !hasText)
          yield { start, end, message: `${quoted(title)} is empty; write \`None.\` there.` };
    },
  },
  {
    id: "TW007",
    level: "warn",
    description: "Sections stand in the order of the skeleton: findings, tags, verification, learnings.",
    good: { tags: "None." },
    bad: {
      sections:
        "### Findings / Changes Made\nNone.\n\n### Verification\n- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns\n\n### Cross-Domain Tags\nNone.\n\n### Learnings\n- Cookies are set in one place, in src/login.ts.",
    },
    *check(report) {
      for (const sections of sectionsByPart(report)) yield* outOfOrder(sections);
    },
  },
  {
    id: "TW008",
    level: "warn",
    description: "Each section stands once; Learnings and Knowledge Base Additions are the same one.",
    good: { learnings: "- Cookies are set in one place, in src/login.ts." },
    bad: {
      learnings:
        "- Cookies are set in one place, in src/login.ts.\n\n### Learnings\n- The test server needs a certificate.",
    },
    *check(report) {
      for (const sections of sectionsByPart(report)) yield* repeated(sections);
    },
  },
  {
    id: "TW009",
    level: "warn",
    description: "Sections are level-3 headings. The fix sets the level.",
    isFixable: true,
    good: { tags: "None." },
    bad: {
      sections:
        "### Findings / Changes Made\nNone.\n\n## Cross-Domain Tags\nNone.\n\n### Verification\n- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns\n\n### Learnings\n- Cookies are set in one place, in src/login.ts.",
    },
    *check({ sections }) {
      for (const { key, level, title, start, end } of sections) {
        if (key === undefined || level === 3) continue;
        yield {
          start,
          end,
          message: `${quoted(title)} is a heading of level ${level}, not 3.`,
          fix: [{ start, end: start + level, text: "###" }],
        };
      }
    },
  },
  {
    id: "TW010",
    level: "error",
    description:
      "The report is not put into a code fence: what stands in one is an example and is not read. The fix removes it.",
    isFixable: true,
    readsText: true,
    good: { title: "# Builder Report" },
    bad: { whole: "```markdown\n# Builder Report\nStatus: COMPLETE\n```\n" },
    *check({ wrapper, text }) {
      if (!wrapper) return;
      const opening = /^[^\r\n]*(?:\r\n|\n|\r|$)/.exec(text.slice(wrapper.start))?.[0] ?? "";
      const fix = [{ start: wrapper.start, end: wrapper.start + opening.length, text: "" }];
      const closing = /(?:^|[\r\n])[ \t]*(?:`{3,}|~{3,})[ \t]*$/.exec(text.trimEnd());
      const inner = text.slice(wrapper.start + opening.length).match(/^[ \t]*(?:`{3,}|~{3,})/gm)?.length ?? 0;
      if (closing && inner % 2 === 1 && closing.index >= wrapper.start + opening.length - 1)
        fix.push({ start: closing.index, end: closing.index + closing[0].length, text: "" });
      const end = wrapper.start + opening.trimEnd().length;
      yield { start: wrapper.start, end, message: "The report stands in a code fence, where nothing is read.", fix };
    },
  },
  {
    id: "TW011",
    level: "warn",
    description: "Nothing stands before the title; a report is a document and no message.",
    good: { title: "# Builder Report" },
    bad: { title: "Here is my report:\n\n# Builder Report" },
    *check({ preamble }) {
      if (preamble) yield { ...preamble, message: "Text before the title; begin with `# <Role> Report`." };
    },
  },
  {
    id: "TW012",
    level: "error",
    description:
      "Nothing of the template is left: `[Agent Name]`, `{TARGET}`, `path/to/file:line`, `A | B | C`, `TBD`.",
    good: { agent: "## ada - Added the login page" },
    bad: { agent: "## [Agent Name] - Added the login page" },
    *check(report) {
      for (const { start, end } of matchesInProse(report, placeholders))
        yield { start, end, message: `${quoted(report.text.slice(start, end))} is left from the template.` };
    },
  },
  {
    id: "TW013",
    level: "warn",
    description:
      "A report stays within `reports.max_characters` (20,000 unless set): a coordinator reads all of them. Sum up, and name files instead of quoting them.",
    readsText: true,
    good: { tags: "None." },
    bad: { learnings: `- Cookies are set in one place, in src/login.ts.\n${"\n".repeat(20_000)}` },
    *check({ text }, { maxCharacters }) {
      if (text.length > maxCharacters)
        yield {
          start: 0,
          end: 1,
          message: `${text.length} characters; the most is ${maxCharacters}. Sum up instead of quoting.`,
        };
    },
  },
  {
    id: "TW014",
    level: "warn",
    description:
      "A code block has at most `reports.max_code_lines` lines (60 unless set): pass on what matters of a log or a diff.",
    good: {
      finding:
        "### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- Now:\n\n```ts\nsetCookie(name, { httpOnly: true });\n```",
    },
    bad: {
      finding: `### Cookie hardened\n- File: src/login.ts:42\n- Severity: LOW\n- The log:\n\n\`\`\`\n${"ok\n".repeat(70)}\`\`\``,
    },
    *check({ code }, { maxCodeLines }) {
      for (const { lines, start } of code)
        if (lines > maxCodeLines)
          yield { start, end: start + 3, message: `A code block of ${lines} lines; the most is ${maxCodeLines}.` };
    },
  },
  {
    id: "TW015",
    level: "error",
    description: "Lists and quotes are not nested thirty deep: such a text is read line by line, without structure.",
    readsText: true,
    good: { tags: "None." },
    bad: { learnings: `- Cookies are set in one place, in src/login.ts.\n\n${"> ".repeat(40)}deep` },
    *check(report) {
      if (report.isTooDeep) yield { ...topOf(report), message: "Lists or quotes are nested too deep to be read." };
    },
  },
];
