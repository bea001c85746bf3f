import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, test } from "vitest";
import { type Synthesis, syntheticReport } from "../../../../tests/support/experiment-reports.ts";
import { plainView, visibleLength } from "../../kernel/view.ts";
import { compareVariants } from "./compare.rules.ts";
import type { Comparison } from "./compare.schema.ts";
import { renderComparison } from "./compare.view.ts";
import { escapeHtml } from "./compare-chart.view.ts";
import type { Variant } from "./compare-metrics.rules.ts";
import { comparisonPage } from "./compare-page.view.ts";
import { readableReport } from "./report.schema.ts";
import { correlate } from "./stats.rules.ts";

const hostile = [
  "</script><script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  `' onload='alert(1)`,
  "</text></svg><style>*{display:none}</style>",
  "]]><!-- &lt; & &amp;",
  "{a|b} \\u003c <b>",
  "__proto__",
  "constructor",
];

function aVariant(label: string, options: Partial<Synthesis> = {}, seeds = 5): Variant {
  const runs = Array.from({ length: seeds }, (_, index) => {
    const report = readableReport.parse(syntheticReport({ seed: index + 1, variant: label, ...options }));
    return { path: `${label}/${index}`, seed: index + 1, report };
  });
  return { label, runs };
}

function compared(base: Variant, ...others: Variant[]): Comparison {
  return { ok: true, problems: [], ...compareVariants([base, ...others]) };
}

const usual = compared(
  aVariant("independent", { coordination: false }),
  aVariant("coordinated", { gain: 2, loans: 0.5, loanCost: 3 }),
);

const usualPage = comparisonPage(usual);

/** What stands between tags, entities resolved. */
function textOf(html: string): string {
  const entities: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return html.replace(/<[^>]*>/g, "").replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity);
}

function drawings(page: string): string[] {
  return [...page.matchAll(/<svg role="img"[\s\S]*?<\/svg>/g)].map(([svg]) => svg);
}

