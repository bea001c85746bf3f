import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { clientEnvironment, EXPERIMENT_MARK, EXPERIMENT_TEAM } from "../../../kernel/child-environment.ts";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { plainLine } from "../../../kernel/fence.ts";
import { endMarked } from "./leftovers.ts";
import {
  clientVersion,
  isAtLeast,
  OLDEST_CLIENT,
  resultIn,
  type SessionEnd,
  type SessionResult,
} from "./session.rules.ts";
import { keepOutput } from "./session-output.ts";

/** Time an orderly end may take: the client tells its server, which lets go of what the session holds. */
const GRACE_MS = 5000;
/** Between a session's end and the end of its pipes. */
const LAST_WORDS_MS = 1000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const VERSION_TIMEOUT_MS = 30_000;
const STDERR_KEPT = 2000;

export interface SessionCall {
  readonly binary: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly prompt: string;
  readonly mark: string;
  /** Whose session it is; a round's is nobody's. */
  readonly team?: string | undefined;
  readonly timeoutMs: number;
  /** Everything the client prints goes there. */
  readonly log: string;
  /** Aborted when the whole run is to stop. */
  readonly signal: AbortSignal;
}

/** Throws UNAVAILABLE when the client is not there, says nothing, or is too old. Gives its version. */
export async function checkClient(binary: string, folder: string): Promise<string> {
  const next = hint("experiment_run", "with agents mock needs no client; experiment.claude.binary names one");
  const printed = await new Promise<string>((resolve, reject) => {
    const options = { cwd: folder, env: clientEnvironment(), timeout: VERSION_TIMEOUT_MS };
    execFile(binary, ["--version"], options, (error, stdout) => (error ? reject(error) : resolve(stdout))).stdin?.end();
  }).catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === "ENOENT" ? "is not on the PATH" : `does not start (${plainLine(String(error.code), 40)})`;
    throw new TeamwrightError("UNAVAILABLE", `Claude Code (${plainLine(binary, 200)}) ${why}.`, next);
  });
  const version = clientVersion(printed);
  if (version !== undefined && isAtLeast(version, OLDEST_CLIENT)) return version;
  throw new TeamwrightError(
    "UNAVAILABLE",
    version === undefined
      ? `${plainLine(binary, 200)} does not say which version of Claude Code it is.`
      : `Claude Code ${version} is too old: ${OLDEST_CLIENT} or newer is needed.`,
    next,
  );
}

/**
 * Runs one session to its end, or to the end of its time. Never throws: a session that dies, hangs or cannot be started
 * is an answer (requirement CO-12). What it has started goes with it.
 */
export async function runSession(call: SessionCall): Promise<SessionEnd> {
  const begun = performance.now();
  const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
  if (call.signal.aborted) return { state: "cancelled", seconds: 0 };
  mkdirSync(dirname(call.log), { recursive: true });
  const child = spawn(call.binary, call.args, {
    cwd: call.folder,
    env: clientEnvironment({
      [EXPERIMENT_MARK]: call.mark,
      ...(call.team === undefined ? {} : { [EXPERIMENT_TEAM]: call.team }),
    }),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true, // a group of its own, so that all of it can be ended
  });
  child.stdin.on("error", () => {}); // it has ended before it has read the prompt
  child.stdin.end(call.prompt);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString("utf8")}`.slice(-STDERR_KEPT);
  });
  let result: SessionResult | undefined;
  const endLog = keepOutput(child.stdout, call.log, (line) => {
    result = resultIn(line) ?? result;
  });
  const forget = endedWithUs(child.pid, call.mark);
  const ended = await untilOver(child, call);
  endMarked(call.mark);
  forget();
  await endLog();
  const state = ended.state ?? (result && !result.isError && ended.code === 0 ? "ended" : "failed");
  const why = state === "failed" || state === "not_started" ? whyFailed(ended, result, stderr) : undefined;
  return { ...result, state, seconds: seconds(), ...(why === undefined ? {} : { why }) };
}

const running = new Set<() => void>();

/** However this process ends, but for a kill: a session that nobody waits for any more costs money. */
function endedWithUs(pid: number | undefined, mark: string): () => void {
  const end = () => {
    endGroup(pid, "SIGKILL");
    endMarked(mark);
  };
  if (running.size === 0) process.on("exit", endRunning);
  running.add(end);
  return () => {
    running.delete(end);
    if (running.size === 0) process.removeListener("exit", endRunning);
  };
}

function endRunning(): void {
  for (const end of running) end();
}

interface Over {
  readonly state?: "timed_out" | "cancelled" | "not_started";
  readonly code?: number | null;
  readonly killedBy?: string | null;
  readonly error?: string;
}

function untilOver(child: ChildProcess, { timeoutMs, signal, mark }: SessionCall): Promise<Over> {
  return new Promise((resolve) => {
    let state: Over["state"];
    let force: NodeJS.Timeout | undefined;
    const end = (why: "timed_out" | "cancelled") => {
      state ??= why;
      endGroup(child.pid, "SIGTERM");
      force ??= setTimeout(() => endGroup(child.pid, "SIGKILL"), GRACE_MS);
    };
    const timer = setTimeout(() => end("timed_out"), Math.min(timeoutMs, LONGEST_TIMER_MS));
    const cancel = () => end("cancelled");
    signal.addEventListener("abort", cancel, { once: true });
    const over = (answer: Over) => {
      clearTimeout(timer);
      clearTimeout(force);
      signal.removeEventListener("abort", cancel);
      endGroup(child.pid, "SIGKILL"); // what it has left behind, which may hold its pipes
      resolve(answer);
    };
    child.on("error", (error) => over({ state: "not_started", error: error.message }));
    child.on("exit", () => {
      // whatever it has left behind may hold its pipes open, and would be waited for
      setTimeout(() => {
        endGroup(child.pid, "SIGKILL");
        endMarked(mark);
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LAST_WORDS_MS).unref();
    });
    child.on("close", (code, killedBy) => over({ ...(state ? { state } : {}), code, killedBy }));
  });
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // it is gone
  }
}

function whyFailed({ code, killedBy, error }: Over, result: SessionResult | undefined, stderr: string): string {
  const ended = killedBy ? `ended by ${killedBy}` : `exit ${code ?? "without a code"}`;
  const last = result?.text || stderr.trim().split("\n").at(-1) || "";
  return plainLine([error ?? ended, last].filter(Boolean).join(": "), 300);
}
