import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Synthesis, syntheticReport } from "../../../../tests/support/experiment-reports.ts";
import { compareVariants } from "./compare.rules.ts";
import { comparison, questionIds } from "./compare.schema.ts";
import { metrics, type Variant } from "./compare-metrics.rules.ts";
import { contrastVerdict, shortNumber } from "./compare-words.rules.ts";
import { finalReport, readableReport } from "./report.schema.ts";
import { directionOf, estimateMean } from "./stats.rules.ts";

const seeds = (n: number, first = 1) => Array.from({ length: n }, (_, index) => first + index);

function aVariant(label: string, options: Partial<Synthesis> = {}, chosen: readonly number[] = seeds(12)): Variant {
  const runs = chosen.map((seed) => {
    const report = readableReport.parse(syntheticReport({ seed, variant: label, ...options }));
    return { path: `${label}/seed-${seed}/final_report.json`, seed, report };
  });
  return { label, runs };
}

function compare(base: Variant, ...others: Variant[]) {
  const result = compareVariants([base, ...others]);
  expect(() => comparison.parse({ ok: true, problems: [], ...result })).not.toThrow();
  return {
    ...result,
    metric: (key: string) => result.metrics.find(({ metric }) => metric === key),
    question: (id: string) => result.questions.find((question) => question.id === id),
  };
}

describe("reports", () => {
  test("what a run writes is what a comparison reads", () => {
    const written = syntheticReport({ seed: 3, variant: "coordinated", loans: 0.5 });
    expect(finalReport.parse(written)).toEqual(written);
    expect(readableReport.safeParse(written).success).toBe(true);
  });

  test("the seed's own sample has enough (OU-02): totals 34 and 13", () => {
    const sample = readableReport.parse({
      experiment: "multi-team-demo",
      mode: "multi_team",
      teams: {
        "checkout-stream": { total_sprints: 3, avg_velocity: 7.0, total_features: 8 },
        "platform-team": { total_sprints: 3, avg_velocity: 4.3, total_features: 5 },
      },
      portfolio: { total_sprints: 3, total_velocity: 34, total_features: 13, num_teams: 2 },
      overhead_budget: { total_budget_seconds: 2160, spent_seconds: 45.3, remaining_seconds: 2114.7, num_steps: 6 },
    });
    const value = (key: string) => metrics.find((metric) => metric.key === key)?.of(sample);
    expect(value("total_velocity")).toBe(34);
    expect(value("features")).toBe(13);
    expect(value("velocity_per_sprint")).toBeCloseTo(34 / 3, 10);
    expect(value("overhead_budget_used")).toBeCloseTo(2.097, 3);
    for (const key of ["velocity_per_capita", "blocked_minutes", "loans", "overhead_share"])
      expect(value(key)).toBeUndefined();
  });
});

