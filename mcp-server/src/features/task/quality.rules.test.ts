import { matchesGlob } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { globsMeet, overlappingScopes, taskFindings } from "./quality.rules.ts";

const full = { acceptance: "it is tested", scope: ["src/a.ts"] };

describe("findings (TD-02, TD-06, TD-08)", () => {
  test.each([
    "fix stuff",
    "make it work",
    "Do things",
    "Fix it",
    "improve",
    "Refactoring",
    "misc",
    "Update code etc",
    "Fix bug",
    "Fix the bugs",
    "Update stuff",
    "Improve code",
    "Improve the code quality",
    "Clean up",
    "Clean-up of the code.",
    "Work on the project",
    "Misc. fixes",
    "Various improvements",
    "Do some more work!",
    "Fix and improve everything",
    "Write tests",
    "Parser: fix all the things",
  ])("%s is vague", (title) => {
    expect(taskFindings({ title, ...full })).toEqual([`title "${title}" is vague: say what changes where`]);
  });

  test.each([
    "Write the parser of task ids",
    "Reject titles longer than 500 bytes",
    "Handle closed stores in doctor_check",
    "Fix login bug",
    "Fix the login",
    "Fix #123",
    "Update README",
    "Make login fast",
    "Do part 3",
    "Handle EPIPE",
    "Change port 80",
    "Improve search",
    "Fix C++ build",
    "Work on parser",
    "Write tests of the parser",
    "Починить вход",
    "修复 登录",
  ])("%s is not", (title) => {
    expect(taskFindings({ title, ...full })).toEqual([]);
  });

  test("each weakness is one finding and a complete task has none", () => {
    expect(taskFindings({ title: "Write the parser" })).toEqual([
      "no acceptance criteria: nobody can tell when it is done",
      "no file scope",
    ]);
    expect(taskFindings({ title: "Write the parser", acceptance: "  ", scope: [] })).toHaveLength(2);
    expect(taskFindings({ title: "Read and parse and store the file", ...full })).toEqual([
      "more than one piece of work in one task: split it",
    ]);
    expect(taskFindings({ title: "Write the parser", acceptance: "x", scope: Array(9).fill("a") })).toHaveLength(1);
    for (const kind of ["epic", "decision", "milestone", "spike"])
      expect(taskFindings({ title: "Decide the format", kind })).toEqual([]);
  });

  test("any text can be looked at, long ones too", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.option(fc.string(), { nil: undefined }),
        (title, description) => void taskFindings({ title, description }),
      ),
    );
    const begun = performance.now();
    taskFindings({ title: "fix ".repeat(50_000), description: "and then ".repeat(50_000) });
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe("overlap of scopes (TD-08)", () => {
  const step = fc.constantFrom(
    "src",
    "a",
    "b",
    "*",
    "**",
    "*.ts",
    "a.ts",
    "a*",
    "?",
    "[ab]",
    "{a,b}",
    "{src/a,b}",
    "@(a|b)",
    "x.test.ts",
  );
  const glob = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join("/"));
  const path = fc
    .array(fc.constantFrom("src", "a", "b", "a.ts", "x.test.ts", "ab"), { minLength: 1, maxLength: 5 })
    .map((steps) => steps.join("/"));

  test("two globs that match one path meet, in either order", () => {
    fc.assert(
      fc.property(glob, glob, path, (a, b, file) => {
        if (matchesGlob(file, a) && matchesGlob(file, b))
          expect([a, b, file, globsMeet(a, b)]).toEqual([a, b, file, true]);
        expect(globsMeet(a, b)).toBe(globsMeet(b, a));
        expect(globsMeet(a, a)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["src/a.ts", "src/b.ts", false],
    ["src/**", "src/x/y.ts", true],
    ["src/*.ts", "src/x/y.ts", false],
    ["./src/a.ts", "src/a.ts", true],
    ["src/", "src/deep/a.ts", true],
    ["src/deep", "src/deep/a.ts", true],
    ["src/deep", "src/deeper/a.ts", false],
    ["/src/a.ts", "src//a.ts", true],
    ["**", "anything/at/all", true],
    ["docs/**", "src/**", false],
    ["{src/a,docs}/x.ts", "docs/x.ts", true],
    ["a/**/z", "a/z", true],
    ["a/**/z.ts", "a/b/c.ts", false],
    ["src/a.ts", "src/*/b.ts", false],
    ["lib/@types/x", "lib/@other/x", false],
  ])("%s and %s meet: %s", (a, b, meet) => {
    expect(globsMeet(a, b)).toBe(meet);
  });

  test("pairs are named once, with what they share", () => {
    expect(overlappingScopes([["a.ts"], ["b.ts", "a.ts"], ["*.ts"], []])).toEqual([
      [0, 1, "a.ts"],
      [0, 2, "a.ts and *.ts"],
      [1, 2, "b.ts and *.ts"],
    ]);
  });

  test("globs made to be slow are not", () => {
    const begun = performance.now();
    expect(globsMeet(`${"**/".repeat(100)}x*`, `${"**/a/".repeat(60)}y*`)).toBe(false);
    expect(globsMeet("{".repeat(500), `${"[".repeat(250)}/${"(".repeat(240)}`)).toBeTypeOf("boolean");
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
