import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { historyOf, noteFailure, resetFailures } from "../../mcp-server/src/features/escalation/attempt.store.ts";
import { raiseEscalation } from "../../mcp-server/src/features/escalation/escalation.store.ts";
import { findOperation } from "../../mcp-server/src/features/index.ts";
import { execute, inTransaction, type Runtime } from "../../mcp-server/src/kernel/execute.ts";
import type { OperationContext } from "../../mcp-server/src/kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../mcp-server/src/kernel/principal.ts";
import { openSqlite } from "../../mcp-server/src/store/sqlite.ts";
import { expectSound, MINUTE, newTask, personRefusal, refusal } from "../support/answers.ts";
import { type Actor, type Answer, dialects, openWorld, START, type World } from "../support/world.ts";

const raise = async (actor: Actor, input: Record<string, unknown>): Promise<Answer> =>
  (await actor.must("escalation_raise", { reason: "I cannot settle this", ...input })).escalation;

const list = async (world: World, input: Record<string, unknown> = {}): Promise<Answer[]> =>
  (await world.person("escalation_list", input)).escalations;

const history = async (world: World, id: string): Promise<string[]> =>
  (await list(world, { id }))[0].history.map((entry: Answer) => `${entry.by} ${entry.what}: ${entry.result}`);

/** Inside a transaction, as the slices that count attempts are. */
const inside = <T>(runtime: Runtime, work: (ctx: OperationContext) => Promise<T>, principal = systemPrincipal) =>
  inTransaction(runtime, { principal }, "test", work);

const runAs = (world: World, principal: Principal, operation: string, input: Record<string, unknown>) => {
  const found = findOperation(operation);
  if (!found) throw new Error(operation);
  return execute(world.runtime, found, input, { principal });
};

