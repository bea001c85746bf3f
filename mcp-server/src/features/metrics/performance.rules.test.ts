import fc from "fast-check";
import { expect, test } from "vitest";
import { LEAST_ASKS, LEAST_TASKS, type MeasureName, measures, type PerformanceFacts } from "./performance.rules.ts";

const noPerformance: PerformanceFacts = {
  sprints: 0,
  sprintsEnded: 0,
  done: 0,
  points: 0,
  agentSprints: 0,
  handedIn: 0,
  sentBack: 0,
  reopened: 0,
  doneOrReopened: 0,
  defective: 0,
  loansAsked: 0,
  loansGiven: 0,
  needsAsked: 0,
  needsResolved: 0,
  questionsAsked: 0,
  questionsAnswered: 0,
  learned: 0,
};

const n = fc.nat(200);
/** Parts that are parts, as the store counts them. */
const anyFacts: fc.Arbitrary<PerformanceFacts> = fc
  .record({ whole: fc.record(Object.fromEntries(Object.keys(noPerformance).map((key) => [key, n]))) })
  .map(({ whole }) => {
    const facts = { ...noPerformance, ...whole };
    return {
      ...facts,
      sprintsEnded: Math.min(facts.sprintsEnded, facts.sprints),
      sentBack: Math.min(facts.sentBack, facts.handedIn),
      defective: Math.min(facts.defective, facts.done),
      doneOrReopened: Math.max(facts.done, facts.reopened),
      loansGiven: Math.min(facts.loansGiven, facts.loansAsked),
      needsResolved: Math.min(facts.needsResolved, facts.needsAsked),
      questionsAnswered: Math.min(facts.questionsAnswered, facts.questionsAsked),
    };
  });

function value(name: MeasureName, facts: PerformanceFacts): number | undefined {
  return measures.find((measure) => measure.name === name)?.of(facts);
}

test("velocity is done tasks by sprint, and 0 without sprints; points are told apart (ME-02, C-23)", () => {
  const facts = { ...noPerformance, done: 9, sprints: 3, sprintsEnded: 2, points: 25 };
  expect(value("velocity", facts)).toBe(3);
  expect(value("velocity_points", facts)).toBe(12.5);
  expect(value("velocity", { ...facts, sprints: 0 })).toBe(0);
});

test("a team without data has a velocity of 0 and no scores (ME-02)", () => {
  expect(measures.map(({ name, of }) => [name, of(noPerformance)])).toEqual([
    ["velocity", 0],
    ["velocity_points", undefined],
    ["quality_score", undefined],
    ["cost_efficiency", undefined],
    ["collaboration_score", undefined],
    ["innovation_index", undefined],
  ]);
});

test("every measure stays in its range, and is never NaN (ME-02)", () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      for (const measure of measures) {
        const found = measure.of(facts);
        if (found === undefined) continue;
        expect(Number.isFinite(found) && found >= 0).toBe(true);
        if (measure.range === "0 to 1") expect(found).toBeLessThanOrEqual(1);
      }
    }),
  );
});

/** Which way a measure may go when one count grows by one. */
const moves: readonly (readonly [MeasureName, keyof PerformanceFacts, "up" | "down"])[] = [
  ["velocity", "done", "up"],
  ["velocity_points", "points", "up"],
  ["quality_score", "sentBack", "down"],
  ["quality_score", "reopened", "down"],
  ["quality_score", "defective", "down"],
  ["cost_efficiency", "points", "up"],
  ["cost_efficiency", "agentSprints", "down"],
  ["collaboration_score", "loansGiven", "up"],
  ["collaboration_score", "needsResolved", "up"],
  ["collaboration_score", "questionsAnswered", "up"],
  ["collaboration_score", "needsAsked", "down"],
  ["innovation_index", "learned", "up"],
];

test.each(moves)("%s: more %s never moves it but %s (ME-02)", (name, field, way) => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const [before, after] = [value(name, facts), value(name, { ...facts, [field]: facts[field] + 1 })];
      if (before === undefined || after === undefined) return;
      if (way === "up") expect(after).toBeGreaterThanOrEqual(before);
      else expect(after).toBeLessThanOrEqual(before);
    }),
  );
});

test("no score is given for too little, and the best is 1 (ME-02)", () => {
  const few = { ...noPerformance, done: LEAST_TASKS - 1, needsAsked: LEAST_ASKS - 1, learned: 3 };
  for (const name of ["quality_score", "collaboration_score", "innovation_index"] as const)
    expect(value(name, few)).toBeUndefined();
  const enough = { ...noPerformance, done: 5, doneOrReopened: 5, needsAsked: 3, needsResolved: 3, learned: 1 };
  expect(value("quality_score", enough)).toBe(1);
  expect(value("collaboration_score", enough)).toBe(1);
  expect(value("innovation_index", enough)).toBe(2);
  // reviews come into it when there are enough of them
  expect(value("quality_score", { ...enough, handedIn: 4, sentBack: 4 })).toBe(1);
  expect(value("quality_score", { ...enough, handedIn: 5, sentBack: 5 })).toBeCloseTo(2 / 3);
});
