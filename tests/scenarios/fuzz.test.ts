import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { operations } from "../../mcp-server/src/features/index.ts";
import { errorCodes, TeamwrightError } from "../../mcp-server/src/kernel/errors.ts";
import type { FilePort } from "../../mcp-server/src/kernel/operation.ts";
import { anyOf, fillIn, mutated } from "../support/generate-input.ts";
import { twoCrowdedTeams } from "../support/teams.ts";
import { type Actor, type Answer, type Dialect, dialects, openWorld, type World } from "../support/world.ts";

const CALLS = Number(process.env.TEAMWRIGHT_FUZZ_CALLS ?? 5000);
const SEED = Number(process.env.TEAMWRIGHT_FUZZ_SEED ?? 20_261_101);

const tables = [
  "task",
  "link",
  "task_label",
  "task_comment",
  "dependency",
  "file_lease",
  "board_count",
  "idempotency",
  "message",
  "escalation",
  "run",
  "unit",
  "sprint",
  "loan",
  "story",
  "coordination_round",
] as const;

/** Changes with any change of any row: a refused call must leave it as it was. */
async function digest(world: World): Promise<string> {
  const parts: string[] = [];
  for (const table of tables) {
    const row = await world.runtime.store.db
      .selectFrom(table)
      .select(sql<number>`count(*)`.as("n"))
      .executeTakeFirstOrThrow();
    parts.push(`${table} ${row.n}`);
  }
  const { rows } = await sql<Record<string, unknown>>`
    select coalesce(sum(version), 0) as versions, coalesce(max(updated_at), 0) as touched, coalesce(sum(open_blockers), 0) as waits,
      coalesce(sum(blocked_ancestors), 0) as held, coalesce(sum(fence), 0) as fences, count(ready_prio) as ready from task`.execute(
    world.runtime.store.db,
  );
  // what the guard records before a call, such as messages it has shown, is no part of the call
  const chain = await world.runtime.store.db
    .selectFrom("event")
    .select(["seq", "hash"])
    .where("operation", "not like", "guard_%")
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return JSON.stringify([parts, rows, chain]);
}

async function expectSound(world: World): Promise<void> {
  const { checks } = await world.person("doctor_check");
  // leases of claims run out while the clock of a test stands still elsewhere; everything else must hold
  expect(checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
  const row = await world.runtime.store.db
    .selectFrom("event")
    .select([sql<number>`count(*)`.as("n"), sql<number>`coalesce(max(seq), 0)`.as("last")])
    .executeTakeFirstOrThrow();
  expect(Number(row.n)).toBe(Number(row.last));
}

async function ids(world: World): Promise<string[]> {
  const rows = await world.runtime.store.db.selectFrom("task").select("key").orderBy("id", "desc").limit(40).execute();
  const needs = await world.runtime.store.db.selectFrom("dependency").select("key").limit(5).execute();
  return [...rows, ...needs].map((row) => row.key);
}

/** Everybody who may call: two teams' agents, the lead, somebody unknown, and a person at the command line. */
async function cast(world: World): Promise<((tool: string, input: Record<string, unknown>) => Promise<Answer>)[]> {
  const actors: Actor[] = [world.lead(), world.stranger()];
  for (const name of ["ada", "abe", "bea", "bob"]) actors.push(await world.spawn(name));
  return actors.map((actor) => (tool, input) => actor.call(tool, input));
}

/** A file that is a good export in some lines and rubbish in others. */
const files: FilePort = {
  read: async (path) => {
    if (path.length % 3 === 0) throw new TeamwrightError("NOT_FOUND", "There is no such file.");
    const id = `tw-f${path.length % 7}`;
    const row = {
      id,
      title: `From ${path.slice(0, 10)}`,
      status: "open",
      priority: path.length % 5,
      issue_type: "task",
      dependencies: [{ issue_id: id, depends_on_id: `tw-f${path.length % 5}`, type: "blocks" }],
    };
    return [
      JSON.stringify(row),
      "no json",
      '{"id":7}',
      '{"__proto__":{"polluted":true}}',
      JSON.stringify({ ...row, id: `${id}x`, status: "closed" }),
    ].join("\n");
  },
  write: async (_, chunks) => {
    for (const chunk of chunks) expect(chunk).toBeTypeOf("string");
  },
  tree: {
    find: async (names, { mayBeEmpty }) => {
      if (names.length === 0 && !mayBeEmpty) throw new TeamwrightError("INVALID_INPUT", "There is no such file.");
      return names.slice(0, 3);
    },
    countLines: async (path) => (path.length % 2 === 0 ? path.length : undefined),
    matcher: async (globs) => (path) => globs.includes(path),
  },
};

async function byPerson(world: World, operation: string, input: Record<string, unknown>): Promise<Answer> {
  try {
    return await world.person(operation, input, files);
  } catch (error) {
    return { error };
  }
}

function expectAnswer(answer: Answer, what: string): void {
  expect(answer, what).toBeTypeOf("object");
  if (!answer.error) return;
  expect(errorCodes, what).toContain(answer.error.code);
  expect(answer.error.code, `${what}: ${answer.error.message}`).not.toBe("INTERNAL");
  expect(answer.error.code, `${what}: ${answer.error.message}`).not.toBe("UNAVAILABLE");
}

/** One that answers until it is interrupted has a test of its own (processes/metrics-serve). */
const answering = operations.filter(({ name }) => name !== "metrics_serve");

const callArbitrary = fc.constantFrom(...answering).chain((operation) => {
  const good = anyOf(operation.input) as fc.Arbitrary<Record<string, unknown>>;
  const input = fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: mutated(good) });
  return fc.record({
    operation: fc.constant(operation),
    input,
    who: fc.nat(5),
    advance: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 60_000, 1_000_000),
  });
});

