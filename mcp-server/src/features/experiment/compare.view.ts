import type { PaintStyle, RenderView } from "../../kernel/operation.ts";
import { visibleLength } from "../../kernel/view.ts";
import type { ComparedMetric, Comparison } from "./compare.schema.ts";
import { intervalText, shortNumber, signed } from "./compare-words.rules.ts";
import type { Direction, Estimate } from "./stats.rules.ts";

/** A comparison for the terminal: variants, numbers, the six questions, and what limits them. */
export function renderComparison(comparison: Comparison, view: RenderView): string {
  const { notes, problems, html } = comparison;
  const parts = [
    section("Variants", variantsText(comparison, view), view),
    section(`Compared with ${comparison.baseline}, paired by seed`, metricsText(comparison, view), view),
    section("Research questions", questionsText(comparison, view), view),
    ...(notes.length > 0 ? [section("To be kept in mind", bullets(notes, view), view)] : []),
    ...(problems.length > 0 ? [section(view.paint("red", "Could not be read"), bullets(problems, view), view)] : []),
    wrap(
      "Intervals are 95 % t intervals, each for itself; dz is the mean difference over its standard deviation.",
      view,
      0,
    )
      .map((line) => view.paint("dim", line))
      .join("\n"),
    ...(html ? [`Wrote ${html}`] : []),
  ];
  return parts.join("\n\n");
}

function section(title: string, text: string, view: RenderView): string {
  const lines = wrap(title, view, 0).map((line) => view.paint("bold", line));
  return [...lines, text].join("\n");
}

function variantsText({ variants }: Comparison, view: RenderView): string {
  const rows = variants.map(({ label, runs, teams, sprints, coordination }) => [
    label,
    String(runs),
    String(teams),
    String(sprints),
    coordination === undefined ? "unknown" : coordination ? "on" : "off",
  ]);
  return fitted(["Variant", "Runs", "Teams", "Sprints", "Coordination"], rows, view);
}

function metricsText({ metrics }: Comparison, view: RenderView): string {
  const rows = metrics.flatMap((metric) =>
    metric.means.map(({ variant, estimate }, index) => {
      const difference = metric.differences.find((candidate) => candidate.variant === variant);
      const style = styleOf(metric, difference?.direction);
      const painted = (text: string) => (style && text !== "" ? view.paint(style, text) : text);
      return [
        index === 0 ? `${metric.title} (${metric.unit})` : "",
        variant,
        meanText(estimate),
        painted(differenceText(difference?.estimate)),
        difference?.estimate?.effect === undefined ? "" : shortNumber(difference.estimate.effect),
        difference?.estimate ? String(difference.estimate.n) : "",
      ];
    }),
  );
  return fitted(["Metric", "Variant", "Mean (95 % CI)", "Difference (95 % CI)", "dz", "Pairs"], rows, view);
}

function questionsText({ questions }: Comparison, view: RenderView): string {
  return questions
    .map(({ question, answers, unanswered }, index) => {
      const verdicts = answers.flatMap(({ verdict, direction }) => {
        const lines = wrap(verdict, view, 3);
        return direction === "higher" || direction === "lower" ? lines : lines.map((line) => view.paint("dim", line));
      });
      const missing = unanswered ? wrap(unanswered, view, 3).map((line) => view.paint("dim", line)) : [];
      return [...wrap(`${index + 1}. ${question}`, view, 0), ...verdicts, ...missing].join("\n");
    })
    .join("\n");
}

function meanText(estimate: Estimate | undefined): string {
  if (!estimate) return "not reported";
  const interval = intervalText(estimate);
  return interval === "" ? shortNumber(estimate.mean) : `${shortNumber(estimate.mean)} (${interval})`;
}

function differenceText(estimate: Estimate | undefined): string {
  if (!estimate) return "";
  if (estimate.low === undefined) return `${signed(estimate.mean)} (too few seeds)`;
  return `${signed(estimate.mean)} (${intervalText(estimate)})`;
}

/** Green is the better side of a difference that was shown; no colour where neither side is better. */
export function styleOf({ better }: Pick<ComparedMetric, "better">, direction?: Direction): PaintStyle | undefined {
  if (direction === "none" || direction === "unknown") return "dim";
  if (better === undefined || direction === undefined) return undefined;
  return direction === better ? "green" : "red";
}

/** A table where there is room; one block of `column: value` lines per row where there is not. */
function fitted(head: readonly string[], rows: readonly (readonly string[])[], view: RenderView): string {
  const table = view.table(head, rows);
  if (Math.max(...table.split("\n").map(visibleLength)) <= view.width) return table;
  return rows
    .map((row) => {
      const lines = row.flatMap((cell, column) => {
        if (cell === "") return [];
        if (column === 0) return wrap(cell, view, 0).map((line) => view.paint("bold", line));
        return visibleLength(cell) + (head[column] ?? "").length + 4 <= view.width
          ? [`  ${head[column]}: ${cell}`]
          : [`  ${head[column]}:`, ...wrap(cell, view, 4)];
      });
      return lines.join("\n");
    })
    .join("\n");
}

function bullets(sentences: readonly string[], view: RenderView): string {
  return sentences.flatMap((sentence) => wrap(`- ${sentence}`, view, 0, 2)).join("\n");
}

/** Lines of at most the view's width; a longer word stands alone. */
function wrap(text: string, view: RenderView, indent: number, hanging = indent): string[] {
  const lines: string[] = [];
  let line = " ".repeat(indent);
  for (const word of text.split(" ")) {
    const isEmpty = line.trim() === "";
    if (!isEmpty && visibleLength(line) + 1 + visibleLength(word) > view.width) {
      lines.push(line);
      line = " ".repeat(hanging) + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}
