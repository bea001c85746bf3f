import fc from "fast-check";
import { expect, test } from "vitest";
import {
  grouped,
  loanEffects,
  meanVelocity,
  overheadShare,
  perCapita,
  sizeOf,
  type TeamFacts,
} from "./portfolio.rules.ts";

const team = (id: string, type: string | null, ...sprints: readonly (readonly [number, number])[]): TeamFacts => ({
  team: id,
  type,
  sprints: sprints.map(([velocity, agents], index) => ({ n: index + 1, velocity, agents })),
  done: 0,
  blockedSeconds: 0,
  needs: 0,
});

test("teams are compared by size and by type, per agent and sprint (ME-05)", () => {
  const teams = [
    team("web", "stream_aligned", [10, 2], [8, 2]),
    team("api", "stream_aligned", [3, 1], [3, 1]),
    team("ops", "platform", [9, 3], [9, 2]),
    team("new", "platform"),
    team("odd", null, [4, 10]),
  ];
  expect(teams.map(meanVelocity)).toEqual([9, 3, 9, null, 4]);
  expect(teams.map(sizeOf)).toEqual([2, 1, 3, null, 10]);
  expect(grouped(teams, ({ type }) => type)).toEqual([
    { group: "platform", teams: 2, agent_sprints: 5, velocity_per_capita: 3.6 },
    { group: "stream_aligned", teams: 2, agent_sprints: 6, velocity_per_capita: 4 },
  ]);
  expect(grouped(teams, (one) => sizeOf(one)?.toString() ?? null).map(({ group }) => group)).toEqual([
    "1",
    "2",
    "3",
    "10",
  ]);
  expect([overheadShare(6, 60), overheadShare(0, 0)]).toEqual([0.1, null]);
});

test("lender and borrower: sprints with a loan beside the others (BO-08)", () => {
  const teams = [
    team("web", null, [10, 3], [6, 2], [4, 2], [10, 3]),
    team("api", null, [2, 1], [6, 2], [8, 2], [2, 1]),
  ];
  const loan = { home: "web", to: "api", from: 2, last: 3 };
  expect(loanEffects(teams, [loan])).toEqual([
    { team: "web", role: "lender", sprints: 2, velocity: 5, otherwise: 10 },
    { team: "api", role: "borrower", sprints: 2, velocity: 7, otherwise: 2 },
  ]);
  // one that lasts has all sprints from its first; one that ended before its first sprint had none
  expect(loanEffects(teams, [{ ...loan, from: 1, last: undefined }]).map(({ otherwise }) => otherwise)).toEqual([
    null,
    null,
  ]);
  expect(loanEffects(teams, [{ ...loan, from: 4, last: 3 }])).toEqual([]);
});

test("a group's velocity per capita lies between those of its teams, and no team is in two groups (ME-05)", () => {
  const sprint = fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 9 }));
  const teams = fc.array(fc.tuple(fc.constantFrom("a", "b", null), fc.array(sprint, { maxLength: 5 })), {
    maxLength: 7,
  });
  fc.assert(
    fc.property(teams, (drawn) => {
      const all = drawn.map(([type, sprints], index) => team(`t${index}`, type, ...sprints));
      const groups = grouped(all, ({ type }) => type);
      expect(groups.reduce((sum, { teams: n }) => sum + n, 0)).toBe(all.filter(({ type }) => type !== null).length);
      for (const { group, velocity_per_capita: mean } of groups) {
        const own = all.flatMap((one) => (one.type === group ? [perCapita([one])] : [])).filter((one) => one !== null);
        if (mean === null) expect(own).toEqual([]);
        else {
          expect(mean).toBeGreaterThanOrEqual(Math.min(...own) - 1e-9);
          expect(mean).toBeLessThanOrEqual(Math.max(...own) + 1e-9);
        }
      }
    }),
  );
});
