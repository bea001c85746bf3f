import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classify } from "./classify.rules.ts";
import {
  type Assignment,
  capacityOf,
  type PendingStory,
  planDistribution,
  scoreOf,
  type TeamPlace,
} from "./portfolio.rules.ts";

const team = (id: string, extra: Partial<TeamPlace> = {}): TeamPlace => ({
  id,
  capacity: 3,
  had: 0,
  holds: 0,
  specialists: [],
  ...extra,
});
const story = (key: string, extra: Partial<PendingStory> = {}): PendingStory => ({
  key,
  title: `Build part ${key}`,
  tags: [],
  ...extra,
});
const numbered = (n: number) => Array.from({ length: n }, (_, i) => story(`US-${String(i + 1).padStart(3, "0")}`));
const facts = { strategy: "round_robin", isBrownfield: false, assignments: [] } as const;
const of = (plan: ReturnType<typeof planDistribution>, id: string) =>
  plan.placements.filter((each) => each.team === id).map(({ key }) => key);

describe("in turn", () => {
  test("six stories and two teams: one gets the odd ones, the other the even ones (PF-02)", () => {
    const plan = planDistribution({ ...facts, stories: numbered(6), teams: [team("alpha"), team("beta")] });
    expect(of(plan, "alpha")).toEqual(["US-001", "US-003", "US-005"]);
    expect(of(plan, "beta")).toEqual(["US-002", "US-004", "US-006"]);
  });

  test("who had fewer begins, and who is full is passed over (PF-02, PF-08)", () => {
    const teams = [team("alpha", { had: 3 }), team("beta", { had: 2 }), team("gamma", { had: 3, capacity: 0 })];
    const plan = planDistribution({ ...facts, stories: numbered(3), teams });
    expect(of(plan, "beta")).toEqual(["US-001", "US-003"]);
    expect(of(plan, "alpha")).toEqual(["US-002"]);
    expect(of(plan, "gamma")).toEqual([]);
  });
});

describe("what a story is about (PF-04)", () => {
  test("its own word counts most, then domain and tags, then words, then nothing", () => {
    const confidence = (extra: Partial<PendingStory>) => {
      const { type, confidence: sure } = classify(story("s", extra));
      return [type, sure];
    };
    expect(confidence({ hint: "enabling", tags: ["kubernetes"] })).toEqual(["enabling", 1]);
    expect(confidence({ tags: ["Documentation"] })).toEqual(["enabling", 0.8]);
    expect(confidence({ domain: "devops" })).toEqual(["platform", 0.5]);
    expect(confidence({ domain: "frontend" })).toEqual(["stream_aligned", 0.5]);
    expect(confidence({ title: "Deploy with Docker", description: "through the pipeline" })).toEqual(["platform", 0.6]);
    expect(confidence({ title: "Write a guide for newcomers" })).toEqual(["enabling", 0.3]);
    expect(confidence({ title: "Use a cryptographic digest" })).toEqual(["complicated_subsystem", 0.3]);
    expect(confidence({ title: "Show the basket" })).toEqual(["stream_aligned", 0]);
  });

  test("words are whole words: a request for something quick is no user interface (PF-08)", () => {
    for (const title of ["Require quick answers", "Build the juice guild", "Suites of fruit", "Recipe circuit"])
      expect(classify(story("s", { title })).domains).not.toContain("frontend");
    expect(classify(story("s", { title: "Redraw the UI" })).domains).toContain("frontend");
    expect(classify(story("s", { title: "Speciality coffee" })).type).toBe("stream_aligned"); // no `ci` in it
    expect(classify(story("s", { domain: "payments" })).domains).toContain("payments");
  });
});

describe("by score (PF-03)", () => {
  test("type, brownfield, doubt, specialists and what a team holds add up", () => {
    const platform = { type: "platform", confidence: 0.8, domains: ["devops", "backend"] } as const;
    const stream = { type: "stream_aligned", confidence: 0, domains: [] } as const;
    const skilled = { specialists: [["devops"], ["backend", "devops"], ["database"], ["backend"], ["devops"]] };
    expect(scoreOf(platform, team("a", { type: "platform" }), 0, false)).toBe(10);
    expect(scoreOf(platform, team("a", { type: "platform" }), 0, true)).toBe(15);
    expect(scoreOf(platform, team("a", { type: "platform" }), 4, false)).toBe(6);
    expect(scoreOf(platform, team("a", { type: "stream_aligned" }), 0, false)).toBe(0);
    expect(scoreOf(stream, team("a", { type: "stream_aligned" }), 0, false)).toBe(12);
    expect(scoreOf(stream, team("a"), 0, false)).toBe(2);
    expect(scoreOf(platform, team("a", skilled), 0, false)).toBe(9); // four fit, and three count
  });

  test("a tie is the first team's, and no team gets more than it has room for (PF-03, PF-08)", () => {
    const fourteen = numbered(14).map((each) => ({ ...each, domain: "devops" }));
    const teams = [
      team("stream", { type: "stream_aligned", capacity: 7 }),
      team("ops", { type: "platform", capacity: 7 }),
    ];
    const plan = planDistribution({ ...facts, strategy: "heuristic", stories: fourteen, teams });
    expect(of(plan, "ops")).toHaveLength(7);
    expect(of(plan, "stream")).toHaveLength(7);
    const tie = planDistribution({
      ...facts,
      strategy: "heuristic",
      stories: numbered(1),
      teams: [team("b"), team("a")],
    });
    expect(of(tie, "b")).toEqual(["US-001"]);
  });
});