async function fuzz(dialect: Dialect, calls: number): Promise<{ fine: number; refused: number }> {
  await using world = await openWorld({ dialect, config: twoCrowdedTeams });
  const actors = await cast(world);
  const outcome = { fine: 0, refused: 0 };
  const samples = fc.sample(callArbitrary, { numRuns: calls, seed: SEED });
  for (const [index, { operation, input: raw, who, advance }] of samples.entries()) {
    world.clock.advance(advance);
    // reads sweep what is due; done here so that a refusal below can be seen to change nothing
    if (advance > 0) await world.person("brief_show");
    const input = fillIn(raw, await ids(world)) as Record<string, unknown>;
    const what = `call ${index} (seed ${SEED}): ${operation.name} ${JSON.stringify(input)?.slice(0, 400)}`;
    const before = await digest(world);
    const call = actors[who % actors.length];
    const answer =
      operation.mcp === "none" ? await byPerson(world, operation.name, input) : await call?.(operation.name, input);
    expectAnswer(answer, what);
    if (answer.error) outcome.refused += 1;
    else outcome.fine += 1;
    if (answer.error || operation.kind === "read") expect(await digest(world), what).toBe(before);
    if (index % 1000 === 999) await expectSound(world);
  }
  await expectSound(world);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  return outcome;
}

describe.each(dialects)("arguments of every shape on %s", (dialect) => {
  const calls = dialect === "sqlite" ? CALLS : Math.ceil(CALLS / 10);
  test(`${calls} generated calls end in a result or a known refusal, and a refusal changes nothing`, {
    timeout: 240_000,
  }, async () => {
    const { fine, refused } = await fuzz(dialect, calls);
    // a fuzzer that only ever meets the argument check would prove little
    expect(fine).toBeGreaterThan(calls / 5);
    expect(refused).toBeGreaterThan(calls / 10);
  });
});

/** Steps that make sense more often than random arguments do, so that long histories of real states arise. */
const step = fc.oneof(
  fc.record({ do: fc.constant("create"), a: fc.nat(30), b: fc.nat(30), kind: fc.constantFrom("task", "epic", "bug") }),
  fc.record({ do: fc.constant("child"), a: fc.nat(30), b: fc.nat(30) }),
  fc.record({
    do: fc.constantFrom(
      "claim",
      "close",
      "fail",
      "reopen",
      "block",
      "unblock",
      "defer",
      "wake",
      "release",
      "review",
      "unlink",
      "need",
      "wait",
    ),
    a: fc.nat(30),
    b: fc.nat(30),
  }),
  fc.record({
    do: fc.constant("link"),
    a: fc.nat(30),
    b: fc.nat(30),
    type: fc.constantFrom("blocks", "parent-child", "conditional-blocks", "waits-for", "related"),
  }),
);
type Step = { do: string; a: number; b: number; kind?: string; type?: string };

