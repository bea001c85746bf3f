import { createHash } from "node:crypto";

/** Numbers that follow from the names of a stream alone: the same on every run and machine. */
export interface Random {
  /** 0 ≤ n < 2³². */
  uint32(): number;
  /** 0 ≤ n < 1 with 53 bits. */
  float(): number;
  chance(probability: number): boolean;
  /** Whole numbers from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** Throws RangeError for an empty list. */
  pick<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
  bytes(count: number): Uint8Array;
}

/**
 * A stream of its own for each purpose: switching one practice on or off takes no number away from another
 * (requirement EX-05). xoshiro128** by D. Blackman and S. Vigna, started from a SHA-256 of the names.
 */
export function randomStream(seed: number, ...names: readonly (string | number)[]): Random {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...names]))
    .digest();
  return fromState([0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)));
}

/** The generator itself, for its published test vectors. `start` holds four words, not all zero. */
export function fromState(start: readonly number[]): Random {
  let [a = 1, b = 0, c = 0, d = 0] = start;
  const uint32 = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const carried = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= carried;
    d = rotate(d, 11);
    return result;
  };
  const float = () => ((uint32() >>> 5) * 67_108_864 + (uint32() >>> 6)) / 9_007_199_254_740_992;
  const between = (low: number, high: number) => low + Math.floor(float() * (high - low + 1));
  return {
    uint32,
    float,
    chance: (probability) => float() < probability,
    between,
    pick(list) {
      if (list.length === 0) throw new RangeError("nothing to pick from");
      return list[between(0, list.length - 1)] as (typeof list)[number];
    },
    shuffled(list) {
      const result = [...list];
      for (let last = result.length - 1; last > 0; last -= 1) {
        const other = between(0, last);
        const moved = result[last] as (typeof result)[number];
        result[last] = result[other] as (typeof result)[number];
        result[other] = moved;
      }
      return result;
    },
    bytes(count) {
      return Uint8Array.from({ length: count }, () => uint32() >>> 24);
    },
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
