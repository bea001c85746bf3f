import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readInputs } from "../../mcp-server/src/features/experiment/inputs.ts";
import { finalReport } from "../../mcp-server/src/features/experiment/report.schema.ts";
import { configOf, play, playAlone } from "../support/experiment-play.ts";
import { anyExperiment, everything } from "../support/experiments.ts";
import { type Answer, dialects, openWorld } from "../support/world.ts";

describe.each(dialects)("an experiment on %s", (dialect) => {
  test("gives the bytes of the embedded store, whatever the store (EX-05)", async () => {
    await using world = await openWorld({ dialect });
    const here = await play(world);
    expect(here.files).toEqual((await playAlone()).files);
    expect(Object.keys(here.files).length).toBeGreaterThan(20);
  }, 120_000);
});

const plain = everything.replace("turnover: { enabled: true", "turnover: { enabled: false");

describe("an experiment", () => {
  test("another seed gives another run, and every report has the shape that is compared", async () => {
    const [one, other] = [await playAlone(), await playAlone({ seed: 6 })];
    expect(one.files["final_report.json"]).not.toBe(other.files["final_report.json"]);
    for (const { report } of [one, other]) expect(finalReport.safeParse(report).error).toBeUndefined();
  });

  test("writes the tree of OU-01 and every practice into it (KB-07, AG-02, AG-03, AG-05, AG-06, AG-07, AG-09)", async () => {
    const { files, json, report } = await playAlone({ sprints: 4 });
    for (const team of ["checkout", "platform"]) {
      for (const n of ["01", "04"])
        for (const name of ["kanban.json", "pairing_log.json", "retro.md"])
          expect(files).toHaveProperty([`${team}/sprint-${n}/${name}`]);
      expect(files).toHaveProperty([`${team}/sprint-00/business_brief.md`]);
      expect(json(`${team}/final_report.json`).practices.turnover).toBe(true);
    }
    const sprints = Object.values<Answer>(report.teams).flatMap((team) => team.sprints);
    expect(sprints.flatMap((one) => one.disturbances).length).toBeGreaterThan(0);
    expect(sprints.flatMap((one) => one.swaps).length).toBeGreaterThan(0);
    expect(sprints.flatMap((one) => one.departure_events).length).toBeGreaterThan(0);
    expect(sprints.flatMap((one) => one.backfill_events).length).toBeGreaterThan(0);
    // whoever has left since: the size of a team is what was configured, and what comparisons go by
    expect([report.teams.checkout.agents, report.teams.platform.agents]).toEqual([5, 5]);
    expect(sprints.flatMap((one) => one.specialists)).toContainEqual(
      expect.objectContaining({ domain: "security", points: 2, trainee: expect.any(String) }),
    );
    expect(report.stakeholder_reviews).toHaveLength(2);
    const learning = JSON.parse(files["meta_learnings.jsonl"]?.split("\n")[0] ?? "{}");
    expect(learning).toMatchObject({ sprint: 1, learning_type: "keep", content: { text: expect.any(String) } });
    const [session] = json("platform/sprint-01/pairing_log.json");
    expect(session).toMatchObject({
      sprint: 1,
      checkpoints: expect.any(Number),
      outcome: expect.stringMatching(/^(completed|escalated)$/),
    });
  });

  test("what is off leaves no trace, also for one team alone (EX-06)", async () => {
    const off = everything
      .replace(
        "id: checkout,",
        "id: checkout, practices: { retro: false, pairing: false, sprint_zero: false, disturbances: false },",
      )
      .replace("stakeholder_review: { enabled: true", "stakeholder_review: { enabled: false");
    const { files, report } = await playAlone({ text: off });
    const paths = Object.keys(files);
    expect(paths.filter((path) => /^checkout\/.*(retro|pairing|sprint-00\/business)/.test(path))).toEqual([]);
    expect(paths.filter((path) => /^platform\/.*(retro|pairing|business)/.test(path)).length).toBeGreaterThan(5);
    expect(paths.filter((path) => path.startsWith("stakeholder"))).toEqual([]);
    expect(report.teams.checkout.sprints.flatMap((one: Answer) => one.disturbances)).toEqual([]);
    expect(report.teams.platform.sprints.flatMap((one: Answer) => one.disturbances).length).toBeGreaterThan(0);
  });

  test("profiles are swapped in the scenarios that are allowed, or never (AG-03)", async () => {
    const withSwaps = async (mode: string) => {
      const text = everything
        .replace("profile_swapping: { mode: free }", `profile_swapping: ${mode}`)
        .replace("specialists: { enabled: true }", "specialists: { enabled: false }");
      const { report } = await playAlone({ text, sprints: 4 });
      return Object.values<Answer>(report.teams).flatMap((team) => team.sprints.flatMap((one: Answer) => one.swaps));
    };
    expect(await withSwaps("{ mode: none }")).toEqual([]);
    const allowed = await withSwaps("{ mode: constrained, allowed_scenarios: [specialist_unavailable] }");
    expect(new Set(allowed.map(({ scenario }: Answer) => scenario))).toEqual(new Set(["specialist_unavailable"]));
    expect((await withSwaps("{ mode: free }")).length).toBeGreaterThan(allowed.length);
  });

  test("no story is lost, none is given twice, and velocity is what boards have closed as done (PF-08, OU-05)", async () => {
    await using world = await openWorld({ config: plain });
    const { outcome, report } = await play(world, { text: plain, sprints: 6 });
    const { db } = world.runtime.store;
    const stories = await db.selectFrom("story").select(["key", "status", "task_id"]).execute();
    const given = stories.filter(({ status }) => status === "assigned");
    expect(new Set(given.map(({ task_id }) => task_id)).size).toBe(given.length);
    expect(given.every(({ task_id }) => task_id !== null)).toBe(true);
    expect(stories.filter(({ status }) => status === "pending").every(({ task_id }) => task_id === null)).toBe(true);
    expect(new Set(stories.map(({ key }) => key)).size).toBe(stories.length);
    const done = await db.selectFrom("task").select(["points", "title"]).where("outcome", "=", "done").execute();
    const built = done.filter(({ title }) => !title.startsWith("INFRA-"));
    const points = built.reduce((sum, task) => sum + Number(task.points), 0);
    const zero = outcome.sprints.find(({ sprint }) => sprint === 0);
    const beyond = Object.values(zero?.teams ?? {}).reduce((sum, team) => sum + team.velocity, 0);
    expect(report.portfolio.total_velocity).toBe(points + done.length - built.length - beyond);
    expect(report.portfolio.total_velocity).toBeGreaterThan(0);
    expect(await world.person("doctor_check")).toMatchObject({ ok: true });
  });

  test("agents are in one team each, those on loan come home, and nobody breaks a limit (BO-04, KB-04)", async () => {
    const uneven = plain.replace("id: platform,", "id: platform, practices: { disturbances: false },");
    await using world = await openWorld({ config: uneven });
    const played = await play(world, { text: uneven, sprints: 10 });
    expect(played.report.borrows.length).toBeGreaterThan(0);
    for (const { teams } of played.outcome.sprints)
      expect(Object.values(teams).reduce((sum, team) => sum + team.agents, 0)).toBe(10);
    for (const loan of played.report.borrows) expect(loan.returned ?? loan.due).toBe(loan.due);
    const boards = Object.entries(played.files).filter(([path]) => path.endsWith("kanban.json"));
    for (const [, text] of boards) {
      const { columns } = JSON.parse(text);
      expect(columns.in_progress.length).toBeLessThanOrEqual(3);
      expect(columns.review.length).toBeLessThanOrEqual(2);
    }
  });

  test("steps stay in their boxes and sum to what was spent (OH-02, OH-07)", async () => {
    const { report } = await playAlone({ sprints: 5 });
    const { steps, ...budget } = report.overhead_budget;
    expect(budget).toMatchObject({ total_budget_seconds: 3600, num_steps: steps.length });
    const spent = steps.reduce((sum: number, step: Answer) => sum + step.elapsed, 0);
    expect(spent).toBeCloseTo(budget.spent_seconds, 1);
    expect(budget.spent_seconds + budget.remaining_seconds).toBeCloseTo(budget.total_budget_seconds, 1);
    const names = steps.filter((step: Answer) => step.sprint === 1).map((step: Answer) => step.step);
    expect(names).not.toContain("coordination"); // the loop starts with sprint 2 (C-29)
  });

  test("iteration 0 holds the orientation by the operations of live teams, in its box (OH-04, OH-06)", async () => {
    const rounds = async (text: string) => {
      await using world = await openWorld({ config: text });
      const { report } = await play(world, { text, sprints: 1 });
      const { rounds: held } = await world.person("coordination_show");
      const round = held.find((one: Answer) => one.kind === "orientation");
      const steps = report.overhead_budget.steps.filter((step: Answer) => step.step === "iteration_zero");
      return { round, whole: (await world.person("coordination_show", { round: round.round })).rounds[0], steps };
    };
    const held = await rounds(everything);
    expect(held.round).toMatchObject({
      kind: "orientation",
      sprint: 1,
      status: "done",
      evaluation_by: "staff_engineer_01",
      outcome: { given: { assigned: 6 }, recommendations: [expect.stringContaining("platform")] },
    });
    expect(held.steps).toEqual([expect.objectContaining({ sprint: 0, timed_out: false, elapsed: expect.any(Number) })]);
    expect(held.steps[0].elapsed).toBeGreaterThan(5);
    // a coordinator that triages says with it who gets what
    const triaged = await rounds(`${everything}portfolio: { strategy: coordinator }\n`);
    expect(triaged.whole.evaluation).toContain("ASSIGN: US-");
    expect(triaged.round.outcome.given.assigned).toBe(6);
    // ten seconds are too short for anybody: the stories go by the heuristic, and the box says so
    const late = await rounds(
      everything.replace(
        "enabled: true, coord",
        "enabled: true, overhead_budget: { iteration_zero_share: 0.001 }, coord",
      ),
    );
    expect(late.round).toMatchObject({ status: "fell_back", outcome: { given: { assigned: 6 } } });
    expect(late.steps).toEqual([expect.objectContaining({ sprint: 0, timed_out: true })]);
  });

  test("a run in two parts gives the boards of a run in one (EX-01)", async () => {
    await using world = await openWorld();
    const first = await play(world, { sprints: 2 });
    const second = await play(world, { sprints: 4 });
    const whole = await playAlone({ sprints: 4 });
    const boards = (files: Record<string, string>) =>
      Object.fromEntries(Object.entries(files).filter(([path]) => path.includes("/sprint-")));
    expect(boards({ ...first.files, ...second.files })).toEqual(boards(whole.files));
  });

  test("a stakeholder who is waited for stops the run, and a word of theirs has effects (AG-04)", async () => {
    const blocking = everything.replace("timeout_action: po_proxy", "timeout_action: block");
    await using world = await openWorld();
    const stopped = await play(world, { text: blocking, sprints: 4 });
    expect(stopped.outcome.state).toMatchObject({
      sprint: 2,
      waitsFor: { file: "stakeholder-feedback-sprint-2.json" },
    });
    expect((await play(world, { text: blocking, sprints: 4 })).outcome.state.sprint).toBe(2);
    const word = {
      decision: "rejected",
      feedback_text: "Not yet.",
      new_stories: [{ title: "Add a map", story_points: 2 }],
    };
    const feedback = (name: string) => (name.endsWith("-2.json") ? JSON.stringify(word) : undefined);
    const on = await play(world, { text: blocking, sprints: 4, feedback });
    expect(on.outcome.state).toMatchObject({ sprint: 4, waitsFor: { sprint: 4 } });
    const titles = (await world.runtime.store.db.selectFrom("task").select("title").execute()).map(
      ({ title }) => title,
    );
    expect(titles).toContain("Add a map");
    expect(titles.filter((title) => title.startsWith("Redo what the stakeholder rejected"))).toHaveLength(2);
  });
});

