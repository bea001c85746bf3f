import { expect, test } from "vitest";
import { configSchema, withDefaults } from "../../config/config.schema.ts";
import { decaySwaps } from "./learn.ts";
import { type Member, memberOf } from "./people.rules.ts";
import type { SprintPlay } from "./play.ts";
import type { Swap } from "./state.rules.ts";
import { speedOf } from "./work.rules.ts";

const config = withDefaults(configSchema.parse({ profile_swapping: { mode: "free" } }), "/");
const swap: Swap = {
  agent: "ann",
  team: "one",
  from: "backend",
  to: "devops",
  scenario: "specialist_unavailable",
  since: 3,
  proficiency: 0.7,
};

/** The swaps that are left after each of the sprints. */
function after(...sprints: number[]): number[] {
  const state = { swaps: [swap] };
  return sprints.map((n) => {
    decaySwaps({ n, config, state } as unknown as SprintPlay);
    return state.swaps[0]?.proficiency ?? 0;
  });
}

test("a profile fades by a tenth per sprint from the next one on, and is forgotten when it helps no more (AG-03)", () => {
  const [first, second, third] = after(3, 4, 5);
  expect(first).toBe(0.7);
  expect(second).toBeCloseTo(0.63);
  expect(third).toBe(0); // 0.567 of the field, a fifth slower, is less than anybody's half
});

test("work in a profile that is not one's own is slower by proficiency and slowdown (AG-03)", () => {
  const ann: Member = { ...memberOf(config, "ann_developer", "one", 1), primary: "backend", auxiliary: [] };
  const own = speedOf(ann, "backend", { factor: 1 });
  const { proficiency, slowdown } = config.profile_swapping;
  expect(speedOf(ann, "devops", { factor: 1, swapped: proficiency / slowdown })).toBeCloseTo((own * 0.7) / 1.2);
  expect(speedOf(ann, "devops", { factor: 1 })).toBeCloseTo(own * 0.5);
});
