import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_FILE } from "../../../config/project-root.ts";
import { git } from "./git.ts";

/**
 * Puts the settings of a run in their place and commits them, whatever sessions have made of the file; true when that
 * was needed. Called while no session is at work, so a lock of git's is one that an ended session has left behind.
 */
export async function restoreSettings(project: string, settings: string): Promise<boolean> {
  dropLocks(join(project, ".git"));
  const file = join(project, CONFIG_FILE);
  if (textOf(file) === settings) return false;
  const draft = join(project, ".git", CONFIG_FILE);
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(draft, settings, { flag: "wx" });
  if (!isFile(file)) rmSync(file, { recursive: true, force: true }); // a link would lead elsewhere
  renameSync(draft, file);
  await git(project, "add", "-f", "--", CONFIG_FILE);
  const staged = await git(project, "diff", "--cached", "--name-only", "--", CONFIG_FILE);
  if (staged.trim() !== "")
    await git(project, "commit", "-q", "--no-verify", "-m", "Settings of the experiment", "--", CONFIG_FILE);
  return true;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function textOf(path: string): string | undefined {
  return isFile(path) ? readFileSync(path, "utf8") : undefined;
}

/** Of the repository and of its worktrees; a session that is ended in the middle of a commit leaves some. */
function dropLocks(gitFolder: string): void {
  const worktrees = join(gitFolder, "worktrees");
  for (const folder of [gitFolder, ...foldersIn(worktrees).map((name) => join(worktrees, name))])
    for (const name of ["index.lock", "HEAD.lock"]) rmSync(join(folder, name), { force: true });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // there are none
  }
}
