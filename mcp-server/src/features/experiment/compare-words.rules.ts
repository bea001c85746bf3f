import { directionOf, type Estimate } from "./stats.rules.ts";

/** Three significant digits, whole above a hundred. */
export function shortNumber(value: number): string {
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function signed(value: number): string {
  return value > 0 ? `+${shortNumber(value)}` : shortNumber(value);
}

/** `12.3 points`, `4 %`, `1 loan`. */
function withUnit(number: string, unit: string): string {
  if (unit === "") return number;
  return /^[+-]?1$/.test(number) ? `${number} ${unit.replace(/s$/, "")}` : `${number} ${unit}`;
}

/** `8.1 to 16.5`; empty where there is no interval. */
export function intervalText({ low, high }: Estimate): string {
  return low === undefined || high === undefined ? "" : `${shortNumber(low)} to ${shortNumber(high)}`;
}

/** What two sides differ in: `what` is higher or lower in `one` than in `other`. */
export interface Contrast {
  readonly what: string;
  readonly one: string;
  readonly other: string;
  readonly unit: string;
}

/** One sentence that says what the interval shows and nothing more. */
export function contrastVerdict({ what, one, other, unit }: Contrast, estimate: Estimate | undefined): string {
  if (!estimate) return `${what}: nothing to compare between ${one} and ${other}.`;
  const size = withUnit(signed(estimate.mean), unit);
  const direction = directionOf(estimate);
  if (direction === "unknown")
    return `${what}: too few seeds for an interval; ${one} against ${other} ${size} in a single run (n = 1).`;
  const basis = basisText(estimate);
  if (direction === "none")
    return estimate.sd === 0
      ? `${what}: no difference between ${one} and ${other} in any of the runs (n = ${estimate.n}).`
      : `${what}: no difference shown between ${one} and ${other} (${size}, ${basis}).`;
  return `${what} is ${direction} by ${withUnit(shortNumber(Math.abs(estimate.mean)), unit)} in ${one} than in ${other} (${basis}).`;
}

/** The same for a correlation: `one` and `other` rise together, or one falls as the other rises. */
export function correlationVerdict(
  { what, one, other }: Omit<Contrast, "unit">,
  estimate: Estimate | undefined,
): string {
  if (!estimate) return `${what}: no correlation can be computed; it takes three teams' values that differ.`;
  const r = `r ${signed(estimate.mean)}`;
  const direction = directionOf(estimate);
  if (direction === "unknown") return `${what}: too few seeds for an interval (${r}, n = 1).`;
  const basis = `${r}, 95 % CI ${intervalText(estimate)}, n = ${estimate.n}`;
  if (direction === "none") return `${what}: no correlation shown between ${one} and ${other} (${basis}).`;
  return `${what}: ${other} ${direction === "higher" ? "rises" : "falls"} as ${one} rises (${basis}).`;
}

function basisText(estimate: Estimate): string {
  const effect = estimate.effect === undefined ? "without spread" : `dz ${shortNumber(estimate.effect)}`;
  return `95 % CI ${signedInterval(estimate)}, ${effect}, n = ${estimate.n}`;
}

function signedInterval({ low = 0, high = 0 }: Estimate): string {
  return `${signed(low)} to ${signed(high)}`;
}
