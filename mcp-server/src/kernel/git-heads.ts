import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { childEnvironment } from "./child-environment.ts";

const GIT_TIMEOUT_MS = 30_000;
const MAX_BYTES = 64 * 2 ** 20;
const COMMIT = /^[0-9a-f]{40,64}$/;

/**
 * The commit of each branch, by its name, and of each working tree's HEAD: `HEAD` of the main tree,
 * `worktrees/<name>/HEAD` of another.
 */
export type Heads = ReadonlyMap<string, string>;

/** The folder that all working trees of the repository of `root` share; undefined where there is none. */
export function commonFolder(root: string): string | undefined {
  const git = join(root, ".git");
  const kind = statSync(git, { throwIfNoEntry: false });
  if (!kind) return undefined;
  if (kind.isDirectory()) return git;
  const named = /^gitdir:\s*(.+?)\s*$/m.exec(textOf(git) ?? "")?.[1];
  if (named === undefined) return undefined;
  const own = isAbsolute(named) ? named : resolve(dirname(git), named);
  const shared = textOf(join(own, "commondir"))?.trim();
  return shared === undefined ? own : resolve(own, shared);
}

/**
 * Reads where branches and HEADs are from git's files: no process, for it is done at every shell command of an agent.
 * Undefined where there is no repository, or one that keeps its branches in another form (reftable).
 */
export function readHeads(common: string): Heads | undefined {
  if (statSync(join(common, "reftable"), { throwIfNoEntry: false })) return undefined;
  const branches = new Map(packedBranches(join(common, "packed-refs")));
  for (const [name, commit] of looseBranches(common, "refs/heads")) branches.set(name, commit);
  const heads = new Map(branches);
  const trees = namesIn(join(common, "worktrees")).map(({ name }) => `worktrees/${name}/HEAD`);
  for (const head of ["HEAD", ...trees]) {
    const text = textOf(join(common, head))?.trim() ?? "";
    const commit = text.startsWith("ref: ") ? branches.get(text.slice("ref: ".length)) : text;
    if (commit !== undefined && COMMIT.test(commit)) heads.set(head, commit);
  }
  return heads;
}

/** Large in old repositories and rarely written: read again only when it is another file. */
const packed = new Map<string, { stamp: string; branches: Map<string, string> }>();

function packedBranches(file: string): Map<string, string> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return new Map();
  const stamp = `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
  const known = packed.get(file);
  if (known?.stamp === stamp) return known.branches;
  const branches = new Map<string, string>();
  for (const [, commit = "", name = ""] of (textOf(file) ?? "").matchAll(/^([0-9a-f]{40,64}) (refs\/heads\/.+)$/gm))
    branches.set(name, commit);
  packed.set(file, { stamp, branches });
  return branches;
}

function looseBranches(common: string, folder: string): [string, string][] {
  return namesIn(join(common, folder)).flatMap(({ name, isFolder }): [string, string][] => {
    const path = `${folder}/${name}`;
    if (isFolder) return looseBranches(common, path);
    const commit = textOf(join(common, path))?.trim() ?? "";
    return COMMIT.test(commit) ? [[path, commit]] : [];
  });
}

function namesIn(folder: string): { name: string; isFolder: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory(),
    }));
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

export interface Commit {
  readonly commit: string;
  readonly parents: readonly string[];
}

/** Commits that `wanted` reach and `known` do not, newest first; what the repository has lost counts as not there. */
export async function commitsBeyond(
  root: string,
  wanted: readonly string[],
  known: readonly string[],
): Promise<Commit[]> {
  if (wanted.length === 0) return [];
  const lines = [...wanted, ...known.map((commit) => `^${commit}`)].join("\n");
  return commitsIn(await git(root, ["rev-list", "--ignore-missing", "--parents", "--stdin"], `${lines}\n`));
}

/** These commits with their parents; what the repository has lost is left out. */
export async function commitsNamed(root: string, names: readonly string[]): Promise<Commit[]> {
  if (names.length === 0) return [];
  const args = ["rev-list", "--ignore-missing", "--no-walk", "--parents", "--stdin"];
  return commitsIn(await git(root, args, `${names.join("\n")}\n`));
}

function commitsIn(text: string): Commit[] {
  return text.split("\n").flatMap((line) => {
    const [commit = "", ...parents] = line.split(" ");
    return commit === "" ? [] : [{ commit, parents }];
  });
}

/** True when a merge holds what git makes of its two parents, and nothing beside. An old git cannot tell: then true. */
export async function isPlainMerge(root: string, { commit, parents }: Commit): Promise<boolean> {
  const made = await git(root, ["merge-tree", "--write-tree", ...parents]).catch(() => undefined);
  if (made === undefined) return true;
  return made.trim() === (await git(root, ["rev-parse", "--verify", `${commit}^{tree}`])).trim();
}

function git(cwd: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((done, fail) => {
    const options = { cwd, env: childEnvironment(), timeout: GIT_TIMEOUT_MS, maxBuffer: MAX_BYTES };
    const child = execFile("git", args, options, (error, out) => (error ? fail(error) : done(out)));
    child.stdin?.on("error", () => {}); // it has ended without reading
    child.stdin?.end(input ?? "");
  });
}
