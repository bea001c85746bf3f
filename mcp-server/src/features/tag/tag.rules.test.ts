import { expect, test } from "vitest";
import { isPointless } from "./tag.rules.ts";

test.each([
  ["", true],
  ["…", true],
  ["None.", true],
  ["See the full report", true],
  ["see reports/ada.md", true],
  ["limitFor() in src/limit.ts:42 has no test", false],
  ["Seed data is missing", false],
])("%j has nothing that could be given to anybody: %s (RP-04)", (text, expected) => {
  expect(isPointless(text)).toBe(expected);
});
