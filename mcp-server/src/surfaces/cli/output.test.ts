import { expect, test } from "vitest";
import { TeamwrightError } from "../../kernel/errors.ts";
import { forTerminal, renderRefusal } from "./output.ts";
import { progressLine } from "./progress.ts";

test("progress is a line per tenth where no terminal updates it", () => {
  const lines: string[] = [];
  const progress = progressLine((text) => lines.push(text));
  for (let done = 1; done <= 1000; done += 1) progress.report(done, 1000, "rows");
  progress.end();
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe("rows 100/1000 (10 %)\n");
});

test("in a terminal progress is one line with a bar and what is left at the pace so far", () => {
  const texts: string[] = [];
  let now = 50_000;
  const progress = progressLine(
    (text) => texts.push(text),
    () => 80,
    () => now,
  );
  progress.report(20, 100, "sprints"); // played before, so no part of the pace
  now += 30_000;
  progress.report(50, 100, "sprints");
  progress.report(51, 100, "sprints"); // too soon to be drawn
  progress.end();
  expect(texts).toEqual([
    `\r\u001b[Ksprints ${"█".repeat(4)}${"░".repeat(20)} 20/100 (20 %)`,
    `\r\u001b[Ksprints ${"█".repeat(12)}${"░".repeat(12)} 50/100 (50 %), 0:50 left`,
    "\r\u001b[K",
  ]);
});

test.each([
  [40, "\r\u001b[Kteams at work in a long spr… 4/9 (44 %)"],
  [30, "\r\u001b[Kteams at work in … 4/9 (44 %)"],
  [8, "\r\u001b[K… 4/9 …"],
])("progress stays on its line in a terminal of %i columns", (columns, drawn) => {
  const texts: string[] = [];
  progressLine(
    (text) => texts.push(text),
    () => columns,
  ).report(4, 9, "teams at work in a long sprint of theirs");
  expect(texts).toEqual([drawn]);
});

test("stored text cannot steer a terminal", () => {
  expect(forTerminal("a\u001b[2Jb\u001b]0;title\u0007c\nd\te\u001b[31mf", true)).toBe(
    "a[2Jb]0;titlec\nd\te\u001b[31mf",
  );
  expect(forTerminal("\u001b[31mred", false)).toBe("[31mred");
});

test("refusals are in colour where standard error is a terminal, wherever the result goes", () => {
  const to = { width: 80, isTerminal: false, hasColour: false, out: async () => {}, err: async () => {} };
  const error = new TeamwrightError("NOT_FOUND", "No task has the id nope.");
  expect(renderRefusal(error, "", undefined, { ...to, errorHasColour: true })).toContain("\u001b[31mNOT_FOUND");
  const intoFile = { ...to, isTerminal: true, hasColour: true, errorHasColour: false };
  expect(renderRefusal(error, "", undefined, intoFile)).toBe("NOT_FOUND: No task has the id nope.");
});
