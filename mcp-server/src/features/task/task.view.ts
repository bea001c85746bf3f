import type { Kysely, Selectable } from "kysely";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { Task, TaskBrief, TaskFull, TaskStatus } from "./task.schema.ts";
import type { TaskTable } from "./task.table.ts";
import { labelsOfTask } from "./task-parts.store.ts";

export function isoTime(ms: number | null | undefined): string | undefined {
  if (ms === null || ms === undefined) return undefined;
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Leaves undefined and null members out, so that answers stay short. */
export function compact<T extends Record<string, unknown>>(value: T): T {
  const kept: Record<string, unknown> = {};
  for (const name in value) if (value[name] !== undefined && value[name] !== null) kept[name] = value[name];
  return kept as T;
}

/** What a list shows of a task; reading all fifty columns of each row costs several times as much. */
export const briefColumns = [
  "task.key",
  "task.title",
  "task.status",
  "task.ready_prio",
  "task.priority",
  "task.team",
  "task.kind",
  "task.points",
  "task.holder",
  "task.holder_name",
  "task.assignee",
  "task.blocked_reason",
  "task.open_blockers",
] as const;

type BriefRow = Pick<
  Selectable<TaskTable>,
  | "key"
  | "title"
  | "status"
  | "ready_prio"
  | "priority"
  | "team"
  | "kind"
  | "points"
  | "holder"
  | "holder_name"
  | "assignee"
  | "blocked_reason"
  | "open_blockers"
>;

export function briefOfRow(row: BriefRow): TaskBrief {
  return toBrief({
    key: row.key,
    title: row.title,
    status: row.status as TaskStatus, // written by task.store.ts only, from the closed list
    readyPrio: row.ready_prio,
    priority: row.priority,
    team: row.team,
    kind: row.kind,
    points: row.points,
    holder: row.holder,
    holderName: row.holder_name,
    assignee: row.assignee,
    blockedReason: row.blocked_reason,
    openBlockers: row.open_blockers,
  });
}

/** Of a word that another tool may have written. */
const MOST_WORD = 60;

type BriefFacts = Pick<
  Task,
  | "key"
  | "title"
  | "status"
  | "readyPrio"
  | "priority"
  | "team"
  | "kind"
  | "points"
  | "holder"
  | "holderName"
  | "assignee"
  | "blockedReason"
  | "openBlockers"
>;

export function toBrief(task: BriefFacts): TaskBrief {
  return compact({
    id: task.key,
    title: task.title,
    state: task.status === "open" && task.readyPrio !== null ? "ready" : task.status,
    priority: task.priority,
    team: task.team,
    kind: task.kind === "task" ? undefined : plainLine(task.kind, MOST_WORD),
    points: task.points ?? undefined,
    holder: task.holderName ?? undefined,
    assignee: task.holder === null ? (task.assignee ?? undefined) : undefined,
    blocked: task.blockedReason ?? undefined,
    waits_for: task.openBlockers > 0 ? task.openBlockers : undefined,
  }) as TaskBrief;
}

export async function toFull(db: Kysely<Database>, task: Task, now: number): Promise<TaskFull> {
  const labels = await labelsOfTask(db, task.id);
  const blockedMs = task.blockedMs + (task.blockedSince === null ? 0 : Math.max(0, now - task.blockedSince));
  return compact({
    ...toBrief(task),
    kind: plainLine(task.kind, MOST_WORD),
    description: task.description ?? undefined,
    design: task.design ?? undefined,
    acceptance: task.acceptance ?? undefined,
    notes: task.notes ?? undefined,
    outcome: task.outcome ?? undefined,
    foreign_status: task.foreignStatus === null ? undefined : plainLine(task.foreignStatus, MOST_WORD),
    scope: task.scope.length > 0 ? [...task.scope] : undefined,
    labels: labels.length > 0 ? labels : undefined,
    external_ref: task.externalRef ?? undefined,
    estimate_minutes: task.estimateMinutes ?? undefined,
    due_at: isoTime(task.dueAt),
    defer_until: isoTime(task.deferUntil),
    blocked_since: isoTime(task.blockedSince),
    blocked_by: task.blockedBy ?? undefined,
    blocked_seconds: blockedMs > 0 ? Math.round(blockedMs / 1000) : undefined,
    lease_expires_at: isoTime(task.leaseExpiresAt),
    created_at: isoTime(task.createdAt) ?? "",
    created_by: task.createdBy,
    updated_at: isoTime(task.updatedAt) ?? "",
    started_at: isoTime(task.startedAt),
    closed_at: isoTime(task.closedAt),
    close_reason: task.closeReason ?? undefined,
    open_children: task.openChildren > 0 ? task.openChildren : undefined,
    closed_children: task.closedChildren > 0 ? task.closedChildren : undefined,
  }) as TaskFull;
}

export function renderBriefs(tasks: readonly TaskBrief[], view: RenderView): string {
  if (tasks.length === 0) return "";
  const rows = tasks.map((task) => [
    view.paint("cyan", task.id),
    paintPriority(task.priority, view),
    paintState(task, view),
    task.team,
    plainLine(task.holder ?? (task.assignee ? `(${task.assignee})` : ""), 20),
    plainLine(task.title, Math.max(30, view.width - 70)),
  ]);
  return view.table(["id", "prio", "state", "team", "holder", "title"], rows);
}

function paintPriority(priority: number, view: RenderView): string {
  return view.paint(priority === 0 ? "red" : priority === 1 ? "yellow" : "dim", `P${priority}`);
}

function paintState(task: TaskBrief, view: RenderView): string {
  if (task.blocked !== undefined) return view.paint("red", `${task.state} blocked`);
  const colours = { ready: "green", in_progress: "blue", in_review: "yellow", closed: "dim" } as const;
  const colour = colours[task.state as keyof typeof colours];
  return colour ? view.paint(colour, task.state) : task.state;
}

const longFields = ["description", "design", "acceptance", "notes"] as const;

/** One task as text; what people and agents wrote comes fenced. */
export function renderFull(task: TaskFull, view: RenderView): string {
  const lines = [`${view.paint("bold", task.id)}  ${plainLine(task.title, 200)}`];
  for (const [name, value] of Object.entries(task)) {
    if (["id", "title", ...longFields].includes(name)) continue;
    lines.push(`${name}: ${plainLine(Array.isArray(value) ? value.join(", ") : String(value), 300)}`);
  }
  for (const name of longFields) {
    const value = task[name];
    if (value) lines.push(`${name}:`, fenceText(name, value));
  }
  return lines.join("\n");
}
