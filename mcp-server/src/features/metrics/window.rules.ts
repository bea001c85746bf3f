import { hint, TeamwrightError } from "../../kernel/errors.ts";

export const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday; weeks begin on Mondays, as ISO 8601 has them. */
const TO_MONDAY_MS = 3 * DAY_MS;

/** From and to, both inclusive, in UTC ms. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/**
 * What is asked for as dates or times of ISO 8601. A date alone means its whole day in UTC; without `from` it begins
 * with the store, without `to` it ends now. Throws INVALID_INPUT for a window that ends before it begins.
 */
export function windowOf(asked: { from?: string | undefined; to?: string | undefined }, now: number): TimeWindow {
  const from = asked.from === undefined ? 0 : Date.parse(asked.from);
  const to = asked.to === undefined ? now : Date.parse(asked.to) + (isDate(asked.to) ? DAY_MS - 1 : 0);
  if (from <= to) return { from, to };
  throw new TeamwrightError(
    "INVALID_INPUT",
    "The window ends before it begins.",
    hint("sprint_show", "tells when sprints began and ended"),
  );
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text);
}

export const periods = ["day", "week"] as const;
export type Period = (typeof periods)[number];

/** Length of a period, and how far its first one began before 1970. */
export function periodOf(period: Period): { readonly ms: number; readonly offsetMs: number } {
  return period === "day" ? { ms: DAY_MS, offsetMs: 0 } : { ms: WEEK_MS, offsetMs: TO_MONDAY_MS };
}

/** When the period began that holds this moment. */
export function startOf(period: Period, at: number): number {
  const { ms, offsetMs } = periodOf(period);
  return Math.floor((at + offsetMs) / ms) * ms - offsetMs;
}

/** More would be no report. */
export const MOST_PERIODS = 400;
const USUAL = { day: 7, week: 8 } as const;

/**
 * Whole periods, oldest first: those of the window, or the last week of days or eight weeks. Throws INVALID_INPUT when
 * there would be more than `MOST_PERIODS`.
 */
export function periodsOf(
  period: Period,
  asked: { from?: string | undefined; to?: string | undefined },
  now: number,
): number[] {
  const { ms } = periodOf(period);
  const { from, to } = windowOf(asked, now);
  const last = startOf(period, to);
  const first = asked.from === undefined ? last - (USUAL[period] - 1) * ms : startOf(period, from);
  const count = (last - first) / ms + 1;
  if (count <= MOST_PERIODS) return Array.from({ length: count }, (_, index) => first + index * ms);
  throw new TeamwrightError(
    "INVALID_INPUT",
    `That would be ${count} periods; at most ${MOST_PERIODS} are shown.`,
    hint("metrics_flow", "with a later from, or by weeks"),
  );
}
