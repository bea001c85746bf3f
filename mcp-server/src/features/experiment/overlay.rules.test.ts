import { expect, test } from "vitest";
import { parse } from "yaml";
import { repeated } from "./backlog.rules.ts";
import { laidOver } from "./overlay.rules.ts";

test("a variant replaces what it names and keeps the rest; its backlog lies beside it (EX-02)", () => {
  const base =
    "coordination: { enabled: false, coordinators: [a, b] }\nportfolio: { backlog: one.yaml, strategy: heuristic }\nteams: [{ id: x }]";
  const variant = "coordination: { enabled: true }\nportfolio: { backlog: two.yaml }";
  const files = { baseFile: "/shop/two-teams/config.yaml", file: "/shop/experiments/variant.yaml" };
  expect(parse(laidOver(base, variant, files))).toEqual({
    coordination: { enabled: true, coordinators: ["a", "b"] },
    portfolio: { backlog: "../experiments/two.yaml", strategy: "heuristic" },
    teams: [{ id: "x" }],
  });
  expect(parse(laidOver(base, "# nothing", files))).toEqual(parse(base));
  expect(parse(laidOver(base, "teams: [{ id: y }]", files)).teams).toEqual([{ id: "y" }]);
});

test("stories come again under other ids, and at once", () => {
  const backlog = "product: { mission: sell }\nstories:\n  - { id: US-1, title: Sell, sprint: 4, tags: [a] }";
  expect(JSON.parse(repeated(backlog, 3))).toEqual({ stories: [{ id: "US-1.3", title: "Sell", tags: ["a"] }] });
  expect(JSON.parse(repeated("- { id: A, title: T }", 2)).stories).toEqual([{ id: "A.2", title: "T" }]);
});
