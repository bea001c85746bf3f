import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Member } from "./people.rules.ts";
import { commit, cutStories, questionsAbout } from "./planning.rules.ts";
import { randomStream } from "./random.rules.ts";

const stories = (...points: number[]) => points.map((each, index) => ({ id: index, points: each }));

function aMember(id: string, primary: string, more: Partial<Member> = {}): Member {
  const base = {
    id,
    name: id,
    home: "one",
    role: "developer",
    seniority: "mid",
    primary,
    auxiliary: [],
    joined: 1,
  } as const;
  return { ...base, ...more };
}

describe("planning (AG-01)", () => {
  test("stops at the first story beyond the capacity, though a smaller one would still fit", () => {
    const { taken, looked, points, stoppedAt } = commit(stories(3, 5, 5, 1), { capacity: 9, candidates: 8 });
    expect(taken.map((one) => one.points)).toEqual([3, 5]);
    expect({ points, seen: looked.length, stoppedAt }).toEqual({ points: 8, seen: 3, stoppedAt: { id: 2, points: 5 } });
    expect(commit(stories(1, 1, 1), { capacity: 9, candidates: 2 })).toMatchObject({ points: 2 });
  });

  test("never takes on more than the capacity, nor looks at more than the candidates", () => {
    const all = fc.array(fc.integer({ min: 0, max: 13 }));
    fc.assert(
      fc.property(all, fc.nat(40), fc.integer({ min: 1, max: 10 }), (points, capacity, candidates) => {
        const result = commit(stories(...points), { capacity, candidates });
        expect(result.points).toBeLessThanOrEqual(capacity);
        expect(result.looked.length).toBeLessThanOrEqual(candidates);
        expect(result.looked.slice(0, result.taken.length)).toEqual(result.taken);
        if (result.stoppedAt) expect(result.points + result.stoppedAt.points).toBeGreaterThan(capacity);
      }),
    );
  });

  test("at most four ask, one question each, and the product owner answers", () => {
    const people = [
      aMember("eva", "product", { role: "product_owner" }),
      ...["a", "b", "c", "d", "e", "f", "g"].map((id) => aMember(id, "backend")),
    ];
    for (let seed = 0; seed < 50; seed += 1) {
      const asked = questionsAbout(people, 4, randomStream(seed, "questions")).map(({ by }) => by);
      expect(asked.length).toBeLessThanOrEqual(4);
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked).not.toContain("eva");
    }
  });
});

describe("technical planning (AG-01)", () => {
  const settings = { min_tasks: 2, max_tasks: 4, hours: [4, 8, 16] };
  const options = { n: 3, settings, hoursEach: 40 };
  const story = (points: number, domain = "backend") => ({ key: `tw-${points}`, title: "Sell", points, domain });

  test("gives small stories two tasks and great ones four, numbered through the sprint", () => {
    const cut = cutStories([story(1), story(3), story(8)], [aMember("a", "backend")], options);
    expect([...cut.values()].map((tasks) => tasks.map(({ id, hours }) => `${id} ${hours}`))).toEqual([
      ["T-03-001 4", "T-03-002 4"],
      ["T-03-003 8", "T-03-004 8", "T-03-005 8"],
      ["T-03-006 16", "T-03-007 16", "T-03-008 16", "T-03-009 16"],
    ]);
    expect(cutStories([story(1)], [], options).size).toBe(0);
  });

  test("the owner is of the field while there are hours left, the navigator of another", () => {
    const team = [
      aMember("ann", "backend", { seniority: "senior" }),
      aMember("ben", "backend"),
      aMember("cem", "frontend"),
      aMember("dan", "frontend", { seniority: "senior" }),
    ];
    const [first] = cutStories([story(3, "frontend")], team, options).get("tw-3") ?? [];
    expect(first).toMatchObject({ owner: "cem", navigator: "ann" });
    const alike = [aMember("a", "backend"), aMember("b", "frontend"), aMember("c", "devops")];
    const beside = (cutStories([story(3)], alike, options).get("tw-3") ?? []).map(({ navigator }) => navigator);
    expect(beside).toEqual(["b", "c", "b"]); // in turn, where nothing tells them apart
    const busy = cutStories([story(13), story(5)], team, options);
    const hours = new Map<string, number>();
    for (const task of [...busy.values()].flat()) hours.set(task.owner, (hours.get(task.owner) ?? 0) + task.hours);
    expect(hours.get("cem")).toBeGreaterThan(0); // ann and ben had no hours left
    expect(hours.get("ann")).toBeLessThanOrEqual(40);
  });
});
