import fc from "fast-check";
import { expect, test } from "vitest";
import { dependencyTypes, findWaitCircles, holdsTaskBack, type TeamWait } from "./dependency.rules.ts";

const teams = ["a", "b", "c", "d", "e"];
const anyWaits = fc.array(fc.record({ team: fc.constantFrom(...teams), needsTeam: fc.constantFrom(...teams) }), {
  maxLength: 12,
});

/** All that can be reached, by closing the relation step by step. */
function reachable(waits: readonly TeamWait[]): Set<string> {
  const pairs = new Set(waits.map(({ team, needsTeam }) => team + needsTeam));
  for (const middle of teams)
    for (const from of teams)
      for (const to of teams) if (pairs.has(from + middle) && pairs.has(middle + to)) pairs.add(from + to);
  return pairs;
}

test("circles are exactly the teams that wait for themselves in the end, each in one circle", () => {
  fc.assert(
    fc.property(anyWaits, (waits) => {
      const pairs = reachable(waits);
      const circles = findWaitCircles(waits, []);
      const members = circles.flatMap((circle) => circle.teams);
      expect([...members].sort()).toEqual(teams.filter((team) => pairs.has(team + team)));
      for (const { teams: inside } of circles) {
        for (const from of inside) for (const to of inside) expect(pairs.has(from + to)).toBe(true);
      }
      for (const from of members) {
        const own = circles.find((circle) => circle.teams.includes(from))?.teams ?? [];
        for (const to of members)
          if (!own.includes(to)) expect(pairs.has(from + to) && pairs.has(to + from)).toBe(false);
      }
    }),
  );
});

test("a circle is a deadlock when none of its teams has anything it could do", () => {
  const waits = [
    { team: "a", needsTeam: "b" },
    { team: "b", needsTeam: "a" },
    { team: "c", needsTeam: "a" },
  ];
  const deadlock = (movable: Record<string, number>) =>
    findWaitCircles(
      waits,
      Object.entries(movable).map(([team, n]) => ({ team, movable: n })),
    );
  expect(deadlock({ c: 5 })).toEqual([{ teams: ["a", "b"], deadlock: true }]);
  expect(deadlock({ a: 0, b: 1 })).toEqual([{ teams: ["a", "b"], deadlock: false }]);
  expect(findWaitCircles([], [])).toEqual([]);
});

test("only a shared component holds nothing back (DE-01)", () => {
  expect(dependencyTypes.filter(holdsTaskBack)).toEqual(["blocks", "needs_api"]);
});
