import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromState, randomStream } from "./random.rules.ts";

describe("seeded randomness (EX-05)", () => {
  test("is xoshiro128** as its authors publish it", () => {
    const random = fromState([1, 2, 3, 4]);
    const reference = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    expect(reference.map(() => random.uint32())).toEqual(reference);
  });

  test("follows from its names alone, and other names give another stream", () => {
    const take = (...names: (string | number)[]) => {
      const random = randomStream(7, ...names);
      return Array.from({ length: 5 }, () => random.uint32());
    };
    expect(take("turnover", "ann", 3)).toEqual(take("turnover", "ann", 3));
    expect(take("turnover", "ann", 3)).not.toEqual(take("turnover", "ann", 4));
    expect(take("ab", "c")).not.toEqual(take("a", "bc"));
    // held for ever: another value would change every report that was ever written
    expect(take("pinned")).toMatchInlineSnapshot(`
      [
        3961561449,
        1156359850,
        3267307905,
        378904025,
        2648010491,
      ]
    `);
  });

  test("numbers stay in their range and shuffles keep everything", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, low, span) => {
        const random = randomStream(seed, "range");
        const number = random.between(low, low + span);
        expect(number).toBeGreaterThanOrEqual(low);
        expect(number).toBeLessThanOrEqual(low + span);
        expect(random.float()).toBeLessThan(1);
        const list = Array.from({ length: span }, (_, index) => index);
        expect(random.shuffled(list).sort((a, b) => a - b)).toEqual(list);
      }),
    );
    expect(() => randomStream(1).pick([])).toThrow(RangeError);
  });

  test("is even enough for chances", () => {
    const random = randomStream(1, "even");
    const hits = Array.from({ length: 20_000 }, () => random.chance(0.166)).filter(Boolean).length;
    expect(hits / 20_000).toBeCloseTo(0.166, 2);
  });
});
