import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { inspect } from "../support/inspect.ts";
import { ensureBuilt, openProject, type Project, startCommand, stores } from "../support/processes.ts";

const STORIES = 300;
const KILLED = Number(process.env.TEAMWRIGHT_TEST_KILLS ?? 12);
const config = `portfolio: {stories_per_team: 100}
coordination: {enabled: true}
teams:
  - {id: alpha, agents: [ada]}
  - {id: beta, agents: [bob]}
  - {id: gamma, agents: [cleo]}`;

beforeAll(async () => {
  await ensureBuilt();
});

/** Gives how long such a command takes here, in ms. */
async function loadStories(project: Project): Promise<number> {
  const begun = performance.now();
  const stories = Array.from({ length: STORIES }, (_, n) => ({ id: `US-${n}`, title: `Moor ship number ${n}` }));
  writeFileSync(join(project.root, "backlog.json"), JSON.stringify(stories));
  const { code, answer } = await (await startCommand(project, ["portfolio", "load", "backlog.json"])).ended;
  expect([code, answer.created]).toEqual([0, STORIES]);
  return performance.now() - begun;
}

async function expectEachOnce(project: Project): Promise<void> {
  await using store = await inspect(project.root);
  const rows = await store.runtime.store.db.selectFrom("story").selectAll().execute();
  expect(rows).toHaveLength(STORIES);
  expect(rows.filter(({ status, task_id }) => (status === "assigned") !== (task_id !== null))).toEqual([]);
  const given = rows.filter(({ status }) => status === "assigned");
  expect(new Set(given.map(({ task_id }) => task_id)).size).toBe(given.length);
  expect((await store.call("task_list", { limit: 1 })).total).toBe(given.length);
  expect(await store.failedChecks()).toEqual([]);
}

describe.each(stores)("the portfolio on %s", (kind) => {
  test("distributions that are killed at any moment lose no story and give none twice (PF-08)", async () => {
    await using project = await openProject(kind, config);
    const usual = await loadStories(project);
    for (let round = 0; round < KILLED; round += 1) {
      const { child, ended } = await startCommand(project, ["portfolio", "distribute"]);
      await sleep(usual * (0.4 + Math.random() * 0.8)); // from before the store is open to after the answer
      child.kill("SIGKILL");
      await ended.catch(() => undefined); // half an answer may have been written
      if (round % 4 === 3) await expectEachOnce(project);
    }
    const { code } = await (await startCommand(project, ["portfolio", "distribute"])).ended;
    expect(code).toBe(0);
    await expectEachOnce(project);
    await using store = await inspect(project.root);
    expect((await store.call("portfolio_show", { status: "pending" })).stories).toEqual([]);
  });

  test("two processes that distribute at once give each story once, and share one budget of time (PF-08, OH-09)", async () => {
    await using project = await openProject(kind, config);
    await loadStories(project);
    const both = await Promise.all([1, 2].map(() => startCommand(project, ["portfolio", "distribute"])));
    const answers = await Promise.all(both.map(({ ended }) => ended));
    expect(answers.map(({ code }) => code)).toEqual([0, 0]);
    const given = answers.flatMap(({ answer }) => answer.assigned.map((each: { story: string }) => each.story));
    expect(given).toHaveLength(STORIES);
    expect(new Set(given).size).toBe(STORIES);
    await expectEachOnce(project);
    await using store = await inspect(project.root);
    expect((await store.call("overhead_show")).overhead_budget).toMatchObject({ num_steps: 2, timeouts: 0 });
  });
});
