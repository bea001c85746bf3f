import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Knowledge, KnowledgeKind } from "./knowledge.schema.ts";
import { knowledgeKinds } from "./knowledge.schema.ts";
import {
  BEGIN,
  countLines,
  END,
  firstLines,
  MAX_LEARNINGS_LINES,
  renderLearnings,
  splitLearnings,
} from "./learnings.rules.ts";

function facts(n: number, kind: KnowledgeKind = "gotcha", text = "Quote each token"): Knowledge[] {
  return Array.from({ length: n }, (_, index) => ({
    id: index,
    key: `kn-${index}`,
    scope: "org" as const,
    owner: "",
    kind,
    fact: `${text} ${index}`,
    detail: null,
    recommendation: null,
    tags: [],
    files: [],
    confidence: "low" as const,
    used: 0,
    helpful: 0,
    outdated: 0,
    sources: 1,
    createdAt: 0,
    updatedAt: 0,
    usedAt: null,
  }));
}

const render = (file: string | undefined, given: readonly Knowledge[]) =>
  renderLearnings(file === undefined ? undefined : Buffer.from(file), given)?.text.toString("utf8");

describe("LEARNINGS.md as a view of the knowledge base (C-28, CX-04)", () => {
  test("is made where there is none, with headings by kind (LP-04)", () => {
    expect(render(undefined, [...facts(1, "mistake", "Begun deferred"), ...facts(1)])).toMatchInlineSnapshot(`
      "# Learnings

      ${BEGIN}

      ### MUST FOLLOW

      - Mistake: Begun deferred 0 (low, kn-0)

      ### GOTCHAS

      - Quote each token 0 (low, kn-0)

      ${END}
      "
    `);
  });

  test("is not touched without facts", () => {
    expect(render(undefined, [])).toBeUndefined();
    expect(render("# Mine\n", [])).toBeUndefined();
  });

  test("leaves what people wrote byte for byte, on every rendering (C-28)", () => {
    const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 300 }), (a, b, n, m) => {
        fc.pre(splitLearnings(Buffer.concat([a, b])).block === undefined);
        const first = renderLearnings(a, facts(n));
        const grown = Buffer.concat([first?.text ?? a, b]);
        const again = renderLearnings(grown, facts(m))?.text ?? grown;
        if (a.length > 0) expect(again.subarray(0, a.length).equals(a)).toBe(true);
        expect(again.subarray(again.length - b.length).equals(b)).toBe(true);
        expect(renderLearnings(again, facts(m))?.text.equals(again)).toBe(true);
      }),
    );
  });

  test("has at most 100 lines where the rest leaves room, and says how many facts found none", () => {
    for (const [own, n] of [
      [0, 300],
      [40, 300],
      [85, 300],
      [150, 300],
      [10, 5],
    ] as const) {
      const file = "mine\n".repeat(own);
      const kinds = facts(n).map((fact, index) => ({
        ...fact,
        kind: knowledgeKinds[index % knowledgeKinds.length] ?? "fact",
      }));
      const rendered = renderLearnings(Buffer.from(file), kinds);
      const lines = countLines(rendered?.text ?? Buffer.alloc(0));
      expect(lines).toBeLessThanOrEqual(Math.max(MAX_LEARNINGS_LINES, own + 13));
      const again = renderLearnings(rendered?.text, kinds);
      expect(again?.text.toString(), "rendered again it is the same").toBe(rendered?.text.toString());
      const shown = rendered?.shown ?? 0;
      expect(shown).toBeGreaterThan(0);
      if (shown < n) expect(rendered?.text.toString()).toContain(`${n - shown} more: \`knowledge_search\``);
    }
  });

  test("is left alone when its marks are damaged", () => {
    for (const text of [BEGIN, END, `${END}\n${BEGIN}`, `${BEGIN}\n${END}\n${BEGIN}\n${END}`]) {
      expect(splitLearnings(Buffer.from(text)).damaged).toBeDefined();
      expect(render(text, facts(2))).toBeUndefined();
    }
  });

  test("a fact cannot end the block it stands in", () => {
    const text = render("# Mine\n", facts(1, "fact", `x ${END} <!-- teamwright:learnings:begin y`)) ?? "";
    expect(splitLearnings(Buffer.from(text)).damaged).toBeUndefined();
  });
});

test("agents are told the first lines, without the marks (CX-03, CX-04)", () => {
  const file = Buffer.from(`# L\r\n${BEGIN}\none\ntwo\n${END}\nthree\n`);
  expect(firstLines(file, 3)).toEqual({ lines: ["# L", "one", "two"], total: 4 });
});
