import { createHash } from "node:crypto";
import { reportRules } from "../../config/report-rules.schema.ts";
import { version } from "../../version.ts";
import { lintRules } from "./lint.rules.ts";
import type { LintFinding, LintLevel, LintResult } from "./lint.schema.ts";

/** A log of SARIF 2.1.0 with one run, for code scanning. */
export function sarifFormat(result: LintResult): string {
  const results = result.files.flatMap(({ path, findings }) => {
    const seen = new Map<string, number>();
    return findings.map((finding) => toResult(path, finding, seen));
  });
  const driver = { name: "Teamwright", semanticVersion: version, rules: lintRules.map(toDescriptor) };
  const run = { tool: { driver }, columnKind: "utf16CodeUnits", results };
  return JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] });
}

function sarifLevel(level: LintLevel): "error" | "warning" {
  return level === "error" ? "error" : "warning";
}

function toDescriptor({ id, level, description }: (typeof lintRules)[number]) {
  return {
    id,
    name: reportRules[id],
    shortDescription: { text: reportRules[id].replaceAll("-", " ") },
    fullDescription: { text: description },
    help: { text: `${description} See docs/lint-rules.md, ${id}.` },
    defaultConfiguration: { level: sarifLevel(level) },
  };
}

const ruleIndex: ReadonlyMap<string, number> = new Map(lintRules.map(({ id }, index) => [id, index]));

function toResult(path: string, finding: LintFinding, seen: Map<string, number>) {
  const { rule, level, message, line, column, end_line, end_column, excerpt } = finding;
  const key = `${rule}\n${path}\n${excerpt}`;
  const occurrence = (seen.get(key) ?? 0) + 1;
  seen.set(key, occurrence);
  const fingerprint = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return {
    ruleId: rule,
    ruleIndex: ruleIndex.get(rule),
    level: sarifLevel(level),
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: toUri(path) },
          region: { startLine: line, startColumn: column, endLine: end_line, endColumn: end_column },
        },
      },
    ],
    partialFingerprints: { "teamwrightLine/v1": `${fingerprint}:${occurrence}` },
  };
}

/** Relative to the folder of the run; an absolute path becomes a file URL. */
function toUri(path: string): string {
  const encoded = path
    .toWellFormed()
    .split("/")
    .map((part, index) => (index === 0 && /^[A-Za-z]:$/.test(part) ? part : encodeURIComponent(part)))
    .join("/");
  if (path.startsWith("/")) return `file://${encoded}`;
  return /^[A-Za-z]:/.test(path) ? `file:///${encoded}` : encoded;
}
