import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { getCompileCacheDir } from "node:module";
import { extname, join } from "node:path";
import { childEnvironment } from "../../kernel/child-environment.ts";
import { type FolderAsked, type FolderOutcome, runInFolder } from "./folder-run.ts";
import { type Order, type Refusal, refusalOf, type Told } from "./player.ts";

/** What became of one run: played, refused, or not begun because all was stopped. */
export type Played =
  | { readonly kind: "played"; readonly outcome: FolderOutcome }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "left" };

export interface PlayOptions {
  /** Runs at the same time, each in a process of its own; with one they are played in this process. */
  readonly jobs: number;
  /** Sprints of all runs together. */
  readonly progress: (done: number, total: number) => void;
}

/** Plays one run after the other. */
interface Player {
  play(asked: FolderAsked, progress: (done: number, total: number) => void): Promise<Played>;
  /** The run ends with the sprint it is in. */
  stop(): void;
  end(): Promise<void>;
}

/**
 * Plays runs, each in its own folder, and gives what became of each in their order. What one does depends on nothing
 * but its inputs, so how many are played at a time changes no byte (requirement EX-05). Interrupted, each run ends with
 * the sprint it is in, and no other is begun. A process that dies takes its run along and no other.
 */
export async function playAll(runs: readonly FolderAsked[], options: PlayOptions): Promise<Played[]> {
  const results: Played[] = runs.map(() => ({ kind: "left" }));
  const report = sumOf(runs, options.progress);
  const isAlone = Math.min(options.jobs, runs.length) <= 1;
  const players = new Set<Player>();
  let isStopped = false;
  const release = onInterrupt(() => {
    isStopped = true;
    for (const player of players) player.stop();
  });
  const waiting = runs.entries();
  const work = async () => {
    const player = isAlone ? inThisProcess() : inItsOwnProcess();
    players.add(player);
    try {
      // the iterator is shared: each run is taken by one of them
      for (const [index, asked] of waiting) {
        if (isStopped) return;
        results[index] = await player.play(asked, (done, total) => report(index, done, total));
      }
    } finally {
      await player.end();
    }
  };
  try {
    await Promise.all(Array.from({ length: isAlone ? 1 : Math.min(options.jobs, runs.length) }, work));
  } finally {
    release();
  }
  return results;
}

/** A launcher or npm hands on what the terminal has told this process too: that is one interruption. */
const SAME_MS = 500;

/** Calls `stop` at the first interruption; one that comes later ends the process, as without this. Gives the way back. */
function onInterrupt(stop: () => void): () => void {
  let at: number | undefined;
  const hear = () => {
    if (at === undefined) {
      at = performance.now();
      stop();
    } else if (performance.now() - at > SAME_MS) {
      process.removeListener("SIGINT", hear);
      process.kill(process.pid, "SIGINT");
    }
  };
  process.on("SIGINT", hear);
  return () => process.removeListener("SIGINT", hear);
}

/** One progress of all; a run that has said nothing yet is taken to be as long as those that have. */
function sumOf(runs: readonly FolderAsked[], progress: PlayOptions["progress"]) {
  const dones = runs.map(() => 0);
  const totals: (number | undefined)[] = runs.map(({ sprints }) => sprints);
  return (index: number, done: number, total: number) => {
    dones[index] = done;
    totals[index] = total;
    const longest = Math.max(...totals.map((each) => each ?? 0));
    progress(
      dones.reduce((sum, each) => sum + each, 0),
      totals.reduce<number>((sum, each) => sum + (each ?? longest), 0),
    );
  };
}

function inThisProcess(): Player {
  let isStopped = false;
  return {
    play: async (asked, progress) => {
      try {
        return { kind: "played", outcome: await runInFolder(asked, { progress, isStopped: () => isStopped }) };
      } catch (error) {
        return { kind: "refused", refusal: refusalOf(error) };
      }
    },
    stop: () => {
      isStopped = true;
    },
    end: async () => {},
  };
}

/** The process is begun with its first run, and anew with the next one when it has died; not where none can live. */
function inItsOwnProcess(): Player {
  let child: ChildProcess | undefined;
  let isStopped = false;
  let hasSpoken = true;
  let last: Played | undefined;
  return {
    play: async (asked, progress) => {
      if (!hasSpoken && last) return last;
      const own = child?.connected ? child : begin();
      child = own;
      if (isStopped) order(own, { kind: "stop" });
      hasSpoken = false;
      own.once("message", () => {
        hasSpoken = true;
      });
      last = await played(own, asked, progress);
      return last;
    },
    stop: () => {
      isStopped = true;
      if (child) order(child, { kind: "stop" });
    },
    end: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function begin(): ChildProcess {
  const cache = getCompileCacheDir();
  return fork(entry(), ["play"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: childEnvironment(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
  });
}

/** This program: as a bundle it is the file of that name beside this one. */
function entry(): string {
  // each member by its full name: the bundler puts its own in their places
  const isBundle = extname(import.meta.filename) === ".cjs";
  return join(import.meta.dirname, isBundle ? "main.cjs" : "../../main.ts");
}

/** A process that has ended hears nothing any more, and its end is told by itself. */
function order(child: ChildProcess, given: Order): void {
  if (child.connected) child.send(given, () => {});
}

async function played(
  child: ChildProcess,
  asked: FolderAsked,
  progress: (done: number, total: number) => void,
): Promise<Played> {
  return new Promise((resolve) => {
    const end = (result: Played) => {
      child.off("message", hear).off("exit", died).off("error", failed);
      resolve(result);
    };
    const hear = (told: Told) => (told.kind === "progress" ? progress(told.done, told.total) : end(told));
    const died = (code: number | null, signal: NodeJS.Signals | null) =>
      end({ kind: "refused", refusal: death(code, signal) });
    const failed = (error: Error) => end({ kind: "refused", refusal: refusalOf(error) });
    child.on("message", hear).on("exit", died).on("error", failed);
    order(child, { kind: "play", asked });
  });
}

function death(code: number | null, signal: NodeJS.Signals | null): Refusal {
  const how = signal === null ? `ended with ${code ?? "no code"}` : `was ended by ${signal}`;
  return {
    code: "UNAVAILABLE",
    message: `Its process ${how}; what it had played is kept, and the same command goes on there.`,
    problems: [],
    hint: undefined,
  };
}
