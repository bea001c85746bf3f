import { expect, test } from "vitest";
import { taskStatuses } from "../task/task.schema.ts";
import { columnOf, columns, limitedColumn } from "./board.rules.ts";

test("every state has one column and ready is the only thing that splits one (C-10, KB-03)", () => {
  const table = taskStatuses.flatMap((status) =>
    [true, false].map((ready) => [status, ready, columnOf({ status, ready })]),
  );
  expect(table).toEqual([
    ["open", true, "ready"],
    ["open", false, "backlog"],
    ["in_progress", true, "in_progress"],
    ["in_progress", false, "in_progress"],
    ["in_review", true, "review"],
    ["in_review", false, "review"],
    ["closed", true, "done"],
    ["closed", false, "done"],
    ["deferred", true, "ready"],
    ["deferred", false, "backlog"],
  ]);
});

test("two columns have limits, and none without a setting", () => {
  expect(columns.map((column) => limitedColumn(column, { in_progress: 3, review: 2, per_agent: 1 }))).toEqual([
    undefined,
    undefined,
    3,
    2,
    undefined,
  ]);
  expect(columns.map((column) => limitedColumn(column, {}))).toEqual(columns.map(() => undefined));
});
