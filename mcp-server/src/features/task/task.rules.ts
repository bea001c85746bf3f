import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { directsWork, type Principal } from "../../kernel/principal.ts";
import type { Outcome, Task, TaskStatus } from "./task.schema.ts";

/** Kinds that are no work for one agent: epics need decomposition, the rest are another tool's records. */
const notWorkable = new Set([
  "epic",
  "merge-request",
  "gate",
  "molecule",
  "rig",
  "agent",
  "role",
  "message",
  "event",
  "convoy",
]);

function isWorkable(kind: string): boolean {
  return !notWorkable.has(kind);
}

/** What the derived columns depend on. */
export type ReadinessFacts = Pick<
  Task,
  | "status"
  | "priority"
  | "kind"
  | "openBlockers"
  | "blockedAncestors"
  | "blockedSince"
  | "foreignStatus"
  | "pinned"
  | "ephemeral"
  | "template"
>;

/** Priority when an agent may take the task now, else null (design §4: the key of the partial index). */
export function readyPriority(task: ReadinessFacts): number | null {
  const ready =
    task.status === "open" &&
    task.openBlockers === 0 &&
    task.blockedAncestors === 0 &&
    task.blockedSince === null &&
    task.foreignStatus === null &&
    !task.pinned &&
    !task.ephemeral &&
    !task.template &&
    isWorkable(task.kind);
  return ready ? task.priority : null;
}

/** Priority of an open epic without open children, else null: nobody has broken it down yet, or all of it is done. */
export function epicPriority(task: ReadinessFacts & Pick<Task, "openChildren">): number | null {
  const bare = task.kind === "epic" && task.status === "open" && task.openChildren === 0;
  return bare ? task.priority : null;
}

/** True when the task holds its children back: it waits itself, is blocked, or is put off, at any depth above. */
export function holdsChildren(task: ReadinessFacts): boolean {
  if (task.status === "closed" || task.foreignStatus === "pinned") return false;
  return task.openBlockers > 0 || task.blockedAncestors > 0 || task.blockedSince !== null || task.status === "deferred";
}

/** True while the files of the task's scope are its holder's alone: from the claim until it is closed or given back. */
export function holdsFiles(task: Pick<Task, "holder" | "status">): boolean {
  return task.holder !== null && (task.status === "in_progress" || task.status === "in_review");
}

/** True when other files may be the holder's after the change than before. */
export function changesFiles(before: Task, after: Task): boolean {
  if (!holdsFiles(before)) return holdsFiles(after) && after.scope.length > 0;
  return !holdsFiles(after) || before.holder !== after.holder || before.scope !== after.scope;
}

/** True when tasks that wait for this one may go on. A pinned record is frozen and never waited for. */
export function isSettled(task: { status: string; foreignStatus: string | null }): boolean {
  return task.status === "closed" || task.foreignStatus === "pinned";
}

export interface LinkTarget {
  readonly status: TaskStatus;
  readonly outcome: Outcome | null;
  readonly foreignStatus: string | null;
  readonly openChildren: number;
  readonly closedChildren: number;
}

/** Whether an edge of this type holds its task back at the moment. `metadata` is the edge's JSON, if any. */
export function isEdgeBlocking(type: string, target: LinkTarget | undefined, metadata: string | null): boolean {
  if (!target) return false;
  if (type === "blocks") return !isSettled(target);
  if (type === "conditional-blocks") {
    // the task runs only if the target ends badly: success leaves it waiting for good
    return !(isSettled(target) && target.outcome !== null && ["failed", "cancelled"].includes(target.outcome));
  }
  if (type === "waits-for") {
    const gate = readGate(metadata);
    const childrenOpen = target.openChildren > 0 && !(gate.anyChild && target.closedChildren > 0);
    return childrenOpen || (gate.alsoBlocks && !isSettled(target));
  }
  return false;
}

function readGate(metadata: string | null): { anyChild: boolean; alsoBlocks: boolean } {
  try {
    const value: unknown = JSON.parse(metadata ?? "{}");
    if (typeof value === "object" && value !== null) {
      const record = value as Record<string, unknown>;
      return { anyChild: record.gate === "any-children", alsoBlocks: record.also_blocks === true };
    }
  } catch {
    // metadata of another tool that is no JSON says nothing about gates
  }
  return { anyChild: false, alsoBlocks: false };
}

const moves: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  open: ["in_progress", "deferred", "closed"],
  deferred: ["open", "closed"],
  in_progress: ["open", "in_review", "deferred", "closed"],
  in_review: ["in_progress", "open", "closed"],
  closed: ["open"],
};

