import { describe, expect, test } from "vitest";
import { configSchema, type ProjectConfig, withDefaults } from "../../config/config.schema.ts";
import { openingLines, sprintLines } from "./console.rules.ts";
import { average, portfolioReport } from "./report.rules.ts";
import { finalReport } from "./report.schema.ts";
import type { SprintRecord, TeamRecord } from "./state.rules.ts";

const config: ProjectConfig = withDefaults(
  configSchema.parse({
    experiment: { name: "multi-team-demo" },
    coordination: { enabled: true },
    teams: [
      { id: "checkout-stream", name: "Checkout Stream Team", team_type: "stream_aligned", agents: ["a", "b"] },
      { id: "platform-team", team_type: "platform", agents: ["c"] },
    ],
  }),
  "/",
);

function aRecord(sprint: number, velocity: number, features: number): TeamRecord {
  return {
    sprint,
    velocity,
    features_completed: features,
    agents: 5,
    capacity: 9,
    planned_points: 8,
    test_coverage: 0.9,
    branch_coverage: null,
    pairing_sessions: 2,
    cycle_time_avg: 2.5,
    blocked_count: 0,
    cards_blocked: 0,
    blocked_minutes: 0,
    wip: 1,
    dependency_cards: 0,
    wip_refusals: 0,
    reviews: 2,
    rejections: 0,
    gate_failures: 0,
    escalations: 0,
    idle_days: 0,
    borrowed_in: [],
    borrowed_out: [],
    disturbances: [],
    swaps: [],
    specialists: [],
    departure_events: [],
    backfill_events: [],
  };
}

function aSprint(n: number, checkout: [number, number], platform: [number, number]): SprintRecord {
  return {
    sprint: n,
    started_at: "2026-01-05T14:05:11.000Z",
    ended_at: "2026-01-05T15:05:11.000Z",
    teams: { "checkout-stream": aRecord(n, ...checkout), "platform-team": aRecord(n, ...platform) },
    coordination: null,
    learnings: [],
    review: null,
  };
}

/** The document's own example: seed 000 §9. */
const sprints = [aSprint(1, [5, 2], [3, 1]), aSprint(2, [8, 3], [5, 2]), aSprint(3, [8, 3], [5, 2])];
const overhead = {
  total_budget_seconds: 2160,
  spent_seconds: 45.3,
  remaining_seconds: 2114.7,
  overrun_seconds: 0,
  num_steps: 0,
  timeouts: 0,
  steps: [],
};
const facts = { config, state: { seed: 7, variant: "coordinated", members: [] }, sprints, overhead, loans: [] };

describe("the portfolio's report (OU-02)", () => {
  test("has the document's numbers for the document's sprints", () => {
    expect(portfolioReport(facts)).toMatchObject({
      experiment: "multi-team-demo",
      mode: "multi_team",
      teams: {
        "checkout-stream": { total_sprints: 3, avg_velocity: 7, total_features: 8 },
        "platform-team": { total_sprints: 3, avg_velocity: 4.3, total_features: 5 },
      },
      portfolio: { total_sprints: 3, total_velocity: 34, total_features: 13, num_teams: 2 },
      overhead_budget: { total_budget_seconds: 2160, spent_seconds: 45.3, remaining_seconds: 2114.7 },
    });
  });

  test("has the shape that comparisons read", () => {
    const loans = [
      {
        agent: "c",
        from_team: "platform-team",
        to_team: "checkout-stream",
        reason: "help",
        sprint_from: 2,
        due_sprint: 3,
        last_sprint: 2,
        status: "returned",
      },
    ];
    const report = finalReport.parse(portfolioReport({ ...facts, loans }));
    expect(report.borrows).toMatchObject([{ agent: "c", sprint: 2, due: 2, returned: 2 }]);
    expect(finalReport.parse(portfolioReport({ ...facts, sprints: [] })).portfolio.total_velocity).toBe(0);
  });

  test("the set-up counts for no velocity", () => {
    const zero = aSprint(0, [4, 4], [4, 4]);
    expect(portfolioReport({ ...facts, sprints: [zero, ...sprints] }).portfolio).toEqual(
      portfolioReport(facts).portfolio,
    );
  });

  test("averages have one decimal, and nothing is 0", () => {
    expect([average([5, 8, 8]), average([3, 5, 5]), average([1, 1, 2]), average([])]).toEqual([7, 4.3, 1.3, 0]);
  });
});

describe("the console (OU-03)", () => {
  test("opens with who is there", () => {
    const lines = openingLines({
      agents: [{ id: "alex", name: "Alex Chen (Senior Networking)" }],
      teams: [{ id: "checkout-stream", name: "Checkout Stream Team", agents: 6 }],
      coordinators: ["staff_engineer_01", "enablement_lead_01"],
    });
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "Loaded 1 agents:
        - alex: Alex Chen (Senior Networking)

      Multi-team mode: 1 teams
        - checkout-stream: Checkout Stream Team (6 agents)
        Coordinators: ['staff_engineer_01', 'enablement_lead_01']"
    `);
  });

  test("shows a sprint between rules of 60, with the coordinators' words and the teams' points", () => {
    const [, second] = sprints;
    if (!second) throw new Error("no sprint");
    const borrow = { agent: "priya", from: "platform-team", to: "checkout-stream", reason: "help" };
    const coordination = {
      loop: true,
      borrows: [borrow],
      refused: [{ ...borrow, agent: "yuki", code: "cap" }],
      recommendations: ["Continue monitoring team health.", "b", "c", "d"],
      checkin: ["All teams healthy, no action needed."],
    };
    expect(sprintLines({ ...second, coordination }).join("\n")).toMatchInlineSnapshot(`
      "
      ============================================================
      SPRINT 2  [14:05:11]
      ============================================================
        Running cross-team coordination loop...
        [COORD] Continue monitoring team health.
        [COORD] b
        [COORD] c
        [BORROW] priya: platform-team → checkout-stream
        [REFUSED] yuki: platform-team → checkout-stream (cap)
        [MID-SPRINT] All teams healthy, no action needed.
        [checkout-stream] velocity=8pts done=3
        [platform-team] velocity=5pts done=2"
    `);
  });
});
