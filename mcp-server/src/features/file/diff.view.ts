import type { RenderView } from "../../kernel/operation.ts";
import { workflowCommand } from "../report/format-github.view.ts";
import type { DiffResult } from "./file.schema.ts";

/** A line per finding, then what was looked at. */
export function renderDiff(result: DiffResult, view: RenderView): string {
  const { format, ...plain } = result;
  if (format === "json") return JSON.stringify(plain);
  if (format === "github") {
    const commands = result.findings.map(({ level, path, rule, message }) =>
      workflowCommand(level, { file: path, title: rule }, message),
    );
    return [...commands, summary(result)].join("\n");
  }
  const lines = result.findings.map(({ level, status, path, rule, message }) =>
    [view.paint(level === "error" ? "red" : "yellow", level), status, path, `${message} [${rule}]`].join("  "),
  );
  return [...lines, result.ok ? view.paint("green", summary(result)) : summary(result)].join("\n");
}

function summary({ base, author, task, changed, findings }: DiffResult): string {
  const whose = [author && `by ${author}`, task && `for ${task}`].filter(Boolean).join(" ");
  const errors = findings.filter(({ level }) => level === "error").length;
  return `${changed} files changed since ${base.slice(0, 12)}${whose ? ` ${whose}` : ""}: ${errors} errors, ${findings.length - errors} warnings`;
}
