import { describe, expect, test } from "vitest";
import { distribute } from "../../mcp-server/src/features/portfolio/distribute.store.ts";
import { inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import type { FilePort } from "../../mcp-server/src/kernel/operation.ts";
import { systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const MINUTE = 60_000;

/** Files by their path; nothing is written. */
function files(texts: Record<string, string>): FilePort {
  return {
    read: async (path) => {
      const found = Object.entries(texts).find(([name]) => path.endsWith(name));
      if (!found) throw new Error(`no file ${path}`);
      return found[1];
    },
    write: async () => {},
  };
}

const config = (extra = "") => `teams:
  - {id: alpha, name: Harbour, team_type: stream_aligned, agents: [ada, bob]}
  - {id: beta, name: Platform, team_type: platform, agents: [cleo, dan]}
${extra}`;

const backlog = (n: number, extra: (i: number) => Record<string, unknown> = () => ({})) =>
  JSON.stringify({
    stories: Array.from({ length: n }, (_, i) => ({
      id: `US-${String(i + 1).padStart(3, "0")}`,
      title: `Moor ship number ${i + 1}`,
      story_points: (i % 5) + 1,
      ...extra(i + 1),
    })),
  });

const load = (world: World, text: string, input: Record<string, unknown> = {}) =>
  world.person("portfolio_load", { file: "backlog.json", ...input }, files({ "backlog.json": text }));

const keysOf = (answer: Answer, team: string) =>
  answer.assigned.filter((each: Answer) => each.team === team).map((each: Answer) => each.story);

/** Every story is with one team as one task, or waits; tasks and stories agree. */
async function expectNothingLost(world: World, total: number) {
  const { stories } = await world.person("portfolio_show", { limit: 10_000 });
  expect(stories).toHaveLength(total);
  const given = stories.filter((each: Answer) => each.status === "assigned");
  for (const each of given) expect(each).toMatchObject({ team: expect.any(String), task: expect.any(String) });
  expect(new Set(given.map((each: Answer) => each.task)).size).toBe(given.length);
  const { total: tasks } = await world.person("task_list", { limit: 1 });
  expect(tasks).toBe(given.length);
}

describe.each(dialects)("portfolio on %s", (dialect) => {
  test("six stories go to two teams in turn, as tasks on their boards (PF-01, PF-02, PF-07, C-08)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const loaded = await load(
      world,
      backlog(6, (i) => ({ acceptance_criteria: [`ship ${i} lies fast`], tags: ["mooring"], priority: i })),
    );
    expect(loaded).toMatchObject({ ok: true, total: 6, created: 6, rejected: 0 });
    const lead = world.lead();
    const given = await lead.must("portfolio_distribute");
    expect(given).toMatchObject({ sprint: 0, strategy: "round_robin", pending: 0 });
    expect(keysOf(given, "alpha")).toEqual(["US-001", "US-003", "US-005"]);
    expect(keysOf(given, "beta")).toEqual(["US-002", "US-004", "US-006"]);
    const { task } = await lead.must("task_show", { id: given.assigned[0].task });
    expect(task).toMatchObject({
      team: "alpha",
      title: "Moor ship number 1",
      kind: "story",
      points: 1,
      priority: 1,
      acceptance: expect.stringContaining("- ship 1 lies fast"),
      labels: ["mooring"],
      external_ref: "US-001",
    });
    const agent = await world.spawn("ada");
    expect((await agent.must("task_claim")).task.id).toBe(given.assigned[0].task);
    const { boards } = await lead.must("board_show", { team: "beta" });
    expect(boards[0].columns.find((each: Answer) => each.column === "ready").total).toBe(3);
    expect(await agent.call("portfolio_distribute")).toMatchObject({ error: { code: "FORBIDDEN" } });
    await expectNothingLost(world, 6);
  });

  test("more is given only where there is room, and nothing is taken back (PF-02, PF-08)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    await load(world, backlog(20));
    const lead = world.lead();
    const first = await lead.must("portfolio_distribute");
    expect(first).toMatchObject({ pending: 14 });
    expect(first.assigned).toHaveLength(6);
    expect((await lead.must("portfolio_distribute")).assigned).toEqual([]); // set-up and sprint 1 do not overwrite each other
    const agent = await world.spawn("ada");
    await agent.must("task_claim");
    const again = await lead.must("portfolio_distribute");
    expect(keysOf(again, "alpha")).toEqual(["US-007"]);
    expect(keysOf(again, "beta")).toEqual([]);
    await expectNothingLost(world, 20);
    expect(await world.personText("portfolio_show", { limit: 2 })).toContain(
      "Portfolio: 13 wait, given out: alpha 4, beta 3",
    );
  });

  test("loading again is harmless, changes what waits, and leaves what a team has (PF-07, PF-08)", async () => {
    await using world = await openWorld({ dialect, config: config("portfolio: {stories_per_team: 1}") });
    const dry = await load(world, backlog(4), { dry_run: true });
    expect(dry).toMatchObject({ dry_run: true, created: 4 });
    expect((await world.person("portfolio_show")).stories).toEqual([]);
    await load(world, backlog(4));
    expect(await load(world, backlog(4))).toMatchObject({ created: 0, updated: 0, kept: 4 });
    await world.lead().must("portfolio_distribute");
    const changed = await load(
      world,
      backlog(6, (i) => ({ title: `Unmoor ship number ${i}`, story_points: i === 6 ? "many" : 1, berth: i })),
    );
    expect(changed).toMatchObject({ ok: false, created: 1, updated: 2, kept: 2, rejected: 1 });
    expect(changed.rows.map((row: Answer) => [row.id, row.verdict, row.reason])).toEqual([
      ["US-001", "kept", "team alpha has it already"],
      ["US-002", "kept", "team beta has it already"],
      ["US-003", "updated", expect.stringContaining("title")],
      ["US-004", "updated", expect.stringContaining("metadata")],
      ["US-005", "created", "new"],
      ["US-006", "rejected", expect.stringMatching(/^story_points: /)],
    ]);
    const story = await world.runtime.store.db
      .selectFrom("story")
      .selectAll()
      .where("key", "=", "US-005")
      .executeTakeFirst();
    expect(JSON.parse(story?.metadata ?? "")).toEqual({ berth: 5 });
    await expectNothingLost(world, 5);
  });

  test("a team with a backlog of its own gets that, and nothing of the portfolio (PF-01, C-08)", async () => {
    const own = `teams:
  - {id: alpha, agents: [ada], backlog: backlogs/alpha.yaml}
  - {id: beta, agents: [bob]}
  - {id: gamma, agents: [cleo]}
portfolio: {stories_per_team: 2, backlog: all.json}
`;
    await using world = await openWorld({ dialect, config: own });
    const texts = {
      "backlogs/alpha.yaml":
        "- {id: US-001, title: Paint the hut}\n- {id: A-2, title: Paint the boat}\n- {id: A-3, title: Paint the quay}",
      "all.json": backlog(8),
    };
    const loaded = await world.person("portfolio_load", {}, files(texts));
    expect(loaded).toMatchObject({ ok: true, created: 11 });
    const given = await world.lead().must("portfolio_distribute");
    expect(keysOf(given, "alpha")).toEqual(["US-001", "A-2"]);
    expect(keysOf(given, "beta")).toEqual(["US-001", "US-003"]);
    expect(keysOf(given, "gamma")).toEqual(["US-002", "US-004"]);
    expect(given.pending).toBe(5); // of all backlogs, as the broadcast counts them
    await expectNothingLost(world, 11);
    const shown = await world.person("portfolio_show", { team: "alpha" });
    expect(shown.stories.map((each: Answer) => each.id)).toEqual(["US-001", "A-2", "A-3"]);
  });

  test("what a story needs of another team is a dependency of its task (KB-08, DE-01)", async () => {
    await using world = await openWorld({ dialect, config: config("portfolio: {stories_per_team: 4}") });
    const needs = [
      { depends_on_team: "beta", dependency_type: "needs_api" },
      { depends_on_team: "beta" },
      { metadata: { depends_on_team: "beta", dependency_status: "open" } },
      {},
      { depends_on_team: "beta", dependency_type: "shared_component" },
      {},
      { depends_on_team: "beta", dependency_status: "resolved" },
    ];
    await load(
      world,
      backlog(7, (i) => needs[i - 1] ?? {}),
    );
    const lead = world.lead();
    const given = await lead.must("portfolio_distribute");
    const { dependencies } = await lead.must("dependency_list");
    expect(dependencies.map((each: Answer) => [each.team, each.needs_team, each.type, each.status])).toEqual([
      ["alpha", "beta", "needs_api", "open"],
      ["alpha", "beta", "blocks", "open"],
      ["alpha", "beta", "shared_component", "open"],
    ]);
    const agent = await world.spawn("ada");
    const { task } = await agent.must("task_claim"); // the first two of its team wait
    expect(task.id).toBe(given.assigned.find((each: Answer) => each.story === "US-005").task);
    await lead.must("dependency_resolve", { id: dependencies[0].id, resolution: "there it is" });
    const ready = await (await world.spawn("bob")).must("task_ready");
    expect(ready.tasks[0].id).toBe(given.assigned[0].task);
  });

  test("a story that names the story it waits for waits for its task, whichever is given out first (DE-06, KB-08)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    const on = (n: number, more = {}) => ({ depends_on_team: "beta", depends_on_story: `US-00${n}`, ...more });
    const stories = [on(2), {}, on(7), {}, on(8, { dependency_type: "needs_api" })];
    await load(
      world,
      backlog(8, (i) => stories[i - 1] ?? {}),
    );
    const lead = world.lead();
    const first = await lead.must("portfolio_distribute"); // 1, 3, 5 to alpha and 2, 4, 6 to beta
    const taskOf = (given: Answer, n: number) =>
      given.assigned.find((each: Answer) => each.story === `US-00${n}`)?.task ?? "none";
    const needsOf = async (status: string) =>
      (await lead.must("dependency_list", { status })).dependencies.map((each: Answer) => [
        each.task,
        each.needed_task,
      ]);
    const [one, two, three, five] = [1, 2, 3, 5].map((n) => taskOf(first, n));
    expect(await needsOf("open")).toEqual([
      [one, two],
      [three, undefined], // nobody has these yet
      [five, undefined],
    ]);
    const [told] = (await world.person("message_list", { channel: "portfolio" })).messages;
    expect(told.text).toContain(`HELD BACK: ${one} of alpha needs ${two} of beta`);
    const asked = (await world.person("message_list", { channel: "team:beta" })).messages;
    expect(asked.map(({ text }: Answer) => text.split("[ACTION] ")[1])).toEqual([
      `${two} delivers it: alpha goes on when that closes.`,
      expect.stringContaining("needed_task"),
      expect.stringContaining("needed_task"),
    ]);
    await lead.must("task_close", { id: two });
    await lead.must("task_close", { id: one });
    const second = await lead.must("portfolio_distribute");
    const [seven, eight] = [7, 8].map((n) => taskOf(second, n));
    expect(keysOf(second, "alpha")).toEqual(["US-007"]);
    expect(await needsOf("open")).toEqual([[five, eight]]);
    // what came to the team that waits is an order of its own tasks
    expect(await needsOf("resolved")).toContainEqual([three, undefined]);
    expect((await lead.must("task_show", { id: three })).task).toMatchObject({ state: "open", waits_for: 1 });
    for (const id of [seven, eight]) await lead.must("task_close", { id });
    for (const id of [three, five]) expect((await lead.must("task_show", { id })).task.state).toBe("ready");
    expect(await load(world, JSON.stringify([{ id: "A", title: "Moor", depends_on_story: "B" }]))).toMatchObject({
      rejected: 1,
      rows: [{ reason: expect.stringContaining("depends_on_team") }],
    });
    await expectNothingLost(world, 8);
  });

  test("stories of one team that name each other are in order, once, and a circle of them holds up nobody (DE-06, PF-08)", async () => {
    await using world = await openWorld({ dialect, config: config("portfolio: {stories_per_team: 2}") });
    const on = (id: string) => ({ depends_on_team: "alpha", depends_on_story: id });
    const stories = [on("US-002"), on("US-001"), on("US-004"), {}];
    await load(
      world,
      backlog(4, (i) => stories[i - 1] ?? {}),
      { team: "alpha" },
    );
    const lead = world.lead();
    const stateOf = async (id: string) => (await lead.must("task_show", { id })).task.state;
    const first = await lead.must("portfolio_distribute");
    const [one, two] = first.assigned.map((each: Answer) => each.task);
    expect([await stateOf(one), await stateOf(two)]).toEqual(["open", "ready"]); // one behind two, and not both
    await lead.must("task_unlink", { id: one, target: two });
    for (const id of [one, two]) await lead.must("task_close", { id });
    const second = await lead.must("portfolio_distribute");
    const [three, four] = second.assigned.map((each: Answer) => each.task);
    expect([await stateOf(three), await stateOf(four)]).toEqual(["open", "ready"]);
    await lead.must("task_unlink", { id: three, target: four });
    await lead.must("portfolio_distribute"); // what a lead has taken off stays off
    expect(await stateOf(three)).toBe("ready");
    await expectNothingLost(world, 4);
  });

  test("a distribution is told to all teams in its transaction: what went where, what stays and why, what is held back (MB-01, MB-03, PF-08)", async () => {
    await using world = await openWorld({ dialect, config: config("portfolio: {stories_per_team: 2}") });
    const [one, two] = [world.lead("s1"), world.lead("s2")];
    const [ada, cleo] = [await world.spawn("ada", { session: "s1" }), await world.spawn("cleo", { session: "s2" })];
    const dan = await world.spawn("dan", { session: "s3" });
    await load(
      world,
      backlog(9, (i) => (i === 1 ? { depends_on_team: "beta" } : i === 9 ? { sprint: 4, priority: 1 } : {})),
    );
    const given = await one.must("portfolio_distribute", { triage: "ASSIGN: US-404 to alpha because I say so" });
    const task = (story: string) => given.assigned.find((each: Answer) => each.story === story).task;
    const [message, ...others] = (await world.person("message_list", { channel: "portfolio" })).messages;
    expect(others).toEqual([]);
    const lines = message.text.split("\n");
    expect(lines[0]).toBe("[WHAT] Stories before the first sprint: 4 given out, 5 wait, 1 held back.");
    for (const story of ["US-001", "US-002", "US-003", "US-004"])
      expect(message.text).toMatch(new RegExp(`GIVEN to (alpha|beta): .*${story} as ${task(story)} \\(`));
    expect(lines).toContainEqual(expect.stringMatching(/^NOT AS ASKED: US-404, no story/));
    expect(lines).toContain("STAYS: US-009, it is for sprint 4");
    expect(lines).toContain("STAYS: US-005, no team has room");
    expect(message.text).toContain("HELD BACK: ");
    // every lead and agent of a team reads it once, and who has not is counted
    for (const reader of [one, two, ada, cleo]) {
      const before = await reader.must("message_inbox");
      expect(before.messages.map(({ id }: Answer) => id)).toContain(message.id);
      expect((await reader.must("message_inbox")).messages).toEqual([]);
    }
    const { readers } = await world.person("message_list", {});
    expect(readers).toEqual([
      { name: "lead of beta", unread: 2 }, // this one, and what its team is asked for
      { name: "dan", team: "beta", unread: 2 },
    ]);
    expect(JSON.stringify(await dan.must("message_inbox"))).toContain(message.id);
    // nothing new is no news
    await two.must("portfolio_distribute");
    expect((await world.person("message_list", { channel: "portfolio" })).total).toBe(1);
    // a distribution that fails has told nobody
    await one.must("task_close", { id: task("US-002") });
    const failing = inTransaction(
      world.runtime,
      { principal: systemPrincipal },
      "portfolio_distribute",
      async (ctx) => {
        await distribute(ctx, { sprint: 0, strategy: "round_robin" });
        throw new Error("the power fails");
      },
    );
    await expect(failing).rejects.toThrow("the power fails");
    expect((await world.person("message_list", { channel: "portfolio" })).total).toBe(1);
    // at the start of a sprint what stays is news
    await one.must("sprint_start");
    const [, started] = (await world.person("message_list", { channel: "portfolio" })).messages;
    expect(started.text).toMatch(/^\[WHAT\] Stories for sprint 1: \d given out, \d wait/);
    await expectNothingLost(world, 9);
  });

  test("a coordinator is asked first, and its lines are followed as far as there is room (PF-05, CO-01)", async () => {
    await using world = await openWorld({
      dialect,
      config: config("portfolio: {strategy: coordinator, stories_per_team: 2}"),
    });
    await load(
      world,
      backlog(5, (i) => ({ tags: i === 2 ? ["kubernetes"] : [] })),
    );
    const lead = world.lead();
    const asked = await lead.must("portfolio_distribute");
    expect(asked.assigned).toEqual([]);
    expect(asked.prompt).toContain("- beta (Platform): platform, room for 2");
    expect(asked.prompt).toContain("- US-002: Moor ship number 2 (priority 999, 2 points; looks platform");
    expect(asked.prompt).not.toContain("Time Context"); // teams are not coordinated, and time is not boxed
    const given = await lead.must("portfolio_distribute", {
      triage: "Here is my plan.\n- **ASSIGN:** `us-005` to Beta because they have time\nASSIGN: US-404 to alpha",
    });
    expect(keysOf(given, "beta")).toContain("US-005");
    expect(given.ignored).toEqual([{ story: "US-404", why: expect.stringContaining("no story") }]);
    expect(given.assigned).toHaveLength(4);
    expect(given.pending).toBe(1);
    // nobody is asked about stories that no team has room for
    const full = await lead.must("portfolio_distribute");
    expect(full).toMatchObject({ assigned: [], pending: 1 });
    expect(full.prompt).toBeUndefined();
    await expectNothingLost(world, 5);
  });

  test("a coordinator that is late loses no story: the heuristic gives them out (PF-06, PF-08, OH-04, OH-05, OH-06, OH-07)", async () => {
    const coordinated = config(
      "portfolio: {strategy: coordinator}\ncoordination: {enabled: true}\nexperiment: {sprints: 3}\n",
    );
    await using world = await openWorld({ dialect, config: coordinated });
    await load(world, backlog(8));
    const lead = world.lead();
    const asked = await lead.must("portfolio_distribute");
    expect(asked.prompt).toContain("## Time Context\n- Remaining overhead budget: ~14.4 minutes");
    world.clock.advance(15 * MINUTE);
    const late = await lead.must("portfolio_distribute", { triage: "ASSIGN: US-008 to alpha because I say so" });
    expect(late).toMatchObject({ timed_out: true, strategy: "heuristic", pending: 2 });
    expect(keysOf(late, "alpha")).not.toContain("US-008");
    await (await world.spawn("ada")).must("task_claim"); // there is room again
    await lead.must("portfolio_distribute");
    world.clock.advance(MINUTE);
    const again = await lead.must("portfolio_distribute"); // within the same box
    expect(again.prompt).toContain("~13.4 minutes");
    world.clock.advance(MINUTE);
    const inTime = await lead.must("portfolio_distribute", { triage: "nothing fits" });
    expect(inTime.timed_out).toBeUndefined();
    const { overhead_budget: report } = await world.person("overhead_show");
    expect(report).toMatchObject({
      total_budget_seconds: 2160,
      spent_seconds: 984,
      remaining_seconds: 1176,
      overrun_seconds: 0,
      num_steps: 2,
      timeouts: 1,
      steps: [
        { step: "iteration_zero", sprint: 0, elapsed: 864, timed_out: true },
        { step: "iteration_zero", sprint: 0, elapsed: 120, timed_out: false },
      ],
    });
    expect(await world.personText("overhead_show")).toContain("984 s of 2160 s spent");
    await expectNothingLost(world, 8);
  });

  test("asked by many at once, each story is given once (PF-08)", async () => {
    await using world = await openWorld({ dialect, config: config("portfolio: {stories_per_team: 20}") });
    await load(world, backlog(30));
    const leads = Array.from({ length: 8 }, (_, n) => world.lead(`s${n}`));
    const answers = await Promise.all(leads.map((lead) => lead.must("portfolio_distribute")));
    const given = answers.flatMap((answer) => answer.assigned.map((each: Answer) => each.story));
    expect(given).toHaveLength(30);
    expect(new Set(given).size).toBe(30);
    await expectNothingLost(world, 30);
  });

  test("stories for a later sprint wait for it (PF-07)", async () => {
    await using world = await openWorld({ dialect, config: config() });
    await load(
      world,
      backlog(4, (i) => ({ sprint: i === 1 ? 3 : i === 2 ? 0 : 1 })),
    );
    const given = await world.lead().must("portfolio_distribute");
    expect(given.assigned.map((each: Answer) => each.story)).toEqual(["US-002", "US-003", "US-004"]);
    expect(given.pending).toBe(1);
  });
});
