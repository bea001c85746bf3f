import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDirectives } from "../../mcp-server/src/features/coordination/directives.rules.ts";
import { expectSound, nextSprint } from "../support/answers.ts";
import { coordinated, holdRound, mustStart, startCoordinator } from "../support/coordination.ts";
import { type Actor, dialects, openWorld, type World } from "../support/world.ts";

const EVALUATION = "alpha: velocity 0, 1 blocked.\nRECOMMEND: alpha cuts its WIP";
const PLAN = [
  "beta has slack.",
  "- **BORROW:** `bea` from beta to Alpha because alpha lacks QA",
  "BORROW: ben from beta to alpha because it knows the product",
  "RECOMMEND: beta takes up first what alpha waits for",
].join("\n");

const channel = async (world: World) => (await world.person("message_list", { channel: "coordination" })).messages;
const begun = async (lead: Actor) => {
  await lead.must("sprint_start");
  return lead.must("coordination_begin");
};

for (const dialect of dialects) {
  describe(`coordination on ${dialect}`, () => {
    test("a full loop: seven steps in order, told last, with what was granted and refused and why (CO-02, CO-03, CO-06, CO-07, CO-08, CO-10, CO-11, CA-01, CA-02, CA-03, OH-05, DE-04, MB-03)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      await lead.must("sprint_start");
      const { task: needed } = await lead.must("task_create", {
        title: "Serve the price list",
        team: "beta",
        points: 3,
      });
      const { task } = await lead.must("task_create", { title: "Show the price list", team: "alpha" });
      const need = { task: task.id, needs_team: "beta", needed_task: needed.id, type: "needs_api" };
      await lead.must("dependency_declare", need);
      await world.clock.advance(10 * 60_000);
      expect((await lead.call("sprint_start")).error).toMatchObject({
        code: "RULE_VIOLATED",
        next: "coordination_begin",
      });

      const round = await lead.must("coordination_begin");
      expect(round).toMatchObject({ kind: "full", sprint: 2, status: "open" });
      expect(round.spawn).toMatchObject({ subagent_type: "teamwright:staff-engineer", prompt: round.round });
      expect(round.teams.map((team: { team: string; lendable: string[] }) => [team.team, team.lendable])).toEqual([
        ["alpha", ["abe", "art"]],
        ["beta", ["bea", "bob"]],
      ]);
      expect(round.dependencies).toEqual([expect.stringContaining(`${task.id}: alpha → beta (needs_api, open), new`)]);
      expect(await lead.must("coordination_begin")).toMatchObject({ round: round.round, status: "open" });

      const evaluator = await mustStart(world, { ...round.spawn, prompt: `${round.round} say that all is well` });
      for (const head of ["Team Health", "Cross-Team Dependencies", "Last Sprint Results", "Questions"])
        expect(evaluator.prompt).toContain(`## ${head}\n`);
      expect(evaluator.prompt).not.toContain("all is well");
      expect(evaluator.told).toMatch(/## Time Context\n- Remaining overhead budget: ~\d+\.\d minutes/);
      await evaluator.stop(EVALUATION);

      const second = await lead.must("coordination_begin");
      expect(second).toMatchObject({ status: "evaluated", spawn: { subagent_type: "teamwright:enablement-lead" } });
      const planner = await mustStart(world, second.spawn);
      expect(planner.prompt).toContain("alpha cuts its WIP");
      expect(planner.prompt).toContain("## Agents That May Be Lent\n- alpha: abe, art\n- beta: bea, bob");
      await planner.stop(PLAN);
      const behind = { agent: "abe", from: "alpha", to: "beta", reason: "behind the outcome" };
      expect((await planner.actor.call("borrow_request", behind)).error.code).toBe("FORBIDDEN");

      const done = await lead.must("coordination_begin");
      expect(done).toMatchObject({
        status: "done",
        next: ["sprint_start"],
        outcome: {
          lent: [{ agent: "bea", from: "beta", to: "alpha", reason: "alpha lacks QA" }],
          refused: [{ agent: "ben", code: "protected_role", why: expect.stringContaining("product_owner") }],
          recommendations: ["beta takes up first what alpha waits for"],
          dependency_updates: [{ task: task.id, team: "alpha", needs_team: "beta", status: "open", change: "new" }],
        },
      });
      const [message] = await channel(world);
      expect(message.text).toMatch(/LENT: bea from beta to alpha/);
      expect(message.text).toMatch(/REFUSED: ben .*protected_role/);
      const { events } = await world.person("event_list", { limit: 200 });
      const order = events
        .map((event: { type: string; subject?: string }) => event.type)
        .filter((type: string) => /^(sprint\.ended|coordination\.|loan\.(granted|refused)|message\.sent)/.test(type));
      expect(order.filter((type: string) => type !== "message.sent")).toEqual([
        "sprint.ended",
        "coordination.begun",
        "coordination.asked",
        "coordination.evaluation",
        "coordination.asked",
        "coordination.plan",
        "loan.granted",
        "loan.refused",
        "coordination.done",
      ]);
      expect(order.at(-1)).toBe("message.sent");

      // the outcome has readers, who are counted (MB-03)
      const abe = await world.spawn("abe");
      const inbox = await abe.must("message_inbox", { all: true });
      expect(JSON.stringify(inbox)).toContain("LENT: bea");
      expect((await lead.must("sprint_start")).sprint).toMatchObject({ n: 2 });
      const text = await world.personText("coordination_show", { round: round.round });
      expect(text).toContain("[BORROW] bea: beta → alpha");
      expect(text).toContain("[COORD] beta takes up first");
      expect(text).toContain("alpha cuts its WIP");
    });

    test("nobody but the coordinator of the round writes its words: not the lead, a builder, a planner out of turn, or one that was whispered to (CA-03, C-22)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      const early = await mustStart(world, {
        subagent_type: "teamwright:enablement-lead",
        prompt: "Wait for a round, then record BORROW: abe from alpha to beta because I say so",
      });
      const round = await begun(lead);
      const key = { round: round.round };
      const code = async (actor: Pick<Actor, "call">, input: Record<string, unknown>) =>
        (await actor.call("coordination_record", { ...key, ...input })).error?.code;
      const builder = await world.spawn("abe");
      const impostor = await world.spawn("staff_engineer_01");
      expect(await code(lead, { evaluation: EVALUATION })).toBe("FORBIDDEN");
      expect(await code(builder, { evaluation: EVALUATION })).toBe("FORBIDDEN");
      expect(await code(builder, { plan: PLAN })).toBe("FORBIDDEN");
      expect(await code(impostor, { evaluation: EVALUATION })).toBe("FORBIDDEN");
      expect(await code(early.actor, { plan: PLAN })).toBe("FORBIDDEN");
      const loan = { agent: "bea", from: "beta", to: "alpha", reason: "around the round" };
      expect((await early.actor.call("borrow_request", loan)).error).toMatchObject({
        code: "FORBIDDEN",
        next: "coordination_record",
      });
      expect(await code(lead, { evaluation: "a", plan: "b" })).toBe("INVALID_INPUT");
      expect((await builder.call("coordination_begin")).error.code).toBe("FORBIDDEN");

      const spawn = round.spawn;
      const refused = async (input: Record<string, unknown>, by?: string) => {
        const started = await startCoordinator(world, { ...spawn, ...input }, by === undefined ? {} : { by });
        return "refusal" in started ? started.refusal : undefined;
      };
      expect(await refused({ prompt: "Say that bea goes to alpha", description: "x" })).toMatch(/^COORDINATOR_PACKET/);
      expect(await refused({ subagent_type: "teamwright:enablement-lead" })).toMatch(/^COORDINATOR_NOT_DUE/);
      expect(await refused({}, builder.id)).toMatch(/^COORDINATOR_NOT_BY_LEAD/);
      const folder = join(world.root, ".claude/agents");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "mine.md"), "---\nname: teamwright:enablement-lead\n---\n");
      expect(await refused({ subagent_type: "teamwright:enablement-lead" })).toMatch(/^COORDINATOR_NOT_SHIPPED/);
      rmSync(folder, { recursive: true });
      // another plugin's definition of the same name is nobody here
      const other = await mustStart(world, { ...spawn, subagent_type: "other:staff-engineer" });
      expect(await code(other.actor, { evaluation: EVALUATION })).toBe("FORBIDDEN");
      await other.stop(EVALUATION);
      expect(await lead.must("coordination_begin")).toMatchObject({ status: "open" });

      const evaluator = await mustStart(world, spawn);
      expect(await code(evaluator.actor, { plan: PLAN })).toBe("FORBIDDEN");
      expect(await code(evaluator.actor, { evaluation: EVALUATION })).toBeUndefined();
      expect(await code(evaluator.actor, { evaluation: "Another thought" })).toBe("CONFLICT");
      expect(await evaluator.stop("Recorded.")).toBeUndefined();
      const shown = (await world.person("coordination_show", key)).rounds[0];
      expect(shown).toMatchObject({ status: "evaluated", evaluation: EVALUATION, evaluation_by: "staff_engineer_01" });
      expect(await code(evaluator.actor, { plan: PLAN })).toBe("FORBIDDEN");
      await early.stop(PLAN);
      expect(await lead.must("coordination_begin")).toMatchObject({ status: "evaluated" });
      expect((await world.person("borrow_list", {})).total).toBe(0);
    });

    test("a plan is sent back once with the lines that cannot be read; what still cannot is reported (BO-09, CO-09)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      const round = await begun(lead);
      await (await mustStart(world, round.spawn)).stop("All well, says the evaluation in a line of prose.");
      const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      const vague = "BORROW: somebody for alpha\nBORROW: bea from beta to alpha\nRECOMMEND: pair on QA";
      expect(await planner.stop(vague)).toMatchObject({ decision: "block", reason: expect.stringContaining("line 1") });
      expect(await planner.stop(vague)).toBeUndefined();
      expect((await lead.must("coordination_begin")).outcome).toMatchObject({
        lent: [{ agent: "bea", reason: "coordinator recommendation" }],
        unread: [{ line: 1, why: expect.stringContaining("not the form") }],
        recommendations: ["pair on QA"],
      });
      expect((await channel(world))[0].text).toContain("NOT READ: line 1");
    });

    test("caps, ids and debt decide over a plan, and slots go to whom they are due (BO-05, BO-06, BO-07)", async () => {
      await using world = await openWorld({
        dialect,
        config: coordinated({ max_borrows_per_sprint: 1, min_team_size: 1, protected_roles: [] }),
      });
      const lead = world.lead();
      await lead.must("sprint_start");
      const plan = [
        "BORROW: abe from alpha to beta because beta is short",
        "BORROW: bea from beta to alpha because alpha is short",
        "BORROW: zoe from beta to alpha because nobody knows her",
        "BORROW: art from beta to alpha because it is already there",
        "BORROW: bob from beta to gamma because there is none",
      ].join("\n");
      const first = await holdRound(world, lead, { evaluation: EVALUATION, plan });
      expect(first.outcome.lent).toMatchObject([{ agent: "abe", to: "beta" }]);
      const codes = Object.fromEntries(
        first.outcome.refused.map((one: { agent: string; code: string }) => [one.agent, one.code]),
      );
      expect(codes).toEqual({ bea: "cap", zoe: "not_in_team", art: "not_in_team", bob: "unknown_team" });
      await lead.must("sprint_start");
      const second = await holdRound(world, lead, {
        evaluation: EVALUATION,
        // both ask for the one slot; alpha has lent, so it is helped first
        plan: "BORROW: art from alpha to beta because of QA\nBORROW: bob from beta to alpha because of QA",
      });
      expect(second.outcome.returned).toEqual([{ agent: "abe", from: "beta", to: "alpha" }]);
      expect(second.outcome.lent).toMatchObject([{ agent: "bob", to: "alpha" }]);
      expect(second.outcome.refused).toMatchObject([{ agent: "art", code: "cap" }]);
    });

    test("where the lender's lead consents, a plan asks and moves nobody by itself (BO-05, C-22)", async () => {
      await using world = await openWorld({ dialect, config: coordinated({ consent: "lead" }) });
      const lead = world.lead();
      await lead.must("sprint_start");
      const done = await holdRound(world, lead, { evaluation: EVALUATION, plan: PLAN });
      expect(done.outcome).toMatchObject({ lent: [], waiting: [{ agent: "bea" }], refused: [{ agent: "ben" }] });
      expect((await world.person("borrow_list", { status: "requested" })).total).toBe(1);
    });

    test("the time is over: the round ends without loans, whoever asks next; a plan behind it is refused (OH-03, OH-06, CO-02)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      const round = await begun(lead);
      await (await mustStart(world, round.spawn)).stop(EVALUATION);
      const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      expect((await lead.call("sprint_start")).error.code).toBe("RULE_VIOLATED");
      world.clock.advance(60 * 60_000);
      const late = await planner.actor.call("coordination_record", { round: round.round, plan: PLAN });
      expect(late.error).toMatchObject({ code: "RULE_VIOLATED", message: expect.stringContaining("nothing of this") });
      expect(await planner.stop(PLAN)).toBeUndefined();
      expect(await lead.must("coordination_begin")).toMatchObject({
        status: "fell_back",
        outcome: {
          lent: [],
          recommendations: ["alpha cuts its WIP"],
          fallback: expect.stringContaining("Out of time"),
        },
      });
      expect((await world.person("borrow_list", {})).total).toBe(0);
      const { steps } = (await world.person("overhead_show", {})).overhead_budget;
      expect(steps.filter((step: { step: string }) => step.step === "coordination")).toMatchObject([
        { timed_out: true },
      ]);
      expect((await lead.must("sprint_start")).sprint).toMatchObject({ n: 2 });

      // nobody ever comes back: the next sprint waits for nobody either
      await lead.must("coordination_begin");
      world.clock.advance(60 * 60_000);
      expect((await lead.must("sprint_start")).sprint).toMatchObject({ n: 3 });
      const [third] = (await world.person("coordination_show", {})).rounds;
      expect(third).toMatchObject({ sprint: 3, status: "fell_back" });
    });

    test("a coordinator that dies is started again; one that says nothing twice ends the round (CO-09, OH-06)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      const round = await begun(lead);
      const dead = await mustStart(world, round.spawn);
      const kill = { event: "PostToolUse", tool_name: "TaskStop", tool_use_id: "t1" };
      await world.hook({ ...kill, tool_input: JSON.stringify({ task_id: dead.id }) });
      const again = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      await dead.stop(PLAN); // words of one that was replaced count for nothing
      expect(await lead.must("coordination_begin")).toMatchObject({ status: "open" });
      expect(await again.stop("  ")).toMatchObject({ decision: "block" });
      expect(await again.stop("")).toBeUndefined();
      expect(await lead.must("coordination_begin")).toMatchObject({
        status: "fell_back",
        outcome: { fallback: expect.stringContaining("said nothing") },
      });
    });

    test("begun twice or at once it is one round, and recorded at once it is one plan", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      await lead.must("sprint_start");
      const both = await Promise.all([lead.must("coordination_begin"), world.lead("s2").must("coordination_begin")]);
      expect(new Set(both.map(({ round }) => round)).size).toBe(1);
      const [{ spawn, round }] = both;
      await (await mustStart(world, spawn)).stop(EVALUATION);
      const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      const plan = "BORROW: bea from beta to alpha because of QA";
      const answers = await Promise.all([
        planner.actor.call("coordination_record", { round, plan }),
        planner.actor.call("coordination_record", { round, plan: plan.replace("bea", "bob") }),
      ]);
      expect(answers.map((answer) => answer.error?.code ?? "ok").sort()).toEqual(["CONFLICT", "ok"]);
      expect((await world.person("borrow_list", {})).total).toBe(1);
      expect(await channel(world)).toHaveLength(1);
    });
  });
}

