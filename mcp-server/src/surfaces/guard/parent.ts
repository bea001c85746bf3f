import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProjectRoot } from "../../config/project-root.ts";
import { CHILD_MARK } from "../../kernel/child-environment.ts";

/**
 * True when this process was started by the client itself and not from a shell inside one of its sessions: the guard
 * is believed only then (design §3). The launcher of a checkout may stand in between. A shell command can take its
 * shell's place (`exec`) and so be the client's child too; but the client gives every shell a session of its own, and
 * no process can leave that for the client's process group.
 */
export function clientParent(pid = process.ppid, depth = 0): boolean {
  const parent = inspect(pid);
  if (!parent) return false;
  if (isClient(parent)) return parent.group !== undefined && parent.group === inspect(process.pid)?.group;
  const isLauncher =
    /^node/.test(basename(parent.exe)) && parent.args.some((part) => /(^|\/)bin\/teamwright$/.test(part));
  return isLauncher && depth < 2 && parent.parent !== undefined ? clientParent(parent.parent, depth + 1) : false;
}

const MAX_ANCESTORS = 64;

/** What the client puts into the environment of every command it starts, and we of ours. */
const MARKS = ["CLAUDECODE", CHILD_MARK];

/** True when an environment says that a session has started this, or a gate or a hook of git that we have run. */
export function isMarked(environment: Readonly<Record<string, string | undefined>>): boolean {
  return MARKS.some((mark) => Boolean(environment[mark]));
}

/**
 * True when a model may have written the command that this process is, not the person: a client at work in the same
 * project is among its ancestors. A command that has left its parents (setsid, nohup) is told by the client's mark in
 * its environment (`own`), or in that of an ancestor, which stays readable when a child is started without it; so is
 * one that a gate has started.
 * Ancestors are told from /proc, so on Linux only; elsewhere the mark counts alone.
 */
export function insideClient(projectRoot: string, own: boolean): boolean {
  if (process.platform !== "linux") return own;
  let marked = own;
  let pid: number | undefined = process.ppid;
  for (let depth = 0; depth < MAX_ANCESTORS && pid !== undefined && pid > 1; depth += 1) {
    const seen: Seen | undefined = inspect(pid);
    if (!seen) break;
    if (isClient(seen)) return worksIn(pid, projectRoot);
    marked ||= hasMark(pid);
    pid = seen.parent;
  }
  return marked;
}

function hasMark(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\u0000")
      .some((entry) => MARKS.some((mark) => entry.startsWith(`${mark}=`) && entry !== `${mark}=`));
  } catch {
    return false; // somebody else's
  }
}

/** Process id of the nearest client that this process descends from. */
export function clientAncestor(): number | undefined {
  let pid: number | undefined = process.ppid;
  for (let depth = 0; depth < MAX_ANCESTORS && pid !== undefined && pid > 1; depth += 1) {
    const seen: Seen | undefined = inspect(pid);
    if (!seen || isClient(seen)) return seen && pid;
    pid = seen.parent;
  }
  return undefined;
}

const LAST_LOOKS = 4;
const LOOK_MS = 25;

/**
 * True when the client of this id has ended, a moment after our input has: its pipes close before it is gone. A client
 * that starts its server again, or ends in good order, is still there.
 */
export async function clientIsGone(pid: number): Promise<boolean> {
  for (let look = 0; look < LAST_LOOKS; look += 1) {
    const seen = inspect(pid); // of a process that has ended and nobody has collected, nothing is seen either
    if (!seen || !isClient(seen)) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

function worksIn(pid: number, projectRoot: string): boolean {
  try {
    return findProjectRoot(readlinkSync(`/proc/${pid}/cwd`)) === projectRoot;
  } catch {
    return false;
  }
}

interface Seen {
  readonly exe: string;
  readonly args: readonly string[];
  readonly parent: number | undefined;
  /** Process group. */
  readonly group: number | undefined;
}

/**
 * Whether this is the client's program: by its name, by the folder in which the client's own installer puts each version
 * under its number, or as a script that node runs.
 */
export function isClient({ exe, args }: Pick<Seen, "exe" | "args">): boolean {
  const program = basename(exe);
  if (/^(claude(\.exe)?|\.claude-wrapped)$/.test(program)) return true;
  if (/[\\/]claude[\\/]versions[\\/]\d+\.\d+\.\d+[^\\/]*$/.test(exe)) return true;
  // older installations, and programs that bring the client along
  const script = /@anthropic-ai\/(claude-code|claude-agent-sdk)\/cli\.m?js$/;
  return /^(node|bun)/.test(program) && args.slice(1, 3).some((part) => script.test(part));
}

function inspect(pid: number): Seen | undefined {
  try {
    if (process.platform === "linux") {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\u0000");
      // pid (name) state parent group …: the name may hold blanks and brackets
      const [, parent, group] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")
        .map(Number);
      return { exe: readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""), args, parent, group };
    }
    if (process.platform === "win32") return undefined;
    const { execFileSync } = process.getBuiltinModule("node:child_process"); // no start on Linux needs to load it
    const [parent = "", group = "", exe = ""] =
      /^\s*(\d+)\s+(\d+)\s+(.*)$/m
        .exec(execFileSync("ps", ["-o", "ppid=,pgid=,comm=", "-p", String(pid)], { encoding: "utf8" }))
        ?.slice(1) ?? [];
    const args = execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    return { exe, args, parent: Number(parent), group: Number(group) };
  } catch {
    return undefined;
  }
}
