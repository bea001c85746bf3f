import { plainLine } from "../../kernel/fence.ts";

/** A branch, or a working tree's HEAD, that was at another commit before. */
export interface Move {
  readonly ref: string;
  readonly from: string;
  readonly to: string;
}

/** What was there at both looks and is elsewhere now: a branch that is new or gone has not moved. */
export function movesBetween(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Move[] {
  return [...now].flatMap(([ref, to]) => {
    const from = before.get(ref);
    return from === undefined || from === to ? [] : [{ ref, from, to }];
  });
}

/** True when nothing has changed since: no branch moved, none is new. What is gone is remembered as it was. */
export function isSame(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): boolean {
  for (const [ref, commit] of now) if (before.get(ref) !== commit) return false;
  return true;
}

/**
 * What is known after a look. A branch that is gone is remembered: when it is back elsewhere, it has moved. One that
 * began where nobody has vouched for, and goes on from there, stays strange.
 */
export function afterLook(
  { heads, strange }: { heads: ReadonlyMap<string, string>; strange: ReadonlySet<string> },
  now: ReadonlyMap<string, string>,
): { heads: ReadonlyMap<string, string>; strange: ReadonlySet<string> } {
  const vouched = new Set([...heads.values()].filter((commit) => !strange.has(commit)));
  const isStrange = (from: string | undefined) => from === undefined || strange.has(from);
  const begun = [...now].flatMap(([ref, to]) => (vouched.has(to) || !isStrange(heads.get(ref)) ? [] : [to]));
  const next = new Map([...heads, ...now]);
  const there = new Set(next.values());
  return { heads: next, strange: new Set([...strange, ...begun].filter((commit) => there.has(commit))) };
}

/** When it was seen. It is told as what it is: somebody else may have committed at that moment. */
export type Moment = "in a command" | "between commands" | "at its start" | "at its stop" | "at a prompt";

/** What was seen, as far as it decides whether work goes on. */
export interface Circumstances {
  /** No command that a session has started ran, as far as anybody knows. */
  readonly isQuiet: boolean;
  /** Units whose files are other than they were. */
  readonly touched: readonly string[];
  /** Units whose diff is measured from a commit that is gone. */
  readonly cutOff: readonly string[];
  /** A reviewed commit is gone, or files are other than they were that decide about units: rules, gates, protected ones. */
  readonly isForAll: boolean;
  /** Units of those whose commands ran. */
  readonly own: readonly string[];
  /** All that are open. */
  readonly open: readonly string[];
}

/**
 * The units that wait until it is taken back or a person has said that it is right; none where a person who commits
 * something else in the same tree would be kept from it: nobody's command ran, neither units' files nor what decides
 * about them were touched, and what the units stand on is there.
 */
export function waitingUnits({ isQuiet, touched, cutOff, isForAll, own, open }: Circumstances): string[] {
  if (isForAll) return [...open];
  const theirs = isQuiet ? [] : own.length > 0 ? own : open;
  return [...new Set([...theirs, ...touched, ...cutOff])];
}

export interface Sighting {
  readonly moves: readonly Move[];
  readonly added: readonly string[];
  readonly lost: readonly string[];
  readonly moment: Moment;
  /** Name of the agent whose call the look belongs to. */
  readonly agent: string;
  /** Names of the others whose commands ran. */
  readonly others: readonly string[];
}

/** Where a project says what its gates do, whatever its configuration calls them. */
const MANIFESTS =
  "package.json Cargo.toml go.mod pyproject.toml setup.cfg Makefile tsconfig*.json vitest.config.* vite.config.* jest.config.* eslint.config.* .eslintrc* biome.json* conftest.py pytest.ini tox.ini"
    .split(" ")
    .map((name) => `**/${name}`);

/**
 * Globs of files that decide whether a unit passes or what a session does, beside those that are protected: what a gate
 * runs by name is among them.
 */
export function decidingGlobs(config: {
  readonly gates?: readonly { readonly command: string | readonly string[] }[] | undefined;
  readonly units: { readonly coverage_thresholds: string };
}): string[] {
  const words = (config.gates ?? []).flatMap(({ command }) =>
    [command]
      .flat()
      .join(" ")
      .split(/[\s"';&|()=]+/),
  );
  const named = words
    .filter((word) => /^(\.\/)?\w[\w/-]*[./][\w./-]+$/.test(word))
    .map((word) => word.replace(/^\.\//, ""));
  return [".claude", config.units.coverage_thresholds, ...MANIFESTS, ...new Set(named)];
}

/** What was seen, in one or two sentences, and who can have been at it. */
export function sightingText({ moves, added, lost, moment, agent, others }: Sighting): string {
  const shown = distinct(moves).slice(0, 3);
  const where = shown.map(({ ref, from, to }) => `${nameOf(ref)} from ${short(from)} to ${short(to)}`).join(", ");
  const who = plainLine(agent, 60);
  const when = {
    "in a command": `while a command of ${who} ran`,
    "between commands": `before a command of ${who} began, perhaps by something left running`,
    "at its start": `before ${who} began`,
    "at a prompt": `before a prompt to ${who}`,
    "at its stop": `since the last command of ${who} ended and before it stopped`,
  }[moment];
  const beside =
    others.length === 0 ? "" : `, as did commands of ${others.map((name) => plainLine(name, 60)).join(", ")}`;
  const what = [
    added.length > 0 ? `${count(added.length)} that no unit_commit has made (${short(added[0] ?? "")})` : "",
    lost.length > 0 ? `${count(lost.length)} gone from every branch (${short(lost[0] ?? "")})` : "",
  ].filter(Boolean);
  return `History has moved: ${where}, ${when}${beside}. There is ${what.join(" and ")}.`;
}

/** A branch and the HEAD that stands on it are one move. */
function distinct(moves: readonly Move[]): Move[] {
  const seen = new Map<string, Move>();
  for (const move of moves) {
    const key = `${move.from} ${move.to}`;
    const known = seen.get(key);
    if (!known?.ref.startsWith("refs/heads/")) seen.set(key, move);
  }
  return [...seen.values()];
}

function nameOf(ref: string): string {
  return plainLine(ref.replace(/^refs\/heads\//, ""), 80);
}

function count(n: number): string {
  return n === 1 ? "a commit" : `${n} commits`;
}

export function short(commit: string): string {
  return commit.slice(0, 10);
}
