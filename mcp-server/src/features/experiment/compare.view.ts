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
  const whole = view.table(["Variant", "Runs", "Teams", "Sprints", "Coordination"], rows);
  if (fits(whole, rows, view)) return whole;
  return rows
    .flatMap(([label, runs, teams, sprints, coordination]) =>
      wrap(`${label}: runs ${runs}, teams ${teams}, sprints ${sprints}, coordination ${coordination}`, view, 0, 2),
    )
    .join("\n");
}

/** One table where there is room, else one per metric, else a sentence per variant. */
function metricsText({ metrics }: Comparison, view: RenderView): string {
  const rows = metrics.map((metric) => metricRows(metric, view));
  const head = ["Variant", "Mean (95 % CI)", "Difference (95 % CI)", "dz", "Pairs"];
  const titles = metrics.map(({ title, unit }) => `${title} (${unit})`);
  const all = rows.flatMap((group, index) => group.map((row, at) => [at === 0 ? (titles[index] ?? "") : "", ...row]));
  const whole = view.table(["Metric", ...head], all);
  if (fits(whole, all, view)) return whole;
  return rows
    .map((group, index) => {
      const title = wrap(titles[index] ?? "", view, 0).map((line) => view.paint("bold", line));
      const small = view.table(head, group);
      return [
        ...title,
        fits(small, group, view) ? small : group.map((row) => metricSentence(row, view)).join("\n"),
      ].join("\n");
    })
    .join("\n\n");
}

function metricRows(metric: ComparedMetric, view: RenderView): string[][] {
  return metric.means.map(({ variant, estimate }) => {
    const difference = metric.differences.find((candidate) => candidate.variant === variant);
    const style = styleOf(metric, difference?.direction);
    const text = differenceText(difference?.estimate);
    return [
      variant,
      meanText(estimate),
      style && text !== "" ? view.paint(style, text) : text,
      difference?.estimate?.effect === undefined ? "" : shortNumber(difference.estimate.effect),
      difference?.estimate ? String(difference.estimate.n) : "",
    ];
  });
}

function metricSentence([variant, mean, difference, effect, pairs]: readonly string[], view: RenderView): string {
  const parts = [
    `${variant}: ${mean}`,
    ...(difference ? [difference] : []),
    ...(effect ? [`dz ${effect}`] : []),
    ...(pairs ? [`pairs ${pairs}`] : []),
  ];
  return wrap(parts.join("; "), view, 2, 4).join("\n");
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

/** Whether a table has room, with a row on a line. */
function fits(table: string, rows: readonly unknown[], view: RenderView): boolean {
  const lines = table.split("\n");
  return lines.length === rows.length + 1 && lines.every((line) => visibleLength(line) <= view.width);
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