describe.each(dialects)("escalations on %s", (dialect) => {
  test("climb one level at a time, with all that was said, until a person settles them (RE-03, RE-04, C-21)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const task = await newTask(lead, "Choose the parser");
    const ada = await world.spawn("ada", { prompt: `do ${task}` });
    await ada.must("task_claim", { id: task });
    const first = await raise(ada, { reason: "Two specs differ", excerpt: "A says 1, B says 2" });
    expect(first).toMatchObject({ level: "coordinator", about: task, task, by: "ada", operation: "other" });
    expect((await lead.must("brief_show")).waiting.escalations).toMatchObject([{ id: first.id, level: "coordinator" }]);
    expect(await ada.must("brief_show")).not.toHaveProperty("waiting");
    world.clock.advance(MINUTE);
    expect(await raise(ada, { reason: "Nobody came" })).toMatchObject({ id: first.id, level: "orchestrator" });
    expect((await raise(ada, { operation: "conflict" })).id, "another matter").not.toBe(first.id);
    world.clock.advance(MINUTE);
    expect(await raise(lead, { about: task, reason: "I cannot say" })).toMatchObject({ id: first.id, level: "human" });
    world.clock.advance(MINUTE);
    expect(await raise(ada, { reason: "Still there" })).toMatchObject({ id: first.id, level: "human" });
    expect(await history(world, first.id)).toEqual([
      "ada other: raised to coordinator",
      "ada other: raised to orchestrator",
      "lead other: raised to human",
      "ada other: raised to human",
    ]);
    expect(await lead.text("brief_show")).toMatch(new RegExp(`${first.id} for human: other on ${task}, by ada`));

    const note = "The newer spec holds.";
    const { escalation } = await world.person("escalation_resolve", { id: first.id, decision: "revise", note });
    expect(escalation).toMatchObject({ status: "resolved", decision: "revise", resolved_by: "pat", resolution: note });
    expect(await history(world, first.id)).toContain("pat other: decided: revise");
    const anew = await raise(ada, { reason: "Another question" });
    expect([anew.id === first.id, anew.level]).toEqual([false, "coordinator"]);
    await expectSound(world);
  });

  test("are settled by whoever stands above: no agent's own, no lead for what waits for a person (C-21)", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const ada = await world.spawn("ada");
    const below = await raise(ada, { about: await newTask(lead, "Choose the parser") });
    const above = await raise(lead, { about: await newTask(lead, "Choose the licence") });
    const resolve = (principal: Principal, id: string) =>
      personRefusal(runAs(world, principal, "escalation_resolve", { id, decision: "override", note: "I say so" }));
    const settle = (actor: Actor, id: string) =>
      refusal(actor.call("escalation_resolve", { id, decision: "revise", note: "Both specs hold." }));
    expect(await settle(ada, below.id)).toBe("FORBIDDEN");
    expect(await settle(world.stranger(), below.id)).toBe("FORBIDDEN");
    expect(await settle(lead, above.id), "it waits for a person").toBe("FORBIDDEN");
    const agent: Principal = { kind: "agent", key: `agent:${ada.id}`, name: "ada", agentId: ada.id, team: "main" };
    expect(await resolve(agent, below.id)).toBe("FORBIDDEN");
    expect(await resolve({ ...agent, role: "enablement-lead" }, below.id), "its own").toBe("FORBIDDEN");
    for (const kind of ["lead", "agent", "service", "unverified"] as const)
      expect(await resolve({ kind, key: `${kind}:x`, name: "x", role: "staff-engineer" }, above.id)).toBe("FORBIDDEN");
    expect(await settle(lead, below.id)).toBe("accepted");
    const people = ["human:pat", "human:kim"].map((key): Principal => ({ kind: "human", key, name: key.slice(6) }));
    const both = await Promise.all(people.map((person) => resolve(person, above.id)));
    expect(both.sort()).toEqual(["CONFLICT", "accepted"]);
    expect(await list(world)).toEqual([]);
    await expectSound(world);
  });

  test("attempts are counted durably: three retries are four attempts, then the person has all of it (RE-01, RE-02, RE-05, FP-09, C-05)", async () => {
    await using world = await openWorld({ dialect });
    const task = await newTask(world.lead(), "Pass the gate");
    const fail = (n: number, runtime = world.runtime) => {
      world.clock.advance(MINUTE);
      const failure = { scope: task, operation: "gate" as const, by: "lead", gate: "tests" };
      return inside(runtime, (ctx) => noteFailure(ctx, { ...failure, reason: `round ${n}`, excerpt: `${n} failed` }));
    };
    expect(await fail(1)).toMatchObject({ failures: 1, retriesLeft: 3, maxAttempts: 4, exhausted: false });
    expect(await fail(2)).toMatchObject({ failures: 2, retriesLeft: 2 });
    await inside(world.runtime, (ctx) => resetFailures(ctx, { scope: task, operation: "gate", by: "lead" }));
    for (const [index, left] of [3, 2, 1].entries())
      expect(await fail(3 + index)).toMatchObject({ retriesLeft: left, exhausted: false });
    const early = await raise(world.lead(), { about: task, operation: "gate" });
    expect(early.level).toBe("human"); // a lead's next level anyway
    await world.person("escalation_resolve", { id: early.id, decision: "defer", note: "Once more." });

    const last = await reopened(world, (runtime) => fail(6, runtime));
    expect(last).toMatchObject({ failures: 4, retriesLeft: 0, exhausted: true });
    const ada = await world.spawn("ada");
    const raised = await raise(ada, { about: task, operation: "gate", reason: "The gate stays shut" });
    expect(raised).toMatchObject({ level: "human", retries: 3, max_attempts: 4, attempts: 6 });
    const whole = await history(world, raised.id);
    expect(whole.filter((line) => line === "lead gate: tests: failed")).toHaveLength(6);
    expect(whole).toContain("lead gate: passed");
    expect(whole.at(-1)).toBe("ada gate: raised to human");
    expect((await list(world, { id: raised.id }))[0].history[0]).toMatchObject({
      at: new Date(START + MINUTE).toISOString(),
      text: "round 1\n1 failed",
    });
    expect(await inside(world.runtime, (ctx) => historyOf(ctx.db, task))).toHaveLength(7);

    await world.person("escalation_resolve", { id: raised.id, decision: "retry", note: "One more, please." });
    expect(await fail(7)).toMatchObject({ failures: 5, retriesLeft: 0, exhausted: true, maxAttempts: 5 });
    await inside(world.runtime, (ctx) => resetFailures(ctx, { scope: task, operation: "gate", by: "lead" }));
    expect(await fail(8)).toMatchObject({ failures: 1, retriesLeft: 3, maxAttempts: 4 });
    await expectSound(world);
  });

  test("the table of retries is the project's; other operations than gates go to the orchestrator (RE-01, C-05)", async () => {
    await using world = await openWorld({ dialect, config: "retries: { build_test: 1 }\n" });
    const task = await newTask(world.lead(), "Build it");
    const failure = { scope: task, operation: "build_test" as const, by: "ada", reason: "It does not link" };
    const states = [1, 2].map(() => () => inside(world.runtime, (ctx) => noteFailure(ctx, failure)));
    expect(await states[0]?.()).toMatchObject({ retriesLeft: 1, maxAttempts: 2 });
    expect(await states[1]?.()).toMatchObject({ exhausted: true });
    const ada = await world.spawn("ada");
    expect(await raise(ada, { about: task, operation: "build_test" })).toMatchObject({
      level: "orchestrator",
      retries: 1,
    });
    await expectSound(world);
  });

  test("failures counted by several at once are all counted, and what is raised by several is one (RE-05)", async () => {
    await using world = await openWorld({ dialect });
    const task = await newTask(world.lead(), "Pass the gate");
    const failure = { scope: task, operation: "review_fix" as const, by: "ada", reason: "no" };
    const about = { scope: task, taskKey: task, unitKey: null, runId: null };
    const states = await Promise.all(
      Array.from({ length: 8 }, () => inside(world.runtime, (ctx) => noteFailure(ctx, failure))),
    );
    expect(states.map(({ failures }) => failures).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const rows = await Promise.all(
      Array.from({ length: 4 }, () =>
        inside(world.runtime, (ctx) => raiseEscalation(ctx, { ...about, operation: "conflict", reason: "both" })),
      ),
    );
    expect(new Set(rows.map(({ key }) => key)).size).toBe(1);
    expect(rows.map(({ level }) => level).sort()).toEqual(["coordinator", "human", "human", "orchestrator"]);
    await expectSound(world);
  });

  test("a task blocked for longer than a cycle goes up by itself, once per block (RE-03)", async () => {
    await using world = await openWorld({ dialect, config: "escalation: { blocked_cycle_minutes: 30 }\n" });
    const lead = world.lead();
    const [stuck, freed, ready] = await Promise.all(
      ["Wait for the key", "Wait a little", "Wait for nobody"].map((title) => newTask(lead, title)),
    );
    await lead.must("task_update", { id: stuck, block: "no key" });
    await lead.must("task_update", { id: freed, block: "no time" });
    world.clock.advance(29 * MINUTE);
    await lead.must("task_update", { id: freed, unblock: true });
    expect((await lead.must("brief_show")).waiting.escalations_total).toBe(0);
    world.clock.advance(2 * MINUTE);
    const { escalations } = (await lead.must("brief_show")).waiting;
    expect(escalations).toMatchObject([{ level: "coordinator", operation: "blocked", task: stuck, by: "teamwright" }]);
    expect(escalations[0].text).toContain("no key");
    world.clock.advance(300 * MINUTE);
    await newTask(lead, "Write something else");
    expect(await list(world, { status: "all" })).toHaveLength(1);
    expect(await history(world, escalations[0].id)).toHaveLength(1);

    await lead.must("task_update", { id: stuck, unblock: true });
    expect(await list(world)).toEqual([]);
    expect(await list(world, { status: "all" })).toMatchObject([
      { status: "resolved", resolved_by: "lead", resolution: "the task is not blocked any more" },
    ]);
    await lead.must("task_update", { id: stuck, block: "the key is wrong" });
    world.clock.advance(31 * MINUTE);
    expect(await list(world)).toMatchObject([{ task: stuck }]);
    const ada = await world.spawn("ada");
    await raise(ada, { about: ready });
    await lead.must("task_close", { id: ready });
    await lead.must("task_close", { id: stuck });
    expect(await list(world)).toEqual([]);
    await expectSound(world);
  });

  test("a raise after the watch climbs from where it is, and what waits for a person no deed settles", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const task = await newTask(lead, "Wait for the key");
    await lead.must("task_update", { id: task, block: "no key" });
    world.clock.advance(61 * MINUTE);
    const [watched] = await list(world);
    expect(await raise(lead, { about: task, operation: "blocked" })).toMatchObject({ id: watched.id, level: "human" });
    await lead.must("task_close", { id: task });
    expect(await list(world)).toMatchObject([{ id: watched.id, level: "human" }]);
    await expectSound(world);
  });

  test("the lead is told once that a person is waited for, and once what the person decided", async () => {
    await using world = await openWorld({ dialect });
    const lead = world.lead();
    const { id } = await raise(lead, { about: await newTask(lead, "Choose the licence"), reason: "MIT or GPL?" });
    const stopped = await world.hook({ event: "Stop" });
    expect(stopped.reason).toContain(`teamwright escalation resolve ${id} --decision`);
    expect(stopped.reason).toMatch(/<stored-text \w+ what="reason">\nMIT or GPL\?/);
    expect(await world.hook({ event: "Stop" })).toBeUndefined();
    await world.person("escalation_resolve", { id, decision: "override", note: "MIT." });
    const told = JSON.stringify(await world.hook({ event: "UserPromptSubmit" }));
    expect(told).toContain(`${id} (other)`);
    expect(told).toContain("was decided: override, by pat");
    expect(await world.hook({ event: "Stop" })).toBeUndefined();
    await expectSound(world);
  });
});

/** On SQLite the work is done by another process's store on the same file; elsewhere by the one that is open. */
async function reopened<T>(world: World, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  if (world.runtime.store.port.name !== "sqlite") return work(world.runtime);
  const store = await openSqlite({ path: join(world.root, ".teamwright", "state.db"), synchronous: "normal" });
  const result = await work({ ...world.runtime, store });
  await store.close();
  return result;
}
