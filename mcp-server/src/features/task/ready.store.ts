import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared, preparedByShape } from "../../store/prepared.ts";
import { readCounts } from "../board/board.store.ts";
import type { Task, TaskBrief } from "./task.schema.ts";
import { rowToTask } from "./task.store.ts";
import { briefColumns, briefOfRow } from "./task.view.ts";

export interface ReadyFilter {
  readonly team?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly anyLabels?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  /** Tasks meant for another name are left out. */
  readonly forName?: string | undefined;
  /** Surrogate ids that are passed over. */
  readonly except?: readonly number[] | undefined;
  readonly exceptTeams?: readonly string[] | undefined;
  /** Only tasks that change no files. */
  readonly withoutFiles?: boolean | undefined;
}

/** The query behind ready lists and claims; `ready_prio is not null` is what lets the partial index be used. */
export function readyTasks(db: Kysely<Database>, filter: ReadyFilter) {
  return withFilter(db.selectFrom("task").where("ready_prio", "is not", null), filter);
}

/** The query narrowed by every part of the filter; none is ever left out. */
export function withFilter<O>(tasks: SelectQueryBuilder<Database, "task", O>, filter: ReadyFilter) {
  let query = tasks;
  if (filter.team !== undefined) query = query.where("team", "=", filter.team);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.forName !== undefined) {
    const name = filter.forName;
    query = query.where((e) => e.or([e("assignee", "is", null), e("assignee", "=", name)]));
  }
  if (filter.withoutFiles) query = query.where((e) => e.or([e("scope", "is", null), e("scope", "=", "[]")]));
  const except = filter.except ?? [];
  if (except.length > 0) query = query.where("id", "not in", [...except]);
  const exceptTeams = filter.exceptTeams ?? [];
  if (exceptTeams.length > 0) query = query.where("team", "not in", [...exceptTeams]);
  for (const label of filter.labels ?? []) {
    query = query.where((e) =>
      e.exists(
        e.selectFrom("task_label").select("label").whereRef("task_id", "=", "task.id").where("label", "=", label),
      ),
    );
  }
  const any = filter.anyLabels ?? [];
  if (any.length > 0) {
    query = query.where((e) =>
      e.exists(
        e
          .selectFrom("task_label")
          .select("label")
          .whereRef("task_id", "=", "task.id")
          .where("label", "in", [...any]),
      ),
    );
  }
  return query;
}

/** The first ready task, locked; rows that rivals hold locked are walked past. */
export async function pickReady(ctx: OperationContext, filter: ReadyFilter): Promise<Task | undefined> {
  const row = hasLists(filter)
    ? await firstReady(ctx.db, filter, ctx.dialect.skipLocked).executeTakeFirst()
    : await firstOfShape(`${shapeOf(filter)}${ctx.dialect.skipLocked ? "!" : ""}`).first(ctx.db, filter);
  return row ? rowToTask(row) : undefined;
}

function firstReady(db: Kysely<Database>, filter: ReadyFilter, skipLocked: boolean) {
  const query = inReadyOrder(readyTasks(db, filter).selectAll("task")).limit(1);
  return skipLocked ? query.forUpdate().skipLocked() : query;
}

const firstOfShape = preparedByShape((shape) =>
  prepared((db, p: ReadyFilter) => firstReady(db, ofShape(shape, p), shape.endsWith("!"))),
);

function inReadyOrder<O>(tasks: SelectQueryBuilder<Database, "task", O>) {
  return tasks.orderBy("ready_prio").orderBy("created_at").orderBy("id");
}

/** Filters with lists have as many shapes as lists have lengths, and are built each time. */
function hasLists({ labels, anyLabels, except, exceptTeams }: ReadyFilter): boolean {
  return [labels, anyLabels, except, exceptTeams].some((list) => list !== undefined && list.length > 0);
}

/** Which single values a filter has, as the name of a query's shape. */
function shapeOf({ team, kind, forName, withoutFiles }: ReadyFilter): string {
  const values = `${team === undefined ? "" : "t"}${kind === undefined ? "" : "k"}${forName === undefined ? "" : "n"}`;
  return withoutFiles ? `${values}f` : values;
}

/** The filter of that shape, its values taken from `from`. */
function ofShape(shape: string, from: ReadyFilter): ReadyFilter {
  return {
    team: shape.includes("t") ? from.team : undefined,
    kind: shape.includes("k") ? from.kind : undefined,
    forName: shape.includes("n") ? from.forName : undefined,
    withoutFiles: shape.includes("f"),
  };
}

/** What can be worked on now, best first; 0 is no limit. */
export async function listReady(db: Kysely<Database>, filter: ReadyFilter, limit: number): Promise<TaskBrief[]> {
  const all = inReadyOrder(readyTasks(db, filter).select(briefColumns));
  const rows =
    limit === 0 || hasLists(filter)
      ? await (limit > 0 ? all.limit(limit) : all).execute()
      : await readyOfShape(shapeOf(filter)).all(db, { ...filter, limit });
  return rows.map(briefOfRow);
}

const readyOfShape = preparedByShape((shape) =>
  prepared((db, p: ReadyFilter & { limit: number }) =>
    inReadyOrder(readyTasks(db, ofShape(shape, p)).select(briefColumns)).limit(p.limit),
  ),
);

/** Without label and kind filters the board's counters know the number; a count over a million rows would be slow. */
export async function countReady(db: Kysely<Database>, filter: ReadyFilter): Promise<number> {
  if (!hasLists(filter) && !filter.kind) {
    let total = 0;
    for (const columns of (await readCounts(db, filter.team)).values()) total += columns.ready ?? 0;
    return total;
  }
  const row = await readyTasks(db, filter).select(sql<number>`count(*)`.as("n")).executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Open and deferred tasks that something holds back, the most urgent first. */
export async function listNotReady(db: Kysely<Database>, filter: ReadyFilter, limit: number): Promise<Task[]> {
  const held = db.selectFrom("task").where("status", "in", ["open", "deferred"]).where("ready_prio", "is", null);
  const query = withFilter(held, filter).selectAll("task");
  const rows = await query.orderBy("priority").orderBy("created_at").orderBy("id").limit(limit).execute();
  return rows.map(rowToTask);
}

/** Epics without children: what has to be taken apart before anybody can start. */
export async function listOpenEpics(db: Kysely<Database>, filter: ReadyFilter): Promise<TaskBrief[]> {
  const rows = hasLists(filter)
    ? await openEpics(db, filter).execute()
    : await epicsOfShape(shapeOf(filter)).all(db, filter);
  return rows.map(briefOfRow);
}

function openEpics(db: Kysely<Database>, filter: ReadyFilter) {
  const epics = db.selectFrom("task").where("epic_prio", "is not", null).where("closed_children", "=", 0);
  return withFilter(epics, filter).select(briefColumns).orderBy("epic_prio").orderBy("id").limit(10);
}

const epicsOfShape = preparedByShape((shape) => prepared((db, p: ReadyFilter) => openEpics(db, ofShape(shape, p))));
