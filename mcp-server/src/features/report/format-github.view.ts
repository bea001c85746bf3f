import { counted } from "../../kernel/view.ts";
import type { LintFinding, LintResult } from "./lint.schema.ts";

/** Workflow commands, which GitHub shows as annotations, and the counts as a plain line. */
export function githubFormat({ reports, errors, warnings, files }: LintResult): string {
  const lines = files.flatMap(({ path, findings }) => findings.map((finding) => command(path, finding)));
  return [
    ...lines,
    `${counted(errors, "error")}, ${counted(warnings, "warning")} in ${counted(reports, "report")}`,
  ].join("\n");
}

function command(path: string, finding: LintFinding): string {
  const { rule, name, level, message, line, column, end_line, end_column } = finding;
  const properties = {
    file: path,
    line,
    endLine: end_line,
    col: column,
    ...(end_line === line ? { endColumn: end_column } : {}),
    title: `${rule} ${name}`,
  };
  return workflowCommand(level === "error" ? "error" : "warning", properties, message);
}

/** One annotation: `::error file=a.ts,line=3::text`. */
export function workflowCommand(
  level: "error" | "warning",
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const text = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${level} ${text.join(",")}::${escapeData(message)}`;
}

/** The escapes of workflow commands: a line break would begin another command. */
function escapeData(text: string): string {
  return text
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A")
    .replace(/\p{Cc}/gu, "\ufffd");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
