import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dialects, openWorld } from "../support/world.ts";

const config = `teams:
  - { id: web, agents: [ada, abe] }
  - { id: api, agents: [bea, ben] }
task_quality: off
`;

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
/** Debian's prometheus package has it; CI installs that. */
const isPromtoolWanted = hasPromtool || process.env.CI !== undefined;

describe.each(dialects)("metrics on %s", (dialect) => {
  test("velocity, work in progress, blocked and cycle time of each team, as Prometheus takes them (ME-01, ME-03, DE-05, KB-06)", async () => {
    await using world = await openWorld({ dialect, config });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const bea = await world.spawn("bea");
    await world.person("sprint_start", {});
    const create = async (title: string, team: string, points?: number) =>
      (await lead.must("task_create", { title, team, points })).task.id as string;
    const first = await create("Draw the page", "web", 3);
    const second = await create("Draw the footer", "web");
    const third = await create("Serve the page", "api", 5);
    await ada.must("task_claim", { id: first });
    world.clock.advance(10 * 60_000);
    await ada.must("task_close", { id: first });
    await ada.must("task_claim", { id: second });
    await bea.must("task_claim", { id: third });
    await bea.must("task_update", { id: third, block: "no database" });
    world.clock.advance(90_000);
    await lead.must("dependency_declare", { task: second, needs_team: "api", type: "needs_api" });
    await world.person("sprint_start", {});
    const { text, samples } = await world.person("metrics_export", {});
    for (const line of [
      'sprint_velocity{team_id="web"} 3',
      'sprint_velocity{team_id="api"} 0',
      "teamwright_sprint_number 2",
      'teamwright_tasks{team_id="web",column="in_progress"} 1',
      'teamwright_blocked_tasks{team_id="api"} 1',
      'teamwright_blocked_seconds_total{team_id="api"} 90',
      'teamwright_tasks_closed_total{team_id="web"} 1',
      'teamwright_task_cycle_time_seconds_bucket{team_id="web",le="300"} 0',
      'teamwright_task_cycle_time_seconds_bucket{team_id="web",le="900"} 1',
      'teamwright_task_cycle_time_seconds_sum{team_id="web"} 600',
      'teamwright_dependencies{team_id="web",needs_team_id="api",status="open"} 1',
    ])
      expect(text.split("\n")).toContain(line);
    expect(samples).toBeGreaterThan(20);
    if (isPromtoolWanted)
      execFileSync("promtool", ["check", "metrics"], { input: text, stdio: ["pipe", "pipe", "pipe"] });
  });

  test("a file is replaced as a whole, and an empty store has no metrics that are wrong", async () => {
    await using world = await openWorld({ dialect, config });
    const written = new Map<string, string>();
    const files = {
      read: async () => "",
      write: async (path: string, chunks: Iterable<string>) => void written.set(path, [...chunks].join("")),
    };
    const file = join("out", "teamwright.prom");
    expect(await world.person("metrics_export", { output: file }, files)).toMatchObject({ file });
    expect(written.get(file)).not.toContain("NaN");
    if (isPromtoolWanted && written.get(file))
      execFileSync("promtool", ["check", "metrics"], {
        input: written.get(file) ?? "",
        stdio: ["pipe", "pipe", "pipe"],
      });
  });
});
