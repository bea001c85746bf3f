import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../kernel/principal.ts";
import { checkRecords, coordinatorsOf, type Moment, sprintOfRound } from "./coordination.rules.ts";
import { type Facts, plainCheckin, plainEvaluation, span, type TeamFacts } from "./facts.rules.ts";
import { broadcastText, nothing } from "./outcome.rules.ts";
import { checkinPrompt, evaluationPrompt, planPrompt } from "./prompt.rules.ts";

const settings = (coordinators: string[], agents?: Record<string, { role_archetype?: string }>) => ({
  coordination: { coordinators },
  models: { agents },
});

describe("who evaluates and who plans (CA-03)", () => {
  const people = { se: { role_archetype: "staff_engineer" }, el: { role_archetype: "enablement-lead" }, dev: {} };

  test("follows from the role, wherever it is listed", () => {
    for (const order of [
      ["se", "el"],
      ["el", "se"],
    ])
      expect(coordinatorsOf(settings(order, people))).toEqual({ evaluator: "se", planner: "el", count: 2 });
    expect(coordinatorsOf(settings(["el"], people))).toEqual({ evaluator: undefined, planner: "el", count: 1 });
    expect(coordinatorsOf(settings([], people)).count).toBe(0);
  });

  test("is read from the id where nothing is known of it, and then from the order", () => {
    expect(coordinatorsOf(settings(["enablement_lead_01", "staff-engineer-1"]))).toEqual({
      evaluator: "staff-engineer-1",
      planner: "enablement_lead_01",
      count: 2,
    });
    expect(coordinatorsOf(settings(["one", "two", "three"]))).toEqual({ evaluator: "one", planner: "two", count: 2 });
    expect(coordinatorsOf(settings(["two", "el"], { el: { role_archetype: "enablement_lead" } }))).toMatchObject({
      evaluator: "two",
      planner: "el",
    });
    // somebody with another role coordinates nothing
    expect(coordinatorsOf(settings(["dev"], { dev: { role_archetype: "developer" } })).count).toBe(0);
  });

  test("never depends on the order of known roles", () => {
    const roles = fc.constantFrom("staff_engineer", "enablement_lead", "developer");
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), roles), { selector: ([id]) => id }),
        (list) => {
          const agents = Object.fromEntries(list.map(([id, role_archetype]) => [id, { role_archetype }]));
          const found = coordinatorsOf(
            settings(
              list.map(([id]) => id),
              agents,
            ),
          );
          for (const [id, role] of [
            [found.evaluator, "staff_engineer"],
            [found.planner, "enablement_lead"],
          ])
            if (id !== undefined) expect(agents[id]?.role_archetype).toBe(role);
            else expect(list.some(([, one]) => one === role)).toBe(false);
        },
      ),
    );
  });
});

const moment: Moment = { enabled: true, teams: 2, cadence: 1, midSprint: true, running: undefined, last: 1 };
const inPhase = (phase: string, isHalfOver = false): Moment => ({ ...moment, running: { n: 1, phase, isHalfOver } });

describe("when a round is due (CO-02, CO-04, CO-05, C-17)", () => {
  test("full loops come before sprints 2, 2 + N …", () => {
    const due = (last: number, cadence: number) => {
      try {
        return sprintOfRound("full", { ...moment, last, cadence });
      } catch {
        return undefined;
      }
    };
    expect([0, 1, 2, 3, 4, 5].map((last) => due(last, 1))).toEqual([undefined, 2, 3, 4, 5, 6]);
    expect([0, 1, 2, 3, 4, 5].map((last) => due(last, 3))).toEqual([undefined, 2, undefined, undefined, 5, undefined]);
    expect(() => sprintOfRound("full", { ...moment, last: 2, cadence: 3 })).toThrow(/before sprint 5/);
  });

  test("a check-in stands in the middle of a sprint", () => {
    expect(sprintOfRound("checkin", inPhase("development"))).toBe(1);
    expect(sprintOfRound("checkin", inPhase("qa"))).toBe(1);
    expect(sprintOfRound("checkin", inPhase("planning", true))).toBe(1);
    for (const at of [inPhase("planning"), inPhase("review"), moment, { ...inPhase("qa"), midSprint: false }])
      expect(() => sprintOfRound("checkin", at)).toThrow();
  });

  test.each(["full", "checkin"] as const)("%s: nothing without coordination, or with one team", (kind) => {
    expect(() => sprintOfRound(kind, { ...inPhase("qa"), enabled: false })).toThrow(/coordination.enabled/);
    expect(() => sprintOfRound(kind, { ...inPhase("qa"), teams: 1 })).toThrow(/one team/);
  });
});

describe("who may write a part (C-22)", () => {
  const coordinators = { evaluator: "se", planner: "el", count: 2 };
  const agent = (role: string, name = role): Principal => ({ kind: "agent", key: "agent:a", name, agentId: "a", role });
  const may = (principal: Principal, isBound: boolean, isSpawned: boolean, part: "evaluation" | "plan" = "plan") => {
    try {
      checkRecords(part, { principal, isBound, isSpawned }, coordinators);
      return true;
    } catch {
      return false;
    }
  };

  test("the coordinator that was started for it, one that is known by its name alone, and people", () => {
    expect(may(agent("enablement-lead"), true, true)).toBe(true);
    expect(may(agent("enablement-lead", "el"), false, false)).toBe(true);
    expect(may({ kind: "human", key: "human:pat", name: "pat" }, false, false)).toBe(true);
  });

  test("nobody else", () => {
    expect(may(agent("enablement-lead", "el"), false, true)).toBe(false);
    expect(may(agent("enablement-lead", "other"), false, false)).toBe(false);
    expect(may(agent("staff-engineer", "se"), true, true)).toBe(false);
    expect(may(agent("builder", "el"), true, false)).toBe(false);
    expect(may(agent("enablement-lead", "el"), true, true, "evaluation")).toBe(false);
    for (const kind of ["lead", "service", "unverified"] as const)
      expect(may({ kind, key: `${kind}:x`, name: "el", role: "enablement-lead" }, true, false)).toBe(false);
  });
});

