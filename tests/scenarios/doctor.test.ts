import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { examineRules } from "../../mcp-server/src/features/doctor/examine.ts";
import type { RuleReport } from "../../mcp-server/src/features/doctor/rule.schema.ts";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute, inTransaction } from "../../mcp-server/src/kernel/execute.ts";
import type { Principal } from "../../mcp-server/src/kernel/principal.ts";
import { plainView } from "../../mcp-server/src/kernel/view.ts";
import { inspectionOf } from "../../mcp-server/src/surfaces/guard/inspection.ts";
import { expectSound, newTask } from "../support/answers.ts";
import { type Answer, dialects, openWorld, type World } from "../support/world.ts";

const person: Principal = { kind: "human", key: "human:pat", name: "pat" };

/** As the command line asks: outside every session. */
async function outside(world: World): Promise<Answer> {
  const operation = findOperation("doctor_check");
  if (!operation) throw new Error("there is no doctor_check");
  return execute(world.runtime, operation, {}, { principal: person, inspect: async () => inspectionOf(world.runtime) });
}

const ofPlace = (rules: RuleReport[], place: string) => rules.filter((rule) => rule.place === place);
const named = (rules: RuleReport[], name: string) => rules.find(({ rule }) => rule === name);

/** What needs a setting or a second team, and is off without. */
const dormant = ["bridged-completion", "client-tasks", "coordinator-packet", "coordinator-words", "loans-told"];

