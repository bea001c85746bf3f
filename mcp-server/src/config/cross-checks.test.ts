import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.load.ts";
import { limitsOf, type ProjectConfig, withDefaults } from "./config.schema.ts";
import { isCoordinated, isFullLoopDue, practiceOn } from "./practices.rules.ts";

const problems = (text: string, forExperiment = false) =>
  parseConfig(text, "teamwright.yaml", { forExperiment }).problems;

function configOf(text: string): ProjectConfig {
  const { config, problems: found } = parseConfig(text, "teamwright.yaml");
  if (!config) throw new Error(found.join("\n"));
  return withDefaults(config, "/project");
}

/** `n` teams of one agent each. */
const teams = (n: number) =>
  `teams: [${Array.from({ length: n }, (_, i) => `{id: t${i}, agents: [a${i}]}`).join(", ")}]`;

// what the document on teams of teams shows of the configuration, as it stands there
const twoTeams = `
teams:
  - id: "checkout-stream"
    name: "Checkout Stream Team"
    team_type: "stream_aligned"
    agents:
      - alex_senior_networking
      - marcus_mid_backend
      - sophie_senior_qa_lead
      - ahmed_senior_dev_lead
      - alex_senior_po

  - id: "platform-team"
    name: "Platform Team"
    team_type: "platform"
    agents:
      - priya_senior_devops
      - elena_mid_frontend
      - jordan_junior_backend
      - yuki_senior_tester_integration
`;
const teamOptions = `
teams:
  - id: "checkout-stream"
    name: "Checkout Stream Team"
    team_type: "stream_aligned"   # stream_aligned | platform | enabling | complicated_subsystem
    agents: [...]
    backlog: "backlogs/checkout.yaml"   # Team-specific backlog (optional)
    wip_limits:                         # Override global WIP limits (optional)
      in_progress: 3
      review: 1
`;
const overhead = `
coordination:
  enabled: true
  coordinators: [staff_engineer_01, enablement_lead_01]
  overhead_budget:
    overhead_budget_pct: 0.20          # 20% of total sprint time
    iteration_zero_share: 0.40         # 40% of overhead for initial setup
    coordination_step_weight: 0.50     # Per-sprint step weights (must sum to 1.0)
    distribution_step_weight: 0.30
    checkin_step_weight: 0.20
    min_step_timeout_seconds: 10.0     # Floor for any step timeout
`;
const loop = `
coordination:
  enabled: true
  full_loop_cadence: 1          # Run full loop every N sprints
  mid_sprint_checkin: true      # Lightweight check between dev and QA
  max_borrows_per_sprint: 2     # Cap on agent borrows per sprint
  borrow_duration_sprints: 1    # How long a borrowed agent stays
  dependency_tracking: true     # Scan cards for cross-team dependencies
  coordinators:
    - staff_engineer_01         # Must exist in models.agents
    - enablement_lead_01        # Must NOT be assigned to any team
`;
const people = `
models:
  agents:
    # Regular team agents...
    alex_senior_networking:
      name: "Alex Chen (Senior Networking)"
      # ...

    # Coordinators (NOT in any team's agents: list)
    staff_engineer_01:
      name: "Staff Engineer Coordinator"
      individual: coordinator_staff_engineer
      seniority: senior
      primary_specialization: backend
      role_archetype: staff_engineer
      demographics:
        pronouns: "they/them"

    enablement_lead_01:
      name: "Enablement Lead Coordinator"
      individual: coordinator_enablement_lead
      seniority: senior
      primary_specialization: backend
      role_archetype: enablement_lead
      demographics:
        pronouns: "they/them"

coordination:
  enabled: true
  coordinators:
    - staff_engineer_01
    - enablement_lead_01
`;
const mixedBacklogs = `
teams:
  - id: "checkout-stream"
    backlog: "backlogs/checkout.yaml"  # Uses own backlog
    agents: [...]

  - id: "platform-team"
    # No backlog: path → receives portfolio stories
    agents: [...]
`;
const off = "\ncoordination:\n  enabled: false\n";

