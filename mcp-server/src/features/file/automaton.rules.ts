/**
 * Globs as automata: one form answers both whether a path matches and whether two globs have a path in common, each in
 * polynomial time. A regular expression would do neither: it can be made to run for hours by whoever writes the glob.
 */
export interface Automaton {
  readonly nodes: readonly Node[];
  readonly end: number;
}
interface Node {
  readonly edges: [Step, number][];
  readonly free: number[];
}
/** `any` is a character of a name, `all` the slash too. */
type Step = "any" | "all" | { readonly char: string } | CharacterClass;
interface CharacterClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [string, string])[];
}

/** The paths a glob with `*`, `**`, `?`, `[ab]`, `{a,b}` stands for; and whatever lies below exactly its text. */
export function automatonOf(glob: string): Automaton {
  const builder = new Builder();
  const begin = builder.add();
  const ends = [builder.sequence(glob, begin), builder.below(builder.literal(glob, begin))];
  const end = builder.add();
  for (const node of ends) builder.join(node, end);
  return { nodes: builder.nodes, end };
}

class Builder {
  readonly nodes: Node[] = [];

  add(): number {
    return this.nodes.push({ edges: [], free: [] }) - 1;
  }

  join(from: number, to: number): void {
    this.nodes[from]?.free.push(to);
  }

  on(from: number, step: Step): number {
    const to = this.add();
    this.nodes[from]?.edges.push([step, to]);
    return to;
  }

  loop(from: number, step: Step): number {
    const to = this.add();
    this.join(from, to);
    this.nodes[to]?.edges.push([step, to]);
    return to;
  }

  literal(text: string, from: number): number {
    return [...text].reduce((node, character) => this.characters(character, node), from);
  }

  /** Nothing more, or a slash and anything. */
  below(from: number): number {
    const to = this.add();
    this.join(from, to);
    this.join(this.loop(this.on(from, { char: "/" }), "all"), to);
    return to;
  }

  sequence(glob: string, from: number): number {
    let node = from;
    for (let at = 0; at < glob.length; ) {
      const [next, width] = this.piece(glob, at, node);
      node = next;
      at += width;
    }
    return node;
  }

  /** The node behind the piece that starts here, and its width. */
  piece(glob: string, at: number, from: number): [number, number] {
    const character = glob[at] ?? "";
    if (character === "*") return this.stars(glob, at, from);
    if (character === "?") return [this.on(from, "any"), 1];
    if (character === "[") {
      const found = readClass(glob, at);
      if (found) return [this.on(from, found.step), found.width];
    }
    if (character === "{") {
      const found = readAlternatives(glob, at);
      if (found) {
        const to = this.add();
        for (const alternative of found.alternatives) this.join(this.sequence(alternative, from), to);
        return [to, found.width];
      }
    }
    return [this.on(from, { char: character }), 1];
  }

  /** `**` between slashes is any number of folders; anywhere else stars stay inside a name. */
  stars(glob: string, at: number, from: number): [number, number] {
    let width = 1;
    while (glob[at + width] === "*") width += 1;
    const isWhole = width === 2 && (at === 0 || glob[at - 1] === "/") && [undefined, "/"].includes(glob[at + width]);
    if (!isWhole) return [this.loop(from, "any"), width];
    if (at + width === glob.length) return [this.loop(from, "all"), width];
    const entry = this.add();
    this.join(from, entry);
    const slash = this.on(this.loop(this.on(entry, "any"), "any"), { char: "/" });
    this.join(slash, entry);
    return [entry, width + 1];
  }

  characters(text: string, from: number): number {
    let node = from;
    for (let at = 0; at < text.length; at += 1) node = this.on(node, { char: text[at] ?? "" });
    return node;
  }
}

function readClass(glob: string, at: number): { step: CharacterClass; width: number } | undefined {
  const close = glob.indexOf("]", at + (/^\[[!^]/.test(glob.slice(at)) ? 3 : 2));
  const inside = glob.slice(at + 1, close);
  if (close === -1 || inside.includes("/")) return undefined;
  const negated = /^[!^]/.test(inside);
  const ranges = [...inside.slice(negated ? 1 : 0).matchAll(/(.)-(.)|(.)/gs)].map(
    ([, low, high, one]) => [low ?? one ?? "", high ?? one ?? ""] as const,
  );
  return { step: { negated, ranges }, width: close + 1 - at };
}

/** The parts of a brace group; undefined where it has no end or no comma, and so is text. */
function readAlternatives(glob: string, at: number): { alternatives: string[]; width: number } | undefined {
  const alternatives: string[] = [];
  let depth = 0;
  let begin = at + 1;
  for (let here = at; here < glob.length; here += 1) {
    const character = glob[here];
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if ((character === "," && depth === 1) || (character === "}" && depth === 0)) {
      alternatives.push(glob.slice(begin, here));
      begin = here + 1;
    }
    if (depth === 0) return alternatives.length > 1 ? { alternatives, width: here + 1 - at } : undefined;
  }
  return undefined;
}

/** Whether the automaton takes the whole path. */
export function accepts({ nodes, end }: Automaton, path: string): boolean {
  let current = closure(nodes, [0]);
  for (let at = 0; at < path.length && current.size > 0; at += 1) {
    const step = { char: path[at] ?? "" };
    const next = [...current].flatMap((node) =>
      (nodes[node]?.edges ?? []).filter(([on]) => meet(on, step)).map(([, to]) => to),
    );
    current = closure(nodes, next);
  }
  return current.has(end);
}

function closure(nodes: readonly Node[], from: readonly number[]): Set<number> {
  const reached = new Set(from);
  for (const node of reached) for (const to of nodes[node]?.free ?? []) reached.add(to);
  return reached;
}

/** Pairs of nodes looked at before two globs count as overlapping unproved. */
const MAX_PAIRS = 50_000;

/** Whether some path is taken by both; errs on the side of yes. */
export function haveCommonPath(a: Automaton, b: Automaton): boolean {
  const width = b.nodes.length;
  const seen = new Set([0]);
  for (const pair of seen) {
    const [left, right] = [Math.floor(pair / width), pair % width];
    if ((left === a.end && right === b.end) || seen.size > MAX_PAIRS) return true;
    const [from, to] = [a.nodes[left], b.nodes[right]];
    for (const next of from?.free ?? []) seen.add(next * width + right);
    for (const next of to?.free ?? []) seen.add(left * width + next);
    for (const [one, nextLeft] of from?.edges ?? [])
      for (const [other, nextRight] of to?.edges ?? []) if (meet(one, other)) seen.add(nextLeft * width + nextRight);
  }
  return false;
}

/** Whether a character can be both; two classes are taken to have one in common. */
function meet(a: Step, b: Step): boolean {
  if (a === "all" || b === "all") return true;
  if (typeof a === "object" && "char" in a) return takes(b, a.char);
  if (typeof b === "object" && "char" in b) return takes(a, b.char);
  return true;
}

function takes(step: Step, character: string): boolean {
  if (step === "all") return true;
  if (step === "any") return character !== "/";
  if ("char" in step) return step.char === character;
  if (character === "/") return false;
  return step.negated !== step.ranges.some(([low, high]) => low <= character && character <= high);
}
