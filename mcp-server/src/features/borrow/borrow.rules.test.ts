import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { homeOf, membersOf, placeOf } from "../agent/placement.rules.ts";
import * as rules from "./borrow.rules.ts";

const teams = [
  { id: "alpha", agents: ["ada", "abe", "amy"] },
  { id: "beta", agents: ["bea", "bob"] },
  { id: "gamma", agents: ["gus", "gil", "gry"] },
];

const staff = (more: Partial<rules.Staff> = {}): rules.Staff => ({
  teams,
  loans: [],
  grantedInSprint: 0,
  roles: [],
  maxPerSprint: 2,
  minTeamSize: 2,
  protectedRoles: ["product_owner", "dev_lead", "qa_lead"],
  ...more,
});

const lent = (agent: string, home: string, to: string, isActive = true): rules.OpenLoan => ({
  agent,
  home,
  to,
  isActive,
});
const ada = { agent: "ada", from: "alpha", to: "beta" };

function verdict(request: rules.LoanRequest, more: Partial<rules.Staff> = {}): string {
  const judgement = rules.judgeLoan(request, staff(more));
  return judgement.ok ? judgement.kind : judgement.code;
}

describe("whether an agent may be lent", () => {
  test.each([
    ["a plain loan", ada, {}, "lend"],
    ["to a team there is not (BO-05)", { ...ada, to: "delta" }, {}, "unknown_team"],
    ["to its own team (BO-10)", { ...ada, to: "alpha" }, {}, "same_team"],
    ["from a team it is not in (BO-05)", { ...ada, from: "gamma" }, {}, "not_in_team"],
    ["from a team there is not", { ...ada, from: "delta" }, {}, "not_in_team"],
    ["of somebody no team lists", { ...ada, agent: "zoe" }, {}, "not_in_team"],
    ["for the second time", ada, { loans: [lent("ada", "alpha", "beta")] }, "duplicate"],
    ["while it is asked for already", ada, { loans: [lent("ada", "alpha", "beta", false)] }, "duplicate"],
    ["while another team asks for it", ada, { loans: [lent("ada", "alpha", "gamma", false)] }, "lend"],
    ["by a home that has lent it away", ada, { loans: [lent("ada", "alpha", "gamma")] }, "already_lent"],
    ["from a small team", { agent: "bea", from: "beta", to: "alpha" }, {}, "minimum_staffing"],
    [
      "from a team that lent as many as it can",
      ada,
      { loans: [lent("abe", "alpha", "gamma")], minTeamSize: 2 },
      "minimum_staffing",
    ],
    [
      "from a team that a guest would have to keep going (BO-10)",
      { agent: "bea", from: "beta", to: "alpha" },
      { loans: [lent("gus", "gamma", "beta")] },
      "minimum_staffing",
    ],
    ["of a team's lead (BO-10)", ada, { roles: ["developer", "dev_lead"] }, "protected_role"],
    ["of a team's lead, however it is spelt", ada, { roles: ["Dev-Lead"] }, "protected_role"],
    ["over the cap (BO-06)", ada, { grantedInSprint: 2 }, "cap"],
    ["under a cap of four (BO-06)", ada, { grantedInSprint: 3, maxPerSprint: 4 }, "lend"],
    ["where nothing is lent at all (BO-06)", ada, { maxPerSprint: 0 }, "cap"],
    [
      "from its host to a third team",
      { agent: "gus", from: "alpha", to: "beta" },
      { loans: [lent("gus", "gamma", "alpha")] },
      "onward",
    ],
    [
      "from its host, when it is due at home by then (C-17)",
      { agent: "gus", from: "alpha", to: "beta" },
      { loans: [{ ...lent("gus", "gamma", "alpha"), isDue: true }] },
      "already_lent",
    ],
    [
      "back home from its host, over every limit (BO-10)",
      { agent: "ada", from: "gamma", to: "alpha" },
      {
        loans: [lent("ada", "alpha", "gamma")],
        grantedInSprint: 9,
        maxPerSprint: 0,
        minTeamSize: 9,
        roles: ["dev_lead"],
      },
      "home",
    ],
    ["to a team the configuration names no longer", ada, { loans: [lent("ada", "alpha", "delta")] }, "onward"],
  ] as const)("%s", (_, request, more, expected) => {
    expect(verdict(request, more)).toBe(expected);
  });

  test("a refusal says why in words", () => {
    const judgement = rules.judgeLoan(ada, staff({ maxPerSprint: 0 }));
    expect(judgement).toMatchObject({ ok: false, why: expect.stringContaining("max_borrows_per_sprint is 0") });
  });
});

test("a loan is due after its sprints, one that goes on when its home was told (C-17)", () => {
  expect(rules.dueSprint(2, 1)).toBe(3);
  expect(rules.dueSprint(2, 3)).toBe(5);
  expect(rules.dueSprint(3, 3, 4)).toBe(4);
  expect(rules.dueSprint(3, 1, 9)).toBe(4);
});

