import type { LintedFile, LintFinding, LintResult } from "./lint.schema.ts";

/** JUnit XML: a suite for each report with findings, a test case for each finding, and one for all clean reports. */
export function junitFormat({ reports, errors, warnings, files }: LintResult): string {
  const failing = files.filter(({ findings }) => findings.length > 0);
  const clean = reports - failing.length;
  const lines = [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="report lint" tests="${errors + warnings + (clean > 0 ? 1 : 0)}" failures="${errors + warnings}" errors="0">`,
    ...failing.flatMap(suite),
    ...(clean > 0
      ? [
          `  <testsuite name="clean reports" tests="1" failures="0" errors="0">`,
          `    <testcase name="${clean} ${clean === 1 ? "report" : "reports"} without findings" classname="reports"/>`,
          "  </testsuite>",
        ]
      : []),
    "</testsuites>",
  ];
  return lines.join("\n");
}

function suite({ path, findings }: LintedFile): string[] {
  const count = findings.length;
  return [
    `  <testsuite name="${escapeXml(path)}" tests="${count}" failures="${count}" errors="0">`,
    ...findings.flatMap((finding) => testCase(path, finding)),
    "  </testsuite>",
  ];
}

function testCase(path: string, { rule, name, level, message, line, column, excerpt }: LintFinding): string[] {
  const title = `${rule} ${name} at ${line}:${column}`;
  return [
    `    <testcase name="${escapeXml(title)}" classname="${escapeXml(path)}" file="${escapeXml(path)}" line="${line}">`,
    `      <failure type="${level === "error" ? "error" : "warning"}" message="${escapeXml(message)}">${escapeXml(`${path}:${line}:${column} ${message}\n${excerpt}`)}</failure>`,
    "    </testcase>",
  ];
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** XML 1.0 has no way to write most control characters; they become the replacement character. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "")
    .replace(/\r/g, "&#13;");
}
