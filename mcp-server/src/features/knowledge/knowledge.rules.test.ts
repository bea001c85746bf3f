import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkFact,
  confidenceOf,
  hasSubstance,
  isRipe,
  isVisible,
  rankFacts,
  readFact,
  SAME_FACT,
  searchTerms,
  similarity,
  whyPrune,
} from "./knowledge.rules.ts";
import type { Knowledge } from "./knowledge.schema.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21);

function aFact(change: Partial<Knowledge> = {}): Knowledge {
  return {
    id: 1,
    key: "kn-00000001",
    scope: "team",
    owner: "main",
    kind: "fact",
    fact: "Cookies are set in one place, in src/login.ts",
    detail: null,
    recommendation: null,
    tags: [],
    files: [],
    confidence: "low",
    used: 0,
    helpful: 0,
    outdated: 0,
    sources: 1,
    createdAt: NOW,
    updatedAt: NOW,
    usedAt: null,
    ...change,
  };
}

describe("what is worth keeping (LP-02, LP-02b)", () => {
  test.each([
    "2026-11-21 09:00 session ended",
    "Session 2026-11-21T09:00:00Z",
    "All tests passed",
    "Task tw-0a1b2c3d completed",
    "Everything worked well today",
    "done",
    "n/a",
    "Updated the log",
    "!!!",
  ])("%s teaches nothing", (text) => {
    expect(hasSubstance(text)).toBe(false);
    expect(() => checkFact(text, [])).toThrow("teaches nothing");
  });

  test.each([
    "Quote each token of a full-text query: raw text makes MATCH throw",
    "Cookies are set in src/login.ts alone",
    "The staging database refuses connections without TLS",
    "接続はテストの前に閉じなければならない",
  ])("%s teaches something", (text) => {
    expect(hasSubstance(text)).toBe(true);
    expect(() => checkFact(text, [])).not.toThrow();
  });

  test("a credential is never kept, wherever it stands", () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    expect(() => checkFact("The deploy script reads its token from the vault", [`export T=${token}`])).toThrow(
      "credential",
    );
  });

  test("a kind may stand before the fact (LP-02)", () => {
    expect(readFact("GOTCHA: raw text  makes MATCH throw")).toEqual({
      kind: "gotcha",
      fact: "raw text makes MATCH throw",
    });
    expect(readFact("MISTAKE: x", "rule")).toEqual({ kind: "rule", fact: "x" });
    expect(readFact("HTTP: the proxy needs keep-alive")).toEqual({
      kind: "fact",
      fact: "HTTP: the proxy needs keep-alive",
    });
  });
});

describe("the same fact (LP-04)", () => {
  test.each([
    ["Quote each token of a full-text query.", "quote each token of a full text query"],
    ["The proxy drops idle connections after a minute", "The proxy drops idle connections after one minute"],
  ])("%s = %s", (a, b) => {
    expect(similarity(a, b)).toBeGreaterThan(SAME_FACT);
  });

  test.each([
    ["Use the pool inside a transaction", "Never use the pool inside a transaction"],
    ["The limit is 5 requests a second", "The limit is 50 requests a second"],
    ["Cookies are set in src/login.ts", "Sessions are kept in the database"],
  ])("%s ≠ %s", (a, b) => {
    expect(similarity(a, b)).toBeLessThanOrEqual(SAME_FACT);
  });

  test("is symmetric, within 0 and 1, and 1 with itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
        const alike = similarity(a, b);
        expect(alike).toBe(similarity(b, a));
        expect(alike).toBeGreaterThanOrEqual(0);
        expect(alike).toBeLessThanOrEqual(1);
        expect(similarity(a, a)).toBe(1);
      }),
    );
  });

  test("three sources make it certain, and ripe for the project's instructions (LP-04, LP-07)", () => {
    expect([1, 2, 3, 9].map(confidenceOf)).toEqual(["low", "medium", "high", "high"]);
    expect(isRipe(aFact({ sources: 3 }))).toBe(true);
    expect(isRipe(aFact({ sources: 2 }))).toBe(false);
    expect(isRipe(aFact({ sources: 3, outdated: 1 }))).toBe(false);
  });
});

describe("who is told what", () => {
  const agent = { kind: "agent", key: "agent:1", name: "ada", team: "alpha" } as const;
  const lead = { kind: "lead", key: "lead:1", name: "lead" } as const;

  test("an agent sees its own, its team's and everybody's (C-28, LP-06)", () => {
    const facts = [
      aFact({ scope: "org", owner: "" }),
      aFact({ owner: "alpha" }),
      aFact({ owner: "beta" }),
      aFact({ scope: "agent", owner: "ada" }),
      aFact({ scope: "agent", owner: "bob" }),
    ];
    expect(facts.map((fact) => isVisible(fact, agent))).toEqual([true, true, false, true, false]);
    expect(facts.map((fact) => isVisible(fact, lead))).toEqual([true, true, true, true, true]);
    expect(facts.map((fact) => isVisible(fact, lead, "beta"))).toEqual([true, false, true, false, false]);
  });

  test("files count for more than words, and what is sure for more than what is not", () => {
    const facts = [
      aFact({ id: 1 }),
      aFact({ id: 2, confidence: "high" }),
      aFact({ id: 3, files: ["src/**"] }),
      aFact({ id: 4, kind: "rule" }),
    ];
    const order = rankFacts(facts, { files: ["src/login.ts"], matched: [1] }).map(({ id }) => id);
    expect(order).toEqual([3, 1, 4, 2]);
  });

  test("dates and filler are not searched for", () => {
    expect(searchTerms("Write the parser for 2026-11-21")).toEqual(["write", "parser"]);
    expect(searchTerms("done")).toEqual(["done"]);
    expect(searchTerms("?!")).toEqual([]);
  });
});

test("a fact grows stale after 90 days without use or confirmation, and by reports (LP-04)", () => {
  expect(whyPrune(aFact({ updatedAt: NOW - 89 * DAY }), NOW)).toBeUndefined();
  expect(whyPrune(aFact({ updatedAt: NOW - 90 * DAY }), NOW)).toContain("90 days");
  expect(whyPrune(aFact({ updatedAt: NOW - 200 * DAY, usedAt: NOW - DAY }), NOW)).toBeUndefined();
  expect(whyPrune(aFact({ outdated: 3 }), NOW)).toContain("outdated");
  expect(whyPrune(aFact({ outdated: 3, helpful: 4 }), NOW)).toBeUndefined();
});
