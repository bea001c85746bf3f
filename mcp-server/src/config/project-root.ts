import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";

export const CONFIG_FILE = "teamwright.yaml";
const STATE_FOLDER = ".teamwright";

/**
 * The folder that owns the store: the repository's main working tree for every worktree of it; outside git the
 * nearest folder with teamwright.yaml or a store, else the start folder (design §3). Reads files only: a git
 * process per start would cost more than the rest of the start.
 */
export function findProjectRoot(start: string): string {
  const origin = existsSync(start) ? realpathSync(start) : resolve(start);
  let nearestConfig: string | undefined;
  for (let folder = origin; ; folder = dirname(folder)) {
    const repository = repositoryRoot(folder);
    if (repository) return repository;
    if (
      !nearestConfig &&
      (existsSync(join(folder, CONFIG_FILE)) || existsSync(join(folder, STATE_FOLDER, "state.db")))
    ) {
      nearestConfig = folder;
    }
    if (dirname(folder) === folder) return nearestConfig ?? origin;
  }
}

/**
 * The folder of the embedded store: `.teamwright` in the project's root. Worktrees of a bare repository have no main
 * tree: they share the one in the repository itself, which no `git worktree remove` takes away.
 */
export function stateFolder(root: string): string {
  const links = gitLinks(root);
  const shared = links && (links.common ?? (isBare(links.gitDir) ? links.gitDir : undefined));
  const isApart = shared !== undefined && basename(shared) !== ".git";
  return join(isApart ? shared : root, STATE_FOLDER);
}

/** `.git` is a folder in the main tree and a file in a worktree, whose `commondir` leads back. */
function repositoryRoot(folder: string): string | undefined {
  const git = join(folder, ".git");
  if (!existsSync(git)) return undefined;
  if (statSync(git).isDirectory()) return existsSync(join(git, "HEAD")) ? folder : undefined;
  const common = gitLinks(folder)?.common;
  if (common === undefined) return folder; // a submodule: a repository of its own
  return basename(common) === ".git" ? dirname(common) : folder; // a bare repository has no tree of its own
}

/** Where a `.git` file (`gitdir: …`) leads; undefined for any other folder. `common` is what worktrees share. */
function gitLinks(folder: string): { gitDir: string; common: string | undefined } | undefined {
  const git = join(folder, ".git");
  if (!statSync(git, { throwIfNoEntry: false })?.isFile()) return undefined;
  const target = /^gitdir:\s*(.+)\s*$/m.exec(readFileSync(git, "utf8"))?.[1]?.trim();
  if (!target) return undefined;
  const gitDir = isAbsolute(target) ? target : resolve(folder, target);
  const commonFile = join(gitDir, "commondir");
  if (!existsSync(commonFile)) return { gitDir, common: undefined };
  return { gitDir, common: resolve(gitDir, readFileSync(commonFile, "utf8").trim()) };
}

function isBare(gitDir: string): boolean {
  const file = join(gitDir, "config");
  return existsSync(file) && /^\s*bare\s*=\s*true\s*$/im.test(readFileSync(file, "utf8"));
}
