import type { BeadsDependency, BeadsIssue } from "./beads-issue.schema.ts";

export interface EdgeName {
  id: string;
  target: string;
  type: string;
}

type Node = Pick<BeadsIssue, "id" | "dependencies">;

// Types whose cycles bd refuses (beads-compat §1.4).
const ORDERING_TYPES: ReadonlySet<string> = new Set(["blocks", "conditional-blocks", "parent-child"]);

function byId(left: Node, right: Node): number {
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}

interface Frame {
  node: Node;
  edges: BeadsDependency[];
  next: number;
}

function frameOf(node: Node): Frame {
  return { node, edges: node.dependencies.filter(({ type }) => ORDERING_TYPES.has(type)), next: 0 };
}

/**
 * Parents and blockers before what they hold up, ids deciding what is free: the same set of issues gives the same order
 * however it is passed. `backEdges` are edges that close a cycle; without them the graph has none (beads-compat §6.1, §6.2).
 */
export function dependencyOrder<T extends Node>(issues: readonly T[]): { order: T[]; backEdges: EdgeName[] } {
  const nodes = new Map(issues.toSorted(byId).map((issue) => [issue.id, issue]));
  const state = new Map<string, "open" | "done">();
  const order: T[] = [];
  const backEdges: EdgeName[] = [];
  for (const root of nodes.values()) {
    if (state.has(root.id)) continue;
    state.set(root.id, "open");
    const stack = [frameOf(root)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const edge = frame.edges[frame.next];
      frame.next += 1;
      if (edge === undefined) {
        const node = nodes.get(frame.node.id);
        if (node !== undefined) order.push(node);
        state.set(frame.node.id, "done");
        stack.pop();
        continue;
      }
      const target = nodes.get(edge.target);
      if (target === undefined) continue;
      const seen = state.get(target.id);
      if (seen === "open") backEdges.push({ id: frame.node.id, target: edge.target, type: edge.type });
      if (seen !== undefined) continue;
      state.set(target.id, "open");
      stack.push(frameOf(target));
    }
  }
  return { order, backEdges };
}

/** Edges to ids outside `known` (default: the issues themselves); kept on import, never blocking (beads-compat §6.1). */
export function danglingEdges(issues: readonly Node[], known?: ReadonlySet<string>): EdgeName[] {
  const ids = known ?? new Set(issues.map(({ id }) => id));
  return issues.flatMap(({ id, dependencies }) =>
    dependencies.filter(({ target }) => !ids.has(target)).map(({ target, type }) => ({ id, target, type })),
  );
}
