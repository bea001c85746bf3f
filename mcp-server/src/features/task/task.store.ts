import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared, preparedByShape } from "../../store/prepared.ts";
import { columnOf } from "../board/board.rules.ts";
import { count } from "../board/board.store.ts";
import { epicPriority, readyPriority } from "./task.rules.ts";
import type { Outcome, Task, TaskStatus } from "./task.schema.ts";
import type { TaskTable } from "./task.table.ts";

type TaskRow = Selectable<TaskTable>;

export function rowToTask(row: TaskRow): Task {
  return {
    id: Number(row.id),
    key: row.key,
    team: row.team,
    title: row.title,
    description: row.description,
    design: row.design,
    acceptance: row.acceptance,
    notes: row.notes,
    kind: row.kind,
    status: row.status as TaskStatus, // written by this file only, from the closed list
    outcome: row.outcome as Outcome | null,
    foreignStatus: row.foreign_status,
    priority: row.priority,
    points: row.points,
    estimateMinutes: row.estimate_minutes,
    assignee: row.assignee,
    scope: row.scope ? (JSON.parse(row.scope) as string[]) : [],
    externalRef: row.external_ref,
    dueAt: row.due_at,
    deferUntil: row.defer_until,
    blockedReason: row.blocked_reason,
    blockedSince: row.blocked_since,
    blockedBy: row.blocked_by,
    blockedMs: row.blocked_ms,
    holder: row.holder,
    holderName: row.holder_name,
    leaseExpiresAt: row.lease_expires_at,
    fence: row.fence,
    openBlockers: row.open_blockers,
    blockedAncestors: row.blocked_ancestors,
    openChildren: row.open_children,
    closedChildren: row.closed_children,
    readyPrio: row.ready_prio,
    epicPrio: row.epic_prio,
    pinned: row.pinned === 1,
    ephemeral: row.ephemeral === 1,
    template: row.template === 1,
    version: row.version,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    closedAt: row.closed_at,
    closeReason: row.close_reason,
    foreignRaw: row.foreign_raw,
    foreignDigest: row.foreign_digest,
  };
}

/** Columns of `task` by the names of `Task`; the derived ones are written by the graph only. */
const columnNames = {
  key: "key",
  team: "team",
  title: "title",
  description: "description",
  design: "design",
  acceptance: "acceptance",
  notes: "notes",
  kind: "kind",
  status: "status",
  outcome: "outcome",
  foreignStatus: "foreign_status",
  priority: "priority",
  points: "points",
  estimateMinutes: "estimate_minutes",
  assignee: "assignee",
  scope: "scope",
  externalRef: "external_ref",
  dueAt: "due_at",
  deferUntil: "defer_until",
  blockedReason: "blocked_reason",
  blockedSince: "blocked_since",
  blockedBy: "blocked_by",
  blockedMs: "blocked_ms",
  holder: "holder",
  holderName: "holder_name",
  leaseExpiresAt: "lease_expires_at",
  fence: "fence",
  openBlockers: "open_blockers",
  blockedAncestors: "blocked_ancestors",
  openChildren: "open_children",
  closedChildren: "closed_children",
  readyPrio: "ready_prio",
  epicPrio: "epic_prio",
  pinned: "pinned",
  ephemeral: "ephemeral",
  template: "template",
  version: "version",
  createdAt: "created_at",
  createdBy: "created_by",
  updatedAt: "updated_at",
  startedAt: "started_at",
  closedAt: "closed_at",
  closeReason: "close_reason",
  foreignRaw: "foreign_raw",
  foreignDigest: "foreign_digest",
} as const satisfies Record<Exclude<keyof Task, "id">, keyof TaskTable>;

export type TaskPatch = Partial<Omit<Task, "id" | "key">>;

function columnValue(value: unknown): string | number | null {
  if (Array.isArray(value)) return value.length > 0 ? JSON.stringify(value) : null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return (value ?? null) as string | number | null;
}

/** What decides what a reference can mean: the start of an id is looked for on the caller's own board first. */
type Viewer = Pick<OperationContext, "db" | "principal">;

/** The key a reference means: itself, or the one key it is the start of. */
export async function resolveKey({ db, principal }: Viewer, ref: string): Promise<string> {
  const exact = await db.selectFrom("task").select("key").where("key", "=", ref).executeTakeFirst();
  if (exact) return exact.key;
  const seen = await keysFrom(db, ref, principal.team);
  const matching = seen.length > 0 || principal.team === undefined ? seen : await keysFrom(db, ref);
  if (matching.length === 1 && matching[0] !== undefined) return matching[0];
  if (seen.length > 1) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      `${ref} is the start of several ids.`,
      hint("task_show", "with one of them"),
      seen,
    );
  }
  throw new TeamwrightError(
    "NOT_FOUND",
    `No task has the id ${plainLine(ref, 60)}.`,
    hint("task_list", "finds tasks by words and filters"),
  );
}

/** A few keys that start so, of one team or of all. */
async function keysFrom(db: Kysely<Database>, start: string, team?: string): Promise<string[]> {
  let query = db
    .selectFrom("task")
    .select("key")
    .where("key", ">", start)
    .where("key", "<", `${start}\u{10ffff}`)
    .orderBy("key")
    .limit(6);
  if (team !== undefined) query = query.where("team", "=", team);
  const keys = (await query.execute()).map((row) => row.key);
  return keys.filter((key) => key.startsWith(start));
}

