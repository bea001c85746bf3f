import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_REASON, type Directive, meantId, parseDirectives, renderDirective, tidy } from "./directives.rules.ts";

const borrow = (agent: string, from: string, to: string, reason = DEFAULT_REASON): Directive => ({
  kind: "borrow",
  agent,
  from,
  to,
  reason,
});
const recommend = (text: string): Directive => ({ kind: "recommend", text });
const ada = borrow("ada", "beta", "alpha", "QA is short");

describe("lines of coordinators (BO-01, BO-09, CA-02)", () => {
  test.each([
    "BORROW: ada from beta to alpha because QA is short",
    "borrow: ada From beta To alpha Because QA is short",
    "- BORROW: ada from beta to alpha because QA is short",
    "* **BORROW:** `ada` from `beta` to `alpha` because QA is short",
    "1. BORROW: ada from beta to alpha because QA is short",
    "12) **BORROW: ada from beta to alpha because QA is short**",
    "(a) BORROW: ada from beta to alpha because QA is short",
    "- [ ] BORROW: ada from beta to alpha because QA is short",
    "> BORROW: ada from beta to alpha because QA is short",
    "### BORROW: ada from beta to alpha because QA is short",
    "`BORROW: ada from beta to alpha because QA is short`",
    "__BORROW__: 'ada' from \"beta\" to <alpha> because “QA is short”",
    "| BORROW: ada from beta to alpha because QA is short |",
    "BORROW：ada from beta to alpha because QA is short",
    "BORROW 1: agent ada from team beta to team alpha, because QA is short",
    "BORROW ada from the beta team to the alpha team because QA is short",
    "Borrow: ada from team:beta to team:alpha: QA is short",
    "BORROW - ada from beta to alpha (QA is short)",
    "BORROW: ada from beta to alpha — reason: QA is short",
    "BORROW:\n- ada from beta to alpha because QA is short",
    "Borrows:\n\n1. Borrow ada from beta to alpha because QA is short",
    "```\nBORROW: ada from beta to alpha because QA is short\n```",
    "  BORROW:   ada\tfrom beta  to alpha because  QA is short\r\n",
  ])("%j is one loan", (line) => {
    expect(parseDirectives(line)).toEqual({ directives: [ada], unread: [], isProse: false });
  });

  test.each([
    "BORROW: ada from beta to alpha",
    "BORROW: ada from beta to alpha.",
    "BORROW: ada from beta to alpha because",
  ])("%j gets a reason of ours", (line) =>
    expect(parseDirectives(line).directives).toEqual([borrow("ada", "beta", "alpha")]),
  );

  test.each([
    ["BORROW: ada to alpha", /not the form/],
    ["BORROW: somebody who knows DevOps", /not the form/],
    ["BORROW: ada from beta to alpha and gamma because both are short", /no reason/],
    ["BORROW: ada from beta to alpha stays there", /no reason/],
    ["BORROW:", /no action follows/],
    ["Do not BORROW: ada from beta to alpha because it is the lead", /begins its line/],
    ["~~BORROW: ada from beta to alpha because QA is short~~", /begins its line/],
    ["ASSIGN: US-1 alpha", /not the form/],
  ])("%j is no action, and said to be none", (line, why) => {
    const { directives, unread } = parseDirectives(`RECOMMEND: look at it\n${line}`);
    expect(directives).toEqual([recommend("look at it")]);
    expect(unread).toEqual([{ line: 2, text: expect.any(String), why: expect.stringMatching(why) }]);
  });

  test("a second action of one line is reported, not done", () => {
    const { directives, unread } = parseDirectives(
      "BORROW: ada from beta to alpha because x; BORROW: bob from beta to alpha because y",
    );
    expect(directives).toEqual([borrow("ada", "beta", "alpha", "x; BORROW: bob from beta to alpha because y")]);
    expect(unread[0]?.why).toMatch(/one action per line/);
  });

  test("recommendations keep their words, a keyword may stand over a list, and none is none", () => {
    const text =
      'RECOMMEND: lint `src/**/*.ts` "first"\nRecommended actions:\n- cut the WIP of alpha\n- pair on QA\nProse.';
    expect(parseDirectives(text).directives).toEqual([
      recommend('lint `src/**/*.ts` "first"'),
      recommend("cut the WIP of alpha"),
      recommend("pair on QA"),
    ]);
    expect(parseDirectives("BORROW: none.\nRECOMMEND: n/a\nAll is well, as far as I see.")).toEqual({
      directives: [],
      unread: [],
      isProse: false,
    });
    expect(parseDirectives("RECOMMEND: no more than two tasks per agent").directives).toHaveLength(1);
  });

  test("assignments of stories (PF-05)", () => {
    expect(parseDirectives("- assign: US-001 to **alpha** because it owns checkout").directives).toEqual([
      { kind: "assign", story: "US-001", to: "alpha", reason: "it owns checkout" },
    ]);
  });

  test("an answer without any action: its lines are the recommendations, ten at most (CO-09)", () => {
    const lines = Array.from({ length: 14 }, (_, n) => `- Line ${n} says something`);
    const { directives, isProse } = parseDirectives(["ok", ...lines].join("\n"));
    expect(isProse).toBe(true);
    expect(directives).toEqual(lines.slice(0, 10).map((line) => recommend(line.slice(2))));
    expect(parseDirectives("")).toEqual({ directives: [], unread: [], isProse: true });
  });

  test("ids that differ in case alone are meant", () => {
    expect(meantId(["ada", "Bob"], "ADA")).toBe("ada");
    expect(meantId(["ada", "Ada"], "ADA")).toBe("ADA");
    expect(meantId(["ada", "Ada"], "Ada")).toBe("Ada");
  });
});

