import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { counted } from "../../kernel/view.ts";
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
    [
      view.paint(level === "error" ? "red" : "yellow", level),
      status,
      plainLine(path, 400),
      `${message} [${rule}]`,
    ].join("  "),
  );
  return [...lines, result.ok ? view.paint("green", summary(result)) : summary(result)].join("\n");
}

function summary({ base, author, task, changed, findings }: DiffResult): string {
  const whose = [author && `by ${author}`, task && `for ${task}`].filter(Boolean).join(" ");
  const errors = findings.filter(({ level }) => level === "error").length;
  const unasked = author === undefined ? "; whose work it is was not said, so owners and leases were not asked" : "";
  return `${counted(changed, "file")} changed since ${base.slice(0, 12)}${whose ? ` ${whose}` : ""}: ${counted(errors, "error")}, ${counted(findings.length - errors, "warning")}${unasked}`;
}
