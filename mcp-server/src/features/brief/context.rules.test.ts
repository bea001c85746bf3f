import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitSections, type Section, tokensOf } from "./context.rules.ts";

const section = (name: string, body: string, more: Partial<Section> = {}): Section => ({
  name,
  head: `${name}:`,
  body,
  how: `task_show ${name}`,
  ...more,
});

describe("what an agent is told (CX-01, CX-05, C-11)", () => {
  test("is everything, in order, where there is room", () => {
    const { text, leftOut } = fitSections([section("task", "Build."), section("links", "none")], 200);
    expect(text).toBe("task:\nBuild.\nlinks:\nnone");
    expect(leftOut).toEqual([]);
  });

  test("is cut at a line, and what is missing is named with how to get it", () => {
    const long = Array.from({ length: 50 }, (_, n) => `line ${n}`).join("\n");
    const { text, leftOut, tokens } = fitSections(
      [section("task", "Build."), section("notes", long), section("people", "ada, bob", { whole: true })],
      60,
    );
    expect(tokens).toBeLessThanOrEqual(60);
    expect(text).toContain("line 3\n");
    expect(text).toMatch(/line \d+\n…/);
    expect(leftOut).toContain("notes");
    expect(text).toContain("notes (task_show notes)");
  });

  test("holds its musts before all else, where they stand", () => {
    const { text } = fitSections(
      [section("task", "x".repeat(4000)), section("constraints", "Stay within the files.", { must: true })],
      100,
    );
    expect(text).toContain("Stay within the files.");
    expect(text.indexOf("task:")).toBeLessThan(text.indexOf("constraints:"));
  });

  test("keeps what others wrote inside its fence when it is cut", () => {
    const { text } = fitSections([section("notes", "word ".repeat(500), { fenced: true })], 80);
    const [, nonce] = /<stored-text (\w+) what="notes">/.exec(text) ?? [];
    expect(text).toContain(`</stored-text ${nonce}>`);
  });

  test("never takes more than the budget, tells or names each section, and keeps the order", () => {
    const any = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      body: fc.oneof(fc.string(), fc.string({ unit: "grapheme", maxLength: 400 }), fc.lorem({ maxCount: 60 })),
      fenced: fc.boolean(),
      whole: fc.boolean(),
      must: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), fc.integer({ min: 200, max: 2400 }), (given, budget) => {
        const sections = given.map(({ name, body, ...more }, n) => section(`${name}${n}`, body, more));
        const { text, tokens, told, leftOut } = fitSections(sections, budget);
        expect(tokensOf(text)).toBe(tokens);
        expect(tokens).toBeLessThanOrEqual(budget);
        for (const one of sections) expect(told.includes(one) || leftOut.includes(one.name)).toBe(true);
        expect(told).toEqual(sections.filter((one) => told.includes(one)));
      }),
    );
  });
});
