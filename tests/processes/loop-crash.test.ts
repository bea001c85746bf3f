import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { cleanEnvironment, ensureBuilt, node, openProject } from "../support/processes.ts";
import { makeRepository } from "../support/repository.ts";

const config = `
gates:
  - { name: tests, command: [sh, -c, "touch gate-began; while test -e hold; do sleep 0.1; done"] }
`;

let program: readonly string[] = [];
beforeAll(async () => {
  program = (await ensureBuilt()).server;
});

interface Said {
  readonly code: number | null;
  // the shapes are the operations' own
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly json: any;
  readonly text: string;
}

function start(cwd: string, args: readonly string[]): ChildProcess {
  return spawn(node, [...program, ...args, "--json"], {
    cwd,
    env: cleanEnvironment(),
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

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !condition(); n += 1) await sleep(50);
  expect(condition()).toBe(true);
}

test("a unit survives kill -9 in its gates and says where it stands: the gates run again, nothing is counted twice (FP-11, RE-05)", async () => {
  await using project = await openProject("sqlite", config);
  const { root } = project;
  const repo = makeRepository(root);
  const task = (
    await run(root, "task", "create", "Write the second line", "--acceptance", "- it is there", "--scope", "src")
  ).json.task.id;
  const unit = (await run(root, "unit", "plan", "--input", JSON.stringify({ tasks: [task], about: "9" }))).json.units[0]
    .id;
  await run(root, "unit", "start", unit);
  await run(root, "task", "claim", task);
  repo.write("src/a.txt", "one\ntwo\n");
  await run(root, "unit", "submit", unit);
  repo.git("config", "core.excludesFile", join(root, ".git/ignored"));
  repo.write(".git/ignored", "hold\ngate-began\n");
  repo.write("hold", "");
  const validating = start(root, ["unit", "validate", unit]);
  await until(() => existsSync(join(root, "gate-began")));
  await kill(validating);
  const brief = await run(root, "brief", "show");
  expect(brief.json.runs[0].units[0]).toMatchObject({ id: unit, phase: "validate", attempt: 1 });
  const tooSoon = await run(root, "unit", "validate", unit);
  expect(tooSoon.text).toContain("run already");
  repo.git("clean", "-fdqx", "hold", "gate-began");
  await sleep(31_000);
  const again = await run(root, "unit", "validate", unit);
  expect(again.json, again.text).toMatchObject({ passed: true, unit: { phase: "review", attempt: 1 } });
  const shown = (await run(root, "unit", "show", unit)).json;
  expect(shown.attempts).toHaveLength(1);
  expect(shown.gates).toHaveLength(1);
  expect((await run(root, "doctor", "check")).code).toBe(0);
}, 120_000);
