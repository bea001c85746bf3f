/** The page about metrics: every exported name, and every number of the reports with its formula. */
import { metricCatalogue } from "../mcp-server/src/features/metrics/catalogue.rules.ts";
import { type Formula, flowFormulas, portfolioFormulas } from "../mcp-server/src/features/metrics/formulas.rules.ts";
import { measures } from "../mcp-server/src/features/metrics/performance.rules.ts";

export function metricsPage(note: string): string {
  const exported = Object.entries(metricCatalogue).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    help,
  ]);
  return `${[
    "# Metrics",
    "",
    note,
    "",
    "All of them are counted from the store when they are asked for. No agent reports a number of its own work.",
    "",
    "```sh",
    "teamwright metrics team web --from 2026-11-01 --to 2026-11-30 --explain",
    "teamwright metrics portfolio              # teams beside each other",
    "teamwright metrics flow --period week     # throughput, times, queue, use",
    "teamwright metrics export --output teamwright.prom",
    "teamwright metrics serve --port 9464      # http://127.0.0.1:9464/metrics",
    "```",
    "",
    "Each takes `--json`, and the first three `--explain`; that of a team also names the tasks, needs and questions that cost it something. Days and weeks are UTC; weeks begin on Monday. A number that has too little data is null, and a dash in the terminal.",
    "",
    "## Performance of a team",
    "",
    "A score is a reason to look, not a verdict: it is only as good as the counts beside it.",
    "",
    table(
      ["Measure", "Unit", "Range", "Formula", "Null when"],
      measures.map((each) => [`\`${each.name}\``, each.unit, each.range, each.formula, each.least]),
    ),
    "",
    ...measures.map(({ name, source }) => `- \`${name}\`: ${source}`),
    "",
    "## Flow",
    "",
    formulas(flowFormulas),
    "",
    "## Portfolio",
    "",
    formulas(portfolioFormulas),
    "",
    "## For Prometheus",
    "",
    "`metrics serve` answers `GET /metrics` on this machine's own address, in the text format 0.0.4, until it is interrupted; requests with another Host are refused. `metrics export --output` replaces a file as a whole, for node_exporter's textfile collector.",
    "",
    "```yaml",
    "scrape_configs:",
    "  - job_name: teamwright",
    "    static_configs: [{ targets: ['127.0.0.1:9464'] }]",
    "```",
    "",
    "[examples/grafana/teamwright.json](../examples/grafana/teamwright.json) is a dashboard of these for Grafana, filtered by `team_id`. Metrics without a `team_id` are the whole project's. Counters and histograms are counted in the store, so that they go on after a restart. What a task was blocked, reviewed and checked stays with the team it was in at that time, whichever it moves to.",
    "",
    table(["Name", "Type", "Labels", "Meaning"], exported),
  ].join("\n")}\n`;
}

function formulas(list: readonly Formula[]): string {
  return table(
    ["Number", "Unit", "Formula"],
    list.map(({ name, unit, formula }) => [`\`${name}\``, unit, formula]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
