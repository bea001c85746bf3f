/** `npm start` and `npm run demo` as a reader of the README would run them, into a pipe; and that the demo's own proof can fail. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTrail } from "../../scripts/demo/trail.ts";
import type { EventRow } from "../../scripts/demo/watch.ts";

const root = join(import.meta.dirname, "../..");
const folders: string[] = [];

interface Run {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(script = "start.ts"): Run {
  const folder = mkdtempSync(join(tmpdir(), "teamwright-demo-"));
  folders.push(folder);
  const child = spawn(process.execPath, [join(root, "scripts/demo", script), "--out", folder], { cwd: root });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return { child, folder, output: () => text, ended: new Promise((resolve) => child.once("close", resolve)) };
}

function teamwright(folder: string, ...args: string[]) {
  const env = { ...process.env, CLAUDE_PROJECT_DIR: folder };
  return JSON.parse(
    execFileSync(process.execPath, [join(root, "bin/teamwright"), ...args, "--json"], {
      cwd: folder,
      env,
      encoding: "utf8",
    }),
  );
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

test("npm start ends with the example played for three sprints and opens the way to its report (OU-03, EX-05)", async () => {
  const run = start("experiment.ts");
  expect(await run.ended).toBe(0);
  expect(run.output()).toContain("Loaded 13 agents:\n  - alex_senior_networking: Alex Chen (Senior Networking)\n");
  expect(run.output()).toContain("Multi-team mode: 2 teams\n");
  const points = [...run.output().matchAll(/^ {2}\[(checkout-stream|platform-team)\] velocity=(\d+)pts done=\d+$/gm)];
  expect(points).toHaveLength(6);
  const report = JSON.parse(readFileSync(join(run.folder, "final_report.json"), "utf8"));
  const velocity = points.reduce((sum, [, , one]) => sum + Number(one), 0);
  expect(report.portfolio).toMatchObject({ total_sprints: 3, total_velocity: velocity, num_teams: 2 });
  expect(velocity).toBeGreaterThan(0);
  expect(run.output()).toContain(`Portfolio report: ${join(run.folder, "final_report.json")}\n`);
  expect(readFileSync(join(run.folder, "report.html"), "utf8")).toContain("<svg");
});

describe("a whole run", () => {
  let run: Run;
  let code: number | null;
  beforeAll(async () => {
    run = start();
    code = await run.ended;
  }, 170_000);

  test("drains the backlog, says so and ends well", () => {
    expect(run.output()).toContain("Nothing lost: 49 of 49 closed, 0 doubled");
    expect(code).toBe(0);
    for (const part of [
      "48 of 48 BEADS issues",
      "6 processes, one per agent",
      "Team alpha · Forecast",
      "Team beta · Harbour",
      "Cycle time",
    ]) {
      expect(run.output()).toContain(part);
    }
    expect(run.output()).not.toContain("\u001b");
  });

  test("shows a limit, a block, a wait between teams and a crash on the way", () => {
    const summary = JSON.parse(readFileSync(join(run.folder, "summary.json"), "utf8"));
    expect(summary).toMatchObject({ ok: true, faults: [], doctor: { ok: true } });
    expect(summary.agents).toHaveLength(6);
    expect(
      summary.agents.reduce((sum: number, agent: { refusals: number }) => sum + agent.refusals, 0),
    ).toBeGreaterThan(5);
    expect(summary.trail).toMatchObject({
      total: 49,
      closed: 49,
      lost: [],
      doubled: [],
      closedAtImport: 5,
      peaks: { alpha: 2, beta: 2 },
    });
    expect(summary.trail.blocked[0]).toMatchObject({ task: "tide-q7m.5", ms: expect.any(Number) });
    expect(summary.trail.dependencies[0]).toMatchObject({ task: "tide-h4x.4", byTask: "tide-e1k.5", needs: "alpha" });
    const { agent, task, lateWrite } = summary.outcome.crash;
    const loss = summary.trail.expired.find(
      (one: { task: string; from: string }) => one.task === task && one.from === agent,
    );
    expect(loss.lostMs).toBeGreaterThanOrEqual(5000);
    expect(["", agent]).not.toContain(loss.to);
    expect(lateWrite).toBe("CONFLICT");
    expect(run.output()).toMatch(/refused +OVER_LIMIT/);
  });

  test("leaves a store that agrees with it", () => {
    const { total, tasks } = teamwright(run.folder, "task", "list", "--limit", "0");
    expect(total).toBe(49);
    expect(tasks.filter((task: { state: string }) => task.state !== "closed")).toEqual([]);
    expect(teamwright(run.folder, "doctor", "check").ok).toBe(true);
    expect(teamwright(run.folder, "task", "show", "tide-q7m.5").task.blocked_seconds).toBeGreaterThan(0);
    expect(teamwright(run.folder, "dependency", "list").dependencies[0]).toMatchObject({
      status: "resolved",
      needed_task: "tide-e1k.5",
    });
  });

  test("would have noticed a task held twice, closed twice or never closed", () => {
    const lines = readFileSync(join(run.folder, "events.jsonl"), "utf8").trim().split("\n");
    const events: EventRow[] = lines.map((line) => JSON.parse(line));
    const of = (type: string) => events.findIndex((event) => event.type === type && event.subject === "tide-h4x.1");
    const [claim, close] = [of("task.claimed"), of("task.closed")];
    const again = (index: number) => [...events.slice(0, index + 1), ...events.slice(index)];
    expect(readTrail(again(claim)).doubled).toEqual(["tide-h4x.1"]);
    expect(readTrail(again(close)).doubled).toEqual(["tide-h4x.1"]);
    expect(readTrail(events.toSpliced(close, 1)).lost).toEqual(["tide-h4x.1"]);
  });
});

test("Ctrl-C ends the servers as well", async () => {
  const run = start();
  for (let tries = 0; !/ claims /.test(run.output()) && tries < 600; tries += 1) await sleep(100);
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(run.child.pid)], { encoding: "utf8" });
  const pids = children.split("\n").map(Number).filter(Boolean);
  expect(pids.length).toBeGreaterThanOrEqual(6);
  run.child.kill("SIGINT");
  expect(await run.ended).toBe(130);
  for (let tries = 0; pids.some(isAlive) && tries < 50; tries += 1) await sleep(100);
  expect(pids.filter(isAlive)).toEqual([]);
}, 100_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
