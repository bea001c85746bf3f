import fc from "fast-check";
import { expect, test } from "vitest";
import { isLoopDue } from "../../config/practices.rules.ts";
import { checkPhase, MINUTE_MS, remainingMs, sprintTime } from "./sprint.rules.ts";

test("the full loop is due before sprint 2 and every so many from there (CO-02, C-17)", () => {
  const due = (cadence: number) => [1, 2, 3, 4, 5, 6, 7, 8].filter((n) => isLoopDue(n, cadence));
  expect(due(1)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(due(2)).toEqual([2, 4, 6, 8]);
  expect(due(3)).toEqual([2, 5, 8]);
});

test("phases go forward only (AG-01)", () => {
  expect(() => checkPhase("planning", "qa")).not.toThrow();
  expect(() => checkPhase("qa", "development")).toThrow("ahead are review");
  expect(() => checkPhase("review", "review")).toThrow("ahead is only its end");
});

test("remaining time is never below 0, and is told in minutes with one decimal (OH-05)", () => {
  const box = { n: 2, phase: "qa", startedAt: 0, plannedMs: 60 * MINUTE_MS };
  fc.assert(
    fc.property(fc.nat({ max: 10_000_000 }), (now) => {
      const left = remainingMs(box, now);
      expect(left).toBe(Math.max(0, box.plannedMs - now));
      expect(sprintTime(box, now)).toMatch(/^## Time Context\nSprint 2, in qa: ~\d+\.\d minutes remain\.\n/);
    }),
  );
});
