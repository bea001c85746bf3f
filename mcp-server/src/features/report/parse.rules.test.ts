import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { fixReport, lintReport } from "./lint.rules.ts";
import { exampleReport, exampleSetting } from "./lint-examples.rules.ts";
import { loadMarkdown } from "./markdown.rules.ts";
import { parseReport } from "./parse.rules.ts";
import type { ParsedReport } from "./report.schema.ts";

beforeAll(loadMarkdown);

function tagsOf(text: string) {
  return parseReport(text).tags.map(({ kind, target, text: message }) => ({ kind, target, text: message }));
}

describe("tags (RP-03, RP-05)", () => {
  test("the five example lines of the seed have their targets", () => {
    const text = [
      "CROSS-DOMAIN:builder: The API response shape changed, update src/http_tools.py:42",
      "CROSS-DOMAIN:tester: New function load_advanced_skill() needs test coverage",
      "CROSS-DOMAIN:reviewer: Security concern in new file path handling at src/skill_tools.py:87",
      "BLOCKER:builder: Cannot test API integration until http_tools.py timeout handling is implemented",
      "BLOCKER:coordinator: Interface contract undefined for new skill_loader method",
    ].join("\n");
    expect(tagsOf(text).map(({ kind, target }) => `${kind} ${target}`)).toEqual([
      "CROSS-DOMAIN builder",
      "CROSS-DOMAIN tester",
      "CROSS-DOMAIN reviewer",
      "BLOCKER builder",
      "BLOCKER coordinator",
    ]);
    expect(tagsOf(`\`\`\`\n${text}\n\`\`\``)).toEqual([]);
  });

  test("places count from one, in the text as it is", () => {
    const [tag] = parseReport("\ufeff# A Report\r\n\r\n- BLOCKER:ada: The key is missing\r\n").tags;
    expect(tag).toMatchObject({ line: 3, column: 3, text: "The key is missing", placement: "start" });
  });

  test.each([
    ["- [BLOCKER:ada] The key is missing", "BLOCKER", "ada", "The key is missing"],
    ["- **BLOCKER:ada:** The key is missing", "BLOCKER", "ada", "The key is missing"],
    ["**[CROSS-DOMAIN:team:web]**: Read it", "CROSS-DOMAIN", "team:web", "Read it"],
    ["1. INTERFACE-CHANGE: load(): it is async", "INTERFACE-CHANGE", undefined, "load(): it is async"],
    ["[INTERFACE-CHANGE] load() is async", "INTERFACE-CHANGE", undefined, "load() is async"],
    ["- BLOCKER:ada: The key\n  is missing\n  still", "BLOCKER", "ada", "The key is missing still"],
    ["- BLOCKER:ada: `load()` is missing", "BLOCKER", "ada", "`load()` is missing"],
    ["- cross_domain : @ada: read it", "CROSS-DOMAIN", "ada", "read it"],
    ["- BLOCKER:jürgen: Der Schlüssel fehlt", "BLOCKER", "jürgen", "Der Schlüssel fehlt"],
    ["[BLOCKER:ada]: soon", "BLOCKER", "ada", "soon"],
    ["BLOCKER:ada: *now*", "BLOCKER", "ada", "*now*"],
  ])("%j is one", (source, kind, target, text) => {
    expect(tagsOf(source)).toEqual([{ kind, target, text }]);
  });

  test.each([
    "> BLOCKER:ada: quoted",
    "`BLOCKER:ada: in code`",
    "    BLOCKER:ada: indented code",
    "<!-- BLOCKER:ada: a comment -->",
    "~~~\nBLOCKER:ada: fenced\n~~~",
    "1. > - BLOCKER:ada: quoted in a list",
    "the BLOCKER:ada was mentioned",
    "- BLOCKER: none",
    "Blockers: none",
    "https://BLOCKER:ada@host",
  ])("%j is none", (source) => {
    expect(tagsOf(source)).toEqual([]);
  });
});

