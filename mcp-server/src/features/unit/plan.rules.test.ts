import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseMode, entryVerdict, itemsOf, type PlannedTask, planProblems, runName, stagesOf } from "./plan.rules.ts";

const task = (key: string, waitsFor: string[] = [], scope = [`src/${key}`]): PlannedTask => ({
  key,
  title: key,
  labels: [],
  kind: "task",
  scope,
  acceptance: "- done",
  waitsFor,
});

describe("entry (EN-01 to EN-05, C-03)", () => {
  test.each([
    [[task("a")], [], "single"],
    [[task("a"), task("b")], [], "parallel"],
    [[task("a"), task("b", ["a"])], [], "delegated"],
    [[task("a"), task("b")], [{ from: "a", to: "b" }], "single"],
    [
      [task("a"), task("b"), task("c")],
      [
        { from: "a", to: "b" },
        { from: "b", to: "c" },
      ],
      "team",
    ],
    [
      [task("a"), task("b")],
      [
        { from: "a", to: "b" },
        { from: "b", to: "a" },
        { from: "a", to: "a" },
        { from: "a", to: "elsewhere" },
      ],
      "single",
    ],
  ] as const)("%j with needs %j is %s", (tasks, needs, verdict) => {
    expect(entryVerdict(tasks, needs).verdict).toBe(verdict);
  });

  test("waiting alone never makes a team, and a pair counts once in either direction", () => {
    const graph = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 20 });
    fc.assert(
      fc.property(graph, (edges) => {
        const tasks = Array.from({ length: 8 }, (_, n) =>
          task(
            `t${n}`,
            edges.filter(([a, b]) => a === n && b < n).map(([, b]) => `t${b}`),
          ),
        );
        expect(entryVerdict(tasks, []).verdict).not.toBe("team");
        const needs = edges.map(([a, b]) => ({ from: `t${a}`, to: `t${b}` }));
        const turned = needs.map(({ from, to }) => ({ from: to, to: from }));
        expect(entryVerdict(tasks, [...needs, ...turned]).pairs.length).toBe(entryVerdict(tasks, needs).pairs.length);
      }),
    );
  });
});

describe("stages and problems (TD-06, TD-08, FO-04, FO-07)", () => {
  test("a task comes after all it waits for", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 }), (edges) => {
        const tasks = Array.from({ length: 10 }, (_, n) =>
          task(
            `t${n}`,
            edges.filter(([a, b]) => a === n && b < n).map(([, b]) => `t${b}`),
          ),
        );
        const { stages, circle } = stagesOf(tasks);
        expect(circle).toEqual([]);
        for (const each of tasks)
          for (const other of each.waitsFor) expect(stages.get(other) ?? 0).toBeLessThan(stages.get(each.key) ?? 0);
      }),
    );
  });

  test("circles, conflicts of one stage, missing criteria, scope and integration are named", () => {
    const found = (tasks: PlannedTask[]) => planProblems(tasks).map((problem) => problem.problem);
    expect(found([task("a", ["b"]), task("b", ["a"])])).toContain("circle");
    expect(found([task("a", [], ["src/**"]), task("b", [], ["src/x.ts"])])).toContain("scope_conflict");
    expect(found([task("a", [], ["src/**"]), task("b", ["a"], ["src/x.ts"])])).toEqual([]);
    expect(found([{ ...task("a"), acceptance: " " }])).toEqual(["no_acceptance"]);
    expect(found([task("a", [], [])])).toEqual(["no_scope"]);
    expect(found([task("a"), task("b")])).toEqual(["no_integration"]);
    expect(found([task("a"), task("b"), task("c", ["a", "b"])])).toEqual([]);
  });

  test("what is added meets a unit of its stage, and one of a later stage that has begun, in no file (FO-04)", () => {
    const inRun = { ...task("old", [], ["src"]), stage: 2 };
    const found = (isBegun: boolean, added: PlannedTask) =>
      planProblems([added], [{ ...inRun, isBegun }]).map((problem) => problem.problem);
    expect(found(false, task("a"))).toEqual([]); // it will wait for the stage before
    expect(found(true, task("a"))).toEqual(["scope_conflict"]);
    expect(found(true, task("a", ["old"]))).toEqual([]);
  });
});

describe("names and mode (TN-01, TN-02, MD-01, C-02)", () => {
  test.each([
    ["swarm", "Auth overhaul", "swarm-auth-overhaul"],
    ["issue", "123", "issue-123"],
    ["issue", "issue-123", "issue-123"],
    ["review", "user_auth design!", "review-user-auth-design"],
    ["issue", "…", "issue-work"],
  ] as const)("%s about %s is %s", (level, about, name) => {
    expect(runName(level, about)).toBe(name);
  });

  test("any text makes a kebab-case name of at most 64 characters", () => {
    fc.assert(
      fc.property(fc.string(), (about) => {
        const name = runName("swarm", about);
        expect(name).toMatch(/^swarm(-[a-z0-9]+)+$/);
        expect(name.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  test.each([
    [undefined, "team", ["Agent", "SendMessage"], "team"],
    [undefined, "team", ["TeamCreate", "SendMessage"], "team"],
    [undefined, "team", ["Agent"], "task"],
    [undefined, "parallel", ["Agent", "SendMessage"], "task"],
    ["team", "single", [], "team"],
    ["task", "team", ["Agent", "SendMessage"], "task"],
  ] as const)("setting %s, verdict %s, tools %j: %s", (setting, verdict, tools, mode) => {
    expect(chooseMode(setting, verdict, tools).mode).toBe(mode);
  });

  test("items are the lines of the criteria without their marks", () => {
    expect(itemsOf("- [ ] one\n* two\n\n3. three\n  four")).toEqual(["one", "two", "three", "four"]);
  });
});