describe("differences between variants (OU-04, EX-04)", () => {
  const independent = aVariant("independent", { coordination: false });

  test("an effect that is there is found, at its size", () => {
    const { metric } = compare(independent, aVariant("coordinated", { gain: 2, loans: 0.4 }));
    const [velocity] = metric("velocity_per_sprint")?.differences ?? [];
    expect(velocity?.direction).toBe("higher");
    expect(velocity?.estimate?.n).toBe(12);
    expect(Math.abs((velocity?.estimate?.mean ?? 0) - 4)).toBeLessThan(1); // two teams, two points each
    expect(velocity?.verdict).toMatch(/^Velocity per sprint is higher by .* in coordinated than in independent \(/);
    expect(metric("loans")?.differences[0]?.direction).toBe("higher");
    expect(metric("loans")?.better).toBeUndefined();
    expect(metric("overhead_share")?.means.map(({ estimate }) => estimate?.mean !== 0)).toEqual([false, true]);
  });

  test("an effect that is not there is claimed in about one of twenty trials", () => {
    const trials = 200;
    let claimed = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const chosen = seeds(8, 1000 + trial * 8);
      const one = aVariant("one", { sprints: 4, coordination: false }, chosen);
      const other = aVariant("other", { sprints: 4 }, chosen);
      const { metric } = compare(one, other);
      const direction = metric("total_velocity")?.differences[0]?.direction;
      if (direction === "higher" || direction === "lower") claimed += 1;
    }
    expect(claimed).toBeGreaterThan(trials * 0.01);
    expect(claimed).toBeLessThan(trials * 0.11);
  });

  test("luck that both runs of a seed share does not hide the difference", () => {
    const { metric } = compare(independent, aVariant("coordinated", { gain: 0.5 }));
    const velocity = metric("total_velocity");
    const [base] = velocity?.means ?? [];
    const [difference] = velocity?.differences ?? [];
    expect(difference?.estimate?.sd ?? 1e9).toBeLessThan((base?.estimate?.sd ?? 0) / 2);
  });

  test("one seed gives numbers and no interval", () => {
    const { metric, question } = compare(
      aVariant("a", { coordination: false }, [5]),
      aVariant("b", { gain: 3, loans: 1 }, [5]),
    );
    const [difference] = metric("total_velocity")?.differences ?? [];
    expect(difference?.direction).toBe("unknown");
    expect(difference?.estimate).not.toHaveProperty("low");
    expect(difference?.verdict).toContain("too few seeds for an interval");
    for (const id of questionIds)
      for (const answer of question(id)?.answers ?? []) {
        expect(answer.direction).toBe("unknown");
        expect(answer.verdict).not.toMatch(/ is (higher|lower) by |rises|falls/);
      }
  });

  test("seeds that both have are compared, and it is said", () => {
    const result = compare(aVariant("a", {}, [1, 2, 3, 4]), aVariant("b", {}, [3, 4, 5]));
    expect(result.metric("features")?.differences[0]?.estimate?.n).toBe(2);
    expect(result.notes).toEqual(["b and a have 2 seeds in common of 4; differences rest on those."]);
    const none = compare(aVariant("a", {}, [1, 2]), aVariant("b", {}, [3, 4]));
    expect(none.notes).toEqual(["b and a have no seed in common: their runs are not compared."]);
    expect(none.metric("features")?.differences[0]).toMatchObject({ direction: "unknown" });
    expect(none.metric("features")?.differences[0]).not.toHaveProperty("estimate");
  });

  test("runs without a seed, twice the same seed and other lengths are said too", () => {
    const [first, second] = aVariant("b", {}, [1, 2]).runs;
    if (!first || !second) throw new Error("no runs");
    const odd = { label: "b", runs: [first, { ...first, path: "again" }, { ...second, seed: undefined }] };
    expect(compare(aVariant("a", { sprints: 5 }, [1, 2]), odd).notes).toEqual([
      "b: 1 run without a seed has no pair.",
      "b: of runs with the same seed the first alone is paired (1 left out).",
      "b and a have 1 seed in common of 2; differences rest on that one.",
      "The runs have 5 to 10 sprints: totals of different length are not alike, per-sprint numbers are.",
    ]);
  });

  test("reports that contradict themselves are told of, and names hold no control characters (OU-02, OU-04)", () => {
    const [run] = aVariant("b", {}, [1]).runs;
    if (!run) throw new Error("no run");
    const { portfolio, teams } = run.report;
    const [[id, team] = ["", undefined], ...rest] = Object.entries(teams);
    if (!team) throw new Error("no team");
    const notesOf = (report: object) =>
      compare(aVariant("a", {}, [1]), { label: "b", runs: [{ ...run, report: readableReport.parse(report) }] }).notes;
    expect(notesOf(run.report)).toEqual([]);
    const wrong = { ...portfolio, num_teams: 3, total_velocity: 1e9, total_features: 0 };
    expect(notesOf({ ...run.report, portfolio: wrong }).join()).toMatch(
      /^b: reports contradict themselves: seed 1: 3 teams are told and 2 are there; seed 1: 0 features in all, \d+ by teams; seed 1: 1000000000 points in all, \d+ by teams\.$/,
    );
    const short = { ...team, sprints: team.sprints?.slice(1) };
    expect(notesOf({ ...run.report, teams: { ...Object.fromEntries(rest), [id]: short } }).join()).toContain(
      "1 team with sprints missing or too many",
    );
    const named = { ...run.report, teams: { "web\u202e\u001b[31m": team } };
    const found = compare({ label: "b", runs: [{ ...run, report: readableReport.parse(named) }] });
    for (const unwanted of ["\u202e", "\u001b"]) expect(found.team_sizes[0]?.team).not.toContain(unwanted);
  });

  test("of metrics only those asked for", () => {
    const result = compareVariants([independent], ["loans", "features"]);
    expect(result.metrics.map(({ metric }) => metric)).toEqual(["features", "loans"]);
    expect(result.overhead).toHaveLength(1);
  });
});

