import { describe, expect, test } from "vitest";
import { play, playAlone } from "../support/experiment-play.ts";
import { aBacklog, everything } from "../support/experiments.ts";
import { type Answer, openWorld, type World } from "../support/world.ts";

/** Files of one name, of all teams and sprints. */
function all(files: Record<string, string>, name: string): Answer[] {
  return Object.entries(files)
    .filter(([path]) => path.endsWith(`/${name}`))
    .map(([, text]) => JSON.parse(text));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
/** Stories without sizes, so that the lead has to estimate. */
const unsized = JSON.stringify({
  stories: JSON.parse(aBacklog()).stories.map(({ story_points: _, ...story }: Answer) => story),
});
const backlogs = [{ name: "backlog.yaml", text: unsized }];

describe("a sprint's phases (AG-01)", () => {
  test("follow each other, in the trail as in the files", async () => {
    await using world = await openWorld();
    const { files, outcome } = await play(world, { backlogs });
    const { db } = world.runtime.store;
    const events = await db
      .selectFrom("event")
      .select(["type", "after"])
      .where("type", "in", ["sprint.started", "sprint.phase", "round.opened", "sprint.ended"])
      .orderBy("seq")
      .execute();
    const phases = events.map(({ type, after }) => (type === "sprint.phase" ? JSON.parse(after ?? "{}").phase : type));
    expect(phases.filter((name) => !name.startsWith("round")).slice(0, 5)).toEqual([
      "sprint.started",
      "development",
      "qa",
      "review",
      "sprint.ended",
    ]);
    for (const name of ["planning", "standup"])
      expect(
        Object.keys(files).filter((path) => path.endsWith(`/${name}.json`)),
        name,
      ).toHaveLength(6);
    for (const { team_id, sprint, review, candidates } of all(files, "planning.json")) {
      const numbers = outcome.sprints.find((one) => one.sprint === sprint)?.teams[team_id];
      const { shown, carried_over, ...rest } = review;
      expect(rest).toMatchObject({ velocity: numbers?.velocity, accepted_by: team_id === "checkout" ? "eva" : "jun" });
      expect(sum(shown.map(({ points }: Answer) => points))).toBe(numbers?.velocity);
      const planned = candidates.filter((one: Answer) => one.planned).length;
      expect(rest).toMatchObject({ planned_stories: planned, planned_stories_done: planned - carried_over.length });
    }
  });

  test("planning looks at eight stories at most, sizes them, and stops at the first beyond three points per developer", async () => {
    const { files } = await playAlone({
      backlogs,
      text: everything.replace("  - { id: checkout", "  - { id: checkout"),
    });
    const plans = all(files, "planning.json");
    for (const plan of plans) {
      expect(plan.capacity).toBe(plan.developers * 3);
      expect(plan.candidates.length).toBeLessThanOrEqual(8);
      const planned = plan.candidates.filter((one: Answer) => one.planned);
      expect(sum(planned.map((one: Answer) => one.points))).toBe(plan.planned_points);
      expect(plan.planned_points).toBeLessThanOrEqual(plan.capacity);
      for (const { questions, estimated, points } of plan.candidates) {
        expect(questions.length).toBeLessThanOrEqual(4);
        expect(new Set(questions.map(({ by }: Answer) => by)).size).toBe(questions.length);
        if (estimated) expect([1, 2, 3, 5, 8, 13]).toContain(points);
      }
      if (plan.stopped_at === null) continue;
      const beyond = plan.candidates.at(-1);
      expect(beyond).toMatchObject({ id: plan.stopped_at, planned: false });
      expect(plan.planned_points + beyond.points).toBeGreaterThan(plan.capacity);
    }
    const stories = plans.flatMap(({ candidates }) => candidates);
    expect(stories.some(({ estimated }) => estimated)).toBe(true);
    expect(stories.some(({ questions }) => questions.length > 0)).toBe(true);
    expect(plans.some(({ stopped_at }) => stopped_at !== null)).toBe(true);
    expect(plans.find(({ team_id }) => team_id === "checkout")).toMatchObject({
      presented_by: "eva",
      estimated_by: "ann",
    });
  });

  test("stories are cut into tasks that count in no limit and no velocity, and their owners begin with them", async () => {
    await using world = await openWorld();
    const { files } = await play(world, { backlogs });
    for (const { sprint, tasks, candidates } of all(files, "planning.json")) {
      const number = String(sprint).padStart(2, "0");
      tasks.forEach(({ id }: Answer, index: number) => {
        expect(id).toBe(`T-${number}-${String(index + 1).padStart(3, "0")}`);
      });
      const stories = new Set(tasks.map(({ story }: Answer) => story));
      for (const story of stories) {
        const own = tasks.filter((task: Answer) => task.story === story);
        expect([2, 3, 4]).toContain(own.length);
        expect(candidates.find(({ id }: Answer) => id === story)?.planned).toBe(true);
        for (const { hours, owner, navigator } of own) {
          expect([4, 8, 16]).toContain(hours);
          expect(navigator).not.toBe(owner);
        }
      }
    }
    const cards = all(files, "kanban.json").flatMap(({ columns }) => Object.values<Answer[]>(columns).flat());
    expect(cards.some(({ tasks }) => tasks?.length > 1)).toBe(true);
    const rows = await world.runtime.store.db.selectFrom("task").select("title").execute();
    expect(rows.filter(({ title }) => title.includes("thin slice"))).toEqual([]);
  });

  test("from the second day on there is a standup, and it shortens what is blocked", async () => {
    const breaking = everything
      .replace(/disturbances: .*/, "disturbances: { enabled: true, frequencies: { dependency_breaks: 1 } }")
      .replace(/turnover: .*/, "");
    const off = `${breaking}standup: { enabled: false }\n`;
    const stories = JSON.parse(aBacklog()).stories.map(({ depends_on_team: _, ...story }: Answer) => story);
    const options = { backlogs: [{ name: "b.yaml", text: JSON.stringify({ stories }) }], sprints: 6 };
    const [held, without] = [
      await playAlone({ ...options, text: breaking }),
      await playAlone({ ...options, text: off }),
    ];
    const meetings = all(held.files, "standup.json");
    for (const days of meetings) expect(days.map(({ day }: Answer) => day)).toEqual([2, 3, 4, 5]);
    const said = meetings.flat();
    expect(said.some(({ blocked, decisions }) => blocked.length > 0 && decisions.length > 0)).toBe(true);
    expect(said.every(({ present }) => present.length >= 4)).toBe(true);
    expect(all(without.files, "standup.json")).toEqual([]);
    const minutes = ({ report }: Answer) =>
      sum(
        Object.values<Answer>(report.teams).flatMap(({ sprints }) => sprints.map((one: Answer) => one.blocked_minutes)),
      );
    expect(minutes(held)).toBeLessThan(minutes(without));
  });
});

describe("what pairs do not agree on (AG-07, AG-08)", () => {
  const quarrel = `${everything}consensus: { max_exchanges: 1, threshold: 0.8, cost_points: { stakeholder: 2 } }\n`;

  test("climbs the tiers with a record, a vote and its cost", async () => {
    const { files, report } = await playAlone({ text: quarrel, sprints: 10, seed: 6 });
    const records = all(files, "escalations.json").flat();
    const tiers = new Set(records.map(({ tier }) => tier));
    expect(tiers).toEqual(new Set(["dev_lead", "po_and_lead", "stakeholder"]));
    const costs = { pair: 0, dev_lead: 0.1, po_and_lead: 0.25, stakeholder: 2 };
    for (const one of records) {
      expect(one).toMatchObject({
        id: expect.stringMatching(/^E-\d\d-\d{3}$/),
        context: expect.stringContaining(one.raised_by),
        options: [{ favoured_by: [one.raised_by] }, {}],
        urgency: expect.stringMatching(/^(low|normal|high|critical)$/),
      });
      expect(one.options.map(({ option }: Answer) => option)).toContain(one.decision);
      expect(one.options.map(({ option }: Answer) => option)).toContain(one.recommendation);
      expect(one.cost_points).toBeCloseTo(sum(one.path.map((tier: keyof typeof costs) => costs[tier])), 3);
      if (one.tier !== "stakeholder") expect(one.share).toBeGreaterThanOrEqual(0.8);
    }
    const sessions = all(files, "pairing_log.json").flat();
    const escalated = new Set(records.map(({ sprint, task_id, decision_id }) => `${sprint} ${task_id} ${decision_id}`));
    for (const { sprint, task_id, decision_ids, outcome, decisions, ...session } of sessions) {
      const own = decision_ids.filter((id: string) => escalated.has(`${sprint} ${task_id} ${id}`));
      expect(outcome).toBe(own.length > 0 ? "escalated" : "completed");
      expect(decisions).toHaveLength(decision_ids.length);
      expect(session.brainstorm_rounds).toBe(3);
      expect([4, 5]).toContain(session.checkpoints);
    }
    const counted = Object.values<Answer>(report.teams).flatMap((team) => team.sprints);
    expect(sum(counted.map(({ escalations }) => escalations))).toBe(records.filter(({ sprint }) => sprint > 0).length);
  });

  test("is nothing where consensus is off, and every other chance falls as before (EX-06)", async () => {
    const quiet = quarrel.replace("consensus: {", "consensus: { enabled: false,");
    const [loud, still] = [await playAlone({ text: quarrel }), await playAlone({ text: quiet })];
    expect(all(still.files, "escalations.json")).toEqual([]);
    const chances = ({ report }: Answer) =>
      Object.values<Answer>(report.teams).flatMap(({ sprints }) =>
        sprints.map(({ disturbances, departure_events }: Answer) => ({ disturbances, departure_events })),
      );
    expect(chances(still)).toEqual(chances(loud));
  });
});

describe("disturbances and swaps (AG-02, AG-03)", () => {
  const stories = JSON.parse(aBacklog()).stories.map(({ depends_on_team: _, ...story }: Answer) => story);
  const options = { backlogs: [{ name: "b.yaml", text: JSON.stringify({ stories }) }], sprints: 5 };
  const always =
    "dependency_breaks: 1, production_incident: 1, flaky_test: 1, scope_creep: 1, junior_misunderstanding: 1, architectural_debt: 1, merge_conflict: 1";

  test("all seven strike, and the blast radius bounds what they cost", async () => {
    const struck = async (radius: string) => {
      const text = everything
        .replace(/turnover: .*/, "")
        .replace(
          /disturbances: .*/,
          `disturbances: { enabled: true, frequencies: { ${always} }, blast_radius: ${radius} }`,
        );
      await using world = await openWorld();
      const { report } = await play(world, { ...options, text });
      await seen(world);
      const sprints = Object.values<Answer>(report.teams).flatMap((team) => team.sprints);
      const kinds = new Set(sprints.flatMap(({ disturbances }) => disturbances.map(({ kind }: Answer) => kind)));
      expect(kinds.size).toBe(7);
      const covered = sprints.map(({ test_coverage }) => test_coverage).filter((share) => share !== null);
      return { blocked: sum(sprints.map((one) => one.blocked_minutes)), coverage: sum(covered) / covered.length };
    };
    const none = await struck("{ max_velocity_impact: 0, max_quality_regression: 0 }");
    const usual = await struck("{}");
    expect(none.blocked).toBe(0);
    expect(usual.blocked).toBeGreaterThan(0);
    expect(none.coverage).toBeGreaterThan(usual.coverage);
  });

  /** An incident is three points and an alert, creeping scope two points that the product owner hears of. */
  async function seen(world: World): Promise<void> {
    const { db } = world.runtime.store;
    const tasks = await db.selectFrom("task").select(["key", "title", "team", "points", "priority"]).execute();
    const messages = await db.selectFrom("message").select(["recipient_name", "channel", "text"]).execute();
    const hotfixes = tasks.filter(({ title }) => title.startsWith("HOTFIX"));
    const crept = tasks.filter(({ title }) => title.startsWith("Add what was not asked for"));
    expect([hotfixes.length, crept.length]).toEqual([10, 10]);
    for (const { key, team, points, priority } of hotfixes) {
      expect([Number(points), Number(priority)]).toEqual([3, 0]);
      const alert = messages.find(({ text }) => text.includes("[INCIDENT ALERT]") && text.includes(key));
      expect(alert?.channel).toBe(`team:${team}`);
    }
    for (const { key, team, points } of crept) {
      expect(Number(points)).toBe(2);
      const told = messages.filter(({ recipient_name: reader, text }) => reader === "eva" && text.includes(key));
      expect(told).toHaveLength(team === "checkout" ? 1 : 0); // platform has no product owner
    }
  }

  test("a team may swap profiles where the others have none, in the allowed scenarios", async () => {
    const text = everything
      .replace(
        "profile_swapping: { mode: free }",
        "profile_swapping: { mode: none, allowed_scenarios: [deliberate_cross_training] }",
      )
      .replace("specialists: { enabled: true }", "specialists: { enabled: false }")
      .replace("id: platform,", "id: platform, practices: { profile_swapping: true },");
    const { report } = await playAlone({ ...options, text });
    const swaps = (team: string) => report.teams[team].sprints.flatMap((one: Answer) => one.swaps);
    expect(swaps("checkout")).toEqual([]);
    expect(swaps("platform")[0]).toMatchObject({ proficiency: 0.7, from: expect.any(String) });
    expect(new Set(swaps("platform").map(({ scenario }: Answer) => scenario))).toEqual(
      new Set(["deliberate_cross_training"]),
    );
  });
});