/** Rows of every table. */
async function rowCounts(world: World): Promise<Record<string, number>> {
  const { db } = world.runtime.store;
  const counts: Record<string, number> = {};
  for (const { name } of await db.introspection.getTables()) {
    if (/_search/.test(name)) continue;
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(name)}`.execute(db);
    counts[name] = Number(rows[0]?.n);
  }
  return counts;
}

/** One hook of each kind, as a session at work has them. */
async function liveHooks(world: World): Promise<void> {
  await world.hook({ event: "UserPromptSubmit", prompt: "Go on." });
  const ada = await world.spawn("ada");
  const call = (event: string, tool: string, input: object) =>
    world.hook({ event, tool_name: tool, tool_use_id: "t", tool_input: JSON.stringify(input) });
  await call("PreToolUse", "Read", { file_path: "README.md" });
  await call("PreToolUse", "WebFetch", {});
  await call("PreToolUse", "TaskUpdate", {});
  await call("PostToolUse", "TaskCreate", {});
  await call("PostToolUse", "Bash", { command: "ls" });
  await world.hook({ event: "SubagentStop", agent_id: ada.id, last_assistant_message: "Done." });
  await world.hook({ event: "Stop" });
}

describe.each(dialects)("doctor_check tries the rules (design §1.6) on %s", (dialect) => {
  test("in a session: enforced where the client's hooks were seen, audit where none has come", async () => {
    await using world = await openWorld({ dialect, identity: "strict" });
    const lead = world.lead();
    const early: Answer = await lead.must("doctor_check");
    expect(early.ok).toBe(true);
    expect(named(early.rules, "command-line")).toMatchObject({
      state: "audit",
      ok: true,
      proof: expect.stringContaining("no hook PreToolUse of Bash has come from the client yet"),
    });
    await liveHooks(world);
    const { ok, rules }: Answer = await lead.must("doctor_check");
    expect(ok).toBe(true);
    const states = ofPlace(rules, "hook").map(({ rule, state }) => [rule, state]);
    expect(
      states
        .filter(([, state]) => state !== "enforced")
        .map(([rule]) => rule)
        .sort(),
    ).toEqual(dormant);
    expect(named(rules, "store-files")?.proof).toMatch(
      /a Write below \.teamwright: refused.*PreToolUse of Write came \d+ s ago/,
    );
    const work = ofPlace(rules, "transaction");
    expect(work.filter(({ state }) => state !== "enforced").map(({ rule, state }) => [rule, state])).toEqual([
      ["limit-in-progress", "off"],
      ["limit-review", "off"],
      ["own-board", "off"],
      ["task-quality", "audit"],
      ["loans-by-leads", "off"],
      ["loan-limits", "off"],
      ["sprints-by-leads", "off"],
      ["shell-of-a-session", "audit"],
    ]);
    expect(new Set(ofPlace(rules, "afterwards").map(({ state }) => state))).toEqual(new Set(["audit"]));
    expect(await lead.text("doctor_check")).toMatch(/^enforced {2}command-line +hook/m);
  });

  test("a call that no hook came before says so, and strict rules count as not enforced", async () => {
    await using world = await openWorld({ dialect, identity: "strict" });
    const { ok, checks, rules }: Answer = await world.stranger().must("doctor_check");
    expect(ok).toBe(false);
    expect(checks.find((each: { check: string }) => each.check === "guard")).toMatchObject({ ok: false });
    const hooks = ofPlace(rules, "hook");
    expect(hooks.every(({ state }) => state !== "enforced")).toBe(true);
    expect(named(rules, "fresh-reviewer")).toMatchObject({ state: "audit", ok: false, strict: true });
    expect(named(rules, "spawn-brief")).toMatchObject({ state: "audit", ok: true, strict: false });
    expect(named(rules, "known-callers")).toMatchObject({ state: "enforced" });
    expect(await world.stranger().text("doctor_check")).toContain("NOT ENFORCED fresh-reviewer");
  });

  test("outside a session: rules of hooks are audit only and that is no fault; those of operations are enforced", async () => {
    await using world = await openWorld({ dialect, identity: "strict" });
    const { ok, rules } = await outside(world);
    expect(ok).toBe(true);
    const hooks = ofPlace(rules, "hook").filter(({ rule }) => !dormant.includes(rule));
    expect(hooks.map(({ state }) => state)).toEqual(hooks.map(() => "audit"));
    for (const { proof } of hooks) expect(proof).toMatch(/audit only: no client session here$/);
    expect(named(rules, "one-holder")).toMatchObject({ state: "enforced", proof: expect.stringContaining("CONFLICT") });
    const text = findOperation("doctor_check")?.render?.(await outside(world), plainView(world.clock.now));
    expect(text).toContain("are advice");
  });

  test("guard: off is seen by its canaries, and is a fault of the strict ones", async () => {
    await using world = await openWorld({ dialect, config: "guard: off\n" });
    await liveHooks(world);
    const { ok, rules }: Answer = await world.lead().must("doctor_check");
    expect(ok).toBe(false);
    expect(named(rules, "command-line")).toMatchObject({
      state: "off",
      ok: false,
      proof: expect.stringMatching(/^guard: off; .*let through/),
    });
    expect(named(rules, "routine-broadcasts")).toMatchObject({ state: "off", ok: true });
    expect(named(rules, "spawn-records")).toMatchObject({ state: "enforced" });
    expect(named(rules, "holders-only")).toMatchObject({ state: "enforced" });
  });

  test("settings that relax a rule are told as such", async () => {
    const config = [
      "ownership_mode: warn",
      "task_quality: strict",
      "bridge: on",
      "identity: advisory",
      "wip_limits: { in_progress: 3, review: 2 }",
      "teams: [{ id: alpha, agents: [ada] }, { id: beta, agents: [bea], wip_limits: { review: 1 } }]",
      "coordination: { enabled: true }",
    ].join("\n");
    await using world = await openWorld({ dialect, config: `${config}\n` });
    await liveHooks(world);
    const { ok, rules }: Answer = await world.lead().must("doctor_check");
    expect(ok).toBe(true);
    const states = Object.fromEntries(rules.map(({ rule, state }: RuleReport) => [rule, state]));
    expect(states).toMatchObject({
      "file-ownership": "audit",
      "task-quality": "enforced",
      "known-callers": "audit",
      "limit-in-progress": "enforced",
      "limit-review": "enforced",
      "own-board": "enforced",
      "bridged-completion": "enforced",
      "client-tasks": "enforced",
      "coordinator-packet": "enforced",
      "coordinator-words": "enforced",
      "loans-told": "enforced",
      "loans-by-leads": "enforced",
      "loan-limits": "enforced",
      "sprints-by-leads": "enforced",
    });
  });

  test("nothing of it stays: no row, no event, no binding, and a busy project's limits are in no canary's way", async () => {
    await using world = await openWorld({
      dialect,
      config: "wip_limits: { in_progress: 1, per_agent: 1 }\nlimits: { teammates: 1 }\n",
    });
    const ada = await world.spawn("ada");
    await ada.must("task_claim", { id: await newTask(world.lead(), "Fill the board here") });
    await world.lead().must("doctor_check");
    const before = await rowCounts(world);
    const { ok, rules }: Answer = await world.lead().must("doctor_check");
    expect([ok, rules.filter((rule: RuleReport) => !rule.ok)]).toEqual([true, []]);
    expect(await rowCounts(world)).toEqual(before);
    expect(JSON.stringify((await world.person("event_list", { after: 0, limit: 5000 })).events)).not.toContain(
      "canary",
    );
    await expectSound(world);
  });

  test("a canary that gets through is a fault where the rule protects others", async () => {
    await using world = await openWorld({ dialect, config: "identity: strict\n" });
    const inspection = inspectionOf(world.runtime, world.guard);
    const deaf: typeof inspection = {
      ...inspection,
      rehearse: (work, adjust) =>
        inspection.rehearse((stage) => work({ ...stage, hook: async () => undefined, as: async () => ({}) }), adjust),
    };
    const rules = await inTransaction(world.runtime, { principal: person }, "test", async (ctx) => ctx).then((ctx) =>
      examineRules(ctx, deaf),
    );
    // a gate's canary is a process and needs no answer of the stage
    const tried = rules.filter(
      ({ rule, place, state }) => rule !== "gates-block" && place !== "advice" && state !== "off",
    );
    expect(tried.filter(({ state }) => state === "enforced").map(({ rule }) => rule)).toEqual([]);
    const strict = tried.filter(({ place, strict: isStrict }) => isStrict && place !== "afterwards");
    expect(strict.filter(({ ok }) => ok).map(({ rule }) => rule)).toEqual([]);
  });
});
