import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ConsensusPolicy,
  type Dispute,
  decide,
  favourite,
  tiers,
  urgencyOf,
  weighted,
} from "./consensus.rules.ts";

const policy: ConsensusPolicy = { max_exchanges: 3, field_weight: 0.7, threshold: 0.6 };
const support = (a: number) => ({ a, b: 1 - a });
/** A pair that does not come to terms. */
const stubborn = Array.from({ length: 5 }, () => [support(0.8), support(0.2)] as const);

function aDispute(more: Partial<Dispute> = {}): Dispute {
  return { matter: "technical", exchanges: stubborn, stakeholder: support(0.1), ...more };
}

describe("a decision (AG-08)", () => {
  test("is the pair's when it agrees within three exchanges, and the dev lead's after them", () => {
    const agreed = [support(0.3), support(0.4)] as const;
    const agreedAfter = (exchanges: number) =>
      decide(aDispute({ exchanges: [...stubborn.slice(0, exchanges - 1), agreed], lead: support(0.9) }), policy);
    expect(agreedAfter(3)).toMatchObject({ tier: "pair", option: "b", exchanges: 3, path: ["pair"], ballots: [] });
    expect(agreedAfter(4)).toMatchObject({ tier: "dev_lead", option: "a", exchanges: 3, path: ["pair", "dev_lead"] });
  });

  test("is voted on 70 to 30 where the dev lead is not sure, and the stakeholder's below 60 %", () => {
    const unsure = { lead: support(0.55), owner: support(0.9) };
    const voted = decide(aDispute(unsure), policy);
    expect(voted).toMatchObject({ tier: "po_and_lead", option: "a" });
    expect(voted.share).toBeCloseTo(0.7 * 0.55 + 0.3 * 0.9);
    expect(voted.ballots.slice(1).map(({ voter, weight }) => [voter, Math.round(weight * 100)])).toEqual([
      ["dev_lead", 70],
      ["product_owner", 30],
    ]);
    // in a matter of the product it is the other way round: 0.3 · 0.55 + 0.7 · 0.52 is too little
    const split = decide(aDispute({ lead: support(0.55), owner: support(0.52), matter: "product" }), policy);
    expect(split).toMatchObject({ tier: "stakeholder", option: "b", path: tiers });
  });

  test("of a lead who is one of the pair is not the lead's alone; where nobody is above, the stakeholder decides", () => {
    expect(decide(aDispute({ lead: support(1), owner: support(1), leadIsParty: true }), policy).path).toEqual([
      "pair",
      "po_and_lead",
    ]);
    expect(decide(aDispute(), policy)).toMatchObject({ tier: "stakeholder", path: ["pair", "stakeholder"] });
    expect(decide(aDispute({ owner: support(0.7) }), policy)).toMatchObject({ tier: "po_and_lead", share: 0.7 });
  });

  test("is as urgent as what waits for it", () => {
    const facts = { isHotfix: false, othersWait: false, daysLeft: 4 };
    expect(urgencyOf(facts)).toBe("low");
    expect(urgencyOf({ ...facts, daysLeft: 2 })).toBe("normal");
    expect(urgencyOf({ ...facts, othersWait: true })).toBe("high");
    expect(urgencyOf({ ...facts, isHotfix: true, daysLeft: 0 })).toBe("critical");
  });
});

const anySupport = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map(([a = 1, b = 1, c = 1]) => ({ a: a / (a + b + c), b: b / (a + b + c), c: c / (a + b + c) }));
const anyDispute = fc
  .record({
    matter: fc.constantFrom("technical" as const, "product" as const),
    exchanges: fc.array(fc.tuple(anySupport, anySupport), { minLength: 1, maxLength: 5 }),
    lead: fc.option(anySupport),
    owner: fc.option(anySupport),
    leadIsParty: fc.boolean(),
    stakeholder: anySupport,
  })
  .map(({ lead, owner, ...rest }): Dispute => ({ ...rest, ...(lead ? { lead } : {}), ...(owner ? { owner } : {}) }));
const anyPolicy = fc.record({
  max_exchanges: fc.integer({ min: 1, max: 5 }),
  field_weight: fc.double({ min: 0.5, max: 1, noNaN: true }),
  threshold: fc.double({ min: 0, max: 1, noNaN: true }),
});
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const rank = (dispute: Dispute, by: ConsensusPolicy) => tiers.indexOf(decide(dispute, by).tier);

describe("any decision (AG-08)", () => {
  test("votes of a tier weigh 1 together, and shares of options sum to the votes", () => {
    fc.assert(
      fc.property(anyDispute, anyPolicy, (dispute, by) => {
        const { ballots } = decide(dispute, by);
        for (const tier of tiers) {
          const weights = ballots.filter((ballot) => ballot.tier === tier).map(({ weight }) => weight);
          if (weights.length > 0) expect(sum(weights)).toBeCloseTo(1, 9);
        }
        expect(sum(Object.values(weighted(dispute.exchanges.map(([one]) => [one, 1]))))).toBeCloseTo(
          dispute.exchanges.length,
          9,
        );
      }),
    );
  });

  test("climbs from below without going back, and ends with an option that was one", () => {
    fc.assert(
      fc.property(anyDispute, anyPolicy, (dispute, by) => {
        const { path, tier, option, share, exchanges } = decide(dispute, by);
        const ranks = path.map((one) => tiers.indexOf(one));
        expect(ranks).toEqual([...new Set(ranks)].sort());
        expect([path[0], path.at(-1)]).toEqual(["pair", tier]);
        expect(["a", "b", "c"]).toContain(option);
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThanOrEqual(1 + 1e-9);
        expect(exchanges).toBeLessThanOrEqual(by.max_exchanges);
        if (tier === "dev_lead" || tier === "po_and_lead") expect(share).toBeGreaterThanOrEqual(by.threshold);
      }),
    );
  });

  test("a higher threshold never ends lower, and more exchanges never end higher", () => {
    fc.assert(
      fc.property(anyDispute, anyPolicy, fc.double({ min: 0, max: 1, noNaN: true }), (dispute, by, other) => {
        const [low, high] = [Math.min(by.threshold, other), Math.max(by.threshold, other)];
        expect(rank(dispute, { ...by, threshold: low })).toBeLessThanOrEqual(rank(dispute, { ...by, threshold: high }));
        expect(rank(dispute, { ...by, max_exchanges: by.max_exchanges + 1 })).toBeLessThanOrEqual(rank(dispute, by));
      }),
    );
  });

  test("what everybody wants is decided as they want, wherever", () => {
    fc.assert(
      fc.property(anyDispute, anyPolicy, anySupport, (dispute, by, wish) => {
        const { lead, owner, ...rest } = dispute;
        const all = { ...rest, ...(lead ? { lead: wish } : {}), ...(owner ? { owner: wish } : {}), stakeholder: wish };
        const verdict = decide(all, by);
        if (verdict.tier !== "pair") expect(verdict.option).toBe(favourite(wish));
      }),
    );
  });
});
