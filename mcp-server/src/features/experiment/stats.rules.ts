import { gammaln, mean, sampleCorrelation, sampleStandardDeviation } from "simple-statistics";

/** All intervals are two-sided at this level. */
export const CONFIDENCE = 0.95;

/** A mean with what is known of its accuracy. Too few values leave `low`, `high` and `effect` out. */
export interface Estimate {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; absent below two values. */
  readonly sd?: number | undefined;
  /** Ends of the confidence interval; absent below two values. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Mean over standard deviation: Cohen's dz when the values are paired differences. Absent without spread. */
  readonly effect?: number | undefined;
}

export type Direction = "higher" | "lower" | "none" | "unknown";

/** Student's t distribution: the chance of a value at most `t` with `df` degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  const beyond = incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2;
  return t > 0 ? 1 - beyond : beyond;
}

/** Quantile of Student's t for `p` in (0, 1), by bisection, to a relative 1e-12. */
export function studentQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1) || !(df > 0)) return Number.NaN;
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, df);
  let high = 1;
  while (studentCdf(high, df) < p && high < 1e12) high *= 2;
  let low = high === 1 ? 0 : high / 2;
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentCdf(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Mean of independent values with its t interval. Undefined for no values. */
export function estimateMean(values: readonly number[]): Estimate | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  const average = mean([...values]);
  if (n === 1) return { n, mean: average };
  const sd = spreadOf(values);
  const half = (criticalT(n - 1) * sd) / Math.sqrt(n);
  return {
    n,
    mean: average,
    sd,
    low: average - half,
    high: average + half,
    ...(sd > 0 ? { effect: average / sd } : {}),
  };
}

/** Estimate of `other − base`, values of one index belonging together. */
export function estimateDifference(base: readonly number[], other: readonly number[]): Estimate | undefined {
  return estimateMean(other.slice(0, base.length).map((value, index) => value - (base[index] ?? 0)));
}

/** Pearson's r; undefined below three points, or when one of the two never changes. */
export function correlate(points: readonly (readonly [number, number])[]): number | undefined {
  if (points.length < 3) return undefined;
  const x = points.map(([first]) => first);
  const y = points.map(([, second]) => second);
  if (spreadOf(x) === 0 || spreadOf(y) === 0) return undefined;
  return Math.max(-1, Math.min(1, sampleCorrelation(x, y)));
}

/**
 * Mean correlation over groups that are independent of each other (runs), by Fisher's z: the points within a run are
 * not independent, so the number of runs decides about the interval. `mean`, `low` and `high` are correlations.
 */
export function estimateCorrelation(groups: readonly (readonly (readonly [number, number])[])[]): Estimate | undefined {
  const each = groups.map(correlate).filter((r) => r !== undefined);
  const { n, mean: z, low, high } = estimateMean(each.map(toZ)) ?? { n: 0, mean: 0 };
  if (n === 0) return undefined;
  if (low === undefined || high === undefined) return { n, mean: each[0] ?? 0 };
  return { n, mean: Math.tanh(z), low: Math.tanh(low), high: Math.tanh(high) };
}

/** What an estimate shows about being above or below zero; only an interval without zero shows something. */
export function directionOf(estimate: Estimate | undefined): Direction {
  if (estimate?.low === undefined || estimate.high === undefined) return "unknown";
  if (estimate.low > 0) return "higher";
  return estimate.high < 0 ? "lower" : "none";
}

const criticalValues = new Map<number, number>();

function criticalT(df: number): number {
  const known = criticalValues.get(df) ?? studentQuantile((1 + CONFIDENCE) / 2, df);
  criticalValues.set(df, known);
  return known;
}

/** Equal values have no spread, whatever rounding says. */
function spreadOf(values: readonly number[]): number {
  const sd = sampleStandardDeviation([...values]);
  const size = Math.max(...values.map(Math.abs));
  return sd <= size * 1e-12 ? 0 : sd;
}

/** The ends are kept finite: three points can lie on a line by chance. */
function toZ(r: number): number {
  return Math.atanh(Math.max(-0.999_999, Math.min(0.999_999, r)));
}

/** Regularised incomplete beta function, by its continued fraction (Lentz's method). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // the fraction converges fast on this side of the mean only
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(gammaln(a + b) - gammaln(a) - gammaln(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 1000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * fraction;
}
