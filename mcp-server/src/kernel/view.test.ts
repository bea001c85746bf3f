import { expect, test } from "vitest";
import { plainView, terminalView } from "./view.ts";

const head = ["id", "title", "state"];
const rows = [
  ["tw-1", "Keep the tables of a narrow terminal in one piece", "open"],
  ["tw-2", "Short", "closed"],
];

test("a table that is wider than the terminal breaks its widest column between words, and loses nothing", () => {
  expect(terminalView(0, 36, false).table(head, rows)).toBe(
    [
      "id    title                   state",
      "tw-1  Keep the tables of a    open",
      "      narrow terminal in one",
      "      piece",
      "tw-2  Short                   closed",
    ].join("\n"),
  );
});

test("a table that has room, or goes where lines have no end, or has no room at all, stays as it is", () => {
  const whole = terminalView(0, 80, false).table(head, rows);
  expect(whole.split("\n")).toHaveLength(3);
  expect(plainView(0, 36).table(head, rows)).toBe(whole);
  expect(terminalView(0, 20, false).table(head, rows)).toBe(whole); // nothing could be read in what is left
});

test("colour does not count, is closed at the end of each line, and a word too long for its column stays whole", () => {
  const { table, paint } = terminalView(0, 30, true);
  const lines = table(head, [["tw-3", paint("cyan", "a/path/that/nobody/can/break and more"), paint("red", "open")]]);
  expect(lines.split("\n").slice(1)).toEqual([
    `tw-3  ${paint("cyan", "a/path/that/nobody/can/break")}  ${paint("red", "open")}`,
    `      ${paint("cyan", "and more")}`,
  ]);
});
