import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aBacklog, everything } from "../support/experiments.ts";
import { cleanEnvironment, ensureBuilt, node } from "../support/processes.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-experiment-")));
const SPRINTS = 12;
let server: readonly string[] = [];

beforeAll(async () => {
  server = (await ensureBuilt()).server;
  writeFileSync(join(root, "config.yaml"), everything);
  writeFileSync(join(root, "backlog.yaml"), aBacklog());
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const usual = ["--config", "config.yaml", "--backlog", "backlog.yaml", "--seed", "3"];
const options = { cwd: root, env: cleanEnvironment({ HOME: root }) };

function run(output: string, ...args: string[]): { code: number; text: string } {
  const words = [...server, "experiment", "run", ...args, "--output", output];
  try {
    return { code: 0, text: execFileSync(node, words, { ...options, encoding: "utf8", stdio: "pipe" }) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, text: stdout + stderr };
  }
}

function start(output: string, ...args: string[]): { child: ChildProcess; ended: Promise<unknown[]> } {
  const child = spawn(node, [...server, "experiment", "run", ...args, "--output", output], {
    ...options,
    stdio: "ignore",
  });
  return { child, ended: once(child, "exit") };
}

/** Every file but the store, whose pages tell nothing of a run. */
function bytes(output: string): Record<string, string> {
  const folder = join(root, output);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith(".teamwright") && statSync(join(folder, path)).isFile())
    .sort();
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/** Sprints that are on the disk. */
function sprintsOf(output: string): number {
  try {
    return readdirSync(join(root, output, "platform")).filter((name) => name.startsWith("sprint-")).length;
  } catch {
    return 0;
  }
}

async function until(output: string, sprints: number): Promise<void> {
  for (let tries = 0; sprintsOf(output) < sprints && tries < 4000; tries += 1) await sleep(5);
}

describe("experiment run (EX-01, EX-05)", () => {
  test("shows what the document shows, and ends where the report is", () => {
    const { code, text } = run("whole", ...usual, "--sprints", String(SPRINTS));
    expect(code).toBe(0);
    expect(text).toContain("Loaded 12 agents:\n  - ann: Ann Ito\n");
    expect(text).toContain("\nMulti-team mode: 2 teams\n  - checkout: Checkout (");
    expect(text).toContain("  Coordinators: ['staff_engineer_01', 'enablement_lead_01']\n");
    const rule = "=".repeat(60);
    expect(text).toMatch(
      new RegExp(
        `\n${rule}\nSPRINT 2  \\[\\d\\d:\\d\\d:\\d\\d\\]\n${rule}\n  Running cross-team coordination loop...\n`,
      ),
    );
    expect(text).toMatch(/\n {2}\[checkout\] velocity=\d+pts done=\d+\n/);
    expect(text.trimEnd().split("\n").at(-1)).toBe(`Portfolio report: ${join(root, "whole/final_report.json")}`);
  });

  test("killed again and again it loses nothing and plays nothing twice", async () => {
    for (let round = 0; sprintsOf("killed") < SPRINTS && round < 20; round += 1) {
      const { child, ended } = start("killed", ...usual, "--sprints", String(SPRINTS));
      await Promise.race([until("killed", Math.min(SPRINTS, sprintsOf("killed") + 2)), ended]);
      await sleep((round * 7) % 23); // the moment wanders over a sprint
      child.kill("SIGKILL");
      await ended;
    }
    expect(run("killed", ...usual, "--sprints", String(SPRINTS)).code).toBe(0);
    expect(bytes("killed")).toEqual(bytes("whole"));
  });

  test("interrupted it ends with the sprint it is in, and --continue goes on", async () => {
    const { child, ended } = start("stopped", ...usual, "--sprints", "400");
    await until("stopped", 4);
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(1);
    const done = sprintsOf("stopped") - 1; // the set-up has a folder too
    const report = JSON.parse(readFileSync(join(root, "stopped/final_report.json"), "utf8"));
    expect(report.portfolio.total_sprints).toBe(done);
    const again = run("stopped", "--continue", "2");
    expect(again.text).toContain(`Went on after sprint ${done}.`);
    expect(sprintsOf("stopped") - 1).toBe(done + 2);
  });

  test("refuses what cannot be meant, and says what can", () => {
    expect(run("whole", ...usual, "--sprints", "2")).toMatchObject({
      code: 2,
      text: expect.stringContaining("done already"),
    });
    expect(run("whole", ...usual.slice(0, 4), "--seed", "4")).toMatchObject({
      code: 1,
      text: expect.stringContaining("CONFLICT"),
    });
    expect(run("none", "--continue", "3")).toMatchObject({
      code: 2,
      text: expect.stringContaining("no run to go on with"),
    });
    expect(run("none", "--config", "missing.yaml")).toMatchObject({
      code: 1,
      text: expect.stringContaining("NOT_FOUND"),
    });
    mkdirSync(join(root, "bad"));
    writeFileSync(join(root, "bad/config.yaml"), everything.replace("seniority: junior", "seniority: young"));
    const bad = run("none", "--config", "bad/config.yaml", "--backlog", "backlog.yaml");
    expect(bad).toMatchObject({
      code: 2,
      text: expect.stringMatching(/^- config\.yaml:\d+:\d+ models\.agents\.cem\.seniority/m),
    });
    for (const [policy, said] of [
      ["coordination:\n  enabled: yes\n", "- policy.yaml:2:12 coordination.enabled: "],
      ["coordination: [\n", "- policy.yaml:2:1 Flow sequence"],
    ] as const) {
      writeFileSync(join(root, "bad/policy.yaml"), policy);
      const laid = run("none", "--config", "config.yaml", "--backlog", "backlog.yaml", "--variant", "bad/policy.yaml");
      expect(laid).toMatchObject({ code: 2, text: expect.stringContaining(said) });
    }
    expect(readdirSync(root)).not.toContain("none");
  });
});
