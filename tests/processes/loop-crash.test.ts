import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openHooks } from "../support/hooks.ts";
import { type Inspector, inspect } from "../support/inspect.ts";
import { askReviewer, failing, passing } from "../support/loop.ts";
import { cleanEnvironment, ensureBuilt, node, openProject, type Project } from "../support/processes.ts";
import { makeRepository, type Repository } from "../support/repository.ts";

const config = `
gates:
  - { name: tests, command: [sh, -c, "touch gate-began; while test -e hold; do sleep 0.1; done"] }
`;
/** A unit is reserved for half a minute after the last sign of life. */
const RESERVED_MS = 30_500;

/** Stands still at one word of git, before or after git has done it, until the test takes HOLD away. */
const slowGit = (real: string) => `#!/bin/sh
hit=
for word in "$@"; do if [ "$word" = "$STOP_AT" ]; then hit=$STOP_WHEN; fi; done
wait() { touch "$HOLD.reached"; while [ -e "$HOLD" ]; do sleep 0.05; done; }
if [ "$hit" = before ]; then wait; exit 1; fi
${real} "$@"; code=$?
if [ "$hit" = after ]; then wait; fi
exit $code
`;

let program: readonly string[] = [];
let bin = "";
beforeAll(async () => {
  program = (await ensureBuilt()).server;
  bin = mkdtempSync(join(tmpdir(), "teamwright-git-"));
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(join(bin, "git"), slowGit(real));
  chmodSync(join(bin, "git"), 0o755);
});
afterAll(() => rmSync(bin, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  // the shapes are the operations' own
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly json: any;
  readonly text: string;
}

function start(cwd: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(node, [...program, ...args, "--json"], {
    cwd,
    env: cleanEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(cwd: string, ...args: string[]): Promise<Said> {
  const child = start(cwd, args);
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { code, json, text };
}

async function must(cwd: string, ...args: string[]) {
  const said = await run(cwd, ...args);
  expect(said.code, `${args.join(" ")}: ${said.text}`).toBe(0);
  return said.json;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 1200 && !condition(); n += 1) await sleep(50);
  expect(condition()).toBe(true);
}

/** Kills a command while git stands still before or after one of its words. */
async function killAt(root: string, args: readonly string[], when: "before" | "after", word: string): Promise<void> {
  const hold = join(bin, `hold-${Math.random()}`);
  writeFileSync(hold, "");
  const path = `${bin}:${process.env.PATH}`;
  const child = start(root, args, { PATH: path, STOP_AT: word, STOP_WHEN: when, HOLD: hold });
  await until(() => existsSync(`${hold}.reached`));
  await kill(child);
  rmSync(hold);
  await sleep(200); // git's stand-in goes, too
}

interface Begun {
  readonly root: string;
  readonly repo: Repository;
  readonly unit: string;
  readonly task: string;
}

/** A started unit whose task nobody holds yet. */
async function begin({ root }: Project, scope: string): Promise<Begun> {
  const repo = makeRepository(root);
  repo.git("config", "core.excludesFile", join(root, ".git/ignored"));
  repo.write(".git/ignored", "hold\ngate-began\n");
  await using store = await inspect(root);
  const created = await store.call("task_create", {
    title: "Write a line",
    acceptance: "- it is there",
    scope: [scope],
  });
  const task: string = created.task.id;
  const plan = await store.call("unit_plan", { tasks: [task], about: "9" });
  const unit: string = plan.units[0].id;
  await store.call("unit_start", { unit });
  return { root, repo, unit, task };
}

/** What the person at the terminal does in between. */
async function person<T>(root: string, work: (call: Inspector["call"]) => Promise<T>): Promise<T> {
  await using store = await inspect(root);
  return await work(store.call); // the store is open until then
}

async function reviewed({ root, unit }: Begun, answer: string): Promise<void> {
  const opened = await person(root, (call) => call("review_open", { unit }));
  await using hooks = await openHooks(root);
  const reviewer = await askReviewer(hooks, { prompt: opened.spawn.prompt });
  if ("refusal" in reviewer) throw new Error(reviewer.refusal);
  await reviewer.stop(answer);
}

/** Where two new processes say that the unit stands. */
async function standing({ root, unit }: Begun) {
  const brief = (await must(root, "brief", "show")).runs[0].units[0];
  const shown = await must(root, "unit", "show", unit);
  expect(brief).toMatchObject({ id: unit, phase: shown.unit.phase, attempt: shown.unit.attempt });
  return shown;
}

/** Who was killed in it has reserved it: first that is said, then it goes on. */
async function commitAfterCrash({ root, unit }: Begun) {
  expect((await run(root, "unit", "commit", unit)).text).toContain("being committed");
  await sleep(RESERVED_MS);
  return must(root, "unit", "commit", unit);
}

/** Committed once, counted once, and the store is sound. */
async function doneOnce(begun: Begun, attempts: number): Promise<void> {
  const { root, repo, unit, task } = begun;
  const log = repo.git("log", "--all", "--format=%B");
  expect(log.match(new RegExp(`^Teamwright-Unit: ${unit}$`, "gm"))).toHaveLength(1);
  await using store = await inspect(root);
  const shown = await store.call("unit_show", { unit });
  expect(shown.unit).toMatchObject({ phase: "done", attempt: attempts });
  expect(shown.attempts).toHaveLength(attempts);
  expect((await store.call("task_show", { id: task })).task.state).toBe("closed");
  const { events } = await store.call("event_list", { limit: 500 });
  expect(events.filter((event: { type: string }) => event.type === "unit.committed")).toHaveLength(1);
  expect(await store.failedChecks()).toEqual([]);
}

// they wait for reservations to end, all at the same time
describe.concurrent("a process killed with -9 in the loop loses nothing, and nothing is counted or done twice", () => {
  test("in its gates, at any moment of handing in, and while a review is opened (FP-11, RE-05)", async () => {
    await using project = await openProject("sqlite", config);
    const begun = await begin(project, "src");
    const { root, repo, unit, task } = begun;
    await person(root, (call) => call("task_claim", { id: task }));
    repo.write("src/a.txt", "one\ntwo\n");
    for (const ms of [100, 200, 300]) {
      const child = start(root, ["unit", "submit", unit]);
      await Promise.race([once(child, "exit"), sleep(ms)]);
      if (child.exitCode === null) await kill(child);
      const { unit: now } = await standing(begun);
      expect(["implement", "validate"]).toContain(now.phase);
    }
    if ((await standing(begun)).unit.phase === "implement") await must(root, "unit", "submit", unit);
    repo.write("hold", "");
    const validating = start(root, ["unit", "validate", unit]);
    await until(() => existsSync(join(root, "gate-began")));
    await kill(validating);
    expect((await standing(begun)).unit).toMatchObject({ phase: "validate", attempt: 1 });
    expect((await run(root, "unit", "validate", unit)).text).toContain("run already");
    repo.git("clean", "-fdqx", "hold", "gate-began");
    await sleep(RESERVED_MS);
    expect(await must(root, "unit", "validate", unit)).toMatchObject({ passed: true, unit: { attempt: 1 } });
    expect((await standing(begun)).gates).toHaveLength(1);
    await killAt(root, ["review", "open", unit], "before", "write-tree");
    expect((await must(root, "review", "list", unit)).rounds).toEqual([]);
    await reviewed(begun, failing("wrong"));
    repo.write("src/a.txt", "one\nright\n");
    await killAt(root, ["unit", "submit", unit], "before", "write-tree");
    expect((await standing(begun)).unit).toMatchObject({ phase: "implement", attempt: 2 });
    await must(root, "unit", "submit", unit);
    expect(await must(root, "unit", "validate", unit)).toMatchObject({ passed: true });
    await reviewed(begun, passing(1));
    expect(await must(root, "unit", "commit", unit)).toMatchObject({ committed: true });
    await doneOnce(begun, 2);
  });

  test.for(["before", "after"] as const)("%s its commit is made (FP-05, FP-11)", async (when) => {
    await using project = await openProject("sqlite", config);
    const begun = await begin(project, "src");
    const { root, repo, unit, task } = begun;
    repo.write("src/a.txt", "one\ntwo\n");
    await person(root, async (call) => {
      await call("task_claim", { id: task });
      await call("unit_submit", { unit });
      await call("unit_validate", { unit });
    });
    await reviewed(begun, passing(1));
    await killAt(root, ["unit", "commit", unit], when, "commit");
    expect(repo.git("log", "--format=%s").trim().split("\n")).toHaveLength(when === "before" ? 1 : 2);
    expect((await standing(begun)).unit).toMatchObject({ phase: "commit", attempt: 1 });
    expect(await commitAfterCrash(begun)).toMatchObject({ committed: true, files: ["src/a.txt"] });
    await doneOnce(begun, 1);
  });

  test.for(["before", "after"] as const)("%s the merge of a tree of its own (FP-11, WT-02)", async (when) => {
    await using project = await openProject("sqlite", config);
    const begun = await begin(project, "src/x");
    const { root, repo, unit, task } = begun;
    const tree = join(root, ".claude", "worktrees", "agent-ada");
    repo.git("worktree", "add", "-q", "-b", "ada", tree);
    await using hooks = await openHooks(root);
    await hooks.spawn("ada", `Do ${task}`, tree);
    await hooks.as("ada", "task_claim", { id: task });
    writeFileSync(join(tree, "src/x"), "x\n");
    await hooks.as("ada", "unit_submit", { unit });
    await person(root, (call) => call("unit_validate", { unit }));
    await reviewed(begun, passing(1, "src/x:1"));
    await killAt(root, ["unit", "commit", unit], when, "merge");
    expect(existsSync(join(root, "src/x"))).toBe(when === "after");
    expect((await standing(begun)).unit).toMatchObject({ phase: "commit", attempt: 1 });
    expect(await commitAfterCrash(begun)).toMatchObject({ committed: true, files: ["src/x"] });
    expect(repo.read("src/x")).toBe("x\n");
    expect(repo.git("log", "--merges", "--format=%s").trim().split("\n")).toHaveLength(1);
    await doneOnce(begun, 1);
  });
});