for (const dialect of dialects.slice(0, 1)) {
  describe(`kinds of coordination on ${dialect}`, () => {
    test("a lead who comes late means the round that has just been held, and ends no sprint that has only begun (CO-02, AG-01)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const [lead, late] = [world.lead("s1"), world.lead("s2")];
      await lead.must("sprint_start");
      const { round } = await holdRound(world, lead, { evaluation: EVALUATION, plan: PLAN });
      await lead.must("sprint_start");
      expect(await late.must("coordination_begin")).toMatchObject({ round, sprint: 2, status: "done" });
      expect(await late.must("sprint_start")).toMatchObject({ sprint: { n: 2 }, already: true });
      expect((await world.person("sprint_show")).sprints[0].sprint).toMatchObject({ n: 2, phase: "planning" });
      world.clock.advance(10 * 60_000); // a while later it is the next one
      expect(await late.must("coordination_begin")).toMatchObject({ sprint: 3, status: "open" });
    });

    test("a check-in observes once per sprint, between development and QA, and lends nobody (CO-04, CO-09)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      await lead.must("sprint_start");
      expect((await lead.call("coordination_begin", { kind: "checkin" })).error.message).toContain("is in planning");
      await world.person("sprint_phase", { phase: "development" });
      const round = await lead.must("coordination_begin", { kind: "checkin" });
      expect(round).toMatchObject({
        kind: "checkin",
        sprint: 1,
        spawn: { subagent_type: "teamwright:staff-engineer" },
      });
      const evaluator = await mustStart(world, round.spawn);
      expect(evaluator.prompt).toContain("It observes");
      expect(evaluator.told).toContain("## Time Context");
      const loan = { agent: "bea", from: "beta", to: "alpha", reason: "it burns" };
      expect((await evaluator.actor.call("borrow_request", loan)).error.code).toBe("FORBIDDEN");
      await evaluator.stop("RECOMMEND: alpha asks for help\nBORROW: bea from beta to alpha because it burns");
      const done = await lead.must("coordination_begin", { kind: "checkin" });
      expect(done).toMatchObject({
        round: round.round,
        status: "done",
        outcome: { lent: [], refused: [{ agent: "bea", code: "no_plan" }], recommendations: ["alpha asks for help"] },
      });
      expect((await world.person("borrow_list", {})).total).toBe(0);
      const { steps } = (await world.person("overhead_show", {})).overhead_budget;
      expect(steps.filter((step: { step: string }) => step.step === "checkin")).toHaveLength(1);
      await world.person("sprint_phase", { phase: "review" });
      expect((await lead.call("coordination_begin", { kind: "checkin" })).error.code).toBe("RULE_VIOLATED");
      // where nobody sets phases the clock says where the middle is
      await lead.must("coordination_begin");
      world.clock.advance(60 * 60_000);
      await lead.must("sprint_start");
      world.clock.advance(31 * 60_000);
      expect(await lead.must("coordination_begin", { kind: "checkin" })).toMatchObject({ sprint: 2, status: "open" });
      world.clock.advance(60 * 60_000);
      const skipped = await lead.must("coordination_begin", { kind: "checkin" });
      expect(skipped).toMatchObject({ status: "fell_back", outcome: { fallback: expect.stringContaining("skipped") } });
    });

    test("a check-in ends with its sprint: what is said behind it is no observation of the next (CO-04, OH-06)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      await lead.must("sprint_start");
      await world.person("sprint_phase", { phase: "qa" });
      const round = await lead.must("coordination_begin", { kind: "checkin" });
      const evaluator = await mustStart(world, round.spawn);
      await lead.must("coordination_begin");
      await evaluator.stop("RECOMMEND: alpha asks for help");
      const [full, checkin] = (await world.person("coordination_show", {})).rounds;
      expect(full).toMatchObject({ kind: "full", status: "open" });
      expect(checkin).toMatchObject({
        status: "fell_back",
        outcome: { fallback: "The sprint was over before the check-in was." },
      });
    });

    test("iteration 0: a coordinator orients, its words are told, then the portfolio is given out; late or silent, by the heuristic (OH-04, OH-05, OH-06, PF-05, PF-06, CO-09)", async () => {
      const stories = Array.from({ length: 5 }, (_, n) => ({ id: `US-${n + 1}`, title: `Moor ship ${n + 1}` }));
      const open = async (strategy: string, section: Record<string, unknown> = {}) => {
        const world = await openWorld({ dialect, config: coordinated(section, `portfolio: {strategy: ${strategy}}`) });
        const files = { read: async () => JSON.stringify(stories), write: async () => {} };
        await world.person("portfolio_load", { file: "backlog.json" }, files);
        return world;
      };
      const begin = (lead: Actor) => lead.must("coordination_begin");
      const given = async (world: World) =>
        (await world.person("portfolio_show", { status: "assigned" })).stories.map(
          (each: { id: string; team: string }) => `${each.id} ${each.team}`,
        );
      const box = async (world: World) => (await world.person("overhead_show")).overhead_budget.steps;
      const words = "alpha and beta both touch the quay.\nRECOMMEND: agree on the berth's format";

      await using world = await open("coordinator");
      const lead = world.lead();
      expect((await lead.call("coordination_begin", { kind: "full" })).error).toMatchObject({
        next: "coordination_begin",
      });
      const round = await begin(lead);
      expect(round).toMatchObject({ kind: "orientation", sprint: 1, status: "open" });
      expect(round.spawn.description).toBe(`Orientation ${round.round}`); // the server's own words, to be used as they are
      const orienter = await mustStart(world, round.spawn);
      for (const text of ["orientation of round", "- alpha: no type, room for 3", "- US-5: Moor ship 5", "ASSIGN:"])
        expect(orienter.prompt).toContain(text);
      expect(orienter.told).toMatch(/## Time Context\n- Remaining overhead budget: ~\d+\.\d minutes/);
      expect(await given(world)).toEqual([]);
      await orienter.stop(`${words}\nASSIGN: US-1 to beta because of the quay\nBORROW: bea from beta to alpha because`);
      const done = await begin(lead);
      expect(done).toMatchObject({
        round: round.round,
        status: "done",
        next: ["sprint_start"],
        outcome: {
          recommendations: ["agree on the berth's format"],
          given: { assigned: 5, pending: 0 },
          orientation: expect.stringMatching(
            /^<stored-text \w+ what="orientation">\nalpha and beta both touch the quay\.\n</,
          ),
          refused: [{ agent: "bea", why: "nobody is lent before the first sprint" }],
        },
      });
      expect(await given(world)).toContain("US-1 beta");
      expect((await channel(world))[0].text).toMatch(
        /Orientation before sprint 1: 5 stories given out(.*\n)*.*both touch/,
      );
      expect((await world.person("message_list", { channel: "portfolio" })).total).toBe(1);
      expect(await box(world)).toMatchObject([{ step: "iteration_zero", sprint: 0, timed_out: false }]);
      expect((await lead.must("sprint_start")).sprint.n).toBe(1);
      expect((await lead.call("coordination_begin", { kind: "orientation" })).error.code).toBe("RULE_VIOLATED");
      await expectSound(world);

      // late: whoever comes next gives out by the heuristic; what is said behind it assigns nothing
      await using late = await open("coordinator");
      const slow = await mustStart(late, (await begin(late.lead())).spawn);
      late.clock.advance(60 * 60_000);
      expect(await slow.stop("ASSIGN: US-1 to beta because I say so")).toBeUndefined();
      expect(await begin(late.lead())).toMatchObject({
        status: "fell_back",
        outcome: { fallback: expect.stringContaining("Out of time: stories go"), given: { assigned: 5 } },
      });
      expect(await given(late)).toContain("US-1 alpha");
      expect(await box(late)).toMatchObject([{ timed_out: true }]);

      // the first sprint waits for nobody, and where stories go in turn the answer assigns none
      await using early = await open("round_robin");
      const { spawn } = await begin(early.lead());
      expect((await mustStart(early, spawn)).prompt).not.toContain("ASSIGN:");
      expect((await early.lead().must("sprint_start")).sprint.n).toBe(1);
      expect((await early.person("coordination_show")).rounds).toMatchObject([
        { status: "fell_back", outcome: { fallback: expect.stringContaining("without") } },
      ]);
      expect(await given(early)).toHaveLength(5);

      // without a coordinator it is over at once
      await using alone = await open("round_robin", { coordinators: [] });
      expect(await begin(alone.lead())).toMatchObject({
        status: "done",
        outcome: { given: { assigned: 5, pending: 0 } },
      });
      expect(await alone.personText("coordination_show")).toContain("[PORTFOLIO] 5 stories given out, 0 wait");
    });

    test("switched off it is absent, and sprints start freely (CO-05)", async () => {
      await using world = await openWorld({ dialect, config: coordinated({ enabled: false }) });
      const lead = world.lead();
      for (const n of [1, 2, 3]) expect((await nextSprint(world, lead)).sprint.n).toBe(n);
      expect((await lead.call("coordination_begin")).error).toMatchObject({
        code: "RULE_VIOLATED",
        message: expect.stringContaining("coordination.enabled"),
        next: "sprint_start",
      });
      // its roles are agents like any other
      const free = await mustStart(world, { subagent_type: "teamwright:staff-engineer", prompt: "Look at beta" });
      expect(free).toMatchObject({ prompt: "Look at beta", told: "" });
    });

    test("it comes before sprints 2, 2 + N …, and check-ins may be off (CO-01, CO-02, C-17)", async () => {
      const config = coordinated({ full_loop_cadence: 3, mid_sprint_checkin: false });
      await using world = await openWorld({ dialect, config });
      const lead = world.lead();
      const held: number[] = [];
      for (let n = 1; n <= 6; n += 1) {
        const begunRound = await lead.call("coordination_begin", { kind: "full" });
        if (!begunRound.error) {
          held.push(begunRound.sprint);
          world.clock.advance(60 * 60_000);
        }
        await nextSprint(world, lead);
      }
      expect(held).toEqual([2, 5]);
      await world.person("sprint_phase", { phase: "qa" });
      const refused = await lead.call("coordination_begin", { kind: "checkin" });
      expect(refused.error.message).toContain("mid_sprint_checkin");
    });

    test("without coordinators the server says what it sees; with one, the evaluation recommends and nobody is lent (CO-09)", async () => {
      await using world = await openWorld({ dialect, config: coordinated({ coordinators: [] }) });
      const lead = world.lead();
      await lead.must("sprint_start");
      const { task } = await lead.must("task_create", { title: "Show the price list", team: "alpha" });
      await lead.must("task_claim", { id: task.id });
      await lead.must("task_update", { id: task.id, block: "no prices" });
      world.clock.advance(90 * 60_000);
      const done = await lead.must("coordination_begin");
      expect(done).toMatchObject({ status: "done", outcome: { lent: [], refused: [] } });
      expect(done.spawn).toBeUndefined();
      const [shown] = (await world.person("coordination_show", { round: done.round })).rounds;
      expect(shown.evaluation).toContain(
        "Looked at 2 teams: alpha, beta.\nTeams with blocked work: alpha.\nOpen needs",
      );
      expect(done.outcome.recommendations).toEqual(["alpha has 1 blocked task (1.5 h in all): find out what holds it"]);
      expect(await channel(world)).toHaveLength(1);
      expect((await lead.must("sprint_start")).sprint.n).toBe(2);

      await using single = await openWorld({ dialect, config: coordinated({ coordinators: ["staff_engineer_01"] }) });
      const other = single.lead();
      const round = await begun(other);
      await (await mustStart(single, round.spawn)).stop(PLAN);
      expect(await other.must("coordination_begin")).toMatchObject({
        status: "done",
        outcome: {
          lent: [],
          refused: [{ agent: "bea", code: "no_plan" }, { agent: "ben" }],
          recommendations: ["beta takes up first what alpha waits for"],
        },
      });
    });

    test("observers only: the plan is heard and no agent is lent; needs are looked at only where that is on (BO-06, DE-03)", async () => {
      const config = coordinated({ max_borrows_per_sprint: 0, dependency_tracking: false });
      await using world = await openWorld({ dialect, config });
      const lead = world.lead();
      await lead.must("sprint_start");
      const { task } = await lead.must("task_create", { title: "Show the price list", team: "alpha" });
      await lead.must("dependency_declare", { task: task.id, needs_team: "beta" });
      const round = await lead.must("coordination_begin");
      expect(round.dependencies).toBeUndefined();
      const evaluator = await mustStart(world, round.spawn);
      expect(evaluator.prompt).toContain("## Cross-Team Dependencies\nNot tracked");
      await evaluator.stop(EVALUATION);
      const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      expect(planner.prompt).not.toContain("BORROW: <agent>");
      await planner.stop(PLAN);
      expect((await lead.must("coordination_begin")).outcome).toMatchObject({
        lent: [],
        refused: [{ agent: "bea", code: "cap" }, { agent: "ben" }],
        dependency_updates: [],
      });
    });

    test("the lead is told of the outcome once, with the Agent call or its next prompt (MB-03)", async () => {
      await using world = await openWorld({ dialect, config: coordinated({ coordinators: ["staff_engineer_01"] }) });
      const lead = world.lead();
      const round = await begun(lead);
      await (await mustStart(world, round.spawn)).stop(EVALUATION);
      const ask = async () =>
        (await world.hook({ event: "UserPromptSubmit", prompt: "Go on." }))?.hookSpecificOutput?.additionalContext ??
        "";
      const told = await ask();
      expect(told).toContain(`Round ${round.round} (full, sprint 2) is done`);
      expect(told).toContain("[COORD] alpha cuts its WIP");
      expect(await ask()).not.toContain(round.round);
    });

    test("a dependency found by one round is resolved before the next, which says so (CO-10, DE-02, DE-06)", async () => {
      await using world = await openWorld({ dialect, config: coordinated({ coordinators: [] }) });
      const lead = world.lead();
      await lead.must("sprint_start");
      const { task: needed } = await lead.must("task_create", { title: "Serve the price list", team: "beta" });
      const { task } = await lead.must("task_create", { title: "Show the price list", team: "alpha" });
      await lead.must("dependency_declare", { task: task.id, needs_team: "beta", needed_task: needed.id });
      const change = async () =>
        (await lead.must("coordination_begin")).outcome.dependency_updates.map((one: { change: string }) => one.change);
      world.clock.advance(1000);
      expect(await change()).toEqual(["new"]);
      world.clock.advance(1000);
      await lead.must("sprint_start");
      await lead.must("task_claim", { id: needed.id });
      await lead.must("task_close", { id: needed.id, reason: "served" });
      expect(await change()).toEqual(["resolved"]);
      world.clock.advance(1000);
      await lead.must("sprint_start");
      expect(await change()).toEqual([]);
    });

    test("a person may speak for an absent coordinator at the command line, and a round goes on in another session (C-22)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const round = await begun(world.lead());
      expect(round.next).toEqual(["coordination_begin"]);
      const said = await world.person("coordination_record", { round: round.round, evaluation: EVALUATION });
      expect(said.next).toEqual(["coordination_record", "coordination_begin"]);
      const later = world.lead("s2");
      expect(await later.must("coordination_begin")).toMatchObject({ round: round.round, status: "evaluated" });
      const done = await world.person("coordination_record", { round: round.round, plan: PLAN });
      expect(done.outcome.lent).toMatchObject([{ agent: "bea" }]);
      const [shown] = (await world.person("coordination_show", {})).rounds;
      expect(shown).toMatchObject({ evaluation_by: "pat", plan_by: "pat" });
      const ask = async (session: string) =>
        JSON.stringify(await world.hook({ event: "UserPromptSubmit", session_id: session, prompt: "Go on." }));
      expect(await ask("s1")).not.toContain(round.round);
      expect(await ask("s2")).toContain(round.round);
    });

    test("a round that nobody ended holds up no sprint and no agent: it ends with whoever comes (OH-06)", async () => {
      const config = coordinated({ full_loop_cadence: 5 });
      await using world = await openWorld({ dialect, config });
      const lead = world.lead();
      await lead.must("sprint_start");
      await world.person("sprint_phase", { phase: "qa" });
      const { spawn } = await lead.must("coordination_begin", { kind: "checkin" });
      world.clock.advance(60 * 60_000);
      const other = { ...spawn, description: "Look", prompt: "Look at beta, please" };
      expect(await startCoordinator(world, other)).toMatchObject({ prompt: "Look at beta, please" });
      expect(await startCoordinator(world, spawn)).toMatchObject({ refusal: expect.stringMatching(/^ROUND_OVER/) });
      expect((await world.person("coordination_show", {})).rounds).toMatchObject([{ status: "fell_back" }]);
      // the loop is not due, and sprint_start ends what is overdue all the same
      await lead.must("coordination_begin");
      world.clock.advance(60 * 60_000);
      await lead.must("sprint_start");
      await world.person("sprint_phase", { phase: "qa" });
      await lead.must("coordination_begin", { kind: "checkin" });
      world.clock.advance(60 * 60_000);
      await lead.must("sprint_start");
      const { rounds } = await world.person("coordination_show", {});
      expect(rounds.map((one: { kind: string; status: string }) => [one.kind, one.status])).toEqual([
        ["checkin", "fell_back"],
        ["full", "fell_back"],
        ["checkin", "fell_back"],
      ]);
    });

    test("a loan of several sprints goes on through rounds, may be ended by a plan, and is home when it is due (BO-04, BO-12, C-17)", async () => {
      const config = coordinated({ borrow_duration_sprints: 2, min_team_size: 1 });
      await using world = await openWorld({ dialect, config });
      const lead = world.lead();
      await lead.must("sprint_start");
      const rest = "RECOMMEND: none";
      const lend = "BORROW: bea from beta to alpha because of QA\nBORROW: abe from alpha to beta because of Go";
      expect((await holdRound(world, lead, { evaluation: EVALUATION, plan: lend })).outcome.lent).toHaveLength(2);
      await lead.must("sprint_start");
      const plan = "BORROW: bea from alpha to beta because the page is painted";
      const second = await holdRound(world, lead, { evaluation: EVALUATION, plan });
      expect(second.outcome).toMatchObject({ lent: [], returned: [{ agent: "bea", from: "alpha", to: "beta" }] });
      expect(second.teams.map((team: { borrowed_in: string[] }) => team.borrowed_in)).toEqual([["bea"], ["abe"]]);
      await lead.must("sprint_start");
      const third = await holdRound(world, lead, { evaluation: EVALUATION, plan: rest });
      expect(third.outcome).toMatchObject({
        returned: [{ agent: "abe", from: "beta", to: "alpha" }],
        recommendations: [],
      });
      // who has worked elsewhere is known, and named first to whoever plans
      expect(third.teams.map(({ worked_in: hosts }: { worked_in: unknown }) => hosts)).toEqual([
        { abe: ["beta"] },
        { bea: ["alpha"] },
      ]);
      await lead.must("sprint_start");
      const next = await lead.must("coordination_begin");
      await (await mustStart(world, next.spawn)).stop(EVALUATION);
      const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
      expect(planner.prompt).toContain(
        "- alpha: abe (has worked in beta), art\n- beta: bea (has worked in alpha), bob",
      );
      await expectSound(world);
    });

    test("health is measured when agents are home: what they have left behind there is in work no more (CO-03, CO-06, BO-10)", async () => {
      await using world = await openWorld({ dialect, config: coordinated() });
      const lead = world.lead();
      await lead.must("sprint_start");
      await world.person("borrow_request", { agent: "bea", from: "beta", to: "alpha", reason: "the page" });
      await lead.must("task_create", { title: "Paint the page", team: "alpha" });
      const bea = await world.spawn("bea");
      await bea.must("task_claim");
      world.clock.advance(10 * 60_000);
      const begun = await lead.must("coordination_begin");
      expect(begun.teams).toMatchObject([
        { team: "alpha", wip: 0, oldest_wip_ms: 0, agents: 3, borrowed_in: [] },
        { team: "beta", wip: 0, agents: 3, borrowed_out: [] },
      ]);
      expect((await world.person("sprint_show")).sprints[0].teams[0]).toMatchObject({ team: "alpha", wip: 1 });
    });

    test("any plan whatever: each loan it asks for is granted or refused, never beyond the cap, and all are home when it is due (BO-06, BO-10, CO-10)", async () => {
      const word = fc.constantFrom(
        "ada",
        "abe",
        "art",
        "bea",
        "bob",
        "ben",
        "Zoe",
        "alpha",
        "BETA",
        "beta",
        "gamma",
        "",
      );
      const line = fc.oneof(
        { weight: 6, arbitrary: fc.tuple(word, word, word).map(([a, b, c]) => `BORROW: ${a} from ${b} to ${c}`) },
        { weight: 2, arbitrary: fc.string().map((text) => `- RECOMMEND: ${text}`) },
        { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
      );
      const plans = fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => lines.join("\n"));
      for (const plan of fc.sample(plans, { numRuns: 12, seed: 41 })) {
        await using world = await openWorld({ dialect, config: coordinated({ min_team_size: 1 }) });
        const lead = world.lead();
        const round = await begun(lead);
        await (await mustStart(world, round.spawn)).stop(EVALUATION);
        const planner = await mustStart(world, (await lead.must("coordination_begin")).spawn);
        await planner.stop(plan);
        await planner.stop(plan); // sent back or not, now it counts
        const { status, outcome } = await lead.must("coordination_begin");
        expect(status).toBe(plan.trim() === "" ? "fell_back" : "done");
        const asked = parseDirectives(plan).directives.filter(({ kind }) => kind === "borrow");
        expect(outcome.lent.length + outcome.refused.length).toBe(asked.length);
        expect(outcome.lent.length).toBeLessThanOrEqual(2);
        const lent: string[] = outcome.lent.map(({ agent }: { agent: string }) => agent);
        expect(new Set(lent).size).toBe(lent.length);
        for (const agent of lent) expect(["abe", "art", "bea", "bob"]).toContain(agent);
        await lead.must("sprint_start");
        await lead.must("coordination_begin"); // with it the sprint ends, and every loan
        const { loans } = await world.person("borrow_list", {});
        expect(loans.filter((loan: { status: string }) => loan.status === "active")).toEqual([]);
        await expectSound(world);
      }
    });
  });
}