async function take(world: World, actors: readonly Actor[], { do: verb, a, b, kind, type }: Step): Promise<Answer> {
  const known = (await world.runtime.store.db.selectFrom("task").select("key").orderBy("id").execute()).map(
    (row) => row.key,
  );
  const id = known[a % Math.max(1, known.length)] ?? "tw-none";
  const target = known[b % Math.max(1, known.length)] ?? "tw-none";
  const lead = actors[0] as Actor;
  const actor = actors[b % actors.length] as Actor;
  const team = a % 2 ? "alpha" : "beta";
  switch (verb) {
    case "create":
      return lead.call("task_create", {
        title: "Do this",
        team,
        ...(kind ? { kind } : {}),
        ...(b % 3 ? {} : { blocked_by: [id] }),
      });
    case "child":
      return lead.call("task_create", { title: "Do a part", team, parent: id });
    case "claim":
      return actor.call("task_claim", b % 2 ? { id } : {});
    case "close":
      return actor.call("task_close", { id });
    case "fail":
      return lead.call("task_close", { id, outcome: "failed" });
    case "reopen":
      return byPerson(world, "task_reopen", { id });
    case "block":
      return lead.call("task_update", { id, block: "in the way" });
    case "unblock":
      return lead.call("task_update", { id, unblock: true });
    case "defer":
      return lead.call("task_update", { id, defer_until: new Date(world.clock.now + 5000).toISOString() });
    case "wake":
      return lead.call("task_update", { id, defer_until: "now" });
    case "release":
      return lead.call("task_update", { id, release: "not now" });
    case "review":
      return actor.call("board_move", { id, to: "review" });
    case "link":
      return lead.call("task_link", { id, target, ...(type ? { type } : {}) });
    case "unlink":
      return lead.call("task_unlink", { id, target });
    case "need":
      return lead.call("dependency_declare", {
        task: id,
        needs_team: b % 2 ? "alpha" : "beta",
        ...(b % 3 ? { needed_task: target } : {}),
      });
    default:
      world.clock.advance(b % 4 === 0 ? 1_000_000 : 6000);
      return world.person("brief_show");
  }
}

describe.each(dialects)("histories on %s", (dialect) => {
  test("whatever happens, counters agree with a recount and nothing is both ready and blocked", {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        await using world = await openWorld({
          dialect,
          config: twoCrowdedTeams.replaceAll(/wip_limits: \{[^}]*\}/g, "wip_limits: { per_agent: 9 }"),
        });
        const actors = [world.lead(), await world.spawn("ada"), await world.spawn("bea")];
        for (const [index, each] of steps.entries()) {
          expectAnswer(await take(world, actors, each as Step), JSON.stringify(each));
          if (index % 10 === 9 || index === steps.length - 1) await expectSound(world);
        }
        const ready = await world.person("task_ready", { limit: 0 });
        for (const { id } of ready.tasks) {
          const shown = await world.person("task_show", { id });
          expect(shown.task).toMatchObject({ id, state: "ready" });
          expect(shown.task.blocked).toBeUndefined();
          expect((shown.links ?? []).filter((link: { blocking?: boolean }) => link.blocking)).toEqual([]);
        }
      }),
      { numRuns: dialect === "sqlite" ? 60 : 6, seed: SEED },
    );
  });

  test("however claimants interleave, each task has one winner", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ who: fc.nat(4), which: fc.nat(5) }), { minLength: 6, maxLength: 24 }),
        async (attempts) => {
          await using world = await openWorld({ dialect, config: "wip_limits: { per_agent: 9 }" });
          const lead = world.lead();
          const { tasks } = await lead.must("task_create", {
            tasks: Array.from({ length: 5 }, (_, n) => ({ title: `Do part ${n}` })),
          });
          const agents = await Promise.all(["a1", "a2", "a3", "a4", "a5"].map((name) => world.spawn(name)));
          // all at once: how they interleave is the executor's business
          const answers = await Promise.all(
            attempts.map(({ who, which }) =>
              agents[who]?.call("task_claim", which === 5 ? {} : { id: tasks[which].id }),
            ),
          );
          const winners = new Map<string, Set<string>>();
          for (const [index, answer] of answers.entries()) {
            expectAnswer(answer, JSON.stringify(attempts[index]));
            if (!answer.task) continue;
            const agent = agents[attempts[index]?.who ?? 0]?.id ?? "";
            winners.set(answer.task.id, (winners.get(answer.task.id) ?? new Set()).add(agent));
          }
          for (const [id, agentIds] of winners) expect(agentIds.size, id).toBe(1);
          await expectSound(world);
        },
      ),
      { numRuns: dialect === "sqlite" ? 40 : 5, seed: SEED },
    );
  });
});
