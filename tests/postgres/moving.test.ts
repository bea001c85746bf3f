import { execFile } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspect } from "../support/inspect.ts";
import { changed, createRole, query } from "../support/postgres-client.ts";
import { cleanEnvironment, node, openProject, type Project } from "../support/processes.ts";
import type { Reply } from "../support/raw-server.ts";
import { twoCrowdedTeams } from "../support/teams.ts";

const repository = join(import.meta.dirname, "../..");
const PASSWORD = "w/ith@marks:#?";

/** The commands and the setting under README's heading, as somebody would copy them. */
function stepsOfReadme(): { take: string; setting: string; bring: string } {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const block = /## From one machine to several\n+```sh\n([^`]+)```/.exec(readme)?.[1]?.trim().split("\n") ?? [];
  expect(block.length).toBe(3);
  const [take = "", comment = "", bring = ""] = block;
  const setting = /teamwright\.yaml:\s+(\S.*)$/.exec(comment)?.[1] ?? "";
  expect(setting).toMatch(/^storage: \{ url: "postgres:/);
  return { take, setting, bring };
}

/** A command line as typed into a shell, `teamwright` being the launcher of this checkout. */
function shell(project: Project, line: string): Promise<{ code: number; text: string }> {
  const path = [join(repository, "bin"), dirname(node), process.env.PATH].join(delimiter);
  const env = cleanEnvironment({ PATH: path, PGPASSWORD: PASSWORD });
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], { cwd: project.root, env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, text: out + err });
    });
  });
}

/** A store with something of everything that a task can have. */
async function fill(project: Project): Promise<void> {
  await using store = await inspect(project.root);
  const must = async (operation: string, input: Record<string, unknown>) => store.call(operation, input);
  const { tasks } = await must("task_create", {
    tasks: [
      { ref: "epic", title: "Open the harbour", kind: "epic", team: "alpha", description: "All of it.\nIn two lines." },
      { title: "Draw the plan", team: "alpha", parent: "epic", ref: "plan", priority: 0, labels: ["web", "retry:2"] },
      { title: "Build the pier", team: "alpha", parent: "epic", ref: "pier", blocked_by: ["plan"], scope: ["src/**"] },
      { title: "Light the lamps «émigré» 💡", team: "beta", ref: "lamps", acceptance: "All burn" },
      { title: "Sweep the yard", team: "beta", ref: "yard" },
      { title: "Count the boats", team: "beta", ref: "boats" },
      { title: "Wait for spring", team: "beta", ref: "spring" },
    ],
  });
  const [, plan, pier, lamps, yard, boats, spring] = tasks.map((task: { id: string }) => task.id);
  await must("task_update", { id: plan, comment: "Looks good" });
  await must("task_update", { id: lamps, block: "no oil" });
  await must("task_claim", { id: yard });
  await must("task_close", { id: yard, reason: "all swept" });
  await must("task_claim", { id: boats });
  await must("task_update", { id: spring, defer_until: "2099-03-01T00:00:00Z" });
  await must("task_link", { id: lamps, target: pier, type: "related" });
}

/** All that is shown of every task but times, which the file has in whole seconds, and who held it in the old place. */
async function picture(project: Project): Promise<Record<string, Reply>> {
  await using store = await inspect(project.root);
  const { tasks } = await store.call("task_list", { limit: 0 });
  const shown: Record<string, Reply> = {};
  for (const { id } of tasks) {
    const { task, comments, history: _, ...rest } = await store.call("task_show", { id });
    const kept = Object.entries(task).filter(
      ([name]) => !/_at$|^holder$|^assignee$|^blocked_(by|seconds|since)$/.test(name),
    );
    const said = comments?.map(({ by, text }: Reply) => ({ by, text }));
    shown[id] = { ...rest, task: Object.fromEntries(kept), said };
  }
  return shown;
}

describe("moving to postgres", () => {
  test("README's three lines take every task from the embedded store to a new database", async () => {
    await using project = await openProject("sqlite", twoCrowdedTeams);
    const base = process.env.TEAMWRIGHT_TEST_POSTGRES ?? "";
    const { take, setting, bring } = stepsOfReadme();
    await fill(project);
    const before = await picture(project);

    const url = /"(.*)"/.exec(setting)?.[1] ?? "";
    const { username, pathname } = new URL(url);
    const drop = await createRole(base, username, PASSWORD);
    const database = pathname.slice(1);
    await query(base, `create database ${database} owner ${username}`);
    try {
      const exported = await shell(project, take);
      expect(exported, exported.text).toMatchObject({ code: 0 });
      const here = changed(url, (each) => {
        each.host = new URL(base).host;
      });
      appendFileSync(join(project.root, "teamwright.yaml"), `\n${setting.replace(url, here)}\n`);
      const imported = await shell(project, bring);
      expect(imported, imported.text).toMatchObject({ code: 0 });

      const again = await shell(project, "teamwright task export again.jsonl");
      expect(again, again.text).toMatchObject({ code: 0 });
      const read = (name: string) => readFileSync(join(project.root, name), "utf8");
      expect(read("again.jsonl")).toBe(read("backlog.jsonl"));
      process.env.PGPASSWORD = PASSWORD;
      expect(await picture(project)).toEqual(before);
      expect(Object.keys(before).length).toBe(7);
      await using store = await inspect(project.root);
      expect(store.runtime.store.location).toBe(`postgres://${username}@${new URL(base).host}/${database}`);
      expect(await store.failedChecks()).toEqual([]);
    } finally {
      delete process.env.PGPASSWORD;
      await query(base, `drop database ${database} with (force)`);
      await drop();
    }
  });
});
