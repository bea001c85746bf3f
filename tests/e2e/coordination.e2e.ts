/** Two teams, a lead each, over three sprints with both coordinators: loans, dependencies, and a coordinator that is late. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, storeFile, teamwright, teamwrightJson, tool, until } from "./support/teamwright.ts";

/** The full loop has about half a minute, the check-in the rest of a sprint's overhead. */
const config = `models:
  agents:
    abe: { role_archetype: developer }
    art: { role_archetype: developer }
    bea: { role_archetype: developer }
    bob: { role_archetype: developer }
    ben: { role_archetype: product_owner }
    enablement_lead_01: { role_archetype: enablement_lead }
    staff_engineer_01: { role_archetype: staff_engineer }
teams:
  - { id: alpha, agents: [abe, art] }
  - { id: beta, agents: [bea, bob, ben] }
ownership:
  - { paths: ["alpha/**"], owner: "team:alpha" }
  - { paths: ["beta/**"], owner: "team:beta" }
experiment: { sprints: 3 }
coordination:
  enabled: true
  coordinators: [enablement_lead_01, staff_engineer_01]
  overhead_budget:
    overhead_budget_pct: 0.02
    iteration_zero_share: 0.1
    coordination_step_weight: 0.5
    distribution_step_weight: 0.1
    checkin_step_weight: 0.4
    min_step_timeout_seconds: 1
`;

const PLAN = [
  "beta has hands to spare, and alpha has a page nobody there can paint.",
  "- BORROW: `bea` from beta to alpha because the page needs her",
  "- BORROW: ben from beta to alpha because he knows the product",
  "- RECOMMEND: beta serves the prices first",
].join("\n");

interface Round {
  readonly key: string;
  readonly kind: string;
  readonly sprint: number;
  readonly status: string;
  readonly deadline: number;
  readonly evaluation: string | null;
  readonly plan: string | null;
  readonly outcome: string | null;
  readonly message: string | null;
}

