import type { Example, LintSetting } from "./lint.schema.ts";

/** The report that examples change, part by part; nothing is found in it. */
const parts = {
  title: "# Builder Report",
  status: "Status: COMPLETE",
  agent: "## ada - Added the login page",
  fields: "**Files touched**: src/login.ts\n**Tests affected**: tests/login.test.ts",
  finding:
    "### Session cookie was readable by scripts\n- File: src/login.ts:42\n- Severity: HIGH\n- It is set with HttpOnly now.",
  tags: "- CROSS-DOMAIN:tester: readSession() in src/login.ts:42 needs a test",
  boxes: "- [x] Code compiles/runs\n- [x] Tests pass\n- [x] No lint errors\n- [x] Matches existing patterns",
  learnings: "- Cookies are set in one place, in src/login.ts.",
} as const;

/** The whole report of an example. */
export function exampleReport(example: Example): string {
  if (example.whole !== undefined) return example.whole;
  const { title, status, agent, fields, finding, tags, boxes, learnings, sections } = {
    ...parts,
    sections: undefined,
    ...example,
  };
  const body =
    sections ??
    [
      `### Findings / Changes Made\n${finding}`,
      `### Cross-Domain Tags\n${tags}`,
      `### Verification\n${boxes}`,
      `### Knowledge Base Additions\n${learnings}`,
    ].join("\n\n");
  return `${title}\n${status}\n\n${agent}\n\n${fields}\n\n${body}\n`;
}

/** What is known besides the text when an example is linted. */
export const exampleSetting: LintSetting = {
  required: ["findings", "tags", "verification", "learnings"],
  maxCharacters: 20_000,
  maxCodeLines: 60,
  levels: {},
  targets: ["builder", "tester", "reviewer", "coordinator"],
};

/** The facts that only some rules ask for; each rule's examples are linted with its own fact. */
export const exampleFacts: Readonly<Record<string, Partial<LintSetting>>> = {
  TW306: { lineCounts: new Map([["src/login.ts", 120]]) },
  TW501: { isLeased: (path) => !path.startsWith("docs/") },
  TW502: { changed: new Set(["src/login.ts"]) },
  TW503: { changed: new Set(["src/login.ts"]) },
  TW504: { isProtected: (path) => path.endsWith(".env") },
};