test("whatever is configured, a run ends, counts every agent once and reports in the shape that is compared (EX-06)", async () => {
  await fc.assert(
    fc.asyncProperty(anyExperiment, fc.nat(1000), async (text, seed) => {
      const { outcome, report } = await playAlone({ text, seed });
      expect(outcome.state.sprint).toBe(3);
      expect(finalReport.safeParse(report).error).toBeUndefined();
      for (const { sprint, teams } of outcome.sprints) {
        const there = Object.values(teams).reduce((sum, team) => sum + team.agents, 0);
        const gone = outcome.sprints
          .filter((one) => one.sprint < sprint)
          .flatMap((one) => Object.values(one.teams))
          .reduce((sum, team) => sum + team.departure_events.length - team.backfill_events.length, 0);
        const came = Object.values(teams).reduce((sum, team) => sum + team.backfill_events.length, 0);
        expect(there).toBe(configOf(text).teams.flatMap(({ agents }) => agents).length - gone + came);
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);

describe("the examples (EX-02, EX-03)", () => {
  const examples = join(import.meta.dirname, "../../examples");
  const variants = readdirSync(join(examples, "experiments")).filter((name) => /^[a-z-]+\.yaml$/.test(name));

  test.each(variants)("%s can be played", async (name) => {
    const isWhole = name === "scale.yaml";
    const inputs = readInputs({
      here: examples,
      folder: "/nowhere",
      known: undefined,
      config: isWhole ? `experiments/${name}` : "two-teams/config.yaml",
      ...(isWhole ? {} : { variant: `experiments/${name}` }),
    });
    expect(inputs).toMatchObject({ variant: name.replace(".yaml", ""), sprints: 10 });
    await using world = await openWorld();
    const { report } = await play(world, { ...inputs, sprints: 2 });
    expect(report.coordination.enabled).toBe(name !== "independent.yaml");
    expect(report.portfolio).toMatchObject({ total_sprints: 2, num_teams: isWhole ? 6 : 2 });
    expect(report.portfolio.total_velocity).toBeGreaterThan(5);
    const sizes = new Set(Object.values<Answer>(report.teams).map(({ agents }) => agents));
    if (isWhole) expect(sizes).toEqual(new Set([4, 5, 6, 7])); // else nothing answers what the size of a team does
  });

  test("are the five variants, the stress test and the scale test", () => {
    expect(variants.length).toBe(7);
  });
});