describe("the six questions (EX-04, ME-05)", () => {
  const sized = {
    stream: { agents: 3, type: "stream_aligned" },
    platform: { agents: 6, type: "platform" },
    search: { agents: 9, type: "stream_aligned" },
  };

  test("known effects are found", () => {
    const { question } = compare(
      aVariant("independent", { coordination: false, minutesPerDependency: 15 }),
      aVariant("coordinated", { gain: 2, loans: 0.5, loanCost: 4, minutesPerDependency: 15 }),
      aVariant("observer", { minutesPerDependency: 15 }),
    );
    expect(question("coordination")?.answers.map(({ direction }) => direction)).toEqual(["higher", "none"]);
    const [lenders] = question("borrowing_cost")?.answers ?? [];
    expect(lenders).toMatchObject({ direction: "lower" });
    expect(Math.abs((lenders?.estimate?.mean ?? 0) + 4)).toBeLessThan(1);
    expect(question("borrowing_cost")?.answers.every(({ about }) => about === "coordinated")).toBe(true);
    expect(question("dependencies")?.answers.map(({ direction }) => direction)).toEqual(["higher", "higher", "higher"]);
    const borrowing = question("coordinated_borrowing")?.answers ?? [];
    expect(borrowing.map(({ about }) => about)).toEqual([
      "coordinated − independent",
      "coordinated − independent",
      "coordinated − observer",
      "coordinated − observer",
    ]);
    expect(borrowing[2]).toMatchObject({ direction: "higher", unit: "points" });
  });

  test("coordination is told of variants alone that differ in nothing else (EX-03, EX-04)", () => {
    const six = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((id) => [id, { agents: 5, type: "platform" }]));
    const { question, notes } = compare(
      aVariant("independent", { coordination: false }),
      aVariant("coordinated", { loans: 0.5 }),
      aVariant("scale", { teams: six, loans: 0.5 }),
    );
    const told = ["coordination", "coordinated_borrowing"].map((id) => question(id));
    for (const found of told) {
      expect(new Set(found?.answers.map(({ about }) => about))).toEqual(new Set(["coordinated − independent"]));
      expect(found?.unanswered).toContain("without coordination nothing was run with the teams");
      expect(found?.unanswered).toContain("of scale.");
    }
    expect(notes.join()).toContain("scale: other teams, practices or stories than independent");
    const withSetup = (label: string, setup: string, options: Partial<Synthesis>): Variant => {
      const { runs } = aVariant(label, options);
      return { label, runs: runs.map((run) => ({ ...run, report: { ...run.report, setup } })) };
    };
    const stressed = compare(
      withSetup("independent", "1f", { coordination: false }),
      withSetup("stress", "2e", { gain: 3 }),
      withSetup("alone", "2e", { coordination: false }),
    );
    expect(stressed.question("coordination")?.answers.map(({ about }) => about)).toEqual(["stress − alone"]);
    expect(stressed.question("coordination")?.unanswered).toBeUndefined();
  });

  test("effects that are not there are not", () => {
    const { question } = compare(
      aVariant("independent", { coordination: false }),
      aVariant("coordinated", { loans: 0.5 }),
    );
    expect(question("coordination")?.answers.map(({ direction }) => direction)).toEqual(["none"]);
    expect(question("dependencies")?.answers.map(({ direction }) => direction)).toEqual(["none", "none"]);
    expect(question("borrowing_cost")?.answers.map(({ direction }) => direction)).toEqual(["none", "none"]);
  });

  test("team types and sizes", () => {
    const { question, team_sizes: points } = compare(aVariant("a", { teams: sized, crowding: 0.2 }));
    expect(question("team_size")?.answers).toMatchObject([{ direction: "lower", unit: "r" }]);
    expect(question("team_types")?.answers.map(({ unit }) => unit)).toEqual(["points", "minutes"]);
    expect(points.map(({ team, agents }) => [team, agents])).toEqual([
      ["stream", 3],
      ["platform", 6],
      ["search", 9],
    ]);
  });

  test("size is told within a variant, and over variants only where none has three sizes", () => {
    const two = (agents: number) => ({ stream: sized.stream, platform: { agents, type: "platform" } });
    const [small, large] = [6, 9].map((agents) => aVariant(`with ${agents}`, { teams: two(agents), crowding: 0.2 }));
    const told = (...variants: Variant[]) =>
      compare(...(variants as [Variant, ...Variant[]]))
        .question("team_size")
        ?.answers.map(({ about, direction }) => [about, direction]);
    if (!small || !large) throw new Error("two variants");
    expect(told(small, large)).toEqual([["all variants", "lower"]]);
    expect(told(small, aVariant("a", { teams: sized, crowding: 0.2 }), large)).toEqual([["a", "lower"]]);
  });

  test("two sizes are two teams: nothing is said of size", () => {
    const { question } = compare(aVariant("a", { crowding: 0.3 }), aVariant("b", { crowding: 0.3 }));
    expect(question("team_size")?.answers).toEqual([]);
    expect(question("team_size")?.unanswered).toContain("three sizes");
  });

  test("what cannot be answered says why", () => {
    const { questions } = compare(aVariant("alone", { teams: { only: { agents: 4, type: "platform" } } }));
    expect(questions.map(({ id }) => id)).toEqual([...questionIds]);
    for (const id of ["coordination", "borrowing_cost", "team_types", "coordinated_borrowing", "team_size"])
      expect(questions.find((question) => question.id === id)).toMatchObject({
        answers: [],
        unanswered: expect.stringMatching(/^Not answered in full: .+\.$/),
      });
  });
});

