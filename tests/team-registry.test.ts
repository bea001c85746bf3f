/** Team templates as documents and as data. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { countOf, readTemplate, readTemplates } from "../scripts/texts/team-template.ts";

const root = join(import.meta.dirname, "..");
const templates = readTemplates(root);

test("there are the five patterns and the two that only review of requirements and careful execution need (TP-06, TP-07, CS-03)", () => {
  expect(templates.map(({ template }) => template?.name)).toEqual([
    "diagnosis",
    "exploration",
    "feature",
    "inspection",
    "migration",
    "plan-then-execute",
    "prd-decomposition",
  ]);
});

test.each(templates)("$path has every section, and its table shows its members (TC-11)", ({ problems }) => {
  expect(problems).toEqual([]);
});

test("whoever looks owns nothing, the repair of a diagnosis is a new task (TP-01, TP-03, TP-04, C-31)", () => {
  for (const name of ["exploration", "diagnosis", "inspection"]) {
    const found = templates.find(({ template }) => template?.name === name)?.template;
    expect(found?.ownership.map(({ writes }) => writes)).toEqual(["none", "none"]);
  }
});

test("builders own their scope and testers the tests, the lead edits nothing (TP-02, TP-05)", () => {
  for (const { template } of templates) {
    const writes = new Map(template?.ownership.map((one) => [one.member, one.writes]));
    for (const { name, agent } of template?.members ?? []) {
      const expected = { builder: "its scope", tester: "tests" }[agent] ?? "none";
      expect(writes.get(name), `${template?.name} ${name}`).toBe(expected);
    }
  }
});

test("teams have two to five members besides the lead (TZ-01, C-04)", () => {
  expect(countOf("2-4")).toEqual([2, 4]);
  expect(countOf(3)).toEqual([3, 3]);
});

describe("what is wrong with a template is told", () => {
  const path = "team-registry/teams/feature.md";
  const text = readFileSync(join(root, path), "utf8");
  test.each<[string, string, string]>([
    ["a role that does not exist", "agent: tester", "agent: poet"],
    ["a crowd", "agent: tester, count: 1", "agent: tester, count: 4"],
    ["a verdict nobody gives", "verdicts: [team", "verdicts: [crowd"],
    ["files for somebody who cannot edit", "member: lead, writes: none", "member: lead, writes: its scope"],
    ["no files for somebody who may edit", "member: backend, writes: its scope", "member: backend, writes: none"],
    ["an owner who is no member", "member: backend, writes", "member: somebody, writes"],
    ["a missing section", "## Constraints", "## Limits"],
    ["a done condition the text does not have", "- no tag is open\n---", "- every tag is routed\n---"],
    ["a table that says otherwise", "| tester | `agents/tester.md`", "| tester | `agents/builder.md`"],
    ["another name than the file's", "name: feature", "name: features"],
    ["an unknown key", "mode: {", "colour: red\nmode: {"],
    ["an empty section", "Nothing recorded yet.", ""],
  ])("%s", (_, from, to) => {
    expect(text).toContain(from);
    expect(readTemplate(root, path, text.replace(from, to)).problems).not.toEqual([]);
  });
});
