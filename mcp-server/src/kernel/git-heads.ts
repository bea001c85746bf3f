import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { childEnvironment } from "./child-environment.ts";

const GIT_TIMEOUT_MS = 30_000;
/** The client waits ten seconds for a hook. */
const LOOK_MS = 4000;
const MAX_BYTES = 64 * 2 ** 20;
/** As git reads a file of a ref: in letters of either case, and whatever comes after a blank. */
const COMMIT = /^([0-9a-f]{40,64})(?=\s|$)/i;
/** A ref that stands for another. */
const SYMBOLIC = /^ref:\s*(\S+)/;
const MOST_STEPS = 5;
/** Each working tree has its own of these. */
const OF_ONE_TREE = /^refs\/(worktree|bisect|rewritten)\//;

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
 * Where branches and HEADs are now; undefined where there is no repository. Reads git's files and starts no process, for
 * it is done at every shell command of an agent; where branches are kept as a reftable, git is asked when it has changed.
 */
export async function headsOf(root: string): Promise<Heads | undefined> {
  const common = commonFolder(root);
  if (common === undefined) return undefined;
  return isReftable(common) ? tableHeads(root, common) : readHeads(common);
}

/** By git's own setting: a folder of that name alone would blind whoever believes it. */
function isReftable(common: string): boolean {
  if (!statSync(join(common, "reftable"), { throwIfNoEntry: false })) return false;
  return /^[^#;\n]*refstorage\s*=\s*"?reftable/im.test(textOf(join(common, "config")) ?? "");
}

/** By the folder of the repository; a table's list of files names others after each change. */
const asked = new Map<string, { stamp: string; heads: Heads }>();

async function tableHeads(root: string, common: string): Promise<Heads> {
  const trees = namesIn(join(common, "worktrees")).map(({ name }) => join(common, "worktrees", name));
  const stamp = [common, ...trees].map((each) => `${each}\0${textOf(join(each, "reftable/tables.list"))}`).join("\0");
  const known = asked.get(common);
  if (known?.stamp === stamp) return known.heads;
  const branches = await git(root, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"], LOOK_MS);
  const heads = new Map<string, string>();
  for (const [, name = "", commit = ""] of branches.matchAll(/^(\S+) ([0-9a-f]{40,64})$/gm)) heads.set(name, commit);
  const listed = (await git(root, ["worktree", "list", "--porcelain", "-z"], LOOK_MS)).split("\0\0");
  for (const [index, entry] of listed.entries()) {
    const folder = /^worktree (.*)$/m.exec(entry.split("\0")[0] ?? "")?.[1] ?? "";
    const commit = entry
      .split("\0")
      .find((line) => /^HEAD (?!0+$)[0-9a-f]{40,64}$/.test(line))
      ?.slice(5);
    if (commit !== undefined) heads.set(index === 0 ? "HEAD" : `worktrees/${basename(folder)}/HEAD`, commit);
  }
  asked.set(common, { stamp, heads });
  return heads;
}

/** The same from git's files, loose and packed, with whatever git would take for a branch. */
export function readHeads(common: string): Heads {
  const { branches, others } = packedRefs(join(common, "packed-refs"));
  const find = (name: string, depth = 0): string | undefined => {
    const text = textOf(join(common, name));
    if (text === undefined) return branches.get(name) ?? others.get(name);
    const target = depth < MOST_STEPS ? SYMBOLIC.exec(text)?.[1] : undefined;
    if (target === undefined) return commitOf(text);
    return find(OF_ONE_TREE.test(target) ? join(dirname(name), target) : target, depth + 1);
  };
  const heads = new Map(branches);
  const trees = namesIn(join(common, "worktrees")).map(({ name }) => `worktrees/${name}/HEAD`);
  for (const name of [...looseBranches(common, "refs/heads"), "HEAD", ...trees]) {
    const commit = find(name);
    if (commit !== undefined) heads.set(name, commit);
  }
  return heads;
}

function commitOf(text: string): string | undefined {
  return COMMIT.exec(text)?.[1]?.toLowerCase();
}

interface Packed {
  readonly branches: ReadonlyMap<string, string>;
  readonly others: ReadonlyMap<string, string>;
}

/** Large in old repositories and rarely written: read again only when it is another file, or has been written to. */
const packed = new Map<string, { stamp: string; refs: Packed }>();

function packedRefs(file: string): Packed {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return { branches: new Map(), others: new Map() };
  const stamp = `${stat.mtimeMs}:${stat.ctimeMs}:${stat.size}:${stat.ino}`;
  const known = packed.get(file);
  if (known?.stamp === stamp) return known.refs;
  const [branches, others] = [new Map<string, string>(), new Map<string, string>()];
  for (const [, commit = "", name = ""] of (textOf(file) ?? "").matchAll(/^([0-9a-f]{40,64}) (refs\/\S+)/gim))
    (name.startsWith("refs/heads/") ? branches : others).set(name, commit.toLowerCase());
  packed.set(file, { stamp, refs: { branches, others } });
  return { branches, others };
}

/** Names of all. `links`: folders that are links, which git follows, on the way so far. */
function looseBranches(common: string, folder: string, links = 0): string[] {
  return namesIn(join(common, folder)).flatMap(({ name, isFolder, isLink }) => {
    const path = `${folder}/${name}`;
    if (isFolder) return links > MOST_STEPS ? [] : looseBranches(common, path, links + Number(isLink));
    return [path];
  });
}

function namesIn(folder: string): { name: string; isFolder: boolean; isLink: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const isLink = entry.isSymbolicLink();
      const seen = isLink ? statSync(join(folder, entry.name), { throwIfNoEntry: false }) : entry;
      return { name: entry.name, isFolder: seen?.isDirectory() ?? false, isLink };
    });
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
  return commitsIn(
    await git(root, ["rev-list", "--ignore-missing", "--parents", "--stdin"], GIT_TIMEOUT_MS, `${lines}\n`),
  );
}