const id = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/),
  fc.constantFrom("from", "to", "because", "team", "the", "agent", "story", "borrow", "a.b@c"),
);
const agentId = fc.oneof(id, fc.constantFrom("#12", "Ünal", "a/b", "US-001", "x!"));
const words = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), fc.lorem({ maxCount: 9 }));
const reason = words.filter((text) => text === tidy(text) && /[\p{L}\p{N}]/u.test(text) && text.length < 500);
const advice = reason.filter((text) => parseDirectives(`RECOMMEND: ${text}`).directives.length > 0);

describe("any text", () => {
  test("is read without an error, within its bounds", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.constantFrom(
        "BORROW:",
        "RECOMMEND:",
        "ASSIGN: ",
        " from ",
        " to ",
        " because ",
        "\n",
        "- ",
        "**",
        "`",
        "team ",
        "|",
        "none",
      ),
      id,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        const { directives, unread, isProse } = parseDirectives(text);
        expect(unread.length).toBeLessThanOrEqual(50);
        if (isProse) expect(directives.length).toBeLessThanOrEqual(10);
        for (const directive of directives) {
          if (directive.kind === "recommend") expect(directive.text).not.toBe("");
          else expect(directive.reason).not.toBe("");
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("an action that was written is read again as it was (BO-09)", () => {
    fc.assert(
      fc.property(agentId, id, id, reason, (agent, from, to, why) => {
        const written = borrow(agent, from, to, why);
        expect(parseDirectives(renderDirective(written)).directives).toEqual([written]);
        const assigned: Directive = { kind: "assign", story: agent, to, reason: why };
        expect(parseDirectives(renderDirective(assigned)).directives).toEqual([assigned]);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(advice, (text) => {
        expect(parseDirectives(renderDirective(recommend(text))).directives).toEqual([recommend(text)]);
      }),
    );
  });

  test("hostile lines take no longer than others", () => {
    const begun = performance.now();
    for (const part of ["a ", "team ", "from ", "the team ", "- ", '"', "((", "because ", "_", "* "])
      parseDirectives(`BORROW: ${part.repeat(20_000)}\n`.repeat(5));
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
