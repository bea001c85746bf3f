import { realpath } from "node:fs/promises";
import picomatch from "picomatch";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { type ChangedFile, type Frozen, Git } from "../../kernel/git.ts";
import { commitsBeyond, commitsNamed, headsOf } from "../../kernel/git-heads.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { UnitRow } from "./unit.store.ts";

/** What a unit has changed, told apart from what it may not change. */
export interface UnitChanges {
  readonly own: readonly ChangedFile[];
  /** Changed since the start, in nobody's scope (requirements FO-05). */
  readonly outside: readonly string[];
  /** Those outside with git's letter. */
  readonly touched: ReadonlyMap<string, string>;
}

/** The working tree a unit is done in: its own, or the project's. */
export async function treeOf(unit: Pick<UnitRow, "worktree">, root: string): Promise<Git> {
  const git = await Git.at(unit.worktree ?? root);
  if (unit.worktree === null || git.folder === (await realpath(unit.worktree).catch(() => unit.worktree))) return git;
  // its .git is gone, and git has gone on to look above it
  throw new TeamwrightError(
    "UNAVAILABLE",
    `${unit.worktree} is no working tree any more.`,
    hint("unit_end", "with unit and reason gives the unit up; unit_plan begins it anew"),
  );
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

/** A folder means all below it, and a name with a glob's signs in it means itself, too. */
export function matcherOf(scope: readonly string[]): (path: string) => boolean {
  const names = scope.map((glob) => glob.replace(/^\.\//, "").replace(/\/$/, ""));
  if (names.length === 0) return () => false;
  // a newline may stand in a name; a leading ! would mean everything else
  const isMatch = picomatch(
    names.flatMap((name) => [name, `${name}/**`]),
    { dot: true, nonegate: true, flags: "s" },
  );
  return (path) => names.some((name) => path === name || path.startsWith(`${name}/`)) || isMatch(path);
}

/** What the server writes itself, at a time that no unit decides. */
function isOurs(path: string): boolean {
  return path.startsWith(".teamwright/") || path.startsWith("team-registry/run-logs/");
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
  const changed = (await git.changed(head)).filter((file) => !isOurs(file.path));
  const now = await git.freeze(head, changed);
  const since = new Set(await git.between(unit.start_tree, now.tree));
  const strays = changed
    .filter(({ path }) => since.has(path))
    .filter(({ path }) => !isOwn(path) && !isOthers.some((matches) => matches(path)));
  const touched = new Map(strays.map(({ path, status }) => [path, status]));
  return { own, outside: [...touched.keys()], touched };
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
 * Throws when another commit is checked out than one upon the unit's own base, which a branch still holds: the diff
 * would be measured from elsewhere, gates would judge other files, and the commit would go astray (requirement FP-05).
 */
export async function refuseElsewhere(git: Git, unit: Pick<UnitRow, "base" | "key">): Promise<void> {
  const { base } = unit;
  if (base === null || (await git.head()) === base || (await git.isReachable(base, "HEAD"))) return;
  const tips = [...new Set((await headsOf(git.folder))?.values())];
  const isHeld = (await commitsNamed(git.folder, [base])).length > 0;
  if (!isHeld || (await commitsBeyond(git.folder, [base], tips)).length > 0) return; // it is gone, or was none
  throw new TeamwrightError(
    "BLOCKED",
    `${unit.key} stands on ${base.slice(0, 10)}, and what is checked out in ${git.folder} does not: git checkout of the branch that holds it comes first.`,
    hint("unit_show", "shows the unit; unit_end gives it up, and unit_plan begins it anew where you are"),
  );
}

/** Commits that stand for themselves. */
export interface KnownCommits {
  /** The unit's own, where it is made already; what lies below it counts, for it may have been made to look so. */
  readonly own?: string | undefined;
  /** A person has said that they are right. */
  readonly vouched: ReadonlySet<string>;
  /** Those that unit_commit has made and written down: a message says what its author likes. */
  readonly ofUnits: (commits: readonly string[]) => Promise<ReadonlySet<string>>;
}

/**
 * A commit that no review stands behind (requirements FP-05): one of the unit's files, or in a tree of its own any,
 * for all of them would be merged. Says which; undefined when there is none.
 */
export async function unreviewedCommit(
  git: Git,
  project: Git,
  unit: Pick<UnitRow, "base" | "worktree">,
  paths: readonly string[],
  known: KnownCommits,
): Promise<string | undefined> {
  if (unit.base === null) return undefined;
  const isApart = unit.worktree !== null;
  const found = isApart ? await apart(git, project, known.own) : await byHand(git, unit.base, paths, known);
  if (found === undefined) return undefined;
  const what = isApart ? "its working tree holds a commit made by hand" : "its files were committed by hand";
  return `${what}, ${found.slice(0, 10)}: take the commit back and leave the changes`;
}

async function apart(git: Git, project: Git, own: string | undefined): Promise<string | undefined> {
  const head = await project.head();
  if (own === undefined) return (await git.commitsSince(head, []))[0]?.commit;
  const below = await git.parent(own);
  return (await git.isReachable(below, head)) ? undefined : below;
}

async function byHand(git: Git, base: string, paths: readonly string[], { own, vouched, ofUnits }: KnownCommits) {
  const commits = (await git.commitsSince(base, paths)).map(({ commit }) => commit);
  const ours = await ofUnits(commits);
  return commits.find((commit) => commit !== own && !vouched.has(commit) && !ours.has(commit));
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

/**
 * The one working tree that a run is done in, where the project wants one for each (requirements WT-04, C-16): that of
 * the lead's session, and not the project's own. Undefined where it does not.
 */
export async function workflowTree(ctx: OperationContext): Promise<string | undefined> {
  if (ctx.config.units.isolation !== "worktree_per_workflow") return undefined;
  const project = await Git.at(ctx.config.root);
  const here = ctx.principal.cwd === undefined ? project : await Git.at(ctx.principal.cwd);
  const [tree, main] = [await realpath(here.folder), await realpath(project.folder)];
  if (tree !== main && (await project.worktrees()).includes(tree)) return tree;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    "Each run has a working tree of its own here (units.isolation), and this session is in the project's.",
    hint("unit_start", "from a session in another git worktree of this repository: claude --worktree NAME"),
  );
}

/** Throws unless the folder lies in this working tree: what somebody has done elsewhere would not be looked at. */
export async function checkInTree(folder: string, tree: string): Promise<void> {
  const { folder: top } = await Git.at(folder);
  if ((await realpath(top)) === tree) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `This run is done in ${tree}, and the work was done in ${top}.`,
    hint("unit_show", "shows the unit; bring the changes over, or start its agent again"),
  );
}
