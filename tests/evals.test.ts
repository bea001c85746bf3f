/** Cases for `claude plugin eval`: read here against the client's format, in e2e by the client itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type EvalCase, readCase, readCases } from "../scripts/texts/eval-case.ts";

const root = join(import.meta.dirname, "..");
const cases = readCases(root);

test.each(cases)("$path is as the client reads it", ({ problems }) => {
  expect(problems).toEqual([]);
});

test("the main skills have a case that looks for their being found, and one for their staying away", () => {
  const graders = cases.flatMap((one) => one.case?.graders ?? []);
  const found = graders.flatMap((one) =>
    one.type === "tool_used" && one.tool === "Skill" ? [one.input_match ?? "none"] : [],
  );
  for (const skill of [
    "choosing-a-mode",
    "decomposing-work",
    "learning",
    "reporting",
    "reviewing-adversarially",
    "routing-tags",
  ])
    expect(found).toContain(`teamwright:${skill}`);
  expect(found).toContain("none");
  expect(new Set(found).size).toBeGreaterThanOrEqual(10);
});

describe("what the client would refuse or silently drop is told", () => {
  const path = "evals/reporting/case.yaml";
  const text = readFileSync(join(root, path), "utf8");
  test.each<[string, string, string]>([
    ["an unknown key", "runs: 3", "run: 3"],
    ["too many runs", "runs: 3", "runs: 99"],
    ["a grader without a name", "    name: status\n", ""],
    ["a grader's name twice", "name: status", "name: evidence"],
    ["a pattern that is none", "'^Status: COMPLETE$'", "'^Status: (COMPLETE$'"],
    ["a skill that does not exist", "teamwright:reporting", "teamwright:repeating"],
    ["a tool that does not exist", "tool: Skill", "tool: Skil"],
    ["more calls than at most", "    min: 1\n", "    max: 0\n"],
    ["another folder's name", "name: reporting", "name: reports"],
    ["broken YAML", "tags: [report]", "tags: [report"],
  ])("%s", (_, from, to) => {
    expect(text).toContain(from);
    expect(readCase(root, path, text.replace(from, to)).problems).not.toEqual([]);
  });
});

/** The client's reading of a regex grader. */
function passes(one: EvalCase["graders"][number], answer: string): boolean {
  if (one.type !== "regex") return true;
  const count = [...answer.matchAll(new RegExp(one.pattern, `${(one.flags ?? "").replace("g", "")}g`))].length;
  if (one.match === "not_contains") return count === 0;
  return one.match?.startsWith("count:") ? count === Number(one.match.slice(6)) : count > 0;
}

test("a good report passes the graders of reporting, an empty one and a chatty one do not", () => {
  const graders = cases.find((one) => one.case?.name === "reporting")?.case?.graders ?? [];
  const skill = readFileSync(join(root, "skills/reporting/SKILL.md"), "utf8");
  const report = /```markdown\n([\s\S]*?)```/.exec(skill)?.[1] ?? "";
  expect(graders.filter((one) => !passes(one, report))).toEqual([]);
  for (const bad of ["ok", `Here it is:\n\n${report}`, report.replace("[x] Tests", "[ ] Tests")])
    expect(graders.some((one) => !passes(one, bad))).toBe(true);
});
