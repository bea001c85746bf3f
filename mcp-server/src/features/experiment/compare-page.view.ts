import type { ComparedMetric, Comparison, Series } from "./compare.schema.ts";
import { styleOf } from "./compare.view.ts";
import {
  type ChartGroup,
  type ChartText,
  escapeHtml,
  intervalChart,
  lineChart,
  scatterChart,
  styleOfGroup,
} from "./compare-chart.view.ts";
import { pageStyle } from "./compare-page-style.view.ts";
import { intervalText, shortNumber, signed } from "./compare-words.rules.ts";
import type { Direction, Estimate } from "./stats.rules.ts";

/**
 * One page without scripts and without anything to load: the sentences are those of the comparison, the plots are
 * drawn from the numbers in the tables beside them. The same comparison gives the same bytes.
 */
export function comparisonPage(comparison: Comparison): string {
  const { variants, notes, problems, baseline } = comparison;
  const title = `Experiments compared: ${variants.map(({ label }) => label).join(", ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<h1>Experiments compared</h1>
<p>Differences are taken from <strong>${escapeHtml(baseline)}</strong>, between runs of the same seed. Intervals are 95 % t intervals, each for itself and not adjusted for their number. A difference counts as shown when its interval leaves out zero; a correlation is no cause.</p>
${variantsTable(comparison)}
</header>
${list("To be kept in mind", notes)}
${list("Could not be read", problems)}
<section><h2>Research questions</h2>
${questionsOf(comparison)}
</section>
<section><h2>Plots</h2>
${plotsOf(comparison)}
</section>
<section><h2>Numbers</h2>
${metricsTable(comparison)}
</section>
</main>
</body>
</html>
`;
}

function list(title: string, sentences: readonly string[]): string {
  if (sentences.length === 0) return "";
  return `<section><h2>${title}</h2>\n<ul>${sentences.map((text) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>\n</section>`;
}

function variantsTable({ variants }: Comparison): string {
  return table(
    "Variants",
    ["Variant", "Runs", "Teams", "Sprints", "Coordination"],
    variants.map(({ label, runs, teams, sprints, coordination }) => [
      label,
      String(runs),
      String(teams),
      String(sprints),
      coordination === undefined ? "unknown" : coordination ? "on" : "off",
    ]),
  );
}

function questionsOf({ questions }: Comparison): string {
  const items = questions.map(({ question, measure, answers, unanswered }) => {
    const verdicts = answers.map(
      ({ verdict, direction }) => `<li${isShown(direction) ? "" : ' class="open"'}>${verdictOf(verdict)}</li>`,
    );
    return `<li><h3>${escapeHtml(question)}</h3>
<p class="measure">${escapeHtml(measure)}</p>
${verdicts.length > 0 ? `<ul>${verdicts.join("\n")}</ul>` : ""}${unanswered ? `<p class="open">${escapeHtml(unanswered)}</p>` : ""}</li>`;
  });
  return `<ol class="questions">${items.join("\n")}</ol>`;
}

/** The sentence, and fainter what it rests on. */
function verdictOf(verdict: string): string {
  const [, sentence, basis] = /^(.*) (\([^()]*n = \d+\)\.)$/s.exec(verdict) ?? [];
  if (sentence === undefined || basis === undefined) return escapeHtml(verdict);
  return `${escapeHtml(sentence)} <span class="basis">${escapeHtml(basis)}</span>`;
}

function metricsTable({ metrics }: Comparison): string {
  const head = ["Metric", "Variant", "Mean", "95 % CI", "Difference", "95 % CI", "dz", "Pairs", "Shown"];
  const bodies = metrics.map((metric) => {
    const { title, unit, means } = metric;
    const rows = means.map(({ variant }, index) => {
      const first = `<th scope="rowgroup" rowspan="${means.length}">${escapeHtml(title)} <span class="basis">(${escapeHtml(unit)})</span></th>`;
      return `<tr>${index === 0 ? first : ""}${metricCells(metric, variant)}</tr>`;
    });
    return `<tbody>${rows.join("\n")}</tbody>`;
  });
  return `<div class="scroll"><table class="numbers"><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead>${bodies.join("\n")}</table></div>`;
}

function metricCells(metric: ComparedMetric, variant: string): string {
  const mean = metric.means.find((candidate) => candidate.variant === variant)?.estimate;
  const difference = metric.differences.find((candidate) => candidate.variant === variant);
  const estimate = difference?.estimate;
  const numbers = [
    ...numbersOf(mean),
    estimate ? signed(estimate.mean) : "",
    estimate ? intervalText(estimate) : "",
    estimate?.effect === undefined ? "" : shortNumber(estimate.effect),
    estimate ? String(estimate.n) : "",
  ].map((cell) => `<td class="number">${escapeHtml(cell)}</td>`);
  const style = styleOf(metric, difference?.direction);
  const mark = style === "green" ? " good" : style === "red" ? " bad" : "";
  const shown = difference ? outcome(metric, difference.direction) : "baseline";
  return `<td>${escapeHtml(variant)}</td>${numbers.join("")}<td class="number${mark}">${shown}</td>`;
}

/** In words, since colour alone says it to some readers only. */
function outcome({ better }: ComparedMetric, direction: Direction): string {
  if (direction === "unknown") return "too few seeds";
  if (direction === "none") return "no difference";
  return better === undefined ? direction : direction === better ? `${direction}, better` : `${direction}, worse`;
}