describe("what is said follows from the numbers", () => {
  const values = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 12 });

  test("higher and lower are said of intervals without zero alone", () => {
    fc.assert(
      fc.property(values, (sample) => {
        const estimate = estimateMean(sample);
        const verdict = contrastVerdict({ what: "Velocity", one: "b", other: "a", unit: "points" }, estimate);
        const claim = / is (higher|lower) by /.exec(verdict)?.[1] ?? "none";
        const { low = -1, high = 1 } = estimate ?? {};
        expect(claim).toBe(low > 0 ? "higher" : high < 0 ? "lower" : "none");
        expect(verdict.includes("too few seeds")).toBe(sample.length < 2);
        if (sample.length > 1) expect(verdict).toContain(`n = ${sample.length}`);
        if (claim !== "none") expect(verdict).toContain(` by ${shortNumber(Math.abs(estimate?.mean ?? 0))} point`);
        expect(["none", "unknown"].includes(directionOf(estimate))).toBe(claim === "none");
      }),
    );
  });

  test("numbers keep three digits and never turn a difference into none", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), (value) => {
        const shown = Number(shortNumber(value));
        expect(Math.sign(shown) + 0).toBe(Math.sign(value) + 0);
        expect(Math.abs(shown - value)).toBeLessThanOrEqual(Math.abs(value) * 0.0051);
      }),
    );
  });
});
