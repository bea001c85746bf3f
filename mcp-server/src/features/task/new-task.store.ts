import type { OperationContext } from "../../kernel/operation.ts";
import { adoptDanglingEdges } from "./graph.store.ts";
import type { Task } from "./task.schema.ts";
import { insertTask } from "./task.store.ts";
import { changeLabels } from "./task-parts.store.ts";

/** What a task is made of; all but team and title may be left out. Times are UTC ms. */
export interface TaskDraft {
  readonly team: string;
  readonly title: string;
  readonly description?: string | undefined;
  readonly design?: string | undefined;
  readonly acceptance?: string | undefined;
  readonly notes?: string | undefined;
  readonly kind?: string | undefined;
  readonly priority?: number | undefined;
  readonly points?: number | undefined;
  readonly assignee?: string | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly externalRef?: string | undefined;
  readonly dueAt?: number | undefined;
  readonly deferUntil?: number | undefined;
  readonly labels?: readonly string[] | undefined;
  /** The caller unless told. */
  readonly createdBy?: string | undefined;
}

/** The row of a new task; whoever makes it records what it came from, too. */
export async function insertDraft(ctx: OperationContext, draft: TaskDraft): Promise<Task> {
  const deferUntil = draft.deferUntil !== undefined && draft.deferUntil > ctx.now ? draft.deferUntil : null;
  return insertTask(ctx, {
    key: ctx.newKey(),
    team: draft.team,
    title: draft.title,
    description: draft.description ?? null,
    design: draft.design ?? null,
    acceptance: draft.acceptance ?? null,
    notes: draft.notes ?? null,
    kind: draft.kind ?? "task",
    status: deferUntil === null ? "open" : "deferred",
    outcome: null,
    foreignStatus: null,
    priority: draft.priority ?? 2,
    points: draft.points ?? null,
    estimateMinutes: null,
    assignee: draft.assignee ?? null,
    scope: draft.scope ?? [],
    externalRef: draft.externalRef ?? null,
    dueAt: draft.dueAt ?? null,
    deferUntil,
    blockedReason: null,
    blockedSince: null,
    blockedBy: null,
    holder: null,
    holderName: null,
    leaseExpiresAt: null,
    pinned: false,
    ephemeral: false,
    template: false,
    createdAt: ctx.now,
    createdBy: draft.createdBy ?? ctx.principal.name,
    updatedAt: ctx.now,
    startedAt: null,
    closedAt: null,
    closeReason: null,
    foreignRaw: null,
    foreignDigest: null,
  });
}

/** A new task on its team's board, with its labels, its event, and the edges that were waiting for its id. */
export async function createTask(ctx: OperationContext, draft: TaskDraft): Promise<Task> {
  const assignee = draft.assignee?.trim() || undefined;
  const task = await insertDraft(ctx, { ...draft, title: draft.title.trim(), assignee });
  if (draft.labels) await changeLabels(ctx, task.id, [...draft.labels], []);
  ctx.record({
    type: "task.created",
    subject: task.key,
    team: draft.team,
    after: { title: task.title, kind: task.kind, priority: task.priority, state: task.status },
  });
  await adoptDanglingEdges(ctx, task);
  return task;
}
