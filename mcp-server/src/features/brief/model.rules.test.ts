import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configSchema } from "../../config/config.schema.ts";
import { modelNames } from "../../config/models.schema.ts";
import {
  alwaysOpus,
  chooseModel,
  dimensions,
  dollars,
  estimateCost,
  integrationBand,
  type Scores,
  scaleBand,
  scoresOf,
  spawnLine,
} from "./model.rules.ts";

const none: Scores = { ambiguity: 0, integration: 0, novelty: 0, risk: 0, scale: 0 };
const strict = { unclearIsOpus: true };
const prices = configSchema.parse({}).models.prices;

describe("the model for a score (MO-01, MO-02, C-06)", () => {
  test.each<[string, Partial<Scores>, number, string]>([
    ["all 0", {}, 0, "haiku"],
    ["a single point", { scale: 1 }, 1, "haiku"],
    ["1+1", { novelty: 1, scale: 1 }, 2, "sonnet"],
    ["three points", { integration: 2, scale: 1 }, 3, "sonnet"],
    ["2+1+1 with ambiguity 2", { ambiguity: 2, integration: 1, scale: 1 }, 4, "opus"],
    ["2+1+1 with risk 2", { risk: 2, integration: 1, scale: 1 }, 4, "opus"],
    ["2+1+1 with novelty 2", { novelty: 2, integration: 1, scale: 1 }, 4, "sonnet"],
    ["ambiguity 2 alone", { ambiguity: 2 }, 2, "opus"],
    ["risk 2 and one more", { risk: 2, scale: 1 }, 3, "opus"],
    ["6 without ambiguity or risk 2", { integration: 2, novelty: 2, scale: 2 }, 6, "sonnet"],
    ["7", { ambiguity: 1, integration: 2, novelty: 2, scale: 2 }, 7, "opus"],
    ["10", { ambiguity: 2, integration: 2, novelty: 2, risk: 2, scale: 2 }, 10, "opus"],
  ])("%s", (_, part, score, model) => {
    expect(chooseModel({ ...none, ...part }, [], strict)).toMatchObject({ score, model });
  });

  test("at 2 or 3 the unclear may stay with sonnet by configuration, from 4 on never (C-06)", () => {
    const lenient = { unclearIsOpus: false };
    expect(chooseModel({ ...none, ambiguity: 2, scale: 1 }, [], lenient).model).toBe("sonnet");
    expect(chooseModel({ ...none, ambiguity: 2, scale: 2 }, [], lenient).model).toBe("opus");
  });

  test.each(alwaysOpus)("%s is opus whatever the score (MO-02)", (flag) => {
    expect(chooseModel(none, [flag], strict)).toMatchObject({ score: 0, model: "opus", profile: "quality" });
  });

  test("every score has a model, none is ever weaker for a higher part, and haiku never meets doubt (CS-02)", () => {
    const scores = fc.record(
      Object.fromEntries(dimensions.map((name) => [name, fc.integer({ min: 0, max: 2 })])),
    ) as unknown as fc.Arbitrary<Scores>;
    fc.assert(
      fc.property(scores, fc.constantFrom(...dimensions), fc.boolean(), (given, part, unclearIsOpus) => {
        const options = { unclearIsOpus };
        const choice = chooseModel(given, [], options);
        const harder = chooseModel({ ...given, [part]: Math.min(2, given[part] + 1) }, [], options);
        expect(modelNames.indexOf(harder.model)).toBeGreaterThanOrEqual(modelNames.indexOf(choice.model));
        if (choice.model === "haiku") expect(Math.max(given.ambiguity, given.risk)).toBeLessThan(2);
      }),
    );
  });
});

describe("counts become scores (MO-01, C-32)", () => {
  test.each([
    [0, 0],
    [2, 0],
    [3, 1],
    [5, 1],
    [6, 2],
    [40, 2],
  ])("%i touchpoints are integration %i", (touchpoints, band) => {
    expect(integrationBand(touchpoints)).toBe(band);
  });

  test.each([
    [0, 0],
    [4, 0],
    [5, 1],
    [15, 1],
    [16, 2],
  ])("%i files are scale %i", (files, band) => {
    expect(scaleBand(files)).toBe(band);
  });

  test("several services are scale 2 however few the files", () => {
    expect(scoresOf({ ...none, scale: undefined, multi_service: true })).toMatchObject({ scale: 2 });
  });

  test("a count wins over a score, and each missing part is named", () => {
    expect(scoresOf({ ...none, integration: 0, touchpoints: 7, files: 9 })).toEqual({
      ...none,
      integration: 2,
      scale: 1,
    });
    expect(() => scoresOf({ ambiguity: 1, files: 3 })).toThrow("missing in complexity: integration, novelty, risk");
  });
});

describe("estimates (CS-01, C-07)", () => {
  test("stay within what sessions of each model cost, dated", () => {
    expect(prices.as_of).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(estimateCost(0, prices.haiku)).toBe(80_000);
    expect(estimateCost(5, prices.sonnet)).toBe(760_000);
    expect(estimateCost(8, prices.opus)).toBe(2_120_000);
  });

  test("are whole micro-USD and grow with score and price", () => {
    const micro = fc.integer({ min: 0, max: 1_000_000_000 });
    const price = fc.record({ input: micro, cache_read: micro, output: micro });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), price, (score, given) => {
        const cost = estimateCost(score, given);
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(estimateCost(score + 1, given)).toBeGreaterThanOrEqual(cost);
      }),
    );
  });

  test("the line says agent, model, score and cost (MO-03)", () => {
    expect(spawnLine({ agent: "ada", model: "opus", score: 7, cost: 1_995_001 })).toBe(
      "[coordinator] Spawning ada with opus (score: 7, cost: ~$2.00)",
    );
    expect([dollars(0), dollars(1), dollars(80_000), dollars(12_345_678)]).toEqual([
      "$0.00",
      "$0.01",
      "$0.08",
      "$12.35",
    ]);
  });
});
