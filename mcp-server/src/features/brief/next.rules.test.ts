import { expect, test } from "vitest";
import { leadSteps } from "./next.rules.ts";

const run = (...phases: string[]) => ({ units: phases.map((phase) => ({ phase })) });

test.each([
  ["all done: integrate and end", run("done", "abandoned"), 0, ["unit_end"]],
  ["tags come before the end", { ...run("done"), open_tags: 2 }, 0, ["tag_list", "unit_end"]],
  [
    "blocked: ask or resolve",
    run("implement", "planned"),
    1,
    ["task_update", "message_send", "unit_start", "board_show"],
  ],
  [
    "nearest to the end first",
    run("planned", "validate", "commit", "review"),
    0,
    ["unit_commit", "review_open", "unit_validate", "unit_start"],
  ],
  ["at work: look at the board", run("implement"), 0, ["board_show"]],
  ["only a person can go on", run("escalated"), 0, ["checkpoint_request"]],
] as const)("the lead's loop: %s (CA-06)", (_, facts, blocked, steps) => {
  expect(leadSteps(facts, blocked)).toEqual(steps);
});
