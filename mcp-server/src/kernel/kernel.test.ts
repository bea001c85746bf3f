import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hint, renderError, TeamwrightError } from "./errors.ts";
import { fenceText, plainLine } from "./fence.ts";
import { formatHybridTime, type HybridTime, nextHybridTime, parseHybridTime } from "./hlc.ts";
import { newKey } from "./ids.ts";
import { nearest } from "./nearest.ts";
import { directsWork } from "./principal.ts";

describe("hybrid time", () => {
  const clock = fc.integer({ min: 0, max: 4_000_000_000_000 });

  test("stamps grow as text whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(clock, { minLength: 1, maxLength: 50 }), (clocks) => {
        let last: HybridTime | undefined;
        const stamps = clocks.map((now) => {
          last = nextHybridTime(last, now, "ab-cd");
          return formatHybridTime(last);
        });
        expect(stamps).toEqual([...new Set(stamps)].sort());
      }),
    );
  });

  test("a stamp reads back as it was written and is never behind the clock", () => {
    fc.assert(
      fc.property(
        clock,
        clock,
        fc.integer({ min: 0, max: 0xffff }),
        fc.stringMatching(/^[a-z-]{1,9}$/),
        (ms, now, counter, replica) => {
          const time = { ms, counter, replica };
          expect(parseHybridTime(formatHybridTime(time))).toEqual(time);
          const next = nextHybridTime(time, now, replica);
          expect(next.ms).toBeGreaterThanOrEqual(Math.max(now, ms));
          expect(next.counter).toBeLessThanOrEqual(0xffff);
        },
      ),
    );
  });
});

test("keys are a prefix and eight letters that cannot be misread, and do not repeat", () => {
  const keys = Array.from({ length: 5000 }, () => newKey("tw"));
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(key).toMatch(/^tw-[0-9a-hjkmnp-tv-z]{8}$/);
});

test("the nearest name is one of the candidates, itself when it is one, and nothing when all are far", () => {
  expect(nearest("titel", ["title", "team"])).toBe("title");
  expect(nearest("Task_Clam", ["task_claim", "task_close"])).toBe("task_claim");
  expect(nearest("xyzzyxyzzy", ["title", "team"])).toBeUndefined();
  expect(nearest("", [])).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string({ maxLength: 20 }), { maxLength: 8 }), (word, candidates) => {
      const found = nearest(word, candidates);
      if (found !== undefined) expect(candidates).toContain(found);
      const [first] = candidates;
      if (first !== undefined) expect(nearest(first, candidates)?.toLowerCase()).toBe(first.toLowerCase());
    }),
  );
});

test("text cannot close its own fence and one line stays one line within its width", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 200 }), (text, width) => {
      const [, nonce = ""] = /^<stored-text (\w+) /.exec(fenceText("x", text)) ?? [];
      expect(text).not.toContain(nonce);
      const line = plainLine(text, width);
      expect(line.length).toBeLessThanOrEqual(width);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
  expect(fenceText("x", "y")).not.toBe(fenceText("x", "y"));
  for (const mark of ["\u2028", "\u2029", "\u0085", "\v"]) expect(plainLine(`a${mark}b`)).toBe("a b");
  expect(plainLine("Ship it 🚀🚀", 10)).toBe("Ship it …");
});

test("an error is a line, its problems and the next step", () => {
  const error = new TeamwrightError("BLOCKED", "It waits.", hint("task_show", "says why"), ["one", "two"]);
  expect(renderError(error)).toBe("BLOCKED: It waits.\n- one\n- two\nNext: task_show says why.");
  expect(renderError(new TeamwrightError("NOT_FOUND", "Nothing."))).toBe("NOT_FOUND: Nothing.");
});

test("people, leads and services direct work; agents and strangers do not", () => {
  const kinds = ["human", "lead", "service", "agent", "unverified"] as const;
  expect(kinds.filter((kind) => directsWork({ kind, key: kind, name: kind }))).toEqual(["human", "lead", "service"]);
});
