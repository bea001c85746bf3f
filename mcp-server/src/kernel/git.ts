import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { SimpleGit } from "simple-git";
import { childEnvironment, PLAIN_GIT } from "./child-environment.ts";
import { hint, TeamwrightError } from "./errors.ts";
import { readableDiff } from "./git-diff.ts";
import { copyIndex, lookAgain } from "./git-index.ts";
import { gitFailure, LOOKS_ITSELF, noRepository, pairs } from "./git-words.ts";

const GIT_TIMEOUT_MS = 120_000;
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export interface ChangedFile {
  /** Relative to the top of the working tree, with slashes. */
  readonly path: string;
  /** git's letter: A, M, D, T; `?` for a file it does not know yet. */
  readonly status: string;
}

/** The content of some files of a working tree at one moment, untracked ones too, kept in the object store. */
export interface Frozen {
  readonly base: string;
  readonly tree: string;
  /** SHA-256 of base and of every changed path with its mode and blob: the same text on disk, the same hash. */
  readonly hash: string;
  readonly files: readonly ChangedFile[];
  /** What a reviewer reads. */
  readonly diff: string;
}

/** What we ask of git, in one working tree. Every call takes argument lists; no text is ever read by a shell. */
export class Git {
  readonly folder: string;
  readonly #git: SimpleGit;
  readonly #withIndex: (file: string) => SimpleGit;

  private constructor(folder: string, make: (extra?: Record<string, string>) => SimpleGit) {
    this.folder = folder;
    this.#git = make();
    this.#withIndex = (file) => make({ GIT_INDEX_FILE: file });
  }

  /** Throws UNAVAILABLE outside a git repository. */
  static async at(folder: string): Promise<Git> {
    const { simpleGit } = await import("simple-git");
    const make = (base: string) => (extra?: Record<string, string>) =>
      simpleGit({
        baseDir: base,
        maxConcurrentProcesses: 2,
        timeout: { block: GIT_TIMEOUT_MS },
        // without this an exit code counts only with words on stderr: a conflict, or a difference, would pass for success
        errors: (error: Buffer | Error | undefined, result: { exitCode: number; stdErr: Buffer[] }) =>
          error ??
          (result.exitCode === 0
            ? undefined
            : Buffer.from(Buffer.concat(result.stdErr).toString() || `exit ${result.exitCode}`)),
        config: ["core.quotePath=false", ...LOOKS_ITSELF],
        unsafe: { allowUnsafeFsMonitor: true }, // it is switched off
        allowEnvironment: ["GIT_INDEX_FILE", ...Object.keys(PLAIN_GIT)],
      } as never).env(childEnvironment(extra)); // the option that lets our own settings pass is not in its types
    if (!existsSync(folder))
      throw new TeamwrightError(
        "UNAVAILABLE",
        `The working tree ${folder} is gone.`,
        hint("unit_show", "shows the unit"),
      );
    const top = await make(folder)()
      .raw(["rev-parse", "--show-toplevel"])
      .catch((error: unknown) => {
        throw noRepository(error);
      });
    const root = top.trim();
    return new Git(root, make(root));
  }