function isShown(direction: Direction): boolean {
  return direction === "higher" || direction === "lower";
}

function plotsOf(comparison: Comparison): string {
  return [...comparison.series.map(seriesPlot), overheadPlot(comparison), sizePlot(comparison)].join("\n");
}

function seriesPlot({ key, title, unit, variants }: Series): string {
  const groups = variants.map(({ variant, points }) => ({
    name: variant,
    points: points.map(({ sprint, estimate: { mean, low, high } }) => ({ x: sprint, y: mean, low, high })),
  }));
  const sprints = [...new Set(variants.flatMap(({ points }) => points.map(({ sprint }) => sprint)))].sort(
    (one, two) => one - two,
  );
  const rows = sprints.map((sprint) => [
    String(sprint),
    ...variants.map(({ points }) => meanText(points.find((point) => point.sprint === sprint)?.estimate)),
  ]);
  const caption = "Whole portfolio: mean over the runs, band 95 % confidence interval.";
  const text = { xName: "Sprint", yName: `${title.replace(/ per sprint$/, "")} (${unit} per sprint)` };
  const head = ["Sprint", ...variants.map(({ variant }) => variant)];
  return plot({ title, caption, id: key.replaceAll("_", "-"), ...text }, groups, lineChart, table(title, head, rows));
}

function overheadPlot({ overhead }: Comparison): string {
  const groups = overhead.map(({ variant, estimate }) => ({
    name: variant,
    points: estimate ? [{ x: 0, y: estimate.mean, low: estimate.low, high: estimate.high }] : [],
  }));
  const rows = overhead.map(({ variant, estimate }) => [variant, ...numbersOf(estimate)]);
  const title = "Overhead share";
  const caption =
    "Time that coordination, distribution and check-ins took of the sprints' time: mean over the runs, bar 95 % confidence interval.";
  const text = { xName: "Share of the sprints' time (%)", yName: "Variant" };
  return plot(
    { title, caption, id: "overhead", ...text },
    groups,
    intervalChart,
    table(title, ["Variant", "Mean (%)", "95 % CI"], rows),
  );
}

function sizePlot({ team_sizes, variants }: Comparison): string {
  const groups = variants.map(({ label }) => ({
    name: label,
    points: team_sizes
      .filter(({ variant }) => variant === label)
      .map(({ agents, estimate: { mean, low, high } }) => ({ x: agents, y: mean, low, high })),
  }));
  const rows = team_sizes.map(({ variant, team, agents, estimate }) => [
    variant,
    team,
    String(agents),
    ...numbersOf(estimate),
    String(estimate.n),
  ]);
  const title = "Velocity per agent by team size";
  const caption = "One mark per team and variant, mean over the runs; variants stand side by side within a team size.";
  const text = { xName: "Agents in the team", yName: "Velocity (points per agent, sprint)" };
  const head = ["Variant", "Team", "Agents", "Points per agent and sprint", "95 % CI", "Runs"];
  return plot({ title, caption, id: "team-size", ...text }, groups, scatterChart, table(title, head, rows));
}

interface PlotText extends Omit<ChartText, "label"> {
  readonly title: string;
  readonly caption: string;
}

type Chart = (groups: readonly ChartGroup[], text: ChartText) => string;

function plot(
  { title, caption, ...axes }: PlotText,
  groups: readonly ChartGroup[],
  chart: Chart,
  numbers: string,
): string {
  const drawn = groups.some(({ points }) => points.length > 0);
  if (!drawn) return `<figure><h3>${title}</h3><p class="open">The reports have no numbers for it.</p></figure>`;
  const label = `${title}: ${axes.yName} by ${axes.xName}, of ${groups.map(({ name }) => name).join(", ")}. The numbers follow as a table.`;
  return `<figure><h3>${title}</h3>
${legend(groups, chart === lineChart)}
<div class="scroll">${chart(groups, { ...axes, label })}</div>
<figcaption>${escapeHtml(caption)}</figcaption>
<details><summary>The numbers</summary>${numbers}</details>
</figure>`;
}

function legend(groups: readonly ChartGroup[], withLines: boolean): string {
  const items = groups.map(({ name }, index) => {
    const { colour, dash, outline } = styleOfGroup(index);
    const pattern =
      dash === "solid"
        ? ""
        : ` stroke-dasharray="${dash === "dashed" ? "6 3" : dash === "dotted" ? "2 2" : "8 3 2 3"}"`;
    const line = withLines ? `<path d="M0 6H34" stroke="${colour}" stroke-width="2"${pattern}/>` : "";
    const mark = `<path d="${outline}" fill="${colour}" transform="translate(12.5 1.5) scale(.9)"/>`;
    return `<li><svg width="34" height="12" aria-hidden="true">${line}${mark}</svg>${escapeHtml(name)}</li>`;
  });
  return `<ul class="legend">${items.join("")}</ul>`;
}

function numbersOf(estimate: Estimate | undefined): [string, string] {
  return estimate ? [shortNumber(estimate.mean), intervalText(estimate)] : ["not reported", ""];
}

function meanText(estimate: Estimate | undefined): string {
  const [number, interval] = numbersOf(estimate);
  return interval === "" ? number : `${number} (${interval})`;
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("");
  return `<div class="scroll"><table aria-label="${escapeHtml(title)}"><thead><tr>${head
    .map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`)
    .join("")}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}</tbody></table></div>`;
}
