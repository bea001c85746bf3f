import { readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from "node:path";
import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";

/**
 * Where in the project a write to this path would land: relative to the root of the working tree it is in, so that a
 * file has one name in every worktree. Links are followed, also one whose target is yet to be made. Several places when
 * `..` means something else by name than on disk; none outside the project. Throws INVALID_INPUT for a circle
 * of links.
 */
export function placesOf(named: string, cwd: string, projectRoot: string): string[] {
  const root = realpathSync.native(projectRoot);
  const text = /^~(?=$|[\\/])/.test(named) ? join(homedir(), named.slice(1)) : named;
  const asWritten = isAbsolute(text) ? text : `${cwd || root}${sep}${text}`;
  const targets = new Set([realTarget(resolve(asWritten)), realTarget(climb(asWritten))]);
  return [...targets].flatMap((target) => {
    const tree = worktreeAbove(target, root) ?? root;
    const inside = relative(tree, target);
    if (inside.startsWith("..") && /^\.\.($|[\\/])/.test(inside)) return [];
    return inside === "" || isAbsolute(inside) ? [] : [portable(inside)];
  });
}

/** Windows takes a name with dots or spaces at its end, or with a stream's name, for the name without. */
function portable(path: string): string {
  if (sep === "/") return path;
  return path
    .split(sep)
    .map((step) => step.replace(/:.*$/, "").replace(/[. ]+$/, ""))
    .join("/");
}

/** Takes each `..` as the disk does: from where the folder before it really is. */
function climb(path: string): string {
  const { root } = parse(path);
  let current = root;
  for (const step of path.slice(root.length).split(sep === "/" ? "/" : /[\\/]/)) {
    if (step === "" || step === ".") continue;
    current = step === ".." ? dirname(realTarget(current)) : join(current, step);
  }
  return current;
}

const MAX_LINKS = 40;

/** The real path of what is there, and below the deepest folder that is there the names as given. */
function realTarget(path: string, links = 0): string {
  const there = attempt(() => realpathSync.native(path));
  if (there !== undefined) return there;
  const link = attempt(() => readlinkSync(path));
  if (link !== undefined) {
    if (links >= MAX_LINKS)
      throw new TeamwrightError("INVALID_INPUT", `${plainLine(path, 200)} leads into a circle of links, to no file.`);
    return realTarget(resolve(realTarget(dirname(path), links + 1), link), links + 1);
  }
  const parent = dirname(path);
  return parent === path ? path : join(realTarget(parent, links), basename(path));
}

/** The root of the worktree of this repository that a path is in; a `.git` file counts only if the repository knows it. */
function worktreeAbove(path: string, root: string): string | undefined {
  const known = attempt(() => realpathSync.native(join(root, ".git", "worktrees")));
  if (known === undefined) return undefined;
  for (let folder = dirname(path); folder !== dirname(folder) && folder !== root; folder = dirname(folder)) {
    const file = join(folder, ".git");
    if (!attempt(() => statSync(file))?.isFile()) continue;
    const named = /^gitdir:\s*(.+?)\s*$/m.exec(attempt(() => readFileSync(file, "utf8")) ?? "")?.[1];
    const gitDir = named === undefined ? undefined : attempt(() => realpathSync.native(resolve(folder, named)));
    if (gitDir === undefined || dirname(gitDir) !== known) continue;
    const back = attempt(() => readFileSync(join(gitDir, "gitdir"), "utf8").trim());
    if (back !== undefined && attempt(() => realpathSync.native(resolve(gitDir, back))) === file) return folder;
  }
  return undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
