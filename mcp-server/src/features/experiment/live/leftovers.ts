import { readdirSync, readFileSync } from "node:fs";
import { EXPERIMENT_MARK } from "../../../kernel/child-environment.ts";

/** A process may start another while it is looked for; what does so without end is left after so many looks. */
const MOST_LOOKS = 10;

/**
 * Ends the processes that carry a mark in their environment: a client gives each shell a session of its own, out of
 * reach of a signal to its group. Where there is no /proc nothing is found, and what a killed client has started stays.
 */
export function endMarked(mark: string): void {
  endThose((found) => found === mark);
}

/** Ends what sessions on a project have left behind. Whoever calls it knows that nobody else runs any there. */
export function endLeftOver(project: string): void {
  endThose((mark) => mark.slice(mark.indexOf(" ") + 1) === project);
}

/** What a session's processes carry: which one it is, and for which project. */
export function markOf(project: string, session: string): string {
  return `${session} ${project}`;
}

function endThose(fits: (mark: string) => boolean): void {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const pids = markedBy(fits);
    for (const pid of pids) end(pid);
    if (pids.length === 0) return;
  }
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
    const start = `${EXPERIMENT_MARK}=`;
    const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\u0000");
    return entries.find((entry) => entry.startsWith(start))?.slice(start.length) || undefined;
  } catch {
    return undefined; // somebody else's, or gone
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