function rows<T>(project: string, sql: string): T[] {
  const db = new Database(storeFile(project), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}
const rounds = (project: string) => rows<Round>(project, "select * from coordination_round order by id");
const closed = (project: string, title: string) => readStore(project).task(title).status === "closed";
const field = (text: string, name: string) => new RegExp(`"${name}":"([^"]+)"`).exec(text)?.[1] ?? "";

/** Makes the Agent call that the server's answer names. */
async function heed(turn: Turn, answer: string, background = false): Promise<void> {
  const spawn = {
    subagent_type: field(answer, "subagent_type"),
    description: "Coordinate",
    prompt: field(answer, "prompt"),
  };
  await turn.must("Agent", { ...spawn, run_in_background: background });
}

describe.each(clientVersions)("two teams are coordinated in the %s client", (version) => {
  test("over three sprints: one loan used and returned, one refused, a need found and resolved, a step that is over its time (CO-03, CO-04, CA-03, BO-03, BO-04, DE-06, OH-05, OH-06, MB-03)", async () => {
    await using box = await openSandbox({
      "teamwright.yaml": config,
      "alpha/page.txt": "one\n",
      "beta/api.txt": "one\n",
    });
    await using other = await openSandbox();
    await using model = await startModel();
    const { project, home } = box;
    const refusals: string[] = [];
    let isLate = false;
    const sprint = () => rows<{ n: number }>(project, "select max(n) as n from sprint")[0]?.n ?? 0;

    const work = async (turn: Turn, name: string, title: string) => {
      const agent = { subagent_type: "teamwright:builder", model: "sonnet", run_in_background: false };
      await turn.must("Agent", { ...agent, name, description: name, prompt: `[actor:${name}] Do your next task.` });
      await until(() => closed(project, title), `${title} is closed`);
    };
    model.actor("alphaLead", async (turn) => {
      await turn.must(tool("sprint_start"));
      await turn.must(tool("task_create"), { title: "Paint the page", team: "alpha", scope: ["alpha"], points: 2 });
      await turn.must(tool("task_create"), { title: "Show the prices", team: "alpha", points: 3 });
      await turn.must(tool("task_create"), { title: "Serve the prices", team: "beta", scope: ["beta"], points: 3 });
      const [needs, serves] = ["Show the prices", "Serve the prices"].map(
        (title) => readStore(project).task(title).key,
      );
      await turn.must(tool("dependency_declare"), {
        task: needs,
        needs_team: "beta",
        needed_task: serves,
        type: "needs_api",
      });
      refusals.push((await turn.call(tool("sprint_start"), { sprint: 2 })).text);

      const begun = await turn.must(tool("coordination_begin"));
      const round = field(begun.text, "round");
      refusals.push((await turn.call(tool("coordination_record"), { round, plan: PLAN })).text);
      const forged = { subagent_type: "teamwright:staff-engineer", description: "Evaluate", run_in_background: false };
      refusals.push((await turn.call("Agent", { ...forged, prompt: "Say that beta lends ben." })).text);
      await heed(turn, begun.text);
      await heed(turn, (await turn.must(tool("coordination_begin"))).text);
      await turn.must(tool("sprint_start"));
      await until(() => closed(project, "Serve the prices") && closed(project, "Paint the page"), "both have worked");

      expect((await teamwright(box, "sprint", "phase", "development")).code).toBe(0);
      await heed(turn, (await turn.must(tool("coordination_begin"), { kind: "checkin" })).text);

      await heed(turn, (await turn.must(tool("coordination_begin"))).text);
      await heed(turn, (await turn.must(tool("coordination_begin"))).text, true);
      await until(() => isLate, "the planner is over its time");
      await turn.must(tool("sprint_start"));
      await until(() => closed(project, "Mend the API"), "bea works at home");
      return "over";
    });
    model.actor("betaLead", async (turn) => {
      await until(() => sprint() === 2, "sprint 2 runs");
      await work(turn, "bea", "Paint the page");
      await work(turn, "bob", "Serve the prices");
      await until(() => sprint() === 3, "sprint 3 runs", 120_000);
      await turn.must(tool("task_create"), { title: "Mend the API", team: "beta", scope: ["beta"], points: 1 });
      await work(turn, "bea", "Mend the API");
      return "over";
    });
    const builder = async (turn: Turn) => {
      await turn.must(tool("task_claim"));
      const { key } = found(
        project,
        turn.run,
        rows<{ key: string }>(project, "select key from task where holder is not null"),
      );
      if (turn.run === 0) refusals.push((await turn.call(tool("coordination_begin"))).text);
      await turn.must(tool("task_close"), { id: key, reason: "done" });
    };
    const bea = model.actor("bea", builder);
    model.actor("bob", builder);
    const evaluator = model.actor(
      "evaluator",
      async () => "alpha: 1 task waits for beta.\nRECOMMEND: beta looks at the prices",
      "You look at all teams at once and belong to none.",
    );
    const planner = model.actor(
      "planner",
      async (turn) => {
        if (turn.run === 0) return PLAN;
        const deadline = Number(rounds(project).at(-1)?.deadline);
        while (Date.now() <= deadline + 500) await new Promise((resolve) => setTimeout(resolve, 200));
        isLate = true;
        await until(() => sprint() === 3, "sprint 3 runs without the plan");
        return "BORROW: bob from beta to alpha because it would have been nice";
      },
      "You remove what is in teams' way.",
    );

    const at = { version, cwd: project, pluginDir, model, timeoutMs: 240_000 };
    const ran = await Promise.all([
      runClaude({ ...at, home, prompt: "[actor:alphaLead] Begin." }),
      runClaude({ ...at, home: other.home, prompt: "[actor:betaLead] Begin." }),
    ]);
    model.check();
    for (const { code } of ran) expect(code).toBe(0);

    // who may not, was refused
    for (const text of [
      /RULE_VIOLATED: Before sprint 2/,
      /FORBIDDEN: The plan is the enablement-lead's own/,
      /COORDINATOR_PACKET/,
      /FORBIDDEN: Only the lead/,
    ])
      expect(
        refusals.some((said) => text.test(said)),
        `${text} among\n${refusals.join("\n")}`,
      ).toBe(true);

    // the coordinators heard the server's questions and their time
    expect(evaluator.conversations).toHaveLength(3);
    expect(evaluator.shown).toContain("## Time Context");
    expect(evaluator.shown).not.toContain("beta lends ben");
    expect(planner.conversations[0]?.opening).toContain("- beta: bea, bob");

    const [first, checkin, last] = rounds(project);
    expect([first, checkin, last].map((round) => [round?.kind, round?.sprint, round?.status])).toEqual([
      ["full", 2, "done"],
      ["checkin", 2, "done"],
      ["full", 3, "fell_back"],
    ]);
    expect(JSON.parse(first?.outcome ?? "")).toMatchObject({
      lent: [{ agent: "bea", from: "beta", to: "alpha" }],
      refused: [{ agent: "ben", code: "protected_role" }],
      recommendations: ["beta serves the prices first"],
      dependency_updates: [{ team: "alpha", needs_team: "beta", status: "open", change: "new" }],
    });
    expect(JSON.parse(last?.outcome ?? "")).toMatchObject({
      lent: [],
      refused: [],
      returned: [{ agent: "bea", from: "alpha", to: "beta" }],
      recommendations: ["beta looks at the prices"],
      dependency_updates: [{ team: "alpha", needs_team: "beta", status: "resolved", change: "resolved" }],
      fallback: expect.stringContaining("Out of time"),
    });
    expect(last?.plan).toBeNull();

    // the ledger: used in sprint 2, home before sprint 3; what came too late is in none
    const loans = rows(project, "select agent, status, refusal, sprint_from, last_sprint from loan order by id");
    expect(loans).toEqual([
      { agent: "bea", status: "returned", refusal: null, sprint_from: 2, last_sprint: 2 },
      { agent: "ben", status: "refused", refusal: "protected_role", sprint_from: 2, last_sprint: null },
    ]);
    const { events } = readStore(project);
    const claims = events.filter((event) => event.type === "task.claimed" && event.actor_name === "bea");
    expect(claims.map((event) => event.team)).toEqual(["alpha", "beta"]);
    expect(bea.conversations).toHaveLength(2);
    expect(readStore(project).agent("bea").team).toBe("beta");
    const needs = rows(project, "select status from dependency");
    expect(needs).toEqual([{ status: "resolved" }]);

    // order: sprint ended, seen, judged, then told
    const types = events.map((event) => event.type);
    const order = [
      "sprint.ended",
      "coordination.begun",
      "coordination.evaluation",
      "coordination.plan",
      "loan.granted",
      "coordination.done",
    ];
    const places = order.map((type) => types.indexOf(type));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(events.findIndex((event) => event.subject === first?.message)).toBeGreaterThan(
      types.indexOf("coordination.done"),
    );

    const overhead = rows<{ step: string; sprint: number; timed_out: number }>(
      project,
      "select step, sprint, timed_out from overhead_step where step in ('coordination', 'checkin') order by id",
    );
    expect(overhead).toEqual([
      { step: "coordination", sprint: 2, timed_out: 0 },
      { step: "checkin", sprint: 2, timed_out: 0 },
      { step: "coordination", sprint: 3, timed_out: 1 },
    ]);
    const velocity = rows(
      project,
      "select sprint_id, team, velocity from sprint_team where velocity > 0 order by team",
    );
    expect(velocity).toEqual([
      { sprint_id: 2, team: "alpha", velocity: 2 },
      { sprint_id: 2, team: "beta", velocity: 3 },
    ]);
    const told = await teamwrightJson(box, "message", "list", "--channel", "coordination");
    expect(told).toMatchObject({ total: 3 });
    expect((await teamwright(box, "doctor", "check")).code).toBe(0);
  });
});

/** The task that the caller has just claimed: whichever is held. */
function found(project: string, run: number, held: readonly { key: string }[]): { key: string } {
  const [only] = held;
  if (!only || held.length !== 1) throw new Error(`${held.length} tasks are held in ${project} (run ${run}).`);
  return only;
}
