import fc from "fast-check";
import { expect, test } from "vitest";
import { isLoopDue } from "../../config/practices.rules.ts";
import { checkPhase, MINUTE_MS, remainingMs, sprintTime, startWish } from "./sprint.rules.ts";

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

test("a start means the sprint it names, else the next; one that has just begun is not ended unnamed (AG-01)", () => {
  const running = { n: 2, phase: "planning", startedAt: 0, plannedMs: 60 * MINUTE_MS };
  const wish = (now: number, wanted?: number, phase = "planning") => {
    const found = startWish({ now: now * MINUTE_MS, last: 2, running: { ...running, phase } }, wanted);
    return found.kind === "open" ? found.n : "running";
  };
  expect([wish(0), wish(5.9), wish(6), wish(0, undefined, "development")]).toEqual(["running", "running", 3, 3]);
  expect([wish(0, 2), wish(59, 2, "review"), wish(0, 3), wish(59, 3)]).toEqual(["running", "running", 3, 3]);
  for (const n of [1, 4])
    expect(() => wish(0, n)).toThrow(n === 1 ? "Sprint 1 is over; the next is 3" : "next sprint is 3");
  const between = (wanted?: number) => startWish({ now: 0, last: 2, running: undefined }, wanted);
  expect([between(), between(3)]).toEqual([
    { kind: "open", n: 3 },
    { kind: "open", n: 3 },
  ]);
  expect(() => between(2)).toThrow("is over");
});