describe("the examples of the document on teams of teams", () => {
  test.each([
    ["two teams", twoTeams],
    ["options of a team", teamOptions],
    ["overhead budget", overhead],
    ["loop", loop],
    ["coordinators", people],
    ["mixed backlogs", mixedBacklogs],
    ["without coordination", off],
    ["teams with all of the loop", twoTeams + loop],
    ["teams with the budget", twoTeams + overhead],
    ["backlogs without coordination", mixedBacklogs + off],
  ])("%s loads unmodified (TC-01)", (_, text) => {
    expect(problems(text)).toEqual([]);
  });

  test("their values are read (TC-01, TC-07, CO-01, OH-01)", () => {
    const config = configOf(twoTeams + loop);
    expect(config.teams.map(({ id, name, team_type, agents }) => [id, name, team_type, agents.length])).toEqual([
      ["checkout-stream", "Checkout Stream Team", "stream_aligned", 5],
      ["platform-team", "Platform Team", "platform", 4],
    ]);
    expect(config.coordination).toMatchObject({
      enabled: true,
      full_loop_cadence: 1,
      max_borrows_per_sprint: 2,
      coordinators: ["staff_engineer_01", "enablement_lead_01"],
    });
    const options = configOf(teamOptions);
    expect(options.teams[0]).toMatchObject({ backlog: "backlogs/checkout.yaml", agents: [] });
    expect(limitsOf(options, "checkout-stream")).toEqual({ in_progress: 3, review: 1 });
    expect(configOf(people).models.agents).toMatchObject({
      alex_senior_networking: {
        name: "Alex Chen (Senior Networking)",
        seniority: "mid",
        auxiliary_specializations: [],
      },
      enablement_lead_01: { role_archetype: "enablement_lead", demographics: { pronouns: "they/them" } },
    });
  });

  test("what is left out has the values the document tells (CO-01, CO-05, OH-01, AG-01, AG-02, PF-02)", () => {
    const config = configOf("");
    expect(config.coordination).toEqual({
      enabled: false,
      full_loop_cadence: 1,
      mid_sprint_checkin: true,
      max_borrows_per_sprint: 2,
      borrow_duration_sprints: 1,
      dependency_tracking: true,
      coordinators: [],
      consent: "rule",
      min_team_size: 2,
      protected_roles: ["product_owner", "dev_lead", "qa_lead"],
      overhead_budget: {
        overhead_budget_pct: 0.2,
        iteration_zero_share: 0.4,
        coordination_step_weight: 0.5,
        distribution_step_weight: 0.3,
        checkin_step_weight: 0.2,
        min_step_timeout_seconds: 10,
        carry_over: false,
      },
    });
    expect(config.portfolio).toEqual({ stories_per_team: 3, strategy: "round_robin" });
    expect(config.sprint).toMatchObject({ minutes: 60, days: 5, max_candidates: 8, points_per_developer: 3 });
    expect(Object.values(config.disturbances.frequencies)).toEqual([0.166, 0.125, 0.25, 0.2, 0.33, 0.166, 0.3]);
  });
});