describe("as a coordinator assigns (PF-05)", () => {
  const teams = [
    team("alpha", { name: "Checkout", type: "stream_aligned" }),
    team("ops", { type: "platform", capacity: 1 }),
  ];
  const assigned = (assignments: Assignment[]) =>
    planDistribution({ ...facts, strategy: "coordinator", stories: numbered(4), teams, assignments });

  test("its lines come first, the rest goes by score, and what is not possible is told", () => {
    const plan = assigned([
      { story: "us-002", to: "OPS", reason: "they know it" },
      { story: "US-003", to: "ops", reason: "too" },
      { story: "US-002", to: "alpha", reason: "no, they" },
      { story: "US-9", to: "alpha", reason: "why not" },
      { story: "US-001", to: "nobody", reason: "?" },
      { story: "US-004", to: "checkout", reason: "by its name" },
    ]);
    expect(of(plan, "ops")).toEqual(["US-002"]);
    expect(of(plan, "alpha")).toEqual(["US-004", "US-001", "US-003"]);
    expect(plan.placements.find(({ key }) => key === "US-002")?.why).toBe("they know it");
    expect(plan.ignored).toEqual([
      { story: "US-003", why: "ops has no room for another story" },
      { story: "US-002", why: "no story of this id is waiting, or it was assigned by an earlier line" },
      { story: "US-9", why: "no story of this id is waiting, or it was assigned by an earlier line" },
      { story: "US-001", why: "nobody is no team that draws from the portfolio; those are alpha, ops" },
    ]);
  });

  test("nothing usable from it leaves all to the heuristic", () => {
    const heuristic = planDistribution({ ...facts, strategy: "heuristic", stories: numbered(4), teams });
    expect(assigned([]).placements).toEqual(heuristic.placements);
    expect(assigned([{ story: "US-77", to: "x", reason: "" }]).placements).toEqual(heuristic.placements);
  });
});

test("whatever is asked: no story twice, none invented, no team beyond its room, shares in turn within one (PF-08)", () => {
  const key = fc.integer({ min: 1, max: 25 }).map((n) => `US-${String(n).padStart(3, "0")}`);
  const place = fc.record({
    capacity: fc.nat(5),
    had: fc.nat(5),
    type: fc.constantFrom(undefined, "platform", "stream_aligned"),
  });
  fc.assert(
    fc.property(
      fc.nat(25),
      fc.array(place, { minLength: 1, maxLength: 7 }),
      fc.constantFrom("round_robin", "heuristic", "coordinator"),
      fc.array(fc.record({ story: key, to: fc.constantFrom("t0", "t1", "T2", "t9"), reason: fc.string() }), {
        maxLength: 12,
      }),
      (n, places, strategy, assignments) => {
        const teams = places.map(({ type, ...each }, index) =>
          team(`t${index}`, { ...each, ...(type ? { type } : {}) } as Partial<TeamPlace>),
        );
        const stories = numbered(n);
        const asked = strategy === "coordinator" ? assignments : [];
        const plan = planDistribution({
          stories,
          teams,
          strategy: strategy as "heuristic",
          isBrownfield: false,
          assignments: asked,
        });
        const keys = plan.placements.map((each) => each.key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(stories.map((each) => each.key)).toEqual(expect.arrayContaining(keys));
        for (const each of teams) expect(of(plan, each.id).length).toBeLessThanOrEqual(each.capacity);
        const room = teams.reduce((sum, { capacity }) => sum + capacity, 0);
        expect(keys).toHaveLength(Math.min(n, room)); // and nothing waits where there is room
        if (strategy === "round_robin") {
          const open = teams
            .filter((each) => of(plan, each.id).length < each.capacity)
            .map((each) => of(plan, each.id).length);
          if (open.length > 0) expect(Math.max(...open) - Math.min(...open)).toBeLessThanOrEqual(1);
        }
      },
    ),
  );
});

test("room is what a team may have less what it has not begun", () => {
  expect([capacityOf(3, 0), capacityOf(3, 2), capacityOf(3, 5)]).toEqual([3, 1, 0]);
});
