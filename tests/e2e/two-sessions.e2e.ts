/** Two leads at once on one store: neither reaches the other's run, and what a killed session had begun goes on. */
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Turn } from "./support/actor.ts";
import { runClaude } from "./support/client.ts";
import { builderReport } from "./support/report.ts";
import { clientVersions, openSandbox } from "./support/sandbox.ts";
import { startModel } from "./support/scripted-model.ts";
import { pluginDir, readStore, storeFile, teamwrightJson, tool, until } from "./support/teamwright.ts";

const config = `teams:
  - { id: web, agents: [ada] }
  - { id: api, agents: [bea] }
claims: { lease_seconds: 15 } # a starved session must not seem dead
gates:
  - { name: tests, command: [sh, -c, "test ! -e broken"] }
`;

function query<T>(project: string, sql: string, ...values: unknown[]): T[] {
  const db = new Database(storeFile(project), { readonly: true });
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
}

const phaseOf = (project: string, key: string) =>
  query<{ phase: string }>(
    project,
    "select unit.phase from unit join task on task.id = task_id where task.key = ?",
    key,
  )[0]?.phase;

async function begin(turn: Turn, project: string, team: string, title: string): Promise<string> {
  await turn.must(tool("task_create"), {
    title,
    description: `A file gets a line. [actor:rex-${team}]`,
    acceptance: `- ${team}/a.txt has a second line`,
    scope: [team],
    team,
  });
  const { key } = readStore(project).task(title);
  await turn.must(tool("unit_plan"), { tasks: [key], tools: ["Agent", "SendMessage"] });
  await turn.must(tool("unit_start"), { unit: key });
  return key;
}

async function build(turn: Turn, project: string, key: string, name: string): Promise<void> {
  await turn.must("Agent", {
    description: "Build",
    subagent_type: "teamwright:builder",
    model: "sonnet",
    run_in_background: false,
    prompt: `[actor:${name}] Do ${key}.`,
  });
  await until(() => phaseOf(project, key) === "validate", `${key} is handed in`);
}

async function reviewAndCommit(turn: Turn, project: string, key: string): Promise<void> {
  const review = await openReview(turn, key);
  await turn.must("Agent", {
    description: "Review",
    subagent_type: "teamwright:adversarial-reviewer",
    run_in_background: false,
    prompt: review,
  });
  await until(() => phaseOf(project, key) === "commit", `${key} has passed`);
  await committed(turn, key);
}

/** A lead that was killed is believed alive for the length of a lease. */
async function openReview(turn: Turn, key: string): Promise<string> {
  for (let tried = 0; ; tried += 1) {
    const opened = await turn.call(tool("review_open"), { unit: key });
    const review = /\brv-\w+/.exec(opened.text)?.[0];
    if (!opened.isError && review !== undefined) return review;
    if (tried > 100) throw new Error(opened.text);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** One commit at a time: the other session may be at it. */
async function committed(turn: Turn, key: string): Promise<void> {
  for (let tried = 0; tried < 30; tried += 1) {
    const answer = await turn.call(tool("unit_commit"), { unit: key });
    if (!answer.isError) return;
    expect(answer.text).toContain("one at a time");
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`${key} was not committed`);
}

describe.each(clientVersions)("two sessions on one store, %s client", (version) => {
  test("each leads its own run only; one is killed, and a third goes on where it was (FP-11, TN-03, AR-01)", async () => {
    await using box = await openSandbox({
      "teamwright.yaml": config,
      "web/a.txt": "one\n",
      "api/a.txt": "one\n",
    });
    await using other = await openSandbox();
    await using model = await startModel();
    const { project } = box;
    const keys = { web: "", api: "" };
    const refusals: string[] = [];
    let isWebDone = false;
    let isApiValidated = false;

    const first = model.actor("webLead", async (turn) => {
      keys.web = await begin(turn, project, "web", "Write the web line");
      await until(() => keys.api !== "" && phaseOf(project, keys.api) === "implement", "the other has begun");
      for (const name of ["unit_validate", "review_open", "unit_commit", "unit_start"]) {
        const answer = await turn.call(tool(name), { unit: keys.api });
        expect(answer.isError).toBe(true);
        refusals.push(answer.text);
      }
      await build(turn, project, keys.web, "ada");
      await turn.must(tool("unit_validate"), { unit: keys.web });
      await reviewAndCommit(turn, project, keys.web);
      await turn.must(tool("unit_end"));
      isWebDone = true;
      return "over";
    });
    model.actor("apiLead", async (turn) => {
      keys.api = await begin(turn, project, "api", "Write the api line");
      await build(turn, project, keys.api, "bea");
      await turn.must(tool("unit_validate"), { unit: keys.api });
      isApiValidated = true;
      for (;;) await turn.must("Bash", { command: "sleep 1" });
    });
    const third = model.actor("nextLead", async (turn) => {
      const brief = await turn.must(tool("brief_show"));
      expect(brief.text).toContain("Write the api line");
      await reviewAndCommit(turn, project, keys.api);
      await turn.must(tool("unit_end"));
      return "over";
    });
    for (const [name, team] of [
      ["ada", "web"],
      ["bea", "api"],
    ] as const)
      model.actor(name, async (turn) => {
        const key = keys[team];
        await turn.must(tool("task_claim"), { id: key });
        appendFileSync(join(project, team, "a.txt"), "two\n");
        await turn.must(tool("unit_submit"), { unit: key });
        return builderReport(name, `${team}/a.txt`);
      });
    for (const team of ["web", "api"])
      model.actor(`rex-${team}`, async (turn) => {
        await turn.must("Read", { file_path: join(project, team, "a.txt") });
        return `VERDICT: PASS\nITEM 1: PASS | ${team}/a.txt:2 | none | it is there`;
      });
    const at = { version, cwd: project, pluginDir, model, timeoutMs: 170_000 };
    const web = runClaude({ ...at, home: box.home, prompt: "[actor:webLead] Begin." });
    let killed: number | undefined;
    const api = runClaude({
      ...at,
      home: other.home,
      prompt: "[actor:apiLead] Begin.",
      onStart: (pid) => {
        killed = pid;
      },
    });
    await until(() => isApiValidated, "the second unit is validated", 120_000);
    if (killed !== undefined) process.kill(-killed, "SIGKILL");
    await api;
    expect(await runClaude({ ...at, home: other.home, prompt: "[actor:nextLead] Begin." })).toMatchObject({ code: 0 });
    expect(await web).toMatchObject({ code: 0 });
    for (const { name, conversations } of [first, third])
      expect(conversations.map(({ failure }) => `${name}: ${failure?.message}`)).toEqual([`${name}: undefined`]);
    expect(isWebDone).toBe(true);

    expect(refusals).toHaveLength(4);
    expect(refusals[0]).toContain("led by another session");
    const units = query<{ phase: string; commit_sha: string }>(
      project,
      "select phase, commit_sha from unit order by id",
    );
    expect(units.map((unit) => unit.phase)).toEqual(["done", "done"]);
    const log = execFileSync("git", ["log", "--format=%(trailers:key=Teamwright-Unit,valueonly)", "-3"], {
      cwd: project,
      encoding: "utf8",
    });
    expect(new Set(log.split("\n").filter((line) => line !== "")).size).toBe(2);
    const { events } = readStore(project);
    expect(events.filter((event) => event.type === "run.adopted")).toHaveLength(1);
    expect(events.filter((event) => event.type === "unit.committed")).toHaveLength(2);
    expect(await teamwrightJson(box, "doctor", "check")).toMatchObject({ ok: true });
  }, 200_000);
});
