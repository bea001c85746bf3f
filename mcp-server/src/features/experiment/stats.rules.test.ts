import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  correlate,
  directionOf,
  estimateCorrelation,
  estimateDifference,
  estimateMean,
  studentCdf,
  studentQuantile,
} from "./stats.rules.ts";

describe("Student's t", () => {
  // the table every textbook prints (two-sided 95 % and 99 %)
  test.each([
    [0.975, 1, 12.706],
    [0.975, 2, 4.303],
    [0.975, 3, 3.182],
    [0.975, 4, 2.776],
    [0.975, 5, 2.571],
    [0.975, 9, 2.262],
    [0.975, 10, 2.228],
    [0.975, 19, 2.093],
    [0.975, 29, 2.045],
    [0.975, 30, 2.042],
    [0.975, 60, 2.0],
    [0.975, 120, 1.98],
    [0.975, 1_000_000, 1.96],
    [0.995, 1, 63.657],
    [0.995, 4, 4.604],
    [0.995, 10, 3.169],
    [0.95, 1, 6.314],
    [0.95, 10, 1.812],
    [0.9, 30, 1.31],
  ])("the quantile of %d with %d degrees of freedom is %d", (p, df, published) => {
    expect(studentQuantile(p, df)).toBeCloseTo(published, 3);
  });

  test("one degree of freedom is the Cauchy distribution, two have a closed form", () => {
    for (const t of [-40, -3, -0.2, 0, 0.7, 5, 300]) {
      expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 10);
      expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 10);
    }
  });

  test("quantile and distribution undo each other, and are symmetric", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 500 }), (p, df) => {
        expect(studentCdf(studentQuantile(p, df), df)).toBeCloseTo(p, 8);
        expect(studentQuantile(1 - p, df)).toBeCloseTo(-studentQuantile(p, df), 6);
      }),
    );
  });

  test("nonsense is no number", () => {
    for (const [p, df] of [
      [0, 5],
      [1, 5],
      [Number.NaN, 5],
      [0.5, 0],
    ] as const)
      expect(studentQuantile(p, df)).toBeNaN();
  });
});

describe("means and paired differences", () => {
  /** Student's own example: extra sleep of ten patients under two drugs (Biometrika 1908); R: t.test(paired = TRUE). */
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

  test("Student's sleep data: mean 1.58, interval 0.70 to 2.46, dz 1.285", () => {
    const estimate = estimateDifference(first, second);
    expect(estimate?.n).toBe(10);
    expect(estimate?.mean).toBeCloseTo(1.58, 10);
    expect(estimate?.low).toBeCloseTo(0.7001142, 6);
    expect(estimate?.high).toBeCloseTo(2.4598858, 6);
    expect(estimate?.effect).toBeCloseTo(1.2846, 3); // t 4.0621 over the root of 10
    expect(directionOf(estimate)).toBe("higher");
    expect(directionOf(estimateDifference(second, first))).toBe("lower");
  });

  test("one value has no interval, none no mean", () => {
    expect(estimateMean([4])).toEqual({ n: 1, mean: 4 });
    expect(directionOf(estimateMean([4]))).toBe("unknown");
    expect(estimateMean([])).toBeUndefined();
    expect(directionOf(undefined)).toBe("unknown");
  });

  test("equal differences have an interval without width and no effect size", () => {
    expect(estimateDifference([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])).toMatchObject({ n: 3, sd: 0 });
    expect(directionOf(estimateDifference([1, 2], [1, 2]))).toBe("none");
    expect(estimateDifference([1, 2], [2, 3])).toEqual({ n: 2, mean: 1, sd: 0, low: 1, high: 1 });
  });

  test("shifting moves the interval, scaling stretches it, the effect stays", () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 }), (sample, shift, scale) => {
        const plain = estimateMean(sample);
        const moved = estimateMean(sample.map((value) => value * scale + shift));
        expect(moved?.low).toBeCloseTo((plain?.low ?? 0) * scale + shift, 6);
        expect(moved?.high).toBeCloseTo((plain?.high ?? 0) * scale + shift, 6);
        expect(estimateMean(sample.map((value) => value * scale))?.effect ?? 0).toBeCloseTo(plain?.effect ?? 0, 6);
      }),
    );
  });
});

describe("correlations", () => {
  test("Anscombe's first set: r 0.816", () => {
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    expect(correlate(x.map((value, index) => [value, y[index] ?? 0]))).toBeCloseTo(0.81642, 4);
  });

  test("two points, or a value that never changes, have none", () => {
    expect(
      correlate([
        [1, 1],
        [2, 3],
      ]),
    ).toBeUndefined();
    expect(
      correlate([
        [1, 5],
        [2, 5],
        [3, 5],
      ]),
    ).toBeUndefined();
  });

  test("runs count, not points: one run has no interval, several have one within -1 and 1", () => {
    const run = (noise: number): [number, number][] => [
      [1, 1],
      [2, 2 + noise],
      [3, 3 - noise],
      [4, 4],
    ];
    expect(estimateCorrelation([run(0.1)])).toMatchObject({ n: 1 });
    expect(estimateCorrelation([run(0.1)])).not.toHaveProperty("low");
    const several = estimateCorrelation([run(0.1), run(0.4), run(0.9), run(0)]);
    expect(several?.n).toBe(4);
    expect(several?.low).toBeLessThan(several?.mean ?? 0);
    expect(several?.high).toBeLessThanOrEqual(1);
    expect(estimateCorrelation([[], [[1, 1]]])).toBeUndefined();
  });
});
