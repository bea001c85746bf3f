import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { coordinated } from "../support/coordination.ts";
import { inspect } from "../support/inspect.ts";
import { ensureBuilt, openProject, type Project, startCommand, stores } from "../support/processes.ts";

const AT_ONCE = 4;
const KILLED = Number(process.env.TEAMWRIGHT_TEST_KILLS ?? 10);
const config = coordinated({ min_team_size: 1 });

beforeAll(async () => {
  await ensureBuilt();
});

const run = async (project: Project, ...args: string[]) => (await startCommand(project, args)).ended;
const atOnce = (args: (n: number) => string[], project: Project) =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, n) => run(project, ...args(n))));

async function counts(project: Project) {
  await using store = await inspect(project.root);
  const { db } = store.runtime.store;
  const rounds = await db.selectFrom("coordination_round").selectAll().execute();
  const loans = await db.selectFrom("loan").selectAll().execute();
  const told = await db.selectFrom("message").selectAll().where("channel", "=", "coordination").execute();
  expect(await store.failedChecks()).toEqual([]);
  return { rounds, loans, told };
}

describe.each(stores)("rounds of several processes on %s", (kind) => {
  test("begun by all of them it is one, and one of their plans is carried out (CO-03, CO-10)", async () => {
    await using project = await openProject(kind, config);
    expect((await run(project, "sprint", "start")).code).toBe(0);
    const begun = await atOnce(() => ["coordination", "begin"], project);
    expect(begun.map(({ code }) => code)).toEqual(begun.map(() => 0));
    const [round, ...others] = [...new Set(begun.map(({ answer }) => String(answer.round)))];
    expect(others).toEqual([]);
    const evaluation = (n: number) => ["coordination", "record", String(round), "--evaluation", `Thought ${n}`];
    expect((await atOnce(evaluation, project)).map(({ code }) => code).sort()).toEqual([0, 1, 1, 1]);
    const plan = (n: number) => {
      const line = `BORROW: ${["abe", "art", "bea", "bob"][n]} from ${n < 2 ? "alpha to beta" : "beta to alpha"} because of QA`;
      return ["coordination", "record", String(round), "--plan", line];
    };
    expect((await atOnce(plan, project)).map(({ code }) => code).sort()).toEqual([0, 1, 1, 1]);
    const { rounds, loans, told } = await counts(project);
    expect(rounds.map(({ status }) => status)).toEqual(["done"]);
    expect(loans.map(({ status }) => status)).toEqual(["active"]);
    expect(told).toHaveLength(1);
    // the others find it started, and none of them burns it
    const started = await atOnce((n) => ["sprint", "start", ...(n % 2 === 0 ? ["--sprint", "2"] : [])], project);
    expect(started.map(({ code, answer }) => [code, answer.sprint?.n])).toEqual(started.map(() => [0, 2]));
    expect(started.filter(({ answer }) => !answer.already)).toHaveLength(1);
  });

  test("plans whose process is killed are carried out wholly or not at all", async () => {
    await using project = await openProject(kind, config);
    await run(project, "sprint", "start");
    const begun = performance.now();
    const { answer } = await run(project, "coordination", "begin");
    const usual = performance.now() - begun;
    await run(project, "coordination", "record", answer.round, "--evaluation", "All is well.");
    const plan = "BORROW: abe from alpha to beta because of QA\nBORROW: bea from beta to alpha because of Go";
    for (let n = 0; n < KILLED; n += 1) {
      const { child, ended } = await startCommand(project, ["coordination", "record", answer.round, "--plan", plan]);
      await sleep(usual * (0.5 + n / KILLED)); // the moment of the kill wanders over the steps
      child.kill("SIGKILL");
      await ended.catch(() => undefined);
      const { rounds, loans, told } = await counts(project);
      const isDone = rounds[0]?.status === "done";
      expect([rounds.length, loans.length, told.length]).toEqual(isDone ? [1, 2, 1] : [1, 0, 0]);
    }
    await run(project, "coordination", "record", answer.round, "--plan", plan);
    const { loans, told } = await counts(project);
    expect([loans.length, told.length]).toEqual([2, 1]);
    expect((await run(project, "sprint", "start")).code).toBe(0);
  });
});
