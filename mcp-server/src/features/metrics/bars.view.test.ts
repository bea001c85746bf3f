import fc from "fast-check";
import { expect, test } from "vitest";
import { bar, duration, percent, shortNumber, sparkline } from "./bars.view.ts";

test("a bar is never longer than its width, and a larger value never has a shorter one", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 40 }), (a, b, width) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(bar(more, 1000, width).length).toBeLessThanOrEqual(width);
      expect(bar(less, 1000, width).length).toBeLessThanOrEqual(bar(more, 1000, width).length);
      expect(bar(more, 1000, width) === "").toBe(more === 0);
    }),
  );
  expect([bar(1, 0, 5), bar(Number.NaN, 1, 5), bar(5, 5, 3), bar(1, 2, 3)]).toEqual(["", "", "███", "█▌"]);
});

test("a sparkline has one cell per value", () => {
  expect(sparkline([0, 1, 2, 4, null])).toBe("▁▃▅█·");
  expect(sparkline([2, 2], 4)).toBe("▅▅");
  expect([sparkline([]), sparkline([0, 0])]).toEqual(["", "▁▁"]);
});

test("numbers for people", () => {
  expect([duration(null), duration(42), duration(600), duration(7200), duration(200_000)]).toEqual([
    "–",
    "42 s",
    "10 min",
    "2 h",
    "2.3 d",
  ]);
  expect([shortNumber(null), shortNumber(1 / 3), percent(0.1234), percent(null)]).toEqual(["–", "0.33", "12.3 %", "–"]);
});