describe("shapes and words", () => {
  test.each([
    ["COMPLETE", "COMPLETE"],
    ["done", "COMPLETE"],
    ["working", "IN-PROGRESS"],
    ["in progress", "IN-PROGRESS"],
    ["In_Progress", "IN-PROGRESS"],
    ["blocked", "BLOCKED"],
    ["Failure", "FAILED"],
  ])("status %s means %s (RP-07, C-10)", (word, status) => {
    expect(parseReport(`# A Report\nStatus: ${word}\n`).status).toBe(status);
  });

  test("a hand-off and an escalation are read by their labels (RP-08)", () => {
    const handoff = parseReport("COMPLETED: The page\nRESULT: It works\nFILES CHANGED: a.ts, b.ts\n");
    expect(handoff).toMatchObject({ shape: "handoff", status: "COMPLETE" });
    expect(handoff.fields.find(({ name }) => name === "files touched")?.items.map(({ text }) => text)).toEqual([
      "a.ts",
      "b.ts",
    ]);
    const escalation = parseReport("BLOCKED: The tests\nCAUSE: No account\nATTEMPTED: Asking\nNEED: An account");
    expect(escalation).toMatchObject({
      shape: "escalation",
      status: "BLOCKED",
      tags: [{ kind: "BLOCKER", target: "coordinator", text: "An account" }],
    });
  });

  test.each([
    ["CRITICAL", "CRITICAL", true],
    ["blocking", "HIGH", true],
    ["HIGH (non-blocking)", "HIGH", false],
    ["important", "MEDIUM", false],
    ["WARNING", "MEDIUM", false],
    ["suggestion", "LOW", false],
    ["Minor (blocking)", "LOW", true],
  ])("severity %s is %s, blocking %s (C-18)", (word, severity, blocking) => {
    const { findings } = parseReport(exampleReport({ finding: `### It\n- File: a.ts:1\n- Severity: ${word}\n- So.` }));
    expect(findings[0]?.severity).toMatchObject({ severity, blocking });
  });

  test("findings, boxes and learnings are read with their places (RP-01, RP-02, C-24)", () => {
    const report = parseReport(
      exampleReport({ finding: "### It\n- File: `a.ts:3-9`, b/c.md:7\n- Severity: LOW\n- So." }),
    );
    expect(report.findings[0]?.evidence.map(({ path, fromLine, toLine }) => [path, fromLine, toLine])).toEqual([
      ["a.ts", 3, 9],
      ["b/c.md", 7, undefined],
    ]);
    expect(report.boxes.map(({ check, checked }) => [check, checked])).toEqual([
      ["compiles", true],
      ["tests", true],
      ["lint", true],
      ["patterns", true],
    ]);
    for (const heading of ["### Learnings", "### Knowledge Base Additions"])
      expect(parseReport(`${heading}\n- A fact\n  of two lines`).learnings.map(({ text }) => text)).toEqual([
        "A fact of two lines",
      ]);
  });

  test("files touched and blocking agents are there for the hand-over (RP-06)", () => {
    const report = parseReport(exampleReport({ fields: "**Files touched**:\n- `src/a.ts` (new)\n- ./b.ts:4" }));
    expect(report.fields[0]?.items.map(({ text }) => text)).toEqual(["src/a.ts", "./b.ts:4"]);
  });
});

/** Pieces that reports, markdown and its traps are made of. */
const pieces = fc.constantFrom(
  ..."# |## |### |#### |- |* |1. |> |  |    |\t|\n|\n\n|\r|\r\n|```|~~~|`|[|]|(|)|<|>|!|**|_|:|: |{|}|\\|&|\u0000|\u001b[31m|\u200b|\ufeff|\ud800|\udc00".split(
    "|",
  ),
  ...["Status: ", "done", "COMPLETE", "BLOCKED", "BLOCKER:", "CROSS-DOMAIN:", "cross domain: ", "ada: ", "tester"],
  ...["INTERFACE-CHANGE: ", "Findings", "Verification", "Learnings", "Cross-Domain Tags", "File: ", "Severity: "],
  ...["minor", "a.ts:3", "[x] Tests", "**Files touched**: ", "COMPLETED: ", "NEED: ", "<!--", "-->", "none", "Report"],
  ...["AKIAQWERTYUIOPAS1234", "```markdown\n# A Report\n", "---", "==="],
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 80 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
);

function spansOf(report: ParsedReport) {
  return [
    ...report.tags,
    ...report.almostTags,
    ...report.untagged,
    ...report.statuses,
    ...report.parts,
    ...report.fields,
    ...report.fields.flatMap(({ items }) => items),
    ...report.sections,
    ...report.findings,
    ...report.findings.flatMap(({ evidence, severity }) => [...evidence, ...(severity ? [severity] : [])]),
    ...report.boxes,
    ...report.learnings,
    ...report.code,
    ...report.prose,
    ...report.comments,
  ];
}

describe("any text", () => {
  test("is read without a throw, and every place lies inside it", () => {
    fc.assert(
      fc.property(text, (source) => {
        const report = parseReport(source);
        for (const { start, end } of spansOf(report)) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(source.length);
        }
        for (const finding of lintReport(report, exampleSetting)) {
          const lineStart = report.lineStarts[finding.line - 1];
          expect(lineStart).toBeDefined();
          expect((lineStart ?? 0) + finding.column - 1).toBeLessThanOrEqual(source.length);
          expect(finding.column).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("that was fixed has nothing left to fix, and is not changed again", () => {
    fc.assert(
      fc.property(text, (source) => {
        const once = fixReport(source, exampleSetting);
        expect(lintReport(parseReport(once.text), exampleSetting).filter(({ fixable }) => fixable)).toEqual([]);
        expect(fixReport(once.text, exampleSetting)).toEqual({ text: once.text, fixed: 0 });
      }),
      { numRuns: 3000 },
    );
  });

  test("that is hostile is read in time", () => {
    const begun = performance.now();
    for (const part of [
      "*_",
      "[",
      "![",
      "[a](",
      "> ",
      "- ",
      "`",
      "<",
      "**a ",
      "&",
      "BLOCKER:",
      "<!--",
      "\\",
      "_a",
      "a:1 ",
    ])
      lintReport(parseReport(part.repeat(12_000)), exampleSetting);
    for (const part of ["- a\n", "> a\n", "# a\n", "CROSS-DOMAIN:ada: x\n", "\n", "- File: a.ts:1\n", "\u200b", "| a "])
      lintReport(parseReport(part.repeat(12_000)), exampleSetting);
    // seconds; the emphasis alone took a minute before it was switched off, and the machine may be busy
    expect(performance.now() - begun).toBeLessThan(60_000);
  }, 90_000);

  test("a text too large for the tree is still read: its tags count", () => {
    const source = `${exampleReport({})}\n${"A sentence about nothing.\n\n".repeat(6000)}- BLOCKER:tester: Last line\n`;
    const report = parseReport(source);
    expect(report.isPlain).toBe(true);
    expect(report.status).toBe("COMPLETE");
    expect(report.tags.at(-1)).toMatchObject({ kind: "BLOCKER", target: "tester", text: "Last line" });
  });
});
