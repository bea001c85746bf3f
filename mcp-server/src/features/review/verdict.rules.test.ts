import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { composePacket } from "./packet.rules.ts";
import { judge, parseDesignVerdict, parseVerdict, placesIn } from "./verdict.rules.ts";

const pass = "VERDICT: PASS\nITEM 1: PASS | src/a.ts:10 | tests/a.test.ts:5 | holds";
const there = () => true;
const outcome = (answer: string, items = 1, exists = there as (place: { path: string; line: number }) => boolean) => {
  const parsed = parseVerdict(answer, items);
  if (typeof parsed === "string") return "none";
  const judged = judge(parsed, exists);
  return "fault" in judged ? "none" : judged.verdict;
};

describe("verdicts (AR-03, AR-06, design §8)", () => {
  test.each([
    [pass, "PASS"],
    ["**VERDICT: PASS**\n- ITEM 1: PASS | `src/a.ts:10` | none | holds", "PASS"],
    ["verdict - pass\nitem #1. pass | ./src/a.ts:10-12 | tests/a.test.ts:5:3 | x", "PASS"],
    [`${pass}\nISSUE BLOCKING: src/a.ts:3 | wrong`, "FAIL"],
    [`${pass}\nISSUE WARNING: src/a.ts:3 | odd`, "PASS"],
    ["VERDICT: PASS\nITEM 1: FAIL | src/a.ts:10 | none | no", "FAIL"],
    ["VERDICT: FAIL\nISSUE BLOCKING: src/a.ts:3 | wrong", "FAIL"],
    ["VERDICT: FAIL", "none"],
    ["VERDICT: PASS", "none"],
    ["VERDICT: PASS\nITEM 1: PASS | looks fine | none | x", "none"],
    ["VERDICT: PASS\nITEM 1: PASS | src/a.ts:10", "none"],
    [`${pass}\nVERDICT: FAIL`, "none"],
    [`${pass}\nITEM 1: PASS | src/b.ts:1 | none | again`, "none"],
    [`${pass}\nISSUE (BLOCKING) src/a.ts:3 | wrong`, "none"],
    [`${pass}\n### BLOCKING: it loses data`, "none"],
    [`${pass}\n1. ISSUE BLOCKING src/a.ts:3 | wrong`, "none"],
    [`${pass}\nISSUE BLOCKING: none of the tests can fail`, "FAIL"],
    [`${pass}\nISSUE BLOCKING: none\nISSUES: none found.`, "PASS"],
    ["It is a PASS for me.", "none"],
    ["", "none"],
  ])("%j counts as %s", (answer, expected) => {
    expect(outcome(answer)).toBe(expected);
  });

  test("evidence that does not exist is none, and every item needs its own", () => {
    expect(outcome(pass, 1, ({ path }) => path !== "tests/a.test.ts")).toBe("none");
    expect(outcome(pass, 2)).toBe("none");
  });

  test("no answer whatever throws, and none without a verdict line passes", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 5 }), (text, items) => {
        const result = outcome(text, items);
        if (!/verdict/i.test(text)) expect(result).toBe("none");
      }),
      { numRuns: 2000 },
    );
  });

  test("places are read from prose", () => {
    expect(placesIn("see src/a.ts:3, `b.md:12` and C:/x")).toEqual([
      { path: "src/a.ts", line: 3 },
      { path: "`b.md", line: 12 },
    ]);
  });

  test("an approval with a blocker is none (FP-14)", () => {
    expect(parseDesignVerdict("VERDICT: APPROVED\nBLOCKER: x")?.verdict).toBe("NEEDS_REVISION");
    expect(parseDesignVerdict("VERDICT: NEEDS REVISION")?.verdict).toBe("NEEDS_REVISION");
    expect(parseDesignVerdict("fine")).toBeUndefined();
  });
});

describe("the packet (AR-01, AR-04)", () => {
  test("material cannot close its own fence", () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[0-9a-f]{12}$/), (diff, nonce) => {
        fc.pre(!diff.includes(nonce));
        const packet = composePacket({
          review: "rv-1",
          title: "t",
          spec: "s",
          items: ["i"],
          changes: [diff],
          scope: ["src"],
          files: ["src/a"],
          diff,
          diffHash: "h",
          folder: "/p",
          nonce,
        });
        expect(packet.split(`</diff ${nonce}>`)).toHaveLength(2);
      }),
    );
  });
});
