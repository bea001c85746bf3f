import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { configSchema, withDefaults } from "../mcp-server/src/config/config.schema.ts";
import { fixReport, lintReport } from "../mcp-server/src/features/report/lint.rules.ts";
import type { LintSetting } from "../mcp-server/src/features/report/lint.schema.ts";
import { lintSettingOf } from "../mcp-server/src/features/report/lint-setting.rules.ts";
import { loadMarkdown } from "../mcp-server/src/features/report/markdown.rules.ts";
import { parseReport } from "../mcp-server/src/features/report/parse.rules.ts";

const corpus = join(import.meta.dirname, "fixtures/reports");
const setting: LintSetting = lintSettingOf(
  withDefaults(configSchema.parse({ teams: [{ id: "platform", agents: ["ada"] }] }), corpus),
);

/** `UPDATE_CORPUS=1` writes what is found now; read the difference before you commit it. */
const isUpdate = process.env.UPDATE_CORPUS === "1";

beforeAll(loadMarkdown);

function reportsOf(folder: string): string[] {
  return readdirSync(join(corpus, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(corpus, folder, name));
}

function findingsIn(text: string): string {
  const lines = lintReport(parseReport(text), setting).map(
    ({ rule, line, column, message, fixable }) => `${line}:${column} ${rule}${fixable ? "*" : ""} ${message}`,
  );
  return lines.map((line) => `${line}\n`).join("");
}

describe("the corpus of reports (RP-09)", () => {
  test("is large enough", () => {
    expect(reportsOf("good").length).toBeGreaterThanOrEqual(25);
    expect(reportsOf("bad").length).toBeGreaterThanOrEqual(60);
  });

  test.each(reportsOf("good").map((path) => [basename(path), path]))("good: %s", (_, path) => {
    expect(findingsIn(readFileSync(path, "utf8"))).toBe("");
  });

  test.each(reportsOf("bad").map((path) => [basename(path), path]))("bad: %s", (_, path) => {
    const expected = path.replace(/\.md$/, ".findings");
    const found = findingsIn(readFileSync(path, "utf8"));
    if (isUpdate) writeFileSync(expected, found);
    expect(found).not.toBe("");
    expect(found).toBe(readFileSync(expected, "utf8"));
  });

  test.each([...reportsOf("good"), ...reportsOf("bad")].map((path) => [basename(path), path]))(
    "fixed once is fixed: %s",
    (_, path) => {
      const { text } = fixReport(readFileSync(path, "utf8"), setting);
      expect(fixReport(text, setting)).toEqual({ text, fixed: 0 });
      expect(lintReport(parseReport(text), setting).filter(({ fixable }) => fixable)).toEqual([]);
    },
  );
});
