import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configSchema } from "../../config/config.schema.ts";
import type { Principal } from "../../kernel/principal.ts";
import {
  checkMayResolve,
  entryText,
  levelFor,
  levelOf,
  mergeHistory,
  retriesLeft,
  retryState,
} from "./escalation.rules.ts";
import { countedOperations, escalatedOperations, type HistoryEntry, levels } from "./escalation.schema.ts";

const table = configSchema.parse({}).retries;

describe("retries", () => {
  test("one table by operation, and both numbers: retries, and attempts in all (RE-01, RE-02, C-05)", () => {
    const numbers = countedOperations.map((operation) => {
      const { retries, maxAttempts } = retryState(operation, { failures: 0, granted: 0 }, table);
      return [operation, retries, maxAttempts];
    });
    expect(numbers).toEqual([
      ["build_test", 3, 4],
      ["review_fix", 5, 6],
      ["research", 2, 3],
      ["deploy", 1, 2],
      ["gate", 3, 4],
    ]);
  });

  test("three retries are four attempts: the fourth failure is the last (C-05)", () => {
    expect([0, 1, 2, 3, 4, 5].map((failures) => retriesLeft("gate", failures, table))).toEqual([3, 3, 2, 1, 0, 0]);
    const exhausted = [3, 4].map((failures) => retryState("gate", { failures, granted: 0 }, table).exhausted);
    expect(exhausted).toEqual([false, true]);
    expect(configSchema.parse({ retries: { gate: 0 } }).retries).toEqual({ ...table, gate: 0 });
  });

  test("exhausted exactly when no retry is left, and never more attempts than the maximum", () => {
    const counted = fc.record({
      operation: fc.constantFrom(...countedOperations),
      retries: fc.integer({ min: 0, max: 50 }),
      failures: fc.integer({ min: 1, max: 200 }),
      granted: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(counted, ({ operation, retries, failures, granted }) => {
        const state = retryState(operation, { failures, granted }, { ...table, [operation]: retries });
        expect(state.exhausted).toBe(state.retriesLeft === 0);
        expect(state.exhausted).toBe(failures >= state.maxAttempts);
        if (!state.exhausted) expect(failures + state.retriesLeft).toBe(state.maxAttempts);
      }),
    );
  });
});

describe("the chain", () => {
  const agent: Principal = { kind: "agent", key: "agent:a1", name: "ada", role: "builder" };
  const coordinator: Principal = { ...agent, key: "agent:a2", role: "staff-engineer" };
  const lead: Principal = { kind: "lead", key: "lead:s1", name: "lead" };
  const human: Principal = { kind: "human", key: "human:pat", name: "pat" };

  test("goes agent, coordinator, orchestrator, human (RE-03, C-21)", () => {
    const first = [agent, coordinator, lead, human].map((principal) =>
      levelFor({ operation: "other", raiser: levelOf(principal), exhausted: false }),
    );
    expect(first).toEqual(["coordinator", "orchestrator", "human", "human"]);
  });

  test("a gate without retries left goes straight to the person, a build to the orchestrator (RE-01, RE-02, FP-09)", () => {
    const exhausted = escalatedOperations.map((operation) => levelFor({ operation, raiser: "agent", exhausted: true }));
    expect(exhausted).toEqual([
      "orchestrator",
      "orchestrator",
      "coordinator",
      "orchestrator",
      "human",
      "coordinator",
      "coordinator",
      "coordinator",
    ]);
  });

  test("whatever is raised again climbs until a person has it, and never goes down", () => {
    const facts = fc.record({
      operation: fc.constantFrom(...escalatedOperations),
      raiser: fc.constantFrom(...levels),
      current: fc.option(fc.constantFrom(...levels), { nil: undefined }),
      exhausted: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (climb) => {
        const rank = levels.indexOf(levelFor(climb));
        const last = levels.length - 1;
        expect(rank).toBeGreaterThanOrEqual(Math.min(levels.indexOf(climb.raiser) + 1, last));
        if (climb.current) expect(rank).toBeGreaterThanOrEqual(Math.min(levels.indexOf(climb.current) + 1, last));
      }),
    );
  });

  test("who may settle what: a person all, a lead up to its level, an agent never its own (C-21, C-22)", () => {
    const may = (principal: Principal, level: string, raised_by = "agent:else") => {
      try {
        checkMayResolve({ key: "esc-1", level, raised_by }, principal);
        return true;
      } catch {
        return false;
      }
    };
    const service: Principal = { kind: "service", key: "service:ci", name: "ci" };
    const stranger: Principal = { kind: "unverified", key: "unverified:x", name: "x" };
    const each = [agent, coordinator, lead, human, service, stranger];
    expect(each.map((principal) => may(principal, "coordinator"))).toEqual([false, true, true, true, false, false]);
    expect(each.map((principal) => may(principal, "orchestrator"))).toEqual([false, false, true, true, false, false]);
    expect(each.map((principal) => may(principal, "human"))).toEqual([false, false, false, true, false, false]);
    expect(may(coordinator, "coordinator", coordinator.key)).toBe(false);
  });
});

describe("history", () => {
  const entry = fc.record({
    at: fc.integer({ min: 0, max: 9 }),
    by: fc.constantFrom("ada", "bob"),
    what: fc.constantFrom("gate", "research"),
    result: fc.constantFrom("failed", "passed"),
  });

  test("is complete, in order, and holds nothing twice", () => {
    fc.assert(
      fc.property(fc.array(fc.array(entry)), (lists) => {
        const merged = mergeHistory(...lists);
        const text = (one: HistoryEntry) => JSON.stringify(one);
        expect(new Set(merged.map(text))).toEqual(new Set(lists.flat().map(text)));
        expect(new Set(merged.map(text)).size).toBe(merged.length);
        expect(merged.map(({ at }) => at)).toEqual(merged.map(({ at }) => at).sort((a, b) => a - b));
      }),
    );
  });

  test("keeps the end of what a program said", () => {
    expect(entryText("tests fail", "x".repeat(9000)).text).toHaveLength(4000);
    expect(entryText("tests fail", `${"x".repeat(9000)}LAST`).text).toMatch(/^….*LAST$/s);
    expect(entryText("tests fail", " ")).toEqual({ text: "tests fail" });
    expect(entryText(undefined, undefined)).toEqual({});
  });
});
