import { readdirSync, readFileSync } from "node:fs";
import { SESSION_MARK } from "./session.rules.ts";

/**
 * Ends the processes that carry a mark in their environment, or one that begins like it: a client gives each shell a
 * session of its own, out of reach of a signal to its group. Where there is no /proc nothing is found, and what a killed
 * client has started stays.
 */
export function endMarked(mark: string): void {
  for (const pid of markedBy((found) => found === mark)) end(pid);
}

/** Sessions of a run whose own process is gone; `isAlive` names those of one that is still at it. */
export function leftOver(project: string): { readonly runner: number | undefined; readonly pids: readonly number[] } {
  let runner: number | undefined;
  const pids = markedBy((mark) => {
    const [pid, folder] = partsOf(mark);
    if (folder !== project) return false;
    if (pid !== process.pid && isAlive(pid)) runner = pid;
    return true;
  });
  return { runner, pids };
}

export function endAll(pids: readonly number[]): void {
  for (const pid of pids) end(pid);
}

/** What a session's processes carry: who runs it, which one it is, and for which project. */
export function markOf(project: string, session: string): string {
  return `${process.pid} ${session} ${project}`;
}

function partsOf(mark: string): [pid: number, folder: string] {
  const [pid = "", , ...folder] = mark.split(" ");
  return [Number(pid), folder.join(" ")];
}

function markedBy(fits: (mark: string) => boolean): number[] {
  const found: number[] = [];
  for (const name of processes()) {
    const mark = markIn(name);
    if (mark !== undefined && Number(name) !== process.pid && fits(mark)) found.push(Number(name));
  }
  return found;
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function markIn(pid: string): string | undefined {
  try {
    const start = `${SESSION_MARK}=`;
    const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\u0000");
    return entries.find((entry) => entry.startsWith(start))?.slice(start.length) || undefined;
  } catch {
    return undefined; // somebody else's, or gone
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
