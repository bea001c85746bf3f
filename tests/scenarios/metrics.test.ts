import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type MetricSpec, metricCatalogue } from "../../mcp-server/src/features/metrics/catalogue.rules.ts";
import { refusedWrite } from "../support/files.ts";
import { type Actor, dialects, openWorld } from "../support/world.ts";

const config = `teams:
  - { id: web, agents: [ada, abe] }
  - { id: api, agents: [bea, ben] }
task_quality: off
`;

const portfolio = `coordination: { min_team_size: 1 }
teams:
  - { id: web, team_type: stream_aligned, agents: [ada, abe, ann] }
  - { id: api, team_type: platform, agents: [bea] }
task_quality: off
`;

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
/** Debian's prometheus package has it; CI installs that. */
const isPromtoolWanted = hasPromtool || process.env.CI !== undefined;

/** Every sample belongs to a family with HELP and TYPE, and has labels the catalogue names (C-09). */
function expectAsListed(text: string): void {
  const catalogue: Readonly<Record<string, MetricSpec>> = metricCatalogue;
  for (const [, name = "", labels = ""] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const family = name in catalogue ? name : name.replace(/_(?:bucket|sum|count)$/, "");
    const spec = catalogue[family];
    expect(text).toContain(`# HELP ${family} `);
    expect(text).toContain(`# TYPE ${family} ${spec?.type}\n`);
    const used = [...labels.matchAll(/([a-z_]+)="/g)].map(([, label = ""]) => label).filter((label) => label !== "le");
    expect([name, used.filter((label) => !spec?.labels.includes(label))]).toEqual([name, []]);
  }
}

/** A unit of the task with a review that failed and a gate that ran, as rows: the loop itself has its own tests. */
async function countLoop({ runtime, clock }: Awaited<ReturnType<typeof openWorld>>, key: string): Promise<void> {
  const { db } = runtime.store;
  const at = clock.now;
  const name = `${key}-${at}`;
  const { id: task } = await db.selectFrom("task").select("id").where("key", "=", key).executeTakeFirstOrThrow();
  const { id: run } = await db
    .insertInto("run")
    .values({
      ...{ key: name, name, level: "issue", session: null, lead: "lead", mode: "task", mode_reason: "" },
      ...{ verdict: "single", verdict_reason: "", phase_gate: "manual", status: "done", started_at: at, seen_at: at },
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const { id: unit } = await db
    .insertInto("unit")
    .values({
      ...{ key: name, run_id: run, task_id: task, title: name, phase: "implement", stage: 1, scope: "[]", items: "[]" },
      ...{ created_at: at, updated_at: at },
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await db
    .insertInto("review")
    .values({
      ...{ key: name, unit_id: unit, attempt: 1, diff_hash: "", packet: "", status: "answered", opened_by: "lead" },
      ...{ opened_at: at, verdict: "FAIL", answered_at: at },
    })
    .execute();
  await db
    .insertInto("gate_run")
    .values({
      ...{ unit_id: unit, attempt: 1, gate: "lint", command: "true", started_at: at, duration_ms: 1, result: "passed" },
      ...{ output_digest: "", output_tail: "", output_bytes: 0, merged: 0 },
    })
    .execute();
}

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
    expectAsListed(text);
    if (isPromtoolWanted)
      execFileSync("promtool", ["check", "metrics"], { input: text, stdio: ["pipe", "pipe", "pipe"] });
  });

  test("what is counted for a team stays with it when a task comes to another: no counter falls (ME-04, DE-05)", async () => {
    await using world = await openWorld({ dialect, config });
    const lead = world.lead();
    const { task } = await lead.must("task_create", { title: "Draw the page", team: "web" });
    await lead.must("task_update", { id: task.id, block: "no database" });
    await countLoop(world, task.id);
    world.clock.advance(90_000);
    const counters = async () => {
      const { text } = await world.person("metrics_export", {});
      const of = (name: string, labels: string) =>
        Number(
          text
            .split("\n")
            .find((line: string) => line.startsWith(`teamwright_${name}{${labels}`))
            ?.split(" ")
            .at(-1) ?? 0,
        );
      return ["web", "api"].map((team) => [
        of("blocked_seconds_total", `team_id="${team}"`),
        of("reviews_total", `team_id="${team}",verdict="fail"`),
        of("gate_runs_total", `team_id="${team}",gate="lint"`),
      ]);
    };
    expect(await counters()).toEqual([
      [90, 1, 1],
      [0, 0, 0],
    ]);
    world.clock.advance(1000);
    await lead.must("task_update", { id: task.id, team: "api" });
    expect(await counters()).toEqual([
      [91, 1, 1],
      [0, 0, 0],
    ]);
    world.clock.advance(60_000);
    await lead.must("task_update", { id: task.id, unblock: true });
    await countLoop(world, task.id);
    expect(await counters()).toEqual([
      [91, 1, 1],
      [60, 1, 1],
    ]);
    world.clock.advance(1000);
    await lead.must("task_update", { id: task.id, team: "web" });
    expect(await counters()).toEqual([
      [91, 1, 1],
      [60, 1, 1],
    ]);
  });

  test("a file is replaced as a whole, and an empty store has no metrics that are wrong", async () => {
    await using world = await openWorld({ dialect, config: `coordination: { enabled: true }\n${config}` });
    const written = new Map<string, string>();
    const files = {
      read: async () => "",
      write: async (path: string, chunks: Iterable<string>) => void written.set(path, [...chunks].join("")),
    };
    const file = join("out", "teamwright.prom");
    const { text } = await world.person("metrics_export", {});
    for (const line of [
      'teamwright_tasks{team_id="api",column="in_progress"} 0',
      'teamwright_overhead_seconds_total{step="coordination"} 0',
    ])
      expect(text.split("\n")).toContain(line);
    expect(await world.person("metrics_export", { output: file }, files)).toMatchObject({ file });
    expect(written.get(file)).not.toContain("NaN");
    if (isPromtoolWanted && written.get(file))
      execFileSync("promtool", ["check", "metrics"], {
        input: written.get(file) ?? "",
        stdio: ["pipe", "pipe", "pipe"],
      });
  });

  test("performance of a team: each measure from what is in the store, and null for too little (ME-02, C-23)", async () => {
    await using world = await openWorld({ dialect, config });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const bea = await world.spawn("bea");
    await world.person("sprint_start", {});
    const started = new Date(world.clock.now).toISOString();
    const { text: atFirst } = await world.person("metrics_export", {});
    for (const name of ["tasks_closed_total", "velocity_points_total", "task_cycle_time_seconds_count"])
      expect(atFirst).toContain(`teamwright_${name}{team_id="web"} 0\n`);
    expect(atFirst).toContain('teamwright_reviews_total{team_id="api",verdict="fail"} 0\n');
    const none = await world.person("metrics_team", { team: "web" });
    expect(none).toMatchObject({ velocity: 0, velocity_points: null, quality_score: null, collaboration_score: null });
    const drafts = [3, 2, 2, 1, 1].map((points, n) => ({ title: `Draw page ${n}`, team: "web", points }));
    const made = await lead.must("task_create", { tasks: [...drafts, { title: "Serve it", team: "api" }] });
    const [first, ...others] = made.tasks.map((task: { id: string }) => task.id) as string[];
    const wanted = others.pop() ?? "";
    for (const id of [first, ...others]) {
      await ada.must("task_claim", { id });
      await ada.must("board_move", { id, to: "review" });
      if (id === first) {
        await lead.must("board_move", { id, to: "in_progress", reason: "no footer" });
        await ada.must("board_move", { id, to: "review" });
      }
      world.clock.advance(60_000);
      await lead.must("task_close", { id });
    }
    const counted = async () =>
      (await world.person("metrics_export", {})).text.match(/lead_time_seconds_count\{team_id="web"\} \d+/)?.[0];
    expect(await counted()).toContain("} 5");
    await world.person("task_reopen", { id: others[0] });
    expect(await counted()).toContain("} 5"); // one that fell would be read as a restart
    await ada.must("task_claim", { id: others[0] });
    await ada.must("task_close", { id: others[0] });
    world.clock.advance(1000);
    const bug = await lead.must("task_create", { title: "Mend the page", team: "web", kind: "bug" });
    await lead.must("task_link", { id: bug.task.id, target: first, type: "discovered-from" });
    await lead.must("knowledge_add", { fact: "The footer is drawn by the layout", kind: "pattern", task: first });
    const { dependency } = await lead.must("dependency_declare", {
      task: wanted,
      needs_team: "web",
      type: "needs_api",
    });
    await lead.must("dependency_resolve", { id: dependency.id, resolution: "It is served." });
    await bea.must("message_send", { to: "ada", text: "Where is it?", kind: "QUESTION" });
    await lead.must("borrow_request", { agent: "abe", from: "web", to: "api", reason: "nobody draws there" });
    await lead.must("borrow_request", { agent: "nobody", from: "web", to: "api", reason: "a rule forbids it" });
    world.clock.advance(60 * 60_000);
    await world.person("sprint_end", {});
    const found = await world.person("metrics_team", { team: "web", explain: true });
    expect(found).toMatchObject({ velocity: 5, velocity_points: 9, innovation_index: 2 });
    const of = (name: string) => found.measures.find((measure: { name: string }) => measure.name === name);
    expect(of("quality_score").basis).toEqual({
      handed_in: 5,
      sent_back: 1,
      reopened: 1,
      done_or_reopened: 5,
      defective: 1,
      done: 5,
    });
    expect(found.quality_score).toBeCloseTo(0.8);
    expect(found.rows).toMatchObject({ sent_back: [first], reopened: [others[0]], defective: [first], needs_open: [] });
    expect([found.rows.questions_open, found.rows.learned].map((ids) => ids.length)).toEqual([1, 1]);
    expect(of("collaboration_score").basis).toEqual({
      loans_given: expect.any(Number),
      loans_asked: expect.any(Number),
      needs_resolved: 1,
      needs_asked: 1,
      questions_answered: 0,
      questions_asked: 1,
    });
    expect(of("cost_efficiency")).toMatchObject({
      unit: "story points per agent and sprint",
      formula: expect.any(String),
    });
    // both ends belong to the window, be they one moment
    const { task: closed } = await world.person("task_show", { id: first });
    const moment = { team: "web", from: closed.closed_at, to: closed.closed_at };
    expect((await world.person("metrics_team", moment)).measures[0].basis).toEqual({ done: 1, sprints: 1 });
    expect((await world.person("metrics_team", { team: "web", from: started, to: started })).velocity).toBe(0);
    expect(await world.personText("metrics_team", { team: "web", explain: true })).toContain("quality_score = mean of");
    await expect(world.person("metrics_team", { team: "nowhere" })).rejects.toThrow("no such team");
  });

  test("flow by day and by week: throughput, times, age, use and conflicts (ME-04)", async () => {
    await using world = await openWorld({
      dialect,
      config: `${config}ownership:\n  - { paths: ["src/**"], owner: bea }\n`,
    });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    await world.spawn("abe");
    for (const minutes of [10, 14, 12]) {
      const { task } = await lead.must("task_create", { title: `Work for ${minutes} minutes`, team: "web" });
      world.clock.advance(60_000);
      await ada.must("task_claim", { id: task.id });
      world.clock.advance(minutes * 60_000);
      await ada.must("task_close", { id: task.id });
    }
    expect(await refusedWrite(world, ada, "src/a.ts")).toContain("belongs to bea");
    await lead.must("task_create", { title: "Wait in the queue", team: "web" });
    const { task } = await lead.must("task_create", { title: "Be at work", team: "web" });
    await ada.must("task_claim", { id: task.id });
    world.clock.advance(5 * 60_000);
    const { teams } = await world.person("metrics_flow", { team: "web", from: "2026-10-31" });
    const [web] = teams;
    expect(web.now).toEqual({
      queue: 1,
      wip: 1,
      age: { median: 300, p85: 300, oldest: 300 },
      agents: 2,
      busy: 1,
      utilisation: 0.5,
    });
    const today = {
      throughput: 3,
      lead: { median: 13 * 60, p85: 15 * 60 },
      cycle: { median: 12 * 60, p85: 14 * 60 },
      conflicts: 1,
      conflict_rate: 1 / 3,
    };
    expect(web.total).toEqual(today);
    expect(web.periods).toEqual([
      expect.objectContaining({
        start: "2026-10-31",
        throughput: 0,
        cycle: { median: null, p85: null },
        conflict_rate: null,
      }),
      { start: "2026-11-01", ...today },
    ]);
    // 1 November 2026 is a Sunday, the last day of its week
    const weeks = (await world.person("metrics_flow", { period: "week", team: "web" })).teams[0].periods;
    expect(weeks).toHaveLength(8);
    expect(weeks.at(-1)).toEqual({ start: "2026-10-26", ...today });
    expect(await world.personText("metrics_flow", { team: "web" })).toMatch(/web {2}▁+█ {2}queue 1, in progress 1/);
    const { text } = await world.person("metrics_export", {});
    for (const line of [
      'teamwright_agents{team_id="web",state="busy"} 1',
      'teamwright_conflicts_total{team_id="web",kind="write"} 1',
      'teamwright_work_in_progress_age_seconds{team_id="web"} 300',
      'teamwright_task_lead_time_seconds_count{team_id="web"} 3',
    ])
      expect(text.split("\n")).toContain(line);
  });

  test("teams beside each other: by size and type, with and without loans, and coordination's share (ME-05, BO-08)", async () => {
    await using world = await openWorld({ dialect, config: portfolio });
    const lead = world.lead();
    const hands: Record<string, Actor> = { web: await world.spawn("ada"), api: await world.spawn("bea") };
    const sprint = async (points: Record<string, number>) => {
      for (const [team, each] of Object.entries(points)) {
        const { task } = await lead.must("task_create", { title: `Do work for ${team}`, team, points: each });
        await hands[team]?.must("task_claim", { id: task.id });
        await hands[team]?.must("task_close", { id: task.id });
      }
      world.clock.advance(60 * 60_000);
      await world.person("sprint_end", {});
    };
    await world.person("sprint_start", {});
    await sprint({ web: 8, api: 2 });
    const before = await world.person("metrics_portfolio", {});
    expect(before).toMatchObject({ loans: [], overhead_share: 0, sprint_seconds: 3600 });
    await lead.must("borrow_request", { agent: "abe", from: "web", to: "api", reason: "api is behind" });
    await world.person("sprint_start", {});
    await sprint({ web: 4, api: 6 });
    const found = await world.person("metrics_portfolio", {});
    expect(found.teams).toMatchObject([
      { team: "web", team_type: "stream_aligned", size: 3, velocity: 6, velocity_trend: [8, 4], done: 2 },
      { team: "api", team_type: "platform", size: 2, velocity: 4, velocity_trend: [2, 6], depends_on_teams: 0 },
    ]);
    expect(found.by_type).toEqual([
      { group: "platform", teams: 1, agent_sprints: 3, velocity_per_capita: 8 / 3 },
      { group: "stream_aligned", teams: 1, agent_sprints: 5, velocity_per_capita: 12 / 5 },
    ]);
    expect(found.loans).toEqual([
      { team: "web", role: "lender", sprints: 1, velocity: 4, otherwise: 8 },
      { team: "api", role: "borrower", sprints: 1, velocity: 6, otherwise: 2 },
    ]);
    expect(await world.personText("metrics_portfolio", {})).toContain("Velocity per capita by type");
  });
});
