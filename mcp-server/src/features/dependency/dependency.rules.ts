/** requirements DE-01 */
export const dependencyTypes = ["blocks", "needs_api", "shared_component"] as const;
export type DependencyType = (typeof dependencyTypes)[number];

/** A shared component wants talking to; the other two hold the task back until they are resolved. */
export function holdsTaskBack(type: string): boolean {
  return type !== "shared_component";
}

export interface TeamWait {
  readonly team: string;
  readonly needsTeam: string;
}

export interface TeamLoad {
  readonly team: string;
  /** Ready and in progress: work the team can do without anybody. */
  readonly movable: number;
}

export interface WaitCircle {
  readonly teams: readonly string[];
  /** True when no team of the circle has anything it could do meanwhile. */
  readonly deadlock: boolean;
}

/** Every group of teams that wait for one another in a circle (strongly connected components of the wait graph). */
export function findWaitCircles(waits: readonly TeamWait[], loads: readonly TeamLoad[]): WaitCircle[] {
  const next = new Map<string, Set<string>>();
  for (const { team, needsTeam } of waits) next.set(team, (next.get(team) ?? new Set()).add(needsTeam));
  const movable = new Map(loads.map((load) => [load.team, load.movable]));
  const circles: WaitCircle[] = [];
  const done = new Set<string>();
  for (const start of [...next.keys()].sort()) {
    if (done.has(start)) continue;
    const members = [...reach(next, start)].filter((team) => reach(next, team).has(start)).sort();
    for (const member of members) done.add(member);
    if (members.length > 0) {
      circles.push({ teams: members, deadlock: members.every((team) => (movable.get(team) ?? 0) === 0) });
    }
  }
  return circles;
}

/** Teams that can be reached from `start` in one step or more. */
function reach(next: ReadonlyMap<string, ReadonlySet<string>>, start: string): Set<string> {
  const seen = new Set<string>();
  const queue = [...(next.get(start) ?? [])];
  for (let team = queue.pop(); team !== undefined; team = queue.pop()) {
    if (seen.has(team)) continue;
    seen.add(team);
    queue.push(...(next.get(team) ?? []));
  }
  return seen;
}
