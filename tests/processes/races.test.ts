import { beforeAll, describe, expect, test } from "vitest";
import { inspect } from "../support/inspect.ts";
import { ensureBuilt, openProject, race, rawDatabaseText, stores } from "../support/processes.ts";
import { RawServer } from "../support/raw-server.ts";
import type { Outcome, Refusal } from "../support/worker.ts";

const PROCESSES = 8;
const CREATES = 50;
const CLAIMS = 40;
const DRAINERS = Number(process.env.TEAMWRIGHT_TEST_DRAINERS ?? 32);
const TASKS = Number(process.env.TEAMWRIGHT_TEST_TASKS ?? 2000);

// each agent of a race claims many; the default is one
const config = "wip_limits: { per_agent: 5000 }\nclaims: { lease_seconds: 600 }\ntask_quality: off";

beforeAll(async () => {
  await ensureBuilt();
});

function refusals(outcomes: readonly Outcome[]): Refusal[] {
  return outcomes.flatMap((outcome) => outcome.refusals);
}

describe.each(stores)("races on %s", (kind) => {
  test("8 processes create 400 tasks, each with an id of its own", async () => {
    await using project = await openProject(kind, config);
    const outcomes = await race(
      Array.from({ length: PROCESSES }, (_, n) => ({
        kind: "create" as const,
        start: project.root,
        name: `maker-${n}`,
        count: CREATES,
      })),
    );
    expect(refusals(outcomes)).toEqual([]);
    const ids = outcomes.flatMap((outcome) => outcome.done);
    expect(new Set(ids).size).toBe(PROCESSES * CREATES);
    await using store = await inspect(project.root);
    const { total, tasks } = await store.call("task_list", { limit: 0 });
    expect(total).toBe(PROCESSES * CREATES);
    expect(new Set(tasks.map((task: { id: string }) => task.id))).toEqual(new Set(ids));
    expect(await store.failedChecks()).toEqual([]);
  });

  test("40 tasks that 8 processes claim have exactly one winner each", async () => {
    await using project = await openProject(kind, config);
    await using store = await inspect(project.root);
    const ids = await store.seed(CLAIMS);
    const outcomes = await race(
      Array.from({ length: PROCESSES }, (_, n) => ({
        kind: "claim" as const,
        start: project.root,
        name: `claimer-${n}`,
        ids,
      })),
    );
    const won = outcomes.flatMap((outcome) => outcome.done);
    expect([...won].sort()).toEqual([...ids].sort());
    const lost = refusals(outcomes);
    expect(lost.length).toBe(PROCESSES * CLAIMS - CLAIMS);
    expect(new Set(lost.map((refusal) => refusal.code))).toEqual(new Set(["CONFLICT"]));
    expect(lost.filter((refusal) => rawDatabaseText.test(refusal.message))).toEqual([]);
    expect(await store.failedChecks()).toEqual([]);
  });

  test(`${DRAINERS} processes drain ${TASKS} tasks: none lost, none twice, no database error shown`, async () => {
    await using project = await openProject(kind, config);
    await using store = await inspect(project.root);
    const ids = await store.seed(TASKS);
    const outcomes = await race(
      Array.from({ length: DRAINERS }, (_, n) => ({
        kind: "drain" as const,
        start: project.root,
        name: `drainer-${n}`,
        close: true,
      })),
    );
    expect(refusals(outcomes)).toEqual([]);
    const done = outcomes.flatMap((outcome) => outcome.done);
    expect(done.length).toBe(TASKS);
    expect(new Set(done)).toEqual(new Set(ids));
    expect((await store.call("task_list", { status: ["closed"], limit: 1 })).total).toBe(TASKS);
    expect(await store.failedChecks()).toEqual([]);
  });

  test("4 servers over real stdio share 40 tasks without doubles", async () => {
    await using project = await openProject(kind, config);
    await using store = await inspect(project.root);
    const ids = await store.seed(CLAIMS);
    const built = await ensureBuilt();
    const servers = Array.from({ length: 4 }, () => new RawServer(built, project.root));
    await Promise.all(servers.map((server) => server.initialize()));
    const taken = await Promise.all(
      servers.map(async (server) => {
        const mine: string[] = [];
        for (;;) {
          const answer = await server.call("task_claim");
          expect(answer.error).toBeUndefined();
          if (!answer.task) return mine;
          mine.push(answer.task.id);
        }
      }),
    );
    expect(taken.flat().sort()).toEqual([...ids].sort());
    await Promise.all(servers.map((server) => server.end()));
    // an orderly end gives the claims back
    expect((await store.call("task_ready", { limit: 1 })).total).toBe(CLAIMS);
    expect(await store.failedChecks()).toEqual([]);
  });
});
