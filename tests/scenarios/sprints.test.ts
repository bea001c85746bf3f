import { describe, expect, test } from "vitest";
import { expectSound, MINUTE, newTask, nextSprint, personRefusal, refusal } from "../support/answers.ts";
import { type Actor, type Answer, dialects, openWorld, START } from "../support/world.ts";

const teams = `
teams:
  - { id: alpha, agents: [ada, abe, amy] }
  - { id: beta, agents: [bea, bob] }
`;

/** Does a task from its claim to its end. */
async function finish(lead: Actor, by: Actor, team: string, draft: Record<string, unknown> = {}): Promise<string> {
  const id = await newTask(lead, { title: `Tend the ${team} garden`, team, ...draft });
  await by.must("task_claim", { id });
  await by.must("task_close", { id });
  return id;
}

describe.each(dialects)("sprints on %s", (dialect) => {
  test("a sprint is a time box with phases, started and ended by leads and people (AG-01, C-17)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}\nsprint: { minutes: 45 }\n` });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    expect(await world.personText("sprint_show")).toBe("No sprint has been started.");
    expect(await refusal(ada.call("sprint_start"))).toBe("FORBIDDEN");
    expect(await personRefusal(world.person("sprint_phase", { phase: "qa" }))).toBe("RULE_VIOLATED");
    expect((await lead.must("sprint_start")).sprint).toEqual({
      n: 1,
      phase: "planning",
      started_at: new Date(START).toISOString(),
      ends_at: new Date(START + 45 * MINUTE).toISOString(),
      minutes: 45,
      minutes_left: 45,
    });
    world.clock.advance(20 * MINUTE);
    expect((await world.person("sprint_phase", { phase: "development" })).sprint.minutes_left).toBe(25);
    // phases may be left out, and none comes back
    await world.person("sprint_phase", { phase: "review" });
    expect(await personRefusal(world.person("sprint_phase", { phase: "qa" }))).toBe("RULE_VIOLATED");
    expect(await personRefusal(world.person("sprint_phase", { phase: "review" }))).toBe("RULE_VIOLATED");
    world.clock.advance(60 * MINUTE);
    expect((await world.person("sprint_show")).sprints[0].sprint).toMatchObject({ phase: "review", minutes_left: 0 });
    expect((await world.person("sprint_end")).sprint).toMatchObject({ n: 1, phase: "ended" });
    expect(await personRefusal(world.person("sprint_end"))).toBe("RULE_VIOLATED");
    const started = await lead.must("sprint_start", { minutes: 10 });
    expect(started.sprint).toMatchObject({ n: 2, minutes: 10 });
    expect(started).not.toHaveProperty("ended");
    // every team hears of it
    const heard = (await ada.must("message_inbox", {})).messages.map((message: Answer) => message.text);
    expect(heard).toEqual([
      expect.stringContaining("Sprint 1 has started: 45 minutes"),
      expect.stringContaining("Sprint 1 is in development."),
      expect.stringContaining("Sprint 1 is in review."),
      expect.stringContaining("Sprint 2 has started: 10 minutes"),
    ]);
    await expectSound(world);
  });

  test("velocity is the points of what was closed as done, and cards count by themselves (ME-03, C-23)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}\nclaims: { lease_seconds: 7200 }\n` });
    const lead = world.lead();
    const [ada, bea] = [await world.spawn("ada"), await world.spawn("bea")];
    await finish(lead, ada, "alpha", { points: 13 }); // before the first sprint: nobody's
    await lead.must("sprint_start"); // in the same instant
    await finish(lead, ada, "alpha", { points: 5 });
    await finish(lead, ada, "alpha", { points: 3 });
    await finish(lead, ada, "alpha");
    const dropped = await newTask(lead, { title: "Drop the alpha garden", team: "alpha", points: 8 });
    await lead.must("task_close", { id: dropped, outcome: "cancelled" });
    const stuck = await newTask(lead, { title: "Dig the beta garden", team: "beta", points: 8 });
    await bea.must("task_claim", { id: stuck });
    await bea.must("task_update", { id: stuck, block: "the spade is broken" });
    world.clock.advance(10 * MINUTE);
    const running = (await world.person("sprint_show")).sprints[0];
    expect(running.teams).toMatchObject([
      { team: "alpha", velocity: 8, done: 3 },
      { team: "beta", velocity: 0, done: 0, blocked: 1, blocked_seconds: 600, wip: 1 },
    ]);
    const { ended, sprint } = await lead.must("sprint_start");
    expect(sprint.n).toBe(2);
    expect(ended.sprint).toMatchObject({ n: 1, phase: "ended" });
    expect(ended.teams).toEqual([
      {
        team: "alpha",
        velocity: 8,
        done: 3,
        blocked: 0,
        blocked_seconds: 0,
        wip: 0,
        agents: 3,
        borrowed_in: 0,
        borrowed_out: 0,
      },
      {
        team: "beta",
        velocity: 0,
        done: 0,
        blocked: 1,
        blocked_seconds: 600,
        wip: 1,
        agents: 2,
        borrowed_in: 0,
        borrowed_out: 0,
      },
    ]);
    // blocked time is each sprint's own
    world.clock.advance(5 * MINUTE);
    await bea.must("task_update", { id: stuck, unblock: true });
    await bea.must("task_close", { id: stuck });
    world.clock.advance(MINUTE);
    expect((await lead.must("sprint_start")).ended.teams).toMatchObject([
      { team: "alpha", velocity: 0, done: 0 },
      { team: "beta", velocity: 8, done: 1, blocked: 0, blocked_seconds: 300, wip: 0 },
    ]);
    const shown = await world.personText("sprint_show");
    expect(shown).toMatch(/Sprint 3, planning: 60 of 60 minutes left/);
    expect(shown).toMatch(/beta +8 +1 +0 +0 +5\.0 +2/);
    await expectSound(world);
  });

  test("the health of a team has its trend, what is in work and blocked, and who is lent (CO-06, BO-08, BO-10)", async () => {
    await using world = await openWorld({ dialect, config: `${teams}\nclaims: { lease_seconds: 7200 }\n` });
    const lead = world.lead();
    const [ada, abe, bea] = [await world.spawn("ada"), await world.spawn("abe"), await world.spawn("bea")];
    for (const points of [3, 5]) {
      await nextSprint(world, lead);
      world.clock.advance(MINUTE);
      await finish(lead, ada, "alpha", { points });
      await finish(lead, bea, "beta", { points: 1 });
      world.clock.advance(MINUTE);
    }
    await nextSprint(world, lead);
    await lead.must("borrow_request", { agent: "ada", from: "alpha", to: "beta", reason: "beta is slow" });
    const wip = await newTask(lead, { title: "Plant the alpha garden", team: "alpha" });
    await abe.must("task_claim", { id: wip });
    world.clock.advance(30 * MINUTE);
    await abe.must("task_update", { id: wip, block: "no seeds" });
    world.clock.advance(10 * MINUTE);
    await finish(lead, ada, "beta", { points: 2 });
    const { teams: found, sprint } = await world.person("team_status");
    expect(sprint).toMatchObject({ n: 3, minutes_left: 20 });
    expect(found).toEqual([
      {
        team: "alpha",
        velocity: 5,
        velocity_trend: [3, 5],
        sprint_points: 0,
        sprint_done: 0,
        wip: 1,
        oldest_wip_ms: 40 * MINUTE,
        blocked: 1,
        blocked_ms: 10 * MINUTE,
        agents: 2,
        borrowed_in: [],
        borrowed_out: ["ada"],
      },
      {
        team: "beta",
        velocity: 1,
        velocity_trend: [1, 1],
        sprint_points: 2,
        sprint_done: 1,
        wip: 0,
        oldest_wip_ms: 0,
        blocked: 0,
        blocked_ms: 0,
        agents: 3,
        borrowed_in: ["ada"],
        borrowed_out: [],
      },
    ]);
    expect((await world.person("team_status", { team: "beta" })).teams).toHaveLength(1);
    const text = await world.personText("team_status");
    expect(text).toMatch(/alpha +5 +3 5 up +0 points, 0 done +1 +40m +1 +10m +2 +ada/);
    // lender and borrower in the sprints of the loan
    await lead.must("sprint_start");
    const { loans, debt } = await world.person("borrow_list");
    expect(loans).toMatchObject([{ status: "returned", velocity: { sprints: [3], lender: [0], borrower: [2] } }]);
    expect(debt.map((row: Answer) => row.debt)).toEqual([1, -1]);
    expect(await world.personText("borrow_list")).toContain("velocity in sprint 3: lender 0, borrower 2");
    await expectSound(world);
  });

  test("a sprint starts with stories, and not before the teams were coordinated (CO-02, CO-05, C-17, PF-01)", async () => {
    await using world = await openWorld({
      dialect,
      config: `${teams}\ncoordination: { enabled: true, full_loop_cadence: 2 }\nportfolio: { stories_per_team: 1 }\n`,
    });
    const lead = world.lead();
    const backlog = [1, 2, 3].map((n) => ({ id: `US-00${n}`, title: `Paint hut ${n}`, story_points: n, priority: n }));
    const text = JSON.stringify(backlog);
    await world.person("portfolio_load", { file: "b.json" }, { read: async () => text, write: async () => {} });
    expect((await lead.must("sprint_start")).stories).toMatchObject([
      { story: "US-001", team: "alpha" },
      { story: "US-002", team: "beta" },
    ]);
    const early = await lead.call("sprint_start", { sprint: 2 });
    expect(early.error).toMatchObject({ code: "RULE_VIOLATED", next: "coordination_begin" });
    expect((await world.person("sprint_show")).sprints[0].sprint).toMatchObject({ n: 1, phase: "planning" });
    await lead.must("coordination_begin"); // without coordinators it is over at once
    const second = await lead.must("sprint_start");
    expect(second).toMatchObject({ sprint: { n: 2 }, stories: [] }); // there is no room
    // every second sprint
    const [story] = (await lead.must("task_ready", { team: "alpha" })).tasks;
    await lead.must("task_close", { id: story.id });
    expect((await nextSprint(world, lead)).stories).toMatchObject([{ story: "US-003", team: "alpha" }]);
    expect(await refusal(lead.call("sprint_start", { sprint: 4 }))).toBe("RULE_VIOLATED");
    await expectSound(world);
  });

  test("an agent that starts in a sprint knows how long it lasts (OH-05)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const start = async () => {
      const hook = { event: "SubagentStart", agent_id: "a1", agent_type: "teamwright:builder" };
      return (await world.hook(hook))?.hookSpecificOutput?.additionalContext ?? "";
    };
    await world.spawn("ada", { id: "a1" });
    expect(await start()).not.toContain("## Time Context");
    await world.lead().must("sprint_start");
    world.clock.advance(20.25 * MINUTE);
    await world.person("sprint_phase", { phase: "development" });
    expect(await start()).toContain("## Time Context\nSprint 1, in development: ~39.8 minutes remain.\n");
    world.clock.advance(60 * MINUTE);
    expect(await start()).toContain("~0.0 minutes remain.\nThe time box is over");
    await world.person("sprint_end");
    expect(await start()).not.toContain("## Time Context");
  });

  test("leads who start a sprint at once start one, and a sprint that is named is started once (AG-01)", async () => {
    await using world = await openWorld({ dialect, config: teams });
    const leads = ["s1", "s2", "s3"].map((session) => world.lead(session));
    const atOnce = async (input: Record<string, unknown> = {}) => {
      const answers = await Promise.all(leads.map((lead) => lead.must("sprint_start", input)));
      return [answers.map(({ sprint }) => sprint.n), answers.filter(({ already }) => !already).length];
    };
    expect(await atOnce()).toEqual([[1, 1, 1], 1]);
    expect(await atOnce({ sprint: 2 })).toEqual([[2, 2, 2], 1]); // although 1 has just begun
    world.clock.advance(30 * MINUTE);
    expect(await atOnce({ sprint: 2 })).toEqual([[2, 2, 2], 0]);
    expect(await atOnce()).toEqual([[3, 3, 3], 1]);
    expect(await refusal(world.lead().call("sprint_start", { sprint: 2 }))).toBe("RULE_VIOLATED");
    expect(await world.personText("sprint_start")).toContain("Running already; sprint 4 starts when it is named.");
    const { sprints } = await world.person("sprint_show");
    expect(sprints.map(({ sprint }: Answer) => [sprint.n, sprint.phase])).toEqual([
      [3, "planning"],
      [2, "ended"],
      [1, "ended"],
    ]);
    // asked again it has neither told nor given out anything twice
    const { messages } = await world.person("message_list", { channel: "portfolio" });
    expect(messages.map(({ text }: Answer) => text.slice(0, 8))).toEqual(["Sprint 1", "Sprint 2", "Sprint 3"]);
  });
});
