/** `teamwright experiment` as processes in a folder of their own, and what they have written there. */
import { type ChildProcess, spawn } from "node:child_process";
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
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanEnvironment, node } from "./processes.ts";

export interface Ended {
  /** Null for a process that was killed. */
  readonly code: number | null;
  /** Of both streams, in the order it came. */
  readonly text: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** So far. */
  text(): string;
}

export interface ExperimentFolder {
  readonly root: string;
  /** First on the PATH of what is started: a client of the test's own is put there. */
  readonly bin: string;
  readonly env: Record<string, string>;
  put(path: string, text: string, mode?: number): void;
  read(path: string): string;
  /** `command` is what follows `node`: the bundle, or the launcher. */
  start(command: readonly string[], words: readonly string[], env?: Record<string, string>): Started;
  /** Every file of an output but the stores, whose pages tell nothing of a run. */
  bytes(output: string): Record<string, string>;
  /** Sprints of a team that are on the disk, without the set-up. */
  sprintsOf(output: string, team: string): number;
  remove(): void;
}

export function experimentFolder(name: string): ExperimentFolder {
  const root = realpathSync(mkdtempSync(join(tmpdir(), `teamwright-${name}-`)));
  const bin = join(root, "bin");
  const env = cleanEnvironment({ HOME: root, PATH: [bin, process.env.PATH].join(delimiter), NO_COLOR: "1" });
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  return {
    root,
    bin,
    env,
    put(path, text, mode = 0o644) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, { mode });
    },
    read,
    start: (command, words, more = {}) =>
      started(spawn(node, [...command, "experiment", ...words], { cwd: root, env: { ...env, ...more }, stdio: PIPED })),
    bytes(output) {
      const files = readdirSync(join(root, output), { recursive: true, encoding: "utf8" })
        .filter((path) => !path.includes(".teamwright") && statSync(join(root, output, path)).isFile())
        .sort();
      return Object.fromEntries(files.map((path) => [path, read(join(output, path))]));
    },
    sprintsOf(output, team) {
      try {
        return readdirSync(join(root, output, team)).filter((folder) => /^sprint-(?!00)/.test(folder)).length;
      } catch {
        return 0;
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

const PIPED: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];

function started(child: ChildProcess): Started {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      text += chunk;
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, text }));
  return { child, ended, text: () => text };
}

/** Ended, and not only waiting to be collected. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform === "linux" && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/** Waits for a state of things, and never for a time. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; !condition(); await sleep(5))
    if (Date.now() > end) throw new Error("it never came about");
}
