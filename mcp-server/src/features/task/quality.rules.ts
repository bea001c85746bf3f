/** What a new task is looked at for (requirements TD-02, TD-06, TD-08). Findings, not decisions: the level decides. */
export interface Draft {
  readonly title: string;
  readonly description?: string | undefined;
  readonly acceptance?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly kind?: string | undefined;
}

/** Words that name no thing of the project: a title of nothing else says neither what changes nor where. */
const emptyWords = new Set(
  `fix fixes fixed fixing do make get handle update updates change changes improve improvements adjust tweak rework
  refactor refactoring clean cleanup cleanups up work working write add create implement check test review finish misc
  miscellaneous various general minor small some more several many all any every other everything something anything
  whole the a an it its this that these those them our my their on of in for to at with and or better faster nicer good
  again now please bug bugs issue issues problem problems error errors code codebase project app application program
  software system feature features functionality logic quality performance part parts tests task tasks thing things
  stuff etc todo todos wip`.split(/\s+/),
);
const fillers = /\b(stuff|things|it work|etc)\b/i;

/** True when the title names no thing, or is a single word, or gives up naming them. */
function isVague(title: string): boolean {
  const words = title.toLowerCase().match(/[\p{L}\p{M}\p{N}_#+]+/gu) ?? [];
  return words.length < 2 || fillers.test(title) || words.every((word) => emptyWords.has(word));
}

export function taskFindings(draft: Draft): string[] {
  const findings: string[] = [];
  const title = draft.title.trim();
  if (isVague(title)) findings.push(`title "${title}" is vague: say what changes where`);
  if ((title.match(/\band\b/gi) ?? []).length + (draft.description?.match(/\band then\b/gi) ?? []).length >= 2) {
    findings.push("more than one piece of work in one task: split it");
  }
  const isWork = !draft.kind || ["task", "bug", "feature", "story", "chore"].includes(draft.kind);
  if (isWork && !draft.acceptance?.trim()) findings.push("no acceptance criteria: nobody can tell when it is done");
  if (isWork && (draft.scope ?? []).length === 0) findings.push("no file scope");
  if ((draft.scope ?? []).length > 8) findings.push("the scope names more than 8 globs: consider splitting");
  return findings;
}

/** Pairs of drafts whose scopes can touch the same file; they must not run at the same time. */
export function overlappingScopes(scopes: readonly (readonly string[])[]): [number, number, string][] {
  const pairs: [number, number, string][] = [];
  for (let a = 0; a < scopes.length; a += 1) {
    for (let b = a + 1; b < scopes.length; b += 1) {
      const common = firstOverlap(scopes[a] ?? [], scopes[b] ?? []);
      if (common !== undefined) pairs.push([a, b, common]);
    }
  }
  return pairs;
}

/** The first glob, or pair of globs, by which two scopes can touch the same file. */
export function firstOverlap(left: readonly string[], right: readonly string[]): string | undefined {
  for (const a of left) for (const b of right) if (globsMeet(a, b)) return a === b ? a : `${a} and ${b}`;
  return undefined;
}

/** True when some path could match both globs; errs on the side of yes. Quadratic at worst, whatever the globs. */
export function globsMeet(a: string, b: string): boolean {
  const left = parts(a);
  const right = parts(b);
  // reachable[j]: the first i parts of `left` and the first j of `right` can match the same path
  let reachable = new Array<boolean>(right.length + 1).fill(false);
  reachable[0] = true;
  for (let j = 0; j < right.length; j += 1) reachable[j + 1] = Boolean(reachable[j]) && right[j] === "**";
  for (const part of left) {
    const next = new Array<boolean>(right.length + 1).fill(false);
    next[0] = Boolean(reachable[0]) && part === "**";
    for (let j = 0; j < right.length; j += 1) {
      const other = right[j] ?? "";
      if (part === "**" || other === "**") {
        next[j + 1] =
          (part === "**" && (Boolean(reachable[j + 1]) || Boolean(next[j]))) ||
          (other === "**" && (Boolean(next[j]) || Boolean(reachable[j + 1])));
      } else next[j + 1] = Boolean(reachable[j]) && segmentsMeet(part, other);
    }
    reachable = next;
  }
  return Boolean(reachable[right.length]);
}

/** Steps of a path; a folder means all in it, and from a group that spans folders on anything may follow. */
function parts(glob: string): string[] {
  const steps = glob
    .trim()
    .replace(/^(\.?\/)+/, "")
    .replace(/\/$/, "/**")
    .split("/")
    .filter((step) => step !== "" && step !== ".");
  if (folder.test(steps.at(-1) ?? "")) steps.push("**");
  const spanning = steps.findIndex((step) => /[{([][^)}\]]*$/.test(step));
  return spanning < 0 || spanning === steps.length - 1 ? steps : [...steps.slice(0, spanning), "**"];
}

/** A name without an ending; a folder that has one counts when it is leased. */
const folder = /^\.?[\w-]+$/;
const wild = /[*?[{\\]|[@!+]\(/;

function segmentsMeet(a: string, b: string): boolean {
  const wildA = a.search(wild);
  const wildB = b.search(wild);
  if (wildA < 0 && wildB < 0) return a === b;
  const prefixA = wildA < 0 ? a : a.slice(0, wildA);
  const prefixB = wildB < 0 ? b : b.slice(0, wildB);
  return prefixA.startsWith(prefixB) || prefixB.startsWith(prefixA);
}
