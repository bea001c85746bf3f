import { type Automaton, accepts, automatonOf, haveCommonPath } from "./automaton.rules.ts";

/**
 * How a path or glob is compared: in one Unicode form and without regard to case. Some file systems know neither, and
 * what is one file there must not have two owners; a check on another machine has to come to the same result.
 */
function foldPath(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/** How globs are compared. */
export function normalGlob(glob: string): string {
  return tidyGlob(foldPath(glob));
}

/** The glob without what says nothing: `./src//a/` is `src/a/**`; the root itself is `**`. */
export function tidyGlob(glob: string): string {
  const text = glob.trim();
  const steps = text.split("/").filter((step) => step !== "" && step !== ".");
  if (steps.length === 0) return "**";
  return /\/\.?$/.test(text) ? `${steps.join("/")}/**` : steps.join("/");
}

const MAX_KEPT = 2000;
const automata = new Map<string, Automaton>();

function compiled(glob: string): Automaton {
  const normal = normalGlob(glob);
  let automaton = automata.get(normal);
  if (!automaton) {
    if (automata.size >= MAX_KEPT) automata.clear();
    automaton = automatonOf(normal);
    automata.set(normal, automaton);
  }
  return automaton;
}

/**
 * Whether a path (relative, with slashes) is in what a glob stands for. Known are `*`, `**`, `?`, `[ab]` and `{a,b}`;
 * every other character means itself. A glob also stands for the file or folder of exactly that name and all below it,
 * so that `app/[id]/page.ts` and `src/parser` mean what is there.
 */
export function globMatches(glob: string, path: string): boolean {
  return accepts(compiled(glob), foldPath(path));
}

/** The first of the globs that a path is in. */
export function matchingGlob(globs: readonly string[], path: string): string | undefined {
  return globs.find((glob) => globMatches(glob, path));
}

/** Whether some path can be in both; errs on the side of yes. */
export function globsOverlap(a: string, b: string): boolean {
  return haveCommonPath(compiled(a), compiled(b));
}

/** Which of two globs says more: segments without wildcards first, then characters. Greater than 0 when `a` does. */
export function compareSpecificity(a: string, b: string): number {
  const [left, right] = [normalGlob(a), normalGlob(b)];
  return literalSteps(left) - literalSteps(right) || left.length - right.length;
}

function literalSteps(glob: string): number {
  return glob.split("/").filter(isLiteral).length;
}

/** True when the glob has no wildcard. */
function isLiteral(glob: string): boolean {
  return !/[*?[{]/.test(glob);
}

/** True only if every path of `inner` is in `outer`; false where that is not plain to see. */
export function globCovers(outer: string, inner: string): boolean {
  const [wide, narrow] = [normalGlob(outer), normalGlob(inner)];
  if (wide === narrow || wide === "**") return true;
  const folder = wide.replace(/\/\*\*$/, "");
  if (isLiteral(folder) && narrow.startsWith(`${folder}/`)) return true;
  // a name with an ending is a file's: nothing lies below it
  return isLiteral(narrow) && /[^/]\.[^./]+$/.test(narrow) && globMatches(wide, narrow);
}
