import { realpath } from "node:fs/promises";
import picomatch from "picomatch";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { type ChangedFile, type Frozen, Git } from "../../kernel/git.ts";
import type { UnitRow } from "./unit.store.ts";

/** What a unit has changed, told apart from what it may not change. */
export interface UnitChanges {
  readonly own: readonly ChangedFile[];
  /** Changed since the start, in nobody's scope (requirements FO-05). */
  readonly outside: readonly string[];
}

/** The working tree a unit is done in: its own, or the project's. */
export async function treeOf(unit: Pick<UnitRow, "worktree">, root: string): Promise<Git> {
  return Git.at(unit.worktree ?? root);
}

export function scopeOf(unit: Pick<UnitRow, "scope">): string[] {
  return JSON.parse(unit.scope) as string[]; // written by insertUnit only
}

export function filesOf(unit: Pick<UnitRow, "files">): string[] {
  return JSON.parse(unit.files ?? "[]") as string[]; // written by validation only
}

export function itemsOfUnit(unit: Pick<UnitRow, "items">): string[] {
  return JSON.parse(unit.items) as string[]; // written by insertUnit only
}

/** A folder means all below it. */
export function matcherOf(scope: readonly string[]): (path: string) => boolean {
  const globs = scope.flatMap((glob) => {
    const bare = glob.replace(/^\.\//, "").replace(/\/$/, "");
    return [bare, `${bare}/**`];
  });
  return globs.length === 0 ? () => false : picomatch(globs, { dot: true });
}

/** Reads the tree. `others`: scopes of units that work in the same one. */
export async function changesOf(
  git: Git,
  unit: Pick<UnitRow, "scope" | "base" | "start_tree" | "key">,
  others: readonly string[][],
): Promise<UnitChanges> {
  if (unit.base === null || unit.start_tree === null) throw new Error(`${unit.key} has no start`);
  const isOwn = matcherOf(scopeOf(unit));
  const isOthers = others.map(matcherOf);
  const own = (await git.changed(unit.base)).filter((file) => isOwn(file.path));
  // what was different at the start, or was committed meanwhile, is not this unit's doing
  const head = await git.head();
  const changed = (await git.changed(head)).filter((file) => !file.path.startsWith(".teamwright/"));
  const now = await git.freeze(head, changed);
  const since = new Set(await git.between(unit.start_tree, now.tree));
  const outside = changed
    .map((file) => file.path)
    .filter((path) => since.has(path))
    .filter((path) => !isOwn(path) && !isOthers.some((matches) => matches(path)));
  return { own, outside };
}

export async function freezeUnit(
  git: Git,
  unit: Pick<UnitRow, "base" | "key">,
  own: readonly ChangedFile[],
): Promise<Frozen> {
  if (unit.base === null) throw new Error(`${unit.key} has no start`);
  return git.freeze(unit.base, own);
}

/**
 * The working tree of an agent that was started in isolation. The client is known to leave the isolation out at times,
 * so that it has to be seen: another top level than the project's (requirements WT-03).
 */
export async function isolatedTree(git: Git, folder: string): Promise<string> {
  const wanted = await realpath(folder).catch(() => folder);
  const main = await realpath(git.folder);
  const known = await git.worktrees();
  if (wanted !== main && known.includes(wanted)) return wanted;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    "The agent was to work in a working tree of its own, and there is none: it has worked in the project's.",
    hint("unit_show", "shows the unit; start its agent again, with isolation or without"),
  );
}