describe("the page loads nothing and runs nothing", () => {
  test("no scripts, no addresses, no handlers, in the usual and in a hostile case", () => {
    const teams = Object.fromEntries(hostile.map((name, index) => [name, { agents: index + 2, type: "platform" }]));
    const [first = "", ...others] = hostile;
    const bad = compared(aVariant(first, { teams, loans: 0.5 }), ...others.map((name) => aVariant(name, { teams })));
    bad.notes.push(...hostile);
    bad.problems.push(...hostile);
    const badPage = comparisonPage(bad);
    for (const page of [usualPage, badPage]) {
      const tags = new Set([...page.matchAll(/<([a-zA-Z!]+)/g)].map(([, name]) => name?.toLowerCase()));
      for (const name of ["script", "img", "iframe", "object", "embed", "link", "base", "a", "image", "foreignobject"])
        expect(tags).not.toContain(name);
      expect([...page.matchAll(/<style/g)]).toHaveLength(1);
      const unquoted = page.replaceAll(/="[^"]*"/g, '=""');
      expect(unquoted.match(/<[^>]*\s(?:on\w+|src|href|xlink:href|action)\s*=/g)).toBeNull();
      expect(page.replaceAll(/xmlns(?::\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|url\((?!#)|@import/);
      expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    }
    const text = textOf(badPage);
    for (const name of hostile) expect(text).toContain(name);
  });

  test("names of what every object has change no object", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const teams = Object.fromEntries(names.map((name, index) => [name, { agents: index + 2, type: "platform" }]));
    const [base, ...others] = names.map((name) => aVariant(name, { teams }));
    if (!base) throw new Error("no variant");
    const page = comparisonPage(compared(base, ...others));
    expect(Object.keys(Object.prototype)).toEqual([]);
    for (const name of names) expect(textOf(page)).toContain(name);
  });

  test("drawings are well-formed and tell what they show", () => {
    const svgs = drawings(usualPage);
    expect(svgs).toHaveLength(5);
    for (const svg of svgs) {
      const parser = new SaxesParser({ xmlns: true });
      parser.on("error", (error) => {
        throw error;
      });
      parser.write(svg).close();
      expect(svg).toMatch(/aria-label="[^"]+ by [^"]+The numbers follow as a table\."/);
    }
    const axes = svgs.map(textOf).join(" ");
    for (const name of ["Sprint", "Velocity (points per sprint)", "Time blocked (minutes per sprint)"])
      expect(axes).toContain(name);
    for (const name of ["Loans begun (loans per sprint)", "Share of the sprints' time (%)", "Agents in the team"])
      expect(axes).toContain(name);
    const ids = [...usualPage.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("as many policies as there are examples are told apart without colour, lines or names", () => {
    const [base, ...others] = Array.from({ length: 7 }, (_, index) => aVariant(`policy-${index}`, {}, 2));
    if (!base) throw new Error("seven variants");
    const page = comparisonPage(compared(base, ...others));
    const legends = page.match(/<ul class="legend">.*?<\/ul>/gs) ?? [];
    const marks = legends.map((legend) => new Set(legend.match(/<path d="[^"]+" fill=/g)).size);
    expect([...new Set(marks)]).toEqual([7]);
    for (const mark of ["M3.5 0H6.5", "M0 0H10L5 5"]) expect(page).toContain(mark);
  });

  test("the same comparison gives the same bytes", () => {
    expect(comparisonPage(usual)).toBe(usualPage);
  });
});

describe("the page claims what its numbers show", () => {
  /** A sentence may claim a difference only when the interval it prints leaves out zero. */
  function unfoundedClaims(text: string): string[] {
    return text.split("\n").filter((line) => {
      const claim = /is (higher|lower) by|(rises|falls) as/.exec(line);
      if (!claim) return false;
      const [, low, high] = /95 % CI ([+-]?[\d.e-]+) to ([+-]?[\d.e-]+)/.exec(line) ?? [];
      if (low === undefined || high === undefined) return true;
      const isUp = claim[1] === "higher" || claim[2] === "rises";
      return isUp ? !(Number(low) > 0) : !(Number(high) < 0);
    });
  }

  test("in every sentence, whatever the effect and the number of seeds", () => {
    const options = { gain: fc.integer({ min: -2, max: 2 }), loans: fc.constantFrom(0, 0.5) };
    fc.assert(
      fc.property(fc.record(options), fc.integer({ min: 1, max: 6 }), (effect, seeds) => {
        const comparison = compared(
          aVariant("independent", { coordination: false, sprints: 4 }, seeds),
          aVariant("coordinated", { ...effect, sprints: 4 }, 4),
        );
        const page = comparisonPage(comparison);
        const said = textOf(page.replaceAll("</li>", "\n"));
        expect(unfoundedClaims(said)).toEqual([]);
        const answers = comparison.questions.flatMap((question) => question.answers);
        for (const { verdict } of answers) expect(said).toContain(verdict);
        const claims = answers.filter(({ direction }) => direction === "higher" || direction === "lower");
        expect(said.match(/is (?:higher|lower) by|(?:rises|falls) as/g) ?? []).toHaveLength(claims.length);
      }),
      { numRuns: 15 },
    );
  });

  test("the table beside a plot has the numbers that are drawn", () => {
    const page = usualPage;
    const [velocity] = usual.series;
    const figure = /<figure><h3>Velocity per sprint<\/h3>[\s\S]*?<\/figure>/.exec(page)?.[0] ?? "";
    for (const [index, { points }] of (velocity?.variants ?? []).entries()) {
      const path = new RegExp(`<path d="(M[^"A-KZ]+)"[^>]*stroke="var\\(--series-${index + 1}\\)"`).exec(figure)?.[1];
      const drawn = [...(path ?? "").matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, , y]) => Number(y));
      expect(drawn).toHaveLength(points.length);
      const pairs = points.map(({ estimate }, at) => [estimate.mean, drawn[at] ?? 0] as const);
      expect(correlate(pairs)).toBeLessThan(-0.9999);
      for (const { estimate } of points)
        expect(textOf(figure)).toContain(estimate.mean >= 100 ? "" : String(Number(estimate.mean.toPrecision(3))));
    }
  });

  test("without numbers a plot says so", () => {
    const totals = { total_sprints: 3, avg_velocity: 7, total_features: 8 };
    const portfolio = { total_sprints: 3, total_velocity: 21, total_features: 8, num_teams: 1 };
    const report = readableReport.parse({ teams: { alpha: totals }, portfolio });
    const page = comparisonPage(compared({ label: "bare", runs: [{ path: "x", seed: undefined, report }] }));
    expect(drawings(page)).toHaveLength(0);
    expect(page.match(/The reports have no numbers for it\./g)).toHaveLength(5);
    expect(page).toContain("not reported");
  });

  test("a hundred sprints of seven teams and five variants are one page of moderate size", () => {
    const teams = Object.fromEntries(
      [2, 3, 4, 5, 6, 7, 8].map((agents) => [`t${agents}`, { agents, type: "platform" }]),
    );
    const variants = ["a", "b", "c", "d", "e"].map((label) => aVariant(label, { teams, sprints: 100 }, 3));
    const [base, ...others] = variants;
    if (!base) throw new Error("no variant");
    const page = comparisonPage(compared(base, ...others));
    expect(page.length).toBeLessThan(600_000);
    expect(drawings(page)).toHaveLength(5);
  });
});

describe("the terminal", () => {
  test.each([40, 60, 80, 100, 160])("fits %d columns", (width) => {
    const lines = renderComparison(usual, plainView(0, width)).split("\n");
    expect(lines.filter((line) => visibleLength(line) > width)).toEqual([]);
    expect(lines.join(" ").replaceAll(/\s+/g, " ")).toContain("Does cross-team coordination improve total portfolio");
  });

  test("says the same sentences as the page", () => {
    const text = renderComparison(usual, plainView(0, 4000));
    for (const { answers } of usual.questions)
      for (const { verdict } of answers) {
        expect(text).toContain(verdict);
        expect(textOf(usualPage)).toContain(verdict);
      }
  });

  test("text for pages is escaped in elements and attributes", () => {
    expect(escapeHtml(`<a href="x">'&'</a>`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  });
});
