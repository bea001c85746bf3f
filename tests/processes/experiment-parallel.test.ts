import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aBacklog, everything } from "../support/experiments.ts";
import { cleanEnvironment, ensureBuilt, node } from "../support/processes.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "teamwright-parallel-")));
const SPRINTS = 12;
let server: readonly string[] = [];

beforeAll(async () => {
  server = (await ensureBuilt()).server;
  writeFileSync(join(root, "config.yaml"), everything);
  writeFileSync(join(root, "backlog.yaml"), aBacklog());
  writeFileSync(join(root, "alone.yaml"), "coordination: { enabled: false }");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const inputs = ["--config", "config.yaml", "--backlog", "backlog.yaml"];
const usual = [...inputs, "--seeds", "2", "--sprints", String(SPRINTS)];

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; text: string }>;
}

function start(words: readonly string[]): Started {
  const child = spawn(node, [...server, "experiment", ...words], {
    cwd: root,
    env: cleanEnvironment({ HOME: root }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      text += data;
    });
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, text })) };
}

async function run(output: string, ...args: string[]): Promise<{ code: number | null; text: string }> {
  return start(["run", ...args, "--output", output]).ended;
}

/** Every file but the stores, whose pages tell nothing of a run. */
function bytes(output: string): Record<string, string> {
  const folder = join(root, output);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.includes(".teamwright") && statSync(join(folder, path)).isFile())
    .sort();
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

function sprintsOf(output: string, seed: number): number {
  try {
    const names = readdirSync(join(root, output, `seed-${seed}`, "platform"));
    return names.filter((name) => /^sprint-(?!00)/.test(name)).length;
  } catch {
    return 0;
  }
}

/** Until both seeds have so many sprints on the disk. */
async function until(output: string, sprints: number): Promise<void> {
  const isThere = () => [1, 2].every((seed) => sprintsOf(output, seed) >= sprints);
  for (let tries = 0; !isThere() && tries < 20_000; tries += 1) await sleep(5);
}

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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
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
    await until("killed", 1);
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
    await until("orphans", 1);
    const players = childrenOf(child.pid);
    expect(players).toHaveLength(2);
    child.kill("SIGKILL");
    await ended;
    for (let tries = 0; players.some(isAlive) && tries < 4000; tries += 1) await sleep(5);
    expect(players.filter(isAlive)).toEqual([]);
    expect((await run("orphans", ...usual)).code).toBe(0);
    expect(bytes("orphans")).toEqual(bytes("one"));
  });

  test("interrupted they all end with their sprint, and --continue takes up every seed where it was", async () => {
    const words = ["run", ...inputs, "--seeds", "3", "--sprints", "2000", "--jobs", "2", "--output", "stopped"];
    const { child, ended } = start(words);
    await until("stopped", 2);
    const players = childrenOf(child.pid);
    child.kill("SIGINT");
    const { code, text } = await ended;
    expect(code).toBe(1);
    expect(text).toContain("the same command takes up every seed");
    expect(text).toMatch(/^seed 3: not gone on with$/m);
    expect(players.filter(isAlive)).toEqual([]);
    const furthest = Math.max(sprintsOf("stopped", 1), sprintsOf("stopped", 2));
    // the third seed is named: it has no folder yet, and begins with what the others were begun with
    const again = await run("stopped", "--seeds", "3", "--continue", "1");
    expect(again.code).toBe(0);
    expect([1, 2, 3].map((seed) => sprintsOf("stopped", seed))).toEqual(Array(3).fill(furthest + 1));
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
