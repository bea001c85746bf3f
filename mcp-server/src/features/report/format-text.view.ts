import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { counted } from "../../kernel/view.ts";
import type { LintedFile, LintFinding, LintResult } from "./lint.schema.ts";

/** For people: each finding with its line and a caret, and the counts at the end. */
export function textFormat(result: LintResult, view: RenderView): string {
  const blocks = result.files.flatMap((file) => fileLines(file, view));
  return [...blocks, ...(blocks.length > 0 ? [""] : []), summary(result, view)].join("\n");
}

function fileLines({ path, findings, fixed }: LintedFile, view: RenderView): string[] {
  const shown = plainLine(path, 400);
  const head = fixed ? [`${view.paint("green", "fixed")} ${shown}: ${counted(fixed, "place")}`] : [];
  return [...head, ...findings.flatMap((finding) => findingLines(shown, finding, view))];
}

function findingLines(path: string, finding: LintFinding, view: RenderView): string[] {
  const { rule, name, level, message, line, column, excerpt, caret } = finding;
  const colour = level === "error" ? "red" : "yellow";
  const number = String(line);
  const gutter = " ".repeat(number.length);
  const [before, length] = caret;
  const pad = " ".repeat(cells(excerpt.slice(0, before)));
  const mark = "^".repeat(Math.max(1, cells(excerpt.slice(before, before + length))));
  return [
    `${view.paint("bold", `${path}:${line}:${column}`)} ${view.paint(colour, level === "error" ? "error" : "warning")} ${rule} ${view.paint("dim", name)} ${message}`,
    ...(excerpt.trim() === ""
      ? []
      : [
          `  ${view.paint("dim", `${number} |`)} ${excerpt}`,
          `  ${view.paint("dim", `${gutter} |`)} ${pad}${view.paint(colour, mark)}`,
        ]),
  ];
}

function summary({ reports, errors, warnings, fixed, fixable, files }: LintResult, view: RenderView): string {
  if (reports === 0) return view.paint("yellow", "No report was found here: name files, or set reports.include.");
  const many = counted(reports, "report");
  const mended = fixed > 0 ? ` ${counted(fixed, "place")} fixed.` : "";
  if (errors + warnings === 0) return `${view.paint("green", "ok")} ${many}, nothing found.${mended}`;
  const where = files.filter(({ findings }) => findings.length > 0).length;
  const hint = fixable > 0 ? ` --fix mends ${fixable} of them.` : "";
  return `${counted(errors, "error")}, ${counted(warnings, "warning")} in ${where} of ${many}.${mended}${hint}`;
}

/** Terminal cells: wide characters take two, combining ones none. */
function cells(text: string): number {
  let sum = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    sum +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return sum;
}