/** Throws RULE_VIOLATED with the legal next states. */
export function checkMove(task: Task, to: TaskStatus): void {
  if (moves[task.status].includes(to)) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${task.key} is ${task.status} and cannot become ${to}; it can become ${moves[task.status].join(" or ")}.`,
    task.status === "closed" ? hint("task_reopen", "opens it again") : hint("task_show", "shows where it stands"),
  );
}

/** The operations that are legal next for the caller; shown with every state change. */
export function nextOperations(task: Task, principal: Principal): string[] {
  const own = task.holder === principal.key;
  switch (task.status) {
    case "open":
      return task.readyPrio === null ? ["task_show", "task_update"] : ["task_claim", "task_update"];
    case "in_progress":
      return own || directsWork(principal) ? ["task_update", "board_move", "task_close"] : ["task_show"];
    case "in_review":
      return ["board_move", "task_close"];
    case "deferred":
      return ["task_update"];
    case "closed":
      return ["task_ready"];
  }
}

/** Throws when the caller may not change this task. Holding is by key: a name proves nothing. */
export function checkMayChange(task: Task, principal: Principal, fence?: number): void {
  if (fence !== undefined && fence !== task.fence) {
    throw new TeamwrightError(
      "CONFLICT",
      `The claim with that fencing number on ${task.key} is over; the task was claimed again since.`,
      hint("brief_show", "shows what you hold now"),
    );
  }
  if (task.holder === principal.key || directsWork(principal)) return;
  if (task.holder !== null) {
    throw new TeamwrightError(
      "FORBIDDEN",
      `${task.key} is held by ${task.holderName ?? "another agent"}; only the holder or the lead changes it.`,
      hint("task_ready", "lists tasks that are free"),
    );
  }
}

/** Throws unless the caller holds the task or directs work. */
export function checkHolds(task: Task, principal: Principal, fence?: number): void {
  checkMayChange(task, principal, fence);
  if (task.holder === null && !directsWork(principal)) {
    throw new TeamwrightError(
      "FORBIDDEN",
      `You do not hold ${task.key}; it was never claimed by you, or your lease ran out.`,
      hint("task_claim", "takes it"),
    );
  }
}

/** Throws unless the caller may bring the task to another team's board: who directs work, and a claim stays behind. */
export function checkTeamChange(task: Task, principal: Principal, released: boolean): void {
  if (!directsWork(principal)) {
    throw new TeamwrightError(
      "FORBIDDEN",
      "Only the lead or a person brings a task to another team.",
      hint("dependency_declare", "asks the other team for something"),
    );
  }
  if (task.holder === null || released) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${task.key} is held by ${task.holderName ?? "another agent"} and stays in team ${task.team} until it is given back.`,
    hint("task_update", "with team and release does both"),
  );
}

/** Throws BLOCKED unless the task may be closed (beads-compat §1.6); giving up needs no finished parts. */
export function checkClose(task: Task, outcome: Outcome, waitsFor: readonly string[]): void {
  if (outcome !== "done") return;
  if (task.openChildren > 0) {
    throw new TeamwrightError(
      "BLOCKED",
      `${task.key} has ${task.openChildren} open child${task.openChildren === 1 ? "" : "ren"}.`,
      hint("task_list", "with parent shows them"),
    );
  }
  if (waitsFor.length > 0) {
    throw new TeamwrightError(
      "BLOCKED",
      `${task.key} still waits for ${waitsFor.slice(0, 5).join(", ")}.`,
      hint("task_show", "shows what it waits for"),
    );
  }
}

/** Throws OVER_LIMIT when one agent generation would hold too many (design §6, `wip_limits.per_agent`). */
export function handsFull(held: readonly { key: string }[], limit: number): TeamwrightError {
  return new TeamwrightError(
    "OVER_LIMIT",
    `You already hold ${held.map((task) => task.key).join(", ")}; the limit is ${limit} per agent.`,
    hint("task_close", "finishes it, or task_update releases it"),
  );
}

/** Why the task is not ready, as short sentences; empty when it is. */
export function whyNotReady(task: Task, waitsFor: readonly string[]): string[] {
  const reasons: string[] = [];
  if (task.status !== "open") reasons.push(`state is ${task.status}`);
  if (task.blockedReason !== null) reasons.push(`blocked: ${task.blockedReason}`);
  if (task.openBlockers > 0) reasons.push(`waits for ${waitsFor.length > 0 ? waitsFor.join(", ") : task.openBlockers}`);
  if (task.blockedAncestors > 0) reasons.push("a task above it is blocked, waiting or deferred");
  if (task.foreignStatus !== null) reasons.push(`has the foreign status ${task.foreignStatus}`);
  if (!isWorkable(task.kind))
    reasons.push(task.kind === "epic" ? "an epic needs decomposition" : `a ${task.kind} is no work`);
  if (task.pinned) reasons.push("is pinned");
  if (task.ephemeral) reasons.push("is ephemeral");
  if (task.template) reasons.push("is a template");
  return reasons;
}

/** Lowers the blocked flag and adds the time to the record (C-10: blocked time is recorded). */
export function unblocked(task: Pick<Task, "blockedSince" | "blockedMs">, now: number) {
  if (task.blockedSince === null) return {};
  return {
    blockedReason: null,
    blockedSince: null,
    blockedBy: null,
    blockedMs: task.blockedMs + Math.max(0, now - task.blockedSince),
  };
}
