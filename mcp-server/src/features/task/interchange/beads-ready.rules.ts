import type { BeadsIssue, JsonValue } from "./beads-issue.schema.ts";
import { isJsonObject } from "./beads-json.rules.ts";
import { writeStatus } from "./beads-status.rules.ts";

/** What readiness looks at; a whole `BeadsIssue` fits. */
export type ReadinessIssue = Pick<
  BeadsIssue,
  "id" | "status" | "priority" | "kind" | "createdAt" | "deferUntil" | "pinned" | "ephemeral" | "dependencies"
>;

export interface BeadsReadiness {
  /** Priority ascending, created ascending, id. */
  ready: string[];
  /** bd's `blocked`: priority ascending, created descending, id. */
  blocked: string[];
}

// beads-compat §1.5
const EXCLUDED_KINDS: ReadonlySet<string> = new Set([
  "merge-request",
  "gate",
  "molecule",
  "rig",
  "agent",
  "role",
  "message",
]);

function isSettled(issue: ReadinessIssue): boolean {
  return issue.status.state === "closed" || writeStatus(issue.status) === "pinned";
}

interface Graph {
  byId: ReadonlyMap<string, ReadinessIssue>;
  openChildren: ReadonlyMap<string, ReadinessIssue[]>;
  parentsClosedChild: ReadonlySet<string>;
}

function graphOf(issues: readonly ReadinessIssue[]): Graph {
  const byId = new Map(issues.map((issue) => [issue.id, issue]));
  const openChildren = new Map<string, ReadinessIssue[]>();
  const parentsClosedChild = new Set<string>();
  for (const issue of byId.values()) {
    for (const { type, target } of issue.dependencies) {
      if (type !== "parent-child") continue;
      if (!isSettled(issue)) {
        const siblings = openChildren.get(target);
        if (siblings === undefined) openChildren.set(target, [issue]);
        else siblings.push(issue);
      }
      if (issue.status.state === "closed") parentsClosedChild.add(target);
    }
  }
  return { byId, openChildren, parentsClosedChild };
}

function field(metadata: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(metadata) ? metadata[name] : undefined;
}

/** Whether an issue is blocked by itself; inheriting from a parent comes after the fixpoint. */
function isBlockedItself(issue: ReadinessIssue, graph: Graph): boolean {
  return issue.dependencies.some(({ type, target, metadata }) => {
    const other = graph.byId.get(target);
    // Missing and external targets never block.
    if (other === undefined) return false;
    if (type === "blocks" || type === "conditional-blocks") return !isSettled(other);
    if (type !== "waits-for") return false;
    const isMet = field(metadata, "gate") === "any-children" && graph.parentsClosedChild.has(target);
    const waitsForChildren = graph.openChildren.has(target) && !isMet;
    return waitsForChildren || (field(metadata, "also_blocks") === true && !isSettled(other));
  });
}

/** Least fixpoint: own blocks, then down the parent-child edges. Each issue enters the queue once, so cycles end. */
function blockedIds(graph: Graph): Set<string> {
  const blocked = new Set<string>();
  const queue: string[] = [];
  for (const issue of graph.byId.values()) {
    if (isSettled(issue) || !isBlockedItself(issue, graph)) continue;
    blocked.add(issue.id);
    queue.push(issue.id);
  }
  for (let at = 0; at < queue.length; at += 1) {
    for (const child of graph.openChildren.get(queue[at] ?? "") ?? []) {
      if (blocked.has(child.id)) continue;
      blocked.add(child.id);
      queue.push(child.id);
    }
  }
  return blocked;
}

function isDeferred(issue: ReadinessIssue | undefined, now: number): boolean {
  return issue?.deferUntil !== undefined && issue.deferUntil > now;
}

/** Whether bd's `ready` leaves an issue out that nothing blocks. */
function isHidden(issue: ReadinessIssue, graph: Graph, now: number): boolean {
  const { foreignStatus } = issue.status;
  if (writeStatus(issue.status) !== "open" || foreignStatus !== undefined) return true;
  if (issue.pinned || issue.ephemeral || isDeferred(issue, now) || EXCLUDED_KINDS.has(issue.kind)) return true;
  // One hop only, as in bd: grandchildren of a deferred issue are listed.
  return issue.dependencies.some(
    ({ type, target }) => type === "parent-child" && isDeferred(graph.byId.get(target), now),
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * `bd ready` and `bd blocked` to the letter of beads-compat §1.5, known holes included, in time linear in issues and
 * edges (plus the sort). `now` is epoch ms. Of repeated ids the last counts.
 */
export function beadsReadiness(issues: readonly ReadinessIssue[], now: number): BeadsReadiness {
  const graph = graphOf(issues);
  const blocked = blockedIds(graph);
  const unique = [...graph.byId.values()];
  const ready = unique.filter((issue) => !blocked.has(issue.id) && !isHidden(issue, graph, now));
  ready.sort((a, b) => a.priority - b.priority || a.createdAt - b.createdAt || compareText(a.id, b.id));
  const stuck = unique.filter((issue) => blocked.has(issue.id));
  stuck.sort((a, b) => a.priority - b.priority || b.createdAt - a.createdAt || compareText(a.id, b.id));
  return { ready: ready.map((issue) => issue.id), blocked: stuck.map((issue) => issue.id) };
}