/** These commits with their parents; what the repository has lost is left out. */
export async function commitsNamed(root: string, names: readonly string[]): Promise<Commit[]> {
  if (names.length === 0) return [];
  const args = ["rev-list", "--ignore-missing", "--no-walk", "--parents", "--stdin"];
  return commitsIn(await git(root, args, GIT_TIMEOUT_MS, `${names.join("\n")}\n`));
}

function commitsIn(text: string): Commit[] {
  return text.split("\n").flatMap((line) => {
    const [commit = "", ...parents] = line.split(" ");
    return commit === "" ? [] : [{ commit, parents }];
  });
}

/** Which of these objects the repository has. */
export async function presentAmong(root: string, names: readonly string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const text = await git(root, ["cat-file", "--batch-check=%(objectname)"], GIT_TIMEOUT_MS, `${names.join("\n")}\n`);
  return new Set(text.split("\n").filter((line) => COMMIT.test(line) && !line.endsWith(" missing")));
}

/** Paths that are not the same in two commits, of all pairs together. The repository has them all. */
export async function pathsBetween(root: string, pairs: readonly (readonly [string, string])[]): Promise<string[]> {
  if (pairs.length === 0) return [];
  const args = ["diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames", "--no-ext-diff"];
  const text = await git(root, args, GIT_TIMEOUT_MS, pairs.map(([from, to]) => `${to} ${from}\n`).join(""));
  return [...new Set(text.split("\0").filter((path) => path !== ""))];
}

/** True when a merge holds what git makes of its two parents, and nothing beside. An old git cannot tell: then true. */
export async function isPlainMerge(root: string, { commit, parents }: Commit): Promise<boolean> {
  const made = await git(root, ["merge-tree", "--write-tree", ...parents]).catch(() => undefined);
  if (made === undefined) return true;
  return made.trim() === (await git(root, ["rev-parse", "--verify", `${commit}^{tree}`])).trim();
}

/** Believes the commits themselves: no file beside them that tells of other parents. Asks no network, and nobody. */
function git(cwd: string, args: readonly string[], timeout = GIT_TIMEOUT_MS, input = ""): Promise<string> {
  return new Promise((done, fail) => {
    const options = { cwd, env: childEnvironment({ GIT_NO_LAZY_FETCH: "1" }), timeout, maxBuffer: MAX_BYTES };
    const child = execFile("git", ["-c", "core.commitGraph=false", ...args], options, (error, out) =>
      error ? fail(error) : done(out),
    );
    child.stdin?.on("error", () => {}); // it has ended without reading
    child.stdin?.end(input);
  });
}