  async #run(...args: string[]): Promise<string> {
    return this.#git.raw(args).catch((error: unknown) => {
      throw gitFailure(args[0] ?? "", error);
    });
  }

  async #ask(...args: string[]): Promise<string | undefined> {
    return this.#git.raw(args).then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  /** The commit that HEAD is; the empty tree where there is none yet. */
  async head(): Promise<string> {
    return (await this.#ask("rev-parse", "--verify", "-q", "HEAD")) || EMPTY_TREE;
  }

  async branch(): Promise<string | undefined> {
    return (await this.#ask("symbolic-ref", "--short", "-q", "HEAD")) || undefined;
  }

  /** True when the commit can be reached from `from`. */
  async isReachable(commit: string, from: string): Promise<boolean> {
    const base = await this.#ask("merge-base", commit, from);
    return base !== undefined && base === (await this.#ask("rev-parse", "--verify", "-q", `${commit}^{commit}`));
  }

  /** Where this tree's branch and the commit have their last common ancestor. */
  async forkPoint(commit: string): Promise<string | undefined> {
    return (await this.#ask("merge-base", commit, "HEAD")) || undefined;
  }

  /** Folders of all working trees of the repository, resolved. */
  async worktrees(): Promise<string[]> {
    const text = await this.#run("worktree", "list", "--porcelain", "-z");
    const folders = text.split("\0").flatMap((line) => (line.startsWith("worktree ") ? [line.slice(9)] : []));
    return Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  }

  /** Every path that differs from `base` on disk, untracked files among them (requirements FO-05, FO-08). */
  async changed(base: string): Promise<ChangedFile[]> {
    const args = ["diff", "--name-status", "--no-renames", "-z", base, "--"];
    const hidden = await this.#hidden();
    const tracked =
      hidden.length === 0 ? await this.#run(...args) : await this.#inOwnIndex(hidden, (git) => git.raw(args));
    const unknown = await this.#run("ls-files", "--others", "--exclude-standard", "-z");
    const files = new Map<string, ChangedFile>();
    for (const file of pairs(tracked)) files.set(file.path, file);
    for (const path of unknown.split("\0")) if (path !== "") files.set(path, { path, status: "?" });
    return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Paths that two trees do not have in common. */
  async between(a: string, b: string): Promise<string[]> {
    return (await this.#run("diff", "--name-only", "--no-renames", "-z", a, b, "--"))
      .split("\0")
      .filter((path) => path !== "");
  }

  /** All that two commits or trees do not have in common, as text to read. */
  async diffBetween(a: string, b: string): Promise<string> {
    const names = pairs(await this.#run("diff", "--name-status", "--no-renames", "-z", a, b, "--"));
    return readableDiff((...args) => this.#run(...args), a, b, names);
  }

  /** Freezes these files as they are on disk now. */
  async freeze(base: string, files: readonly ChangedFile[]): Promise<Frozen> {
    return this.#inOwnIndex(await this.#hidden(), async (git) => {
      for (let start = 0; start < files.length; start += 200) {
        const paths = files.slice(start, start + 200).map((file) => `:(literal,top)${file.path}`);
        await git.raw(["add", "-A", "-f", "--", ...paths]);
      }
      const tree = (await git.raw(["write-tree"])).trim();
      const paths = files.map((file) => `:(literal,top)${file.path}`);
      const only = paths.length > 0 ? paths : [":(literal,top)\u0001"];
      const entries = await this.#run("diff", "--raw", "--no-abbrev", "--no-renames", "-z", base, tree, "--", ...only);
      const hash = createHash("sha256").update(base).update("\0").update(entries).digest("hex");
      const names = pairs(await this.#run("diff", "--name-status", "--no-renames", "-z", base, tree, "--", ...only));
      const read = (...args: string[]) => this.#run(...args);
      return { base, tree, hash, files: names, diff: await readableDiff(read, base, tree, names) };
    });
  }

  /** Works on a copy of the index: what somebody has staged stays as it is. `hidden`: paths it is to look at again. */
  async #inOwnIndex<T>(hidden: readonly string[], work: (git: SimpleGit) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "teamwright-index-"));
    try {
      const index = join(folder, "index");
      const real = resolve(this.folder, (await this.#run("rev-parse", "--git-path", "index")).trim());
      await copyIndex(real, index);
      const git = this.#withIndex(index);
      for (const args of lookAgain(hidden)) await git.raw(args);
      return await work(git).catch((error: unknown) => {
        throw error instanceof TeamwrightError ? error : gitFailure("index", error);
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Files on disk that the index was told to take for unchanged: their changes would be seen by nobody. */
  async #hidden(): Promise<string[]> {
    const entries = (await this.#run("ls-files", "-v", "-z")).split("\0");
    const flagged = entries.filter((entry) => /^[a-zS] /.test(entry)).map((entry) => entry.slice(2));
    return flagged.filter((path) => existsSync(join(this.folder, path)));
  }

  /** Number of lines of a file in a tree; undefined when it is not there. */
  async linesIn(tree: string, path: string): Promise<number | undefined> {
    const text = await this.#git.raw(["cat-file", "blob", `${tree}:${path}`]).catch(() => undefined);
    if (text === undefined) return undefined;
    return text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  }

  /** Commits since `base` that touch these paths, newest first, with their message. */
  async commitsSince(base: string, paths: readonly string[]): Promise<{ commit: string; message: string }[]> {
    const range = base === EMPTY_TREE ? "HEAD" : `${base}..HEAD`;
    const only = paths.map((path) => `:(literal,top)${path}`);
    const text = await this.#ask("log", "--no-show-signature", "--format=%H%x1f%B%x1e", range, "--", ...only);
    return (text ?? "").split("\x1e").flatMap((entry) => {
      const [commit = "", message = ""] = entry.trim().split("\x1f");
      return commit === "" ? [] : [{ commit, message }];
    });
  }

  /** Commits exactly these paths, whatever else is staged; returns the commit. A failure leaves none of them staged. */
  async commit(paths: readonly string[], message: string): Promise<string> {
    if (paths.length === 0) throw new TeamwrightError("RULE_VIOLATED", "There is nothing to commit.");
    const only = paths.map((path) => `:(literal,top)${path}`);
    const hidden = (await this.#hidden()).filter((path) => paths.includes(path));
    for (const args of lookAgain(hidden)) await this.#run(...args);
    try {
      await this.#run("add", "-A", "-f", "--", ...only);
      await this.#run("commit", "--quiet", "--only", "-m", message, "--", ...only);
    } catch (error) {
      await this.#ask("reset", "--quiet", "--", ...only);
      throw error;
    }
    return this.head();
  }

  /** True when a commit changes these paths alone, to what was frozen. */
  async holds(commit: string, frozen: Pick<Frozen, "tree">, paths: readonly string[]): Promise<boolean> {
    const only = paths.map((path) => `:(literal,top)${path}`);
    if ((await this.#ask("diff", "--quiet", commit, frozen.tree, "--", ...only)) === undefined) return false;
    const touched = await this.between(await this.parent(commit), commit);
    return touched.every((path) => paths.includes(path));
  }

  /** The commit before, the empty tree before the first. */
  async parent(commit: string): Promise<string> {
    return (await this.#ask("rev-parse", "--verify", "-q", `${commit}^`)) || EMPTY_TREE;
  }

  /** Takes the last commit back and leaves its changes on disk; what else is staged stays so. */
  async takeBack(to: string): Promise<void> {
    const touched = (await this.between(to, "HEAD")).map((path) => `:(literal,top)${path}`);
    if (to === EMPTY_TREE) await this.#run("update-ref", "-d", "HEAD");
    else await this.#run("reset", "--soft", to);
    if (touched.length > 0) await this.#run("reset", "--quiet", "--", ...touched);
  }

  /** What a person has begun here and not ended, which a commit of ours would become part of. */
  async underWay(): Promise<string | undefined> {
    for (const [file, what] of [
      ["MERGE_HEAD", "merge"],
      ["CHERRY_PICK_HEAD", "cherry-pick"],
      ["REVERT_HEAD", "revert"],
      ["rebase-merge", "rebase"],
      ["rebase-apply", "rebase"],
    ] as const) {
      const path = resolve(this.folder, (await this.#run("rev-parse", "--git-path", file)).trim());
      if (existsSync(path)) return what;
    }
    return undefined;
  }

  /**
   * Merges a commit; on a conflict nothing is changed and the conflicting paths come back. Throws UNAVAILABLE when git
   * does not begin: files in the way, a hook that refuses.
   */
  async merge(commit: string, message: string): Promise<{ merged: string } | { conflicts: string[] }> {
    const before = await this.head();
    const failed = await this.#git.raw(["merge", "--no-ff", "--no-edit", "-m", message, commit]).then(
      () => undefined,
      (error: unknown) => gitFailure("merge", error),
    );
    if (!failed) return { merged: await this.head() };
    const text = (await this.#ask("diff", "--name-only", "--diff-filter=U", "-z")) ?? "";
    const conflicts = text.split("\0").filter((path) => path !== "");
    await this.#ask("merge", "--abort");
    if ((await this.head()) !== before) await this.#run("reset", "--keep", before);
    if (conflicts.length === 0) throw failed;
    return { conflicts };
  }

  /** Moves this tree and its branch to another commit; its own last commit becomes changes, with conflict marks. */
  async moveOnto(commit: string): Promise<void> {
    const failed = await this.#git.raw(["merge", "--no-commit", "--no-ff", commit]).then(
      () => undefined,
      (error: unknown) => gitFailure("merge", error),
    );
    if (failed && (await this.underWay()) !== "merge") throw failed;
    await this.#run("reset", "--mixed", "--quiet", commit);
  }

  /** True when `merged` is the very merge of this commit, and not something that came upon it. */
  async isMergeOf(merged: string, commit: string): Promise<boolean> {
    return (await this.#ask("rev-parse", "--verify", "-q", `${merged}^2`)) === commit;
  }

  /** Gives the last commit another message; what is staged stays so. */
  async reword(message: string): Promise<void> {
    await this.#run("commit", "--quiet", "--amend", "--only", "--no-verify", "-m", message);
  }

  /** Puts the branch back to where it was before a merge whose gates failed; local changes stay. */
  async undoMerge(to: string): Promise<void> {
    await this.#run("reset", "--keep", to);
  }
}