describe("several teams", () => {
  test("one is enough for a board, two to seven for coordination and experiments (TC-02)", () => {
    const coordinated = `${off.replace("false", "true")}`;
    expect(problems(teams(1))).toEqual([]);
    expect(problems(teams(1) + coordinated)).toEqual([
      "teamwright.yaml:1:8 teams: 1 team, where 2 to 7 are to be coordinated; add another, or set coordination.enabled to false",
    ]);
    expect(problems(teams(1), true)).toEqual([
      "teamwright.yaml:1:8 teams: 1 team, where 2 to 7 are to be coordinated; add another",
    ]);
    expect(problems("", true)).toEqual([
      "teamwright.yaml:1:1 teams: an experiment has 2 to 7 teams; name them with their agents",
    ]);
    for (const n of [2, 7]) {
      expect(problems(teams(n) + coordinated)).toEqual([]);
      expect(problems(teams(n), true)).toEqual([]);
    }
    for (const text of [teams(8), teams(8) + coordinated])
      expect(problems(text)).toEqual(["teamwright.yaml:1:8 teams: 8 teams, the most is 7; join some"]);
    expect(problems(mixedBacklogs, true)).toHaveLength(2); // nobody is named
  });

  test("everything that is wrong is told at once, with its place and a way out (TC-03, TC-06, TC-08, TC-09)", () => {
    expect(
      problems(`models:
  agents:
    ada: {seniority: seniour}
    bob: {role: tester}
    staff: {role_archetype: staff_engineer}
teams:
  - {id: alpha, agents: [ada, bo, staff]}
  - {id: alpha, agents: [ada]}
  - {id: gamma, agents: [], practices: {retros: true}}
coordination:
  enabled: true
  full_loop_cadence: 0
  max_borrow_per_sprint: 2
  coordinators: [staff, staf, staf]
  overhead_budget:
    overhead_budget_pct: 1.5
    coordination_step_weight: 5
    checkin_step_weight: -1
portfolio: {strategy: robin}
disturbances: {enabled: yes please, frequencies: {flaky_tests: 0.2}}
stakeholder_review: {feedback: webhook}
ownership: [{paths: [src], owner: "team:beta"}]
`),
    ).toMatchInlineSnapshot(`
      [
        "teamwright.yaml:3:22 models.agents.ada.seniority: must be junior, mid or senior, not "seniour"; did you mean senior?",
        "teamwright.yaml:4:11 unknown key models.agents.bob.role; did you mean role_archetype?",
        "teamwright.yaml:7:31 teams.0.agents: bo is not in models.agents; did you mean bob?",
        "teamwright.yaml:8:10 teams.1.id: alpha is already team number 1; give one of them another id",
        "teamwright.yaml:8:26 teams.1.agents: ada is already in team alpha; an agent is in one team, take it out of the other",
        "teamwright.yaml:9:25 teams.2.agents: team gamma has no agents; name some, or take the team out",
        "teamwright.yaml:9:41 unknown key teams.2.practices.retros; did you mean retro?",
        "teamwright.yaml:12:22 coordination.full_loop_cadence: must be at least 1",
        "teamwright.yaml:13:3 unknown key coordination.max_borrow_per_sprint; did you mean max_borrows_per_sprint?",
        "teamwright.yaml:14:18 coordination.coordinators: staff is in team alpha; a coordinator is in no team, take it out of teams.0.agents",
        "teamwright.yaml:14:25 coordination.coordinators: staf is not in models.agents; did you mean staff?",
        "teamwright.yaml:14:31 coordination.coordinators: staf is listed twice; take one out",
        "teamwright.yaml:14:31 coordination.coordinators: staf is not in models.agents; did you mean staff?",
        "teamwright.yaml:16:26 coordination.overhead_budget.overhead_budget_pct: must be between 0 and 1",
        "teamwright.yaml:17:31 coordination.overhead_budget.coordination_step_weight: must be between 0 and 1",
        "teamwright.yaml:18:26 coordination.overhead_budget.checkin_step_weight: must be between 0 and 1",
        "teamwright.yaml:19:23 portfolio.strategy: must be round_robin, heuristic or coordinator, not "robin"; did you mean round_robin?",
        "teamwright.yaml:20:25 disturbances.enabled: must be true or false, not "yes please"",
        "teamwright.yaml:20:51 unknown key disturbances.frequencies.flaky_tests; did you mean flaky_test?",
        "teamwright.yaml:21:32 stakeholder_review.feedback: a webhook has a webhook_url; give it, or take \`file\`",
        "teamwright.yaml:22:35 ownership.0.owner: there is no team beta",
      ]
    `);
  });

  test("weights sum to one within rounding, whatever part of them is given (TC-08)", () => {
    const budget = (given: string) => problems(`coordination: {overhead_budget: {${given}}}`);
    expect(budget("coordination_step_weight: 0.1, distribution_step_weight: 0.2, checkin_step_weight: 0.7")).toEqual(
      [],
    );
    expect(budget("coordination_step_weight: 0.5000000001, checkin_step_weight: 0.1999999999")).toEqual([]);
    expect(budget("coordination_step_weight: 0.6")).toEqual([
      "teamwright.yaml:1:60 coordination.overhead_budget: the three step weights sum to 1.1, and have to sum to 1; distribution_step_weight is 0.3 unless set, checkin_step_weight is 0.2 unless set",
    ]);
    expect(budget("min_step_timeout_seconds: 5")).toEqual([]);
  });

  test("a practice is on or off by its section, and by the team's own word (EX-06)", () => {
    const config = configOf(`teams:
  - {id: a, practices: {retro: false, turnover: true, profile_swapping: true}}
  - {id: b}
profile_swapping: {mode: none}`);
    const on = (team: string) =>
      (["retro", "turnover", "profile_swapping", "pairing"] as const).map((name) => practiceOn(config, team, name));
    expect(on("a")).toEqual([false, true, true, true]);
    expect(on("b")).toEqual([true, false, false, true]);
  });

  test("the loop comes before sprints 2, 2 + N, 2 + 2N (CO-02, CO-05, C-17)", () => {
    const due = (cadence: number, extra = "") => {
      const config = configOf(`${teams(2)}\ncoordination: {enabled: true, full_loop_cadence: ${cadence}}${extra}`);
      return Array.from({ length: 9 }, (_, n) => n + 1).filter((n) => isFullLoopDue(config, n));
    };
    expect(due(1)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(due(2)).toEqual([2, 4, 6, 8]);
    expect(due(3)).toEqual([2, 5, 8]);
    expect(isCoordinated(configOf(loop))).toBe(false); // nobody to coordinate: one team
    expect(isFullLoopDue(configOf(teams(2)), 2)).toBe(false);
  });
});
