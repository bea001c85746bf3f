import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coordination } from "../../config/coordination.schema.ts";
import {
  budgetOf,
  fallbacks,
  type ReportedStep,
  reportOf,
  type StepFacts,
  shareOf,
  stepTimeout,
  timeContext,
} from "./overhead.rules.ts";
import { overheadSteps } from "./overhead.schema.ts";

const standard = coordination.parse({}).overhead_budget;
const minutes = (ms: number) => ms / 60_000;
const sprintSteps = overheadSteps.filter((step) => step !== "iteration_zero");

const settings = fc
  .tuple(
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 20 }),
    fc.boolean(),
  )
  .map(([pct, zero, a, b, floor, carry_over]) => {
    const first = Math.min(a, b) / 100;
    const second = Math.max(a, b) / 100 - first;
    return {
      overhead_budget_pct: pct / 100,
      iteration_zero_share: zero / 100,
      coordination_step_weight: first,
      distribution_step_weight: second,
      checkin_step_weight: 1 - first - second,
      min_step_timeout_seconds: floor,
      carry_over,
    };
  });

describe("the budget", () => {
  test("three sprints of an hour at a fifth: 36, 14.4, 7.2, 3.6, 2.16 and 1.44 minutes (OH-01, OH-02)", () => {
    const budget = budgetOf(standard, 3, 60);
    expect(budget.totalMs).toBe(2_160_000);
    expect(minutes(budget.totalMs)).toBe(36);
    expect(minutes(budget.iterationZeroMs)).toBe(14.4);
    expect(minutes(budget.perSprintMs)).toBe(7.2);
    expect(minutes(budget.stepMs.coordination)).toBe(3.6);
    expect(minutes(budget.stepMs.distribution)).toBeCloseTo(2.16, 9);
    expect(minutes(budget.stepMs.checkin)).toBeCloseTo(1.44, 9);
    for (const sprint of [1, 2, 3])
      expect(sprintSteps.map((step) => shareOf(budget, step, sprint))).toEqual([216_000, 129_600, 86_400]);
    expect(shareOf(budget, "iteration_zero", 0)).toBe(864_000);
  });

  test("the parts of all steps sum to the total, to the millisecond, and none is negative (OH-02)", () => {
    fc.assert(
      fc.property(
        settings,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 500 }),
        (given, sprints, length) => {
          const budget = budgetOf(given, sprints, length);
          const parts = [shareOf(budget, "iteration_zero", 0)];
          for (let sprint = 1; sprint <= sprints; sprint += 1)
            for (const step of sprintSteps) parts.push(shareOf(budget, step, sprint));
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(budget.totalMs);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

test("weights that sum to a little more than 1 take no time from anybody (OH-02)", () => {
  const weights = { coordination_step_weight: 0.5, distribution_step_weight: 0.5000000005, checkin_step_weight: 0 };
  const budget = budgetOf({ ...standard, ...weights, overhead_budget_pct: 1, iteration_zero_share: 0 }, 2, 100_000);
  const parts = [1, 2].flatMap((sprint) => sprintSteps.map((step) => shareOf(budget, step, sprint)));
  expect(Math.min(...parts)).toBe(0);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(budget.totalMs);
});

describe("the time box of a step", () => {
  const budget = budgetOf(standard, 3, 60);
  const spent = (elapsedMs: number): StepFacts => ({
    step: "iteration_zero",
    sprint: 0,
    timeoutMs: 864_000,
    elapsedMs,
  });

  test("is its share, less when less remains, and never less than the floor (OH-03)", () => {
    expect(stepTimeout(budget, "coordination", 2, [])).toEqual({ timeoutMs: 216_000, overrunMs: 0 });
    expect(stepTimeout(budget, "coordination", 2, [spent(2_000_000)])).toEqual({ timeoutMs: 160_000, overrunMs: 0 });
    expect(stepTimeout(budget, "coordination", 2, [spent(2_156_000)])).toEqual({ timeoutMs: 10_000, overrunMs: 6000 });
    expect(stepTimeout(budget, "checkin", 2, [spent(2_160_000)])).toEqual({ timeoutMs: 10_000, overrunMs: 10_000 });
  });

  test("a step nobody knows is refused and gets no time (OH-03)", () => {
    for (const step of ["coordinate", "", "toString", "__proto__"])
      expect(() => stepTimeout(budget, step, 1, [])).toThrow(/no overhead step/);
  });

  test("steps that run side by side take from one budget (OH-09)", () => {
    const small = budgetOf({ ...standard, min_step_timeout_seconds: 0 }, 1, 60);
    const running: StepFacts[] = [];
    for (let team = 0; team < 20; team += 1) {
      const { timeoutMs } = stepTimeout(small, "checkin", 1, running);
      running.push({ step: "checkin", sprint: 1, timeoutMs, elapsedMs: undefined });
    }
    expect(running.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0)).toBe(small.totalMs);
  });

  test("what was left unused is added where that is set, sprints without the step included (OH-03)", () => {
    const saving = budgetOf({ ...standard, carry_over: true }, 3, 60);
    const past: StepFacts[] = [{ step: "coordination", sprint: 2, timeoutMs: 432_000, elapsedMs: 100_000 }];
    expect(stepTimeout(saving, "coordination", 2, []).timeoutMs).toBe(432_000); // the loop starts at sprint 2 (OH-08)
    expect(stepTimeout(saving, "coordination", 3, past).timeoutMs).toBe(548_000);
    expect(stepTimeout(budget, "coordination", 3, past).timeoutMs).toBe(216_000);
  });

  test("whatever happens, nothing remains below zero, and all beyond the total is overrun (OH-03, OH-07)", () => {
    const happening = fc.array(
      fc.tuple(
        fc.constantFrom(...overheadSteps),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(settings, happening, (given, steps) => {
        const own = budgetOf(given, 6, 10);
        const floor = given.min_step_timeout_seconds * 1000;
        const past: ReportedStep[] = [];
        let granted = 0;
        for (const [step, sprint, part] of steps) {
          const { timeoutMs, overrunMs } = stepTimeout(own, step, sprint, past);
          expect(timeoutMs).toBeGreaterThanOrEqual(floor);
          expect(overrunMs).toBeLessThanOrEqual(floor);
          granted += overrunMs;
          past.push({
            step,
            sprint,
            timeoutMs,
            elapsedMs: Math.round(timeoutMs * part),
            timedOut: part === 1,
            startedAt: 0,
            team: undefined,
          });
        }
        const report = reportOf(own, past, 0);
        expect(report.remaining_seconds).toBeGreaterThanOrEqual(0);
        expect(report.overrun_seconds).toBeLessThanOrEqual(granted / 1000 + 0.01);
        expect(report.spent_seconds + report.remaining_seconds - report.overrun_seconds).toBeCloseTo(
          report.total_budget_seconds,
          1,
        );
      }),
    );
  });
});

test("the report has the document's fields and numbers (OH-07, OH-08)", () => {
  const step = (name: ReportedStep["step"], sprint: number, seconds: number, timedOut = false): ReportedStep => ({
    step: name,
    sprint,
    timeoutMs: 216_000,
    elapsedMs: seconds * 1000,
    timedOut,
    startedAt: 0,
    team: undefined,
  });
  const report = reportOf(
    budgetOf(standard, 3, 60),
    [step("distribution", 1, 8.2), step("coordination", 2, 12.5), step("distribution", 2, 24.6)],
    0,
  );
  expect(report).toMatchObject({
    total_budget_seconds: 2160,
    spent_seconds: 45.3,
    remaining_seconds: 2114.7,
    overrun_seconds: 0,
    num_steps: 3,
    timeouts: 0,
  });
  expect(report.steps[1]).toEqual({ step: "coordination", sprint: 2, elapsed: 12.5, timed_out: false, timeout: 216 });
  const late = reportOf(budgetOf(standard, 3, 60), [step("checkin", 1, 216, true)], 0);
  expect(late).toMatchObject({ timeouts: 1, steps: [{ timed_out: true, fallback: fallbacks.checkin.text }] });
});

test("every step has a fallback (OH-06, PF-06)", () => {
  expect(overheadSteps.map((step) => fallbacks[step].mode)).toEqual(["heuristic", "no_borrows", "heuristic", "skip"]);
});

test("an agent is told the minutes that remain, to a tenth, and nothing without a deadline (OH-05)", () => {
  expect(timeContext(192_000, 0)).toBe(
    "## Time Context\n- Remaining overhead budget: ~3.2 minutes\n- Be concise. Focus on the most critical issues.",
  );
  expect(timeContext(0, 60_000)).toContain("~0.0 minutes");
  expect(timeContext(undefined, 0)).toBe("");
});