test("debt is sprints lent less sprints borrowed, and who has lent most is helped first (BO-07)", () => {
  const loans = [
    { home: "alpha", to: "beta", sprintFrom: 2, lastSprint: 3 },
    { home: "alpha", to: "gamma", sprintFrom: 4, lastSprint: undefined },
    { home: "gamma", to: "beta", sprintFrom: 4, lastSprint: 3 },
  ];
  const debt = rules.debts(["alpha", "beta", "gamma"], loans, 4);
  expect([...debt]).toEqual([
    ["alpha", 3],
    ["beta", -2],
    ["gamma", -1],
  ]);
  const order = rules.inOrderOfDebt(
    [
      { agent: "gus", from: "gamma", to: "beta" },
      { agent: "gil", from: "gamma", to: "alpha" },
    ],
    debt,
  );
  expect(order.map(({ to }) => to)).toEqual(["alpha", "beta"]);
});

/** The ledger as the store keeps it, in memory. */
class Ledger {
  readonly loans: { agent: string; home: string; to: string; from: number; due: number; last?: number }[] = [];
  sprint = 1;
  granted = new Map<number, number>();

  open(): rules.OpenLoan[] {
    return this.loans
      .filter((loan) => loan.last === undefined)
      .map(({ agent, home, to }) => ({ agent, home, to, isActive: true }));
  }

  ask(request: rules.LoanRequest, maxPerSprint: number, duration: number, minTeamSize: number): void {
    const granted = this.granted.get(this.sprint) ?? 0;
    const judgement = rules.judgeLoan(
      request,
      staff({ loans: this.open(), grantedInSprint: granted, maxPerSprint, minTeamSize }),
    );
    if (!judgement.ok) return;
    const current = this.loans.find((loan) => loan.agent === request.agent && loan.last === undefined);
    if (current) current.last = this.sprint - (judgement.kind === "home" ? 0 : 1);
    if (judgement.kind === "home") return;
    this.granted.set(this.sprint, granted + 1);
    const home = homeOf(teams, request.agent) ?? "";
    const due = rules.dueSprint(this.sprint, duration, current?.due);
    this.loans.push({ agent: request.agent, home, to: request.to, from: this.sprint, due });
  }

  startSprint(): void {
    this.sprint += 1;
    for (const loan of this.loans) if (loan.last === undefined && loan.due <= this.sprint) loan.last = this.sprint - 1;
  }
}

const names = teams.flatMap((team) => team.agents);
const ids = teams.map(({ id }) => id);
const step = fc.oneof(
  fc.record({
    kind: fc.constant("ask" as const),
    agent: fc.constantFrom(...names, "zoe"),
    from: fc.option(fc.constantFrom(...ids), { nil: undefined }),
    to: fc.constantFrom(...ids, "delta"),
    duration: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("sprint" as const) }),
  // what is gone leaves its loan behind
  fc.record({ kind: fc.constant("crash" as const), agent: fc.constantFrom(...names) }),
);

test("whatever is lent, lent on, given back and lost: one team each at any time, none below its minimum, and home in the end (BO-03, BO-04, BO-10)", () => {
  const limits = [fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })] as const;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), ...limits, (steps, cap, least) => {
      const ledger = new Ledger();
      for (const one of steps) {
        if (one.kind === "sprint") ledger.startSprint();
        if (one.kind === "ask") {
          const from = one.from ?? placeOf(teams, ledger.open(), one.agent) ?? "alpha";
          ledger.ask({ agent: one.agent, from, to: one.to }, cap, one.duration, least);
        }
        const members = ids.flatMap((id) => membersOf(teams, ledger.open(), id));
        expect(members.sort()).toEqual([...names].sort());
        // were all guests called home this moment, each team that lends would still have its minimum
        for (const { id, agents } of teams) {
          const atHome = agents.filter((name) => placeOf(teams, ledger.open(), name) === id).length;
          expect(atHome).toBeGreaterThanOrEqual(Math.min(least, agents.length));
        }
        const away = ledger.open().map((loan) => loan.agent);
        expect(new Set(away).size).toBe(away.length);
      }
      for (const n of ledger.granted.values()) expect(n).toBeLessThanOrEqual(cap);
      const served = ledger.loans.map((loan) => ({ ...loan, sprintFrom: loan.from, lastSprint: loan.last }));
      const debt = rules.debts(ids, served, ledger.sprint);
      expect([...debt.values()].reduce((sum, n) => sum + n, 0)).toBe(0);
      for (let n = 0; n < 3; n += 1) ledger.startSprint();
      expect(names.map((name) => placeOf(teams, ledger.open(), name))).toEqual(
        names.map((name) => homeOf(teams, name)),
      );
    }),
  );
});

test("a loan to a team that is gone from the configuration leaves the agent at home (TC-03)", () => {
  expect(placeOf(teams, [{ agent: "ada", to: "delta" }], "ada")).toBe("alpha");
  expect(placeOf(teams, [], "zoe")).toBeUndefined();
});
