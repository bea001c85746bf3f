import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configSchema, withDefaults } from "../../config/config.schema.ts";
import { disturbanceKinds } from "../../config/experiment.schema.ts";
import { parseDirectives } from "../coordination/directives.rules.ts";
import { type Load, planText } from "./coordinators.rules.ts";
import { blastOf, rollDisturbances, spend } from "./disturbance.rules.ts";
import { type Member, memberOf } from "./people.rules.ts";
import { proxyDecision } from "./stakeholder.rules.ts";
import { contextSwitch, mend, pairSpeed, speedOf } from "./work.rules.ts";

function configOf(more: Record<string, unknown> = {}) {
  return withDefaults(
    configSchema.parse({
      teams: [
        { id: "one", agents: ["jo"] },
        { id: "two", agents: ["mo"] },
      ],
      ...more,
    }),
    "/",
  );
}

function aMember(more: Partial<Member> = {}): Member {
  return { ...memberOf(configOf(), "jo_developer", "one", 1), ...more };
}

describe("disturbances (AG-02)", () => {
  const always = Object.fromEntries(disturbanceKinds.map((kind) => [kind, 1]));
  const members = [aMember({ seniority: "junior" })];

  test("each kind strikes as often as it is said, per team", () => {
    const config = configOf({ disturbances: { enabled: true } });
    const sprints = 6000;
    const counts = new Map<string, number>();
    for (let n = 1; n <= sprints; n += 1)
      for (const { kind } of rollDisturbances(config, 3, "one", n, members))
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const kind of disturbanceKinds)
      expect((counts.get(kind) ?? 0) / sprints).toBeCloseTo(config.disturbances.frequencies[kind], 1);
  });

  test("another chance of one kind shifts no other kind, and teams are apart (EX-06)", () => {
    const roll = (frequencies: object, team = "one") =>
      rollDisturbances(configOf({ disturbances: { enabled: true, frequencies } }), 3, team, 4, members);
    const without = roll({ ...always, flaky_test: 0 });
    expect(roll(always).filter(({ kind }) => kind !== "flaky_test")).toEqual(without);
    expect(roll(always)).not.toEqual(roll(always, "two"));
  });

  test("off for a team is off for that team alone; nobody misunderstands where there is no junior", () => {
    const config = configOf({
      disturbances: { enabled: true, frequencies: always },
      teams: [
        { id: "one", agents: ["jo"], practices: { disturbances: false } },
        { id: "two", agents: ["mo"] },
      ],
    });
    expect(rollDisturbances(config, 1, "one", 1, members)).toEqual([]);
    expect(rollDisturbances(config, 1, "two", 1, members)).toHaveLength(disturbanceKinds.length);
    expect(rollDisturbances(config, 1, "two", 1, [aMember()])).toHaveLength(disturbanceKinds.length - 1);
  });

  test("cost no more than the blast radius, however many strike", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 5, noNaN: true })), (wanted) => {
        let left = blastOf(configOf(), 10);
        const radius = left.points;
        let cost = 0;
        for (const points of wanted) {
          const spent = spend(left, { points });
          cost += spent.cost.points;
          left = spent.left;
        }
        expect(cost).toBeLessThanOrEqual(radius + 1e-9);
        expect(left.points).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("work", () => {
  test("seniority, field and being new make the pace (AG-09); a pair is slower than two alone", () => {
    const speed = (member: Member, domain: string, factor = 1) => speedOf(member, domain, { factor });
    const senior = aMember({ seniority: "senior", primary: "backend" });
    const junior = aMember({ seniority: "junior", primary: "backend" });
    expect(speed(senior, "backend")).toBeGreaterThan(speed(junior, "backend"));
    expect(speed(senior, "backend")).toBeGreaterThan(speed(senior, "devops"));
    expect(speed(senior, "backend", 0.5)).toBe(speed(senior, "backend") / 2);
    expect(speed(aMember({ role: "product_owner" }), "backend")).toBe(0);
    expect(pairSpeed(1, 0.5)).toBeLessThan(1.5);
    expect(pairSpeed(1, 0.5)).toBeGreaterThan(1);
  });

  test("a borrowed agent finds its way within two days (BO-08)", () => {
    expect([0, 0.5, 1, 1.5, 2, 4].map(contextSwitch)).toEqual([0.5, 0.5, 0.75, 0.75, 1, 1]);
  });

  test("mending raises what the gates look at (AG-10)", () => {
    expect(mend({ coverage: 0.8, branches: 0.75, complexity: 12 })).toEqual({
      coverage: 0.83,
      branches: 0.785,
      complexity: 10,
    });
  });
});

describe("mock coordinators (CA-02)", () => {
  const load = (team: string, open: number, more: Partial<Load> = {}): Load => ({
    team,
    open,
    developers: 2,
    debt: 0,
    lendable: [aMember({ id: `${team}_dev`, home: team })],
    domains: ["backend"],
    missing: [],
    ...more,
  });

  test("plan in the grammar that live coordinators use", () => {
    const need = { id: "dep-1a2b3c4d", team: "one", needs_team: "two", type: "needs_api" };
    const { directives, unread } = parseDirectives(planText([need], [load("one", 20), load("two", 0)], 2));
    expect(unread).toEqual([]);
    expect(directives).toMatchObject([
      { kind: "recommend" },
      { kind: "borrow", agent: "two_dev", from: "two", to: "one" },
    ]);
  });

  test("ask for nothing where all is even, for an expert where a field is missing, and not twice for one", () => {
    expect(planText([], [load("one", 4), load("two", 4)], 2)).toBe("RECOMMEND: Continue monitoring team health.");
    expect(planText([], [load("one", 4, { missing: ["backend"] }), load("two", 4)], 2)).toContain(
      "BORROW: two_dev from two to one because nobody in one knows backend",
    );
    const twice = planText([], [load("one", 30), load("two", 30), load("three", 0)], 4);
    expect(twice.match(/three_dev/g)).toHaveLength(1);
  });
});

test("a product owner takes shaky work with changes (AG-04)", () => {
  const sprint = { rejections: 0, reviews: 4 } as Parameters<typeof proxyDecision>[0][number];
  expect(proxyDecision([sprint]).decision).toBe("approved");
  expect(proxyDecision([{ ...sprint, rejections: 3 }]).decision).toBe("approved_with_changes");
});