const team = (id: string, more: Partial<TeamFacts> = {}): TeamFacts => ({
  team: id,
  velocity: 5,
  velocity_trend: [3, 5],
  wip: 2,
  oldest_wip_ms: 3_600_000,
  blocked: 0,
  blocked_ms: 0,
  agents: 3,
  borrowed_in: [],
  borrowed_out: [],
  debt: 0,
  lendable: [],
  ...more,
});
const facts: Facts = {
  sprint: 2,
  teams: [team("alpha", { blocked: 2, blocked_ms: 7_200_000, debt: -1 }), team("beta", { lendable: ["bea"], debt: 1 })],
  needs: [
    {
      id: "dep-1",
      task: "tw-1",
      team: "alpha",
      needs_team: "beta",
      type: "needs_api",
      status: "open",
      needed_task: "tw-9",
      open_ms: 1_800_000,
      change: "new",
    },
  ],
  last: { n: 1, teams: [{ team: "alpha", velocity: 5, done: 2 }] },
  max_borrows: 2,
  duration_sprints: 1,
};
const setting = { round: "co-1" };
const fenced = (label: string, text: string) => `<${label}>${text}</${label}>`;

describe("what coordinators are asked (CO-07, CO-08, OH-05)", () => {
  test("the evaluator: time, health, dependencies, results, questions", () => {
    const prompt = evaluationPrompt(facts, { ...setting, timeContext: "## Time Context\n- x" });
    const heads = [...prompt.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(heads).toEqual([
      "Time Context",
      "Team Health",
      "Cross-Team Dependencies",
      "Last Sprint Results",
      "Questions",
    ]);
    expect(prompt).toContain("- alpha: velocity 5 (before: 3), WIP 2 (the oldest for 1.0 h), blocked 2 (2.0 h in all)");
    expect(prompt).toContain("- tw-1: alpha → beta (needs_api, open), new, for 30 min, waits for tw-9");
    const bare = evaluationPrompt({ ...facts, needs: [], last: undefined }, setting);
    expect(bare).not.toContain("Time Context");
    expect(bare).toContain("None detected");
    expect(bare).toContain("No prior results");
  });

  test("the planner: the evaluation, the teams with their debt, and the ids it may name", () => {
    const prompt = planPrompt(facts, { text: "BORROW: x", fenced }, setting);
    expect(prompt).toContain("<evaluation>BORROW: x</evaluation>");
    expect(prompt).toContain("## Agents That May Be Lent\n- alpha: none\n- beta: bea");
    expect(prompt).toContain("has lent 1 sprint more than it borrowed");
    expect(prompt).toContain("BORROW: <agent> from <team> to <team> because <reason>");
    expect(planPrompt({ ...facts, max_borrows: 0 }, { text: "", fenced }, setting)).not.toContain("BORROW: <agent>");
    expect(checkinPrompt(facts, setting)).toContain("no agent is lent");
  });

  test("nobody: the same facts in sentences (CO-09)", () => {
    expect(plainEvaluation(facts).split("\n").slice(0, 3)).toEqual([
      "Looked at 2 teams: alpha, beta.",
      "Teams with blocked work: alpha.",
      "Open needs between teams: 1.",
    ]);
    const calm = { ...facts, teams: [team("alpha"), team("beta")], needs: [] };
    expect(plainEvaluation(calm)).toContain("RECOMMEND: keep watching");
    expect(plainCheckin(facts)).toContain("alpha has 2 blocked tasks");
    expect(plainCheckin(calm)).toContain("no team has blocked work");
  });

  test("spans of time", () => {
    expect([0, 60_000, 5_400_000, 200 * 3_600_000].map(span)).toEqual(["0 min", "1 min", "1.5 h", "8.3 d"]);
  });

  test("the broadcast says what, detail and action, five recommendations at most (CO-10, MB-07)", () => {
    const recommendations = Array.from({ length: 8 }, (_, n) => `advice ${n}`);
    const text = broadcastText({ key: "co-1", kind: "full", sprint: 2 }, { ...nothing, recommendations });
    expect(text).toMatch(/^\[WHAT\] Coordination before sprint 2: 0 lent, 0 refused, 8 recommendations\.\n\[DETAIL\]/);
    expect(text.match(/^RECOMMEND: /gm)).toHaveLength(5);
    expect(text).toContain("and 3 more");
    expect(text).toMatch(/\n\[ACTION\] Leads weigh .*\(co-1\)\.$/);
    // a plan may ask for two hundred that nobody lends: all are counted, and the message stays one
    const loan = { agent: "zed", from: "beta", to: "alpha", reason: "why not", code: "not_in_team", why: "no team" };
    const flood = { ...nothing, refused: Array.from({ length: 200 }, () => loan) };
    const told = broadcastText({ key: "co-1", kind: "full", sprint: 2 }, flood);
    expect([told.includes("200 refused"), told.includes("and 180 more"), told.length < 3000]).toEqual([
      true,
      true,
      true,
    ]);
  });
});
