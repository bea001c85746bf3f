import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { experimentFolder, until } from "../support/experiment-runs.ts";
import { aBacklog, everything } from "../support/experiments.ts";
import { ensureBuilt, node } from "../support/processes.ts";

const folder = experimentFolder("experiment");
const SPRINTS = 12;
let server: readonly string[] = [];

beforeAll(async () => {
  server = (await ensureBuilt()).server;
  folder.put("config.yaml", everything);
  folder.put("backlog.yaml", aBacklog());
});
afterAll(folder.remove);

const inputs = ["--config", "config.yaml", "--backlog", "backlog.yaml"];
const usual = [...inputs, "--seed", "3"];
const start = (output: string, ...args: string[]) => folder.start(server, ["run", ...args, "--output", output]);
const run = (output: string, ...args: string[]) => start(output, ...args).ended;
const sprintsOf = (output: string) => folder.sprintsOf(output, "platform");

describe("experiment run (EX-01, EX-05)", () => {
  test("shows what the document shows, and ends where the report is", async () => {
    const { code, text } = await run("whole", ...usual, "--sprints", String(SPRINTS));
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
    expect(text.trimEnd().split("\n").at(-1)).toBe(`Portfolio report: ${join(folder.root, "whole/final_report.json")}`);
  });

  test("killed again and again it loses nothing and plays nothing twice", async () => {
    for (let round = 0; sprintsOf("killed") < SPRINTS && round < 20; round += 1) {
      const { child, ended } = start("killed", ...usual, "--sprints", String(SPRINTS));
      const wanted = Math.min(SPRINTS, sprintsOf("killed") + 2);
      await Promise.race([until(() => sprintsOf("killed") >= wanted), ended]);
      await sleep((round * 7) % 23); // the moment wanders over a sprint
      child.kill("SIGKILL");
      await ended;
    }
    expect((await run("killed", ...usual, "--sprints", String(SPRINTS))).code).toBe(0);
    expect(folder.bytes("killed")).toEqual(folder.bytes("whole"));
  });

  test("interrupted it ends with the sprint it is in, and --continue goes on", async () => {
    const { child, ended } = start("stopped", ...usual, "--sprints", "400");
    await until(() => sprintsOf("stopped") >= 3);
    child.kill("SIGINT");
    expect((await ended).code).toBe(1);
    const done = sprintsOf("stopped");
    const report = JSON.parse(folder.read("stopped/final_report.json"));
    expect(report.portfolio.total_sprints).toBe(done);
    const again = await run("stopped", "--continue", "2");
    expect(again.text).toContain(`Went on after sprint ${done}.`);
    expect(sprintsOf("stopped")).toBe(done + 2);
  });

  test("refuses what cannot be meant, and says what can", async () => {
    folder.put("bad/config.yaml", everything.replace("seniority: junior", "seniority: young"));
    folder.put("bad/value.yaml", "coordination:\n  enabled: yes\n");
    folder.put("bad/syntax.yaml", "coordination: [\n");
    const laid = (policy: string) => [...inputs, "--variant", policy];
    const refusals: readonly (readonly [string[], number, RegExp])[] = [
      [["whole", ...usual, "--sprints", "2"], 2, /done already/],
      [["none", "--continue", "3"], 2, /no run to go on with/],
      [["none", "--config", "missing.yaml"], 1, /NOT_FOUND/],
      [["none", "--config", "bad/config.yaml"], 2, /^- config\.yaml:\d+:\d+ models\.agents\.cem\.seniority/m],
      [["none", ...laid("bad/value.yaml")], 2, /- value\.yaml:2:12 coordination\.enabled: /],
      [["none", ...laid("bad/syntax.yaml")], 2, /- syntax\.yaml:2:1 Flow sequence/],
      [["config.yaml", ...usual], 2, /Cannot write .*config\.yaml: a part of the path is no folder/],
    ];
    for (const [[output = "", ...args], code, said] of refusals) {
      const refused = await run(output, ...args);
      expect(refused).toEqual({ code, text: expect.stringMatching(said) });
    }
    expect(existsSync(join(folder.root, "none"))).toBe(false);
  });

  test("goes on as it was begun: what is said besides is the same, or refused (EX-01)", async () => {
    folder.put("other.yaml", aBacklog(3));
    const before = folder.bytes("whole");
    const refusals: readonly (readonly [string[], RegExp])[] = [
      [["--continue", "1", "--seed", "4"], /another seed \(3\)/],
      [["--continue", "1", "--backlog", "other.yaml"], /other stories/],
      [["--continue", "1", "--variant", "config.yaml"], /laid over a configuration, and none is named/],
      [[...inputs, "--seeds", "2"], /holds a single run/],
    ];
    for (const [args, said] of refusals) expect((await run("whole", ...args)).text).toMatch(said);
    expect(folder.bytes("whole")).toEqual(before);
    const same = await run("whole", "--backlog", "backlog.yaml", "--seed", "3", "--sprints", String(SPRINTS));
    expect(same.code, same.text).toBe(0);
  });

  test("touches no store but its own, wherever it is put (EX-05)", async () => {
    const cli = (...args: string[]) =>
      execFileSync(node, [...server, ...args], { cwd: join(folder.root, "mine"), env: folder.env, encoding: "utf8" });
    mkdirSync(join(folder.root, "mine/.git"), { recursive: true });
    cli("task", "create", "A task of mine");
    const refused = await run("mine", ...usual);
    expect(refused).toEqual({ code: 1, text: expect.stringContaining("is a project with work in its store") });
    expect(JSON.parse(cli("task", "list", "--json")).tasks).toHaveLength(1);
  });
});
