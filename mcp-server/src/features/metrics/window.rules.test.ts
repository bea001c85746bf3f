import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_MS, MOST_PERIODS, type Period, periodOf, periodsOf, startOf, windowOf } from "./window.rules.ts";

const now = Date.UTC(2026, 10, 21, 12);
const day = (at: number | undefined) => new Date(at ?? 0).toISOString().slice(0, 10);

test("both ends belong to the window, and a date alone is its whole day (ME-02)", () => {
  expect(windowOf({}, now)).toEqual({ from: 0, to: now });
  expect(windowOf({ from: "2026-11-01", to: "2026-11-01" }, now)).toEqual({
    from: Date.UTC(2026, 10, 1),
    to: Date.UTC(2026, 10, 2) - 1,
  });
  expect(windowOf({ from: "2026-11-01T10:00:00Z", to: "2026-11-01T10:00:00Z" }, now).to).toBe(
    Date.UTC(2026, 10, 1, 10),
  );
  expect(() => windowOf({ from: "2026-11-02", to: "2026-11-01" }, now)).toThrow("ends before it begins");
});

test("weeks begin on Monday, and reports show seven days or eight weeks (ME-04)", () => {
  const weeks = periodsOf("week", {}, now);
  expect([weeks.length, day(weeks[0]), day(weeks.at(-1))]).toEqual([8, "2026-09-28", "2026-11-16"]);
  const days = periodsOf("day", {}, now);
  expect([days.length, day(days[0]), day(days.at(-1))]).toEqual([7, "2026-11-15", "2026-11-21"]);
  expect(periodsOf("day", { from: "2026-11-01", to: "2026-11-03" }, now).map(day)).toEqual([
    "2026-11-01",
    "2026-11-02",
    "2026-11-03",
  ]);
  expect(() => periodsOf("day", { from: "2020-01-01" }, now)).toThrow(`at most ${MOST_PERIODS}`);
});

test("every moment is in exactly one period (ME-04)", () => {
  fc.assert(
    fc.property(fc.nat(Date.UTC(2100, 0, 1)), fc.constantFrom<Period>("day", "week"), (at, period) => {
      const start = startOf(period, at);
      const { ms } = periodOf(period);
      expect(at >= start && at < start + ms && start % DAY_MS === 0).toBe(true);
      expect(startOf(period, start)).toBe(start);
      expect(startOf(period, start + ms)).toBe(start + ms);
      if (period === "week") expect(new Date(start).getUTCDay()).toBe(1);
    }),
  );
});
