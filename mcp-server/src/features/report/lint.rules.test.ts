import { beforeAll, describe, expect, test } from "vitest";
import { reportRuleIds, reportRules } from "../../config/report-rules.schema.ts";
import { fixReport, lintReport, lintRules } from "./lint.rules.ts";
import { exampleFacts, exampleReport, exampleSetting } from "./lint-examples.rules.ts";
import { loadMarkdown } from "./markdown.rules.ts";
import { parseReport } from "./parse.rules.ts";

beforeAll(loadMarkdown);

const each = lintRules.map((rule) => [rule.id, reportRules[rule.id], rule] as const);

function found(text: string, id: string) {
  const setting = { ...exampleSetting, ...exampleFacts[id] };
  return lintReport(parseReport(text), setting).map(({ rule, message }) => `${rule} ${message}`);
}

describe("rules (RP-09)", () => {
  test("there is one for each id of the configuration, in order", () => {
    expect(lintRules.map(({ id }) => id)).toEqual(reportRuleIds);
  });

  test.each(each)("%s %s: nothing is found in its good example", (id, _, rule) => {
    expect(found(exampleReport(rule.good), id)).toEqual([]);
  });

  test.each(each)("%s %s: the bad example has exactly its finding", (id, _, rule) => {
    expect(found(exampleReport(rule.bad), id)).toEqual([expect.stringMatching(new RegExp(`^${id} `))]);
  });

  test.each(each.filter(([, , rule]) => rule.isFixable))("%s %s: the fix leaves nothing of it", (id, _, rule) => {
    const { text, fixed } = fixReport(exampleReport(rule.bad), exampleSetting);
    expect(fixed).toBeGreaterThan(0);
    expect(found(text, id).filter((line) => line.startsWith(id))).toEqual([]);
  });

  test.each(each)("%s %s is fixable only if it says so", (_, __, rule) => {
    const report = parseReport(exampleReport(rule.bad));
    const problems = [...rule.check(report, { ...exampleSetting, ...exampleFacts[rule.id] })];
    expect(problems.some(({ fix }) => fix !== undefined)).toBe(rule.isFixable ?? false);
  });

  test("what is switched off finds nothing, and a level can be changed", () => {
    const text = exampleReport({ status: "Status: done" });
    const off = { ...exampleSetting, levels: { TW103: "off" as const } };
    expect(lintReport(parseReport(text), off)).toEqual([]);
    const strict = { ...exampleSetting, levels: { TW103: "error" as const } };
    expect(lintReport(parseReport(text), strict)).toMatchObject([{ level: "error", line: 2, column: 9 }]);
  });
});
