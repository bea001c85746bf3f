import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type MetricSpec, metricCatalogue } from "../mcp-server/src/features/metrics/catalogue.rules.ts";

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets: readonly { readonly expr: string }[];
}

const file = join(import.meta.dirname, "../examples/grafana/teamwright.json");
const dashboard = JSON.parse(readFileSync(file, "utf8")) as {
  panels: Panel[];
  templating: { list: { name: string; query: unknown }[] };
};
const expressions = dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => expr));
const catalogue: Readonly<Record<string, MetricSpec>> = metricCatalogue;

/** Metrics an expression names, a histogram by the name of its family. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\b(?:sprint_velocity|teamwright_[a-z_]+)\b/g)].map(([name]) => {
    const family = name.replace(/_(?:bucket|sum|count)$/, "");
    return catalogue[family]?.type === "histogram" ? family : name;
  });
}

test("names, types and labels follow Prometheus' conventions, and teams are labelled team_id (C-09, ME-04)", () => {
  for (const [name, { type, help, labels }] of Object.entries(catalogue)) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|hours|days|count|sum|bucket)(?:_total)?$/);
    if (/_(?:time|age|remaining|budget)_/.test(name)) expect(name).toMatch(/_seconds(?:_total)?$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
    expect(labels.filter((label) => !/^[a-z][a-z_]*$/.test(label) || ["le", "quantile"].includes(label))).toEqual([]);
    expect(labels.filter((label) => /team/.test(label) && !label.endsWith("team_id"))).toEqual([]);
  }
});

test("the dashboard shows metrics that are exported, all of them, and those of teams by team_id (ME-04, C-09)", () => {
  const text = [...expressions, JSON.stringify(dashboard.templating)].join("\n");
  const named = new Set(namesIn(text));
  expect([...named].filter((name) => !(name in catalogue))).toEqual([]);
  expect(Object.keys(catalogue).filter((name) => !named.has(name))).toEqual([]);
  for (const expr of expressions)
    for (const [whole, name = ""] of expr.matchAll(/\b((?:sprint_velocity|teamwright)[a-z_]*)(?:\{[^}]*\})?/g))
      if (catalogue[namesIn(name)[0] ?? ""]?.labels.includes("team_id")) expect(whole).toMatch(/team_id=~"\$team\|?"/);
  for (const expr of expressions)
    for (const name of namesIn(expr)) {
      const known = [...(catalogue[name]?.labels ?? []), "le"];
      const used = [...expr.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label);
      expect([expr, used.filter((label) => !known.includes(label))]).toEqual([expr, []]);
    }
});

test("its panels have ids of their own and lie beside each other", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
    Array.from({ length: h * w }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

/** Debian's prometheus package has it; CI installs that. */
const isPromtoolWanted = spawnSync("promtool", ["--version"]).status === 0 || process.env.CI !== undefined;

test.runIf(isPromtoolWanted)("its expressions are PromQL", () => {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-dashboard-"));
  const rules = expressions.map((expr, index) => ({
    record: `panel_${index}`,
    expr: expr.replaceAll("$team", ".*").replaceAll("$__rate_interval", "5m"),
  }));
  writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: [{ name: "panels", rules }] }));
  try {
    const told = execFileSync("promtool", ["check", "rules", join(folder, "rules.json")], { encoding: "utf8" });
    expect(told).toContain(`${rules.length} rules found`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
