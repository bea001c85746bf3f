import declared from "../../../../hooks/hooks.json" with { type: "json" };

interface Entry {
  readonly id: string;
  readonly event: string;
  readonly matches: RegExp;
}

/** The entries of hooks.json that call the guard, each of which the client may or may not have. */
const entries: readonly Entry[] = Object.entries(declared.hooks).flatMap(([event, groups]) =>
  groups.map((group, index) => ({
    id: `${event} ${index}`,
    event,
    matches: "matcher" in group ? matcherOf(group.matcher) : /^/,
  })),
);

/** The client takes a matcher for a whole name, unless it says where it begins itself. */
function matcherOf(matcher: string): RegExp {
  return new RegExp(matcher.startsWith("^") ? matcher : `^(?:${matcher})$`);
}

/** Remembers which hooks have arrived from the client. Kept in memory: another process has other hooks. */
export class Liveness {
  readonly #seen = new Map<string, number>();

  note(event: string, tool: string, now: number): void {
    const id = entryOf(event, tool)?.id;
    if (id !== undefined) this.#seen.set(id, now);
  }

  /** When a hook of the same entry last arrived: it stands for all tools of that entry. */
  last(event: string, tool: string): number | undefined {
    const id = entryOf(event, tool)?.id;
    return id === undefined ? undefined : this.#seen.get(id);
  }
}

function entryOf(event: string, tool: string): Entry | undefined {
  return entries.find((entry) => entry.event === event && entry.matches.test(tool));
}
