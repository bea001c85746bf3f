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

export type BeadsBlock =
  | { why: "blocks"; by: string }
  | { why: "parent"; by: string }
  | { why: "waits_for"; by: string; openChildren: number }
  | { why: "waits_for_target"; by: string };

export type BeadsHidden =
  | "not_open"
  | "custom_status"
  | "pinned"
  | "ephemeral"
  | "deferred"
  | "parent_deferred"
  | "excluded_type"
  | "blocked";

export interface BeadsExplanation {
  id: string;
  ready: boolean;
  blockedBy: BeadsBlock[];
  /** Every reason that hides the issue; empty exactly when ready. */
  hidden: BeadsHidden[];
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

/** Blocks an issue has of its own; inheriting from a parent comes after the fixpoint. */
function directBlocks(issue: ReadinessIssue, graph: Graph): BeadsBlock[] {
  const blocks: BeadsBlock[] = [];
  for (const { type, target, metadata } of issue.dependencies) {
    const other = graph.byId.get(target);
    // Missing and external targets never block.
    if (other === undefined) continue;
    if (type === "blocks" || type === "conditional-blocks") {
      if (!isSettled(other)) blocks.push({ why: "blocks", by: target });
    } else if (type === "waits-for") {
      const open = graph.openChildren.get(target)?.length ?? 0;
      const satisfied = field(metadata, "gate") === "any-children" && graph.parentsClosedChild.has(target);
      if (open > 0 && !satisfied) blocks.push({ why: "waits_for", by: target, openChildren: open });
      if (field(metadata, "also_blocks") === true && !isSettled(other))
        blocks.push({ why: "waits_for_target", by: target });
    }
  }
  return blocks;
}

/** Least fixpoint: own blocks, then down the parent-child edges. Each issue enters the queue once, so cycles end. */
function blockedIds(graph: Graph): Set<string> {
  const blocked = new Set<string>();
  const queue: string[] = [];
  for (const issue of graph.byId.values()) {
    if (isSettled(issue) || directBlocks(issue, graph).length === 0) continue;
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

function hiddenReasons(issue: ReadinessIssue, graph: Graph, blocked: ReadonlySet<string>, now: number): BeadsHidden[] {
  const hidden: BeadsHidden[] = [];
  const { foreignStatus } = issue.status;
  if (writeStatus(issue.status) !== "open") hidden.push("not_open");
  else if (foreignStatus !== undefined) hidden.push("custom_status");
  if (issue.pinned) hidden.push("pinned");
  if (issue.ephemeral) hidden.push("ephemeral");
  if (isDeferred(issue, now)) hidden.push("deferred");
  // One hop only, as in bd: grandchildren of a deferred issue are listed.
  const isParentDeferred = issue.dependencies.some(
    ({ type, target }) => type === "parent-child" && isDeferred(graph.byId.get(target), now),
  );
  if (isParentDeferred) hidden.push("parent_deferred");
  if (EXCLUDED_KINDS.has(issue.kind)) hidden.push("excluded_type");
  if (blocked.has(issue.id)) hidden.push("blocked");
  return hidden;
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
  const ready = unique.filter((issue) => hiddenReasons(issue, graph, blocked, now).length === 0);
  ready.sort((a, b) => a.priority - b.priority || a.createdAt - b.createdAt || compareText(a.id, b.id));
  const stuck = unique.filter((issue) => blocked.has(issue.id));
  stuck.sort((a, b) => a.priority - b.priority || b.createdAt - a.createdAt || compareText(a.id, b.id));
  return { ready: ready.map((issue) => issue.id), blocked: stuck.map((issue) => issue.id) };
}

/** Why each issue is ready, hidden or blocked, in input order; agrees with `beadsReadiness`. */
export function explainBeadsReadiness(issues: readonly ReadinessIssue[], now: number): BeadsExplanation[] {
  const graph = graphOf(issues);
  const blocked = blockedIds(graph);
  return [...graph.byId.values()].map((issue) => {
    const blockedBy = isSettled(issue) ? [] : directBlocks(issue, graph);
    for (const { type, target } of issue.dependencies)
      if (!isSettled(issue) && type === "parent-child" && blocked.has(target))
        blockedBy.push({ why: "parent", by: target });
    const hidden = hiddenReasons(issue, graph, blocked, now);
    return { id: issue.id, ready: hidden.length === 0, blockedBy, hidden };
  });
}
