import { expect, test } from "vitest";
import { parseConfig } from "../../config/config.load.ts";
import { withDefaults } from "../../config/config.schema.ts";
import { setupOf } from "./setup.rules.ts";

const teams = "teams:\n  - {id: a, agents: [ada, abe]}\n  - {id: b, agents: [bea]}\n";
const stories = [{ name: "backlog.yaml", text: "stories: []" }];

function setup(more = "", backlogs = stories): string {
  const { config, problems } = parseConfig(`${teams}${more}`, "config.yaml");
  if (!config) throw new Error(problems.join("\n"));
  return setupOf(withDefaults(config, "/x"), backlogs);
}

test("coordination, names and lengths leave a setup the same; people, practices and stories do not (EX-04)", () => {
  const plain = setup();
  for (const more of [
    "coordination: {enabled: true, max_borrows_per_sprint: 4, coordinators: [eve]}",
    "experiment: {name: other, seed: 9, sprints: 3}",
    "portfolio: {backlog: elsewhere.yaml, strategy: heuristic}",
  ])
    expect(setup(more)).toBe(plain);
  for (const more of [
    "disturbances: {enabled: true}",
    "turnover: {enabled: true}",
    "wip_limits: {review: 1}",
    "models: {agents: {ada: {seniority: senior}, abe: {}, bea: {}}}",
    "experiment: {repeat_backlog: true}",
  ])
    expect(setup(more)).not.toBe(plain);
  expect(setup("", [{ name: "backlog.yaml", text: "stories: [{}]" }])).not.toBe(plain);
});
