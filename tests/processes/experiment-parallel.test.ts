import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { experimentFolder, isGone, until } from "../support/experiment-runs.ts";
import { aBacklog, everything } from "../support/experiments.ts";
import { ensureBuilt } from "../support/processes.ts";

const folder = experimentFolder("parallel");
const { bytes } = folder;
const SPRINTS = 12;
let server: readonly string[] = [];

beforeAll(async () => {
  server = (await ensureBuilt()).server;
  folder.put("config.yaml", everything);
  folder.put("backlog.yaml", aBacklog());
  folder.put("alone.yaml", "coordination: { enabled: false }");
});
afterAll(folder.remove);

const inputs = ["--config", "config.yaml", "--backlog", "backlog.yaml"];
const usual = [...inputs, "--seeds", "2", "--sprints", String(SPRINTS)];
const start = (words: readonly string[]) => folder.start(server, words);
const run = (output: string, ...args: string[]) => start(["run", ...args, "--output", output]).ended;
const sprintsOf = (output: string, seed: number) => folder.sprintsOf(`${output}/seed-${seed}`, "platform");
/** Until both seeds have so many sprints on the disk. */
const untilBoth = (output: string, sprints: number) =>
  until(() => [1, 2].every((seed) => sprintsOf(output, seed) >= sprints));

function childrenOf(pid: number | undefined): number[] {
  try {
    return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
  } catch {
    return []; // pgrep says so by its exit code
  }
}

describe("experiments on several processes (EX-01, EX-05)", () => {
  test("two at a time give the bytes of one after the other", async () => {
    const [one, two] = [await run("one", ...usual, "--jobs", "1"), await run("two", ...usual, "--jobs", "2")];
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(two.text).toMatch(/^seed 1: \d+ points, \d+ done\nseed 2: /m);
    expect(two.text).toContain(`sprints ${2 * SPRINTS}/${2 * SPRINTS} (100 %)`);
    expect(bytes("two")).toEqual(bytes("one"));
    expect(Object.keys(bytes("two")).length).toBeGreaterThan(100);
  });

  test("a process that is killed takes its seed along and no other, and the same command mends it", async () => {
    const { child, ended } = start(["run", ...usual, "--jobs", "2", "--output", "killed"]);
    await untilBoth("killed", 1);
    const [victim] = childrenOf(child.pid);
    if (victim === undefined) throw new Error("no process plays");
    process.kill(victim, "SIGKILL");
    const { code, text } = await ended;
    expect(code).toBe(1);
    expect(text.match(/^seed \d: UNAVAILABLE: Its process was ended by SIGKILL/gm)).toHaveLength(1);
    expect(text.match(/^seed \d: \d+ points, \d+ done$/gm)).toHaveLength(1);
    expect(Math.max(sprintsOf("killed", 1), sprintsOf("killed", 2))).toBe(SPRINTS);
    expect((await run("killed", ...usual)).code).toBe(0);
    expect(bytes("killed")).toEqual(bytes("one"));
  });

  test("nobody is left behind when the parent dies, and nothing that was played is lost", async () => {
    const { child, ended } = start(["run", ...usual, "--jobs", "2", "--output", "orphans"]);
    await untilBoth("orphans", 1);
    const players = childrenOf(child.pid);
    expect(players).toHaveLength(2);
    child.kill("SIGKILL");
    await ended;
    await until(() => players.every(isGone));
    expect((await run("orphans", ...usual)).code).toBe(0);
    expect(bytes("orphans")).toEqual(bytes("one"));
  });

  test("interrupted they all end with their sprint, and --continue takes up every seed where it was", async () => {
    const words = ["run", ...inputs, "--seeds", "3", "--sprints", "2000", "--jobs", "2", "--output", "stopped"];
    const { child, ended } = start(words);
    await untilBoth("stopped", 2);
    const players = childrenOf(child.pid);
    child.kill("SIGINT");
    const { code, text } = await ended;
    expect(code).toBe(1);
    expect(text).toContain("the same command takes up every seed");
    expect(text).toMatch(/^seed 3: not gone on with$/m);
    expect(players.every(isGone)).toBe(true);
    const furthest = Math.max(sprintsOf("stopped", 1), sprintsOf("stopped", 2));
    // the third seed is named: it has no folder yet, and begins with what the others were begun with
    const again = await run("stopped", "--seeds", "3", "--continue", "1");
    expect(again.code).toBe(0);
    expect([1, 2, 3].map((seed) => sprintsOf("stopped", seed))).toEqual(Array(3).fill(furthest + 1));
    expect((await run("stopped", "--continue", "1", "--seed", "9")).text).toContain("which go on together");
    expect((await run("stopped", ...inputs)).text).toContain("holds runs of several seeds");
    expect((await run("stopped", "--continue", "1")).text).toMatch(/^seed 3: /m);
    expect(sprintsOf("stopped", 3)).toBe(furthest + 2);
  });

  test("policies are played and compared by one command, and read the next time (EX-02, ME-05)", async () => {
    const words = ["compare", "base=config.yaml", "alone.yaml", ...inputs, "--seeds", "3", "--sprints", "2", "--json"];
    const { code, text } = await start(words).ended;
    expect(code).toBe(0);
    const [base, alone] = JSON.parse(text).variants; // nothing but the answer: no progress beside --json
    expect(base).toMatchObject({ label: "base", seeds: [1, 2, 3], coordination: true });
    expect(alone).toMatchObject({ label: "alone", seeds: [1, 2, 3], coordination: false });
    const names = ["base", "alone"].map((name) => `outputs/comparison/${name}`);
    const again = await start(["compare", ...names, "--json"]).ended;
    expect(JSON.parse(again.text).metrics).toHaveLength(JSON.parse(text).metrics.length);
    expect(await start(["compare", "alone.yaml"]).ended).toMatchObject({
      code: 2,
      text: expect.stringContaining("none is named"),
    });
  });
});