export async function getTask(viewer: Viewer, ref: string): Promise<Task> {
  const { db } = viewer;
  const row = (await byKey.first(db, { key: ref })) ?? (await byKey.first(db, { key: await resolveKey(viewer, ref) }));
  if (!row) throw new Error(`${ref} has gone`);
  return rowToTask(row);
}

const byKey = prepared((db, p: { key: string }) => db.selectFrom("task").selectAll().where("key", "=", p.key));
const byId = prepared((db, p: { id: number }) => db.selectFrom("task").selectAll().where("id", "=", p.id));
const lockedByKey = prepared((db, p: { key: string }) =>
  db.selectFrom("task").selectAll().where("key", "=", p.key).forUpdate(),
);
const lockedById = prepared((db, p: { id: number }) =>
  db.selectFrom("task").selectAll().where("id", "=", p.id).forUpdate(),
);

/** The row locked for this transaction on PostgreSQL; SQLite's transaction already is exclusive. */
export async function lockTask(ctx: OperationContext, ref: string): Promise<Task> {
  if (ctx.dialect.name === "sqlite") return getTask(ctx, ref);
  const key = await resolveKey(ctx, ref);
  const row = await lockedByKey.first(ctx.db, { key });
  if (!row) throw new Error(`${key} has gone`);
  return rowToTask(row);
}

export async function lockTaskById(ctx: OperationContext, id: number): Promise<Task> {
  const row = await (ctx.dialect.name === "postgres" ? lockedById : byId).first(ctx.db, { id });
  if (!row) throw new Error(`task ${id} has gone`);
  return rowToTask(row);
}

export async function findTaskById(db: Kysely<Database>, id: number): Promise<Task | undefined> {
  const row = await byId.first(db, { id });
  return row ? rowToTask(row) : undefined;
}

export async function findTaskByKey(db: Kysely<Database>, key: string): Promise<Task | undefined> {
  const row = await byKey.first(db, { key });
  return row ? rowToTask(row) : undefined;
}

export type NewTask = Omit<
  Task,
  | "id"
  | "openBlockers"
  | "blockedAncestors"
  | "openChildren"
  | "closedChildren"
  | "readyPrio"
  | "epicPrio"
  | "version"
  | "blockedMs"
  | "fence"
>;

/** Inserts a task without edges; counts it into its column. */
export async function insertTask(ctx: OperationContext, draft: NewTask): Promise<Task> {
  const fresh = { ...draft, openBlockers: 0, blockedAncestors: 0, openChildren: 0, closedChildren: 0 };
  const values: Record<string, unknown> = { ready_prio: readyPriority(fresh), epic_prio: epicPriority(fresh) };
  for (const [name, value] of Object.entries(draft)) {
    values[columnNames[name as keyof typeof columnNames]] = columnValue(value);
  }
  const row = await ctx.db
    .insertInto("task")
    .values(values as never) // the names come from columnNames, the values from NewTask
    .returningAll()
    .executeTakeFirstOrThrow();
  const task = rowToTask(row);
  count(ctx, task.team, columnOf({ status: task.status, ready: task.readyPrio !== null }), 1);
  return task;
}

/** The task with the patch and the readiness that follows from it; another tool's word for a state ends with the state. Pure. */
export function patched(task: Task, patch: TaskPatch): Task {
  const moves = patch.status !== undefined && patch.status !== task.status;
  const next = { ...task, ...(moves ? { foreignStatus: null } : {}), ...patch };
  return { ...next, readyPrio: readyPriority(next), epicPrio: epicPriority(next) };
}

const updateColumns = preparedByShape((columns) =>
  prepared((db, p: Record<string, unknown>) =>
    db
      .updateTable("task")
      .set(Object.fromEntries(columns.split(",").map((column) => [column, p[column]])) as never)
      .where("id", "=", p.was_id as number)
      .where("version", "=", p.was_version as number),
  ),
);

/**
 * Writes the changed columns and moves the column counters. Compare-and-swap on `version`: the loser of a race gets
 * CONFLICT, never a lost update. `touch: false` leaves updated_at alone, for columns that only follow other tasks.
 */
export async function saveTask(ctx: OperationContext, before: Task, patch: TaskPatch, touch = true): Promise<Task> {
  const after = patched(before, patch);
  const changes: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(columnNames)) {
    const field = name as keyof typeof columnNames;
    if (after[field] === before[field]) continue;
    const value = columnValue(after[field]);
    if (value !== columnValue(before[field])) changes[column] = value;
  }
  if (Object.keys(changes).length === 0) return before;
  changes.version = before.version + 1;
  if (touch) changes.updated_at = Math.max(ctx.now, before.updatedAt);
  const result = await updateColumns(Object.keys(changes).join()).run(ctx.db, {
    ...changes,
    was_id: before.id,
    was_version: before.version,
  });
  if (Number(result.numAffectedRows) !== 1) {
    throw new TeamwrightError(
      "CONFLICT",
      `${before.key} was changed by another at the same moment.`,
      hint("task_show", "shows it as it is now"),
    );
  }
  const from = columnOf({ status: before.status, ready: before.readyPrio !== null });
  const to = columnOf({ status: after.status, ready: after.readyPrio !== null });
  if (from !== to || before.team !== after.team) {
    count(ctx, before.team, from, -1);
    count(ctx, after.team, to, 1);
  }
  return {
    ...after,
    version: before.version + 1,
    updatedAt: touch ? Math.max(ctx.now, before.updatedAt) : before.updatedAt,
  };
}
