import { type Kysely, type Selectable, sql } from "kysely";
import { hint } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { DependencyTable } from "./dependency.table.ts";

export type DependencyRow = Selectable<DependencyTable> & {
  needed_key: string | null;
  task_key: string;
  task_title: string;
};

function dependencies(db: Kysely<Database>) {
  return db
    .selectFrom("dependency")
    .innerJoin("task as waiting", "waiting.id", "dependency.task_id")
    .leftJoin("task as needed", "needed.id", "dependency.needed_task_id")
    .selectAll("dependency")
    .select(["waiting.key as task_key", "waiting.title as task_title", "needed.key as needed_key"]);
}

export async function dependenciesOf(db: Kysely<Database>, taskId: number): Promise<DependencyRow[]> {
  return ofTask.all(db, { taskId });
}

const ofTask = prepared((db, p: { taskId: number }) =>
  dependencies(db)
    .where((e) => e.or([e("dependency.task_id", "=", p.taskId), e("dependency.needed_task_id", "=", p.taskId)]))
    .orderBy("dependency.id"),
);

/** The oldest that meet the filter, and how many do. A team's are those it waits in and those that wait for it. */
export async function listDependencies(
  db: Kysely<Database>,
  filter: { team?: string | undefined; status?: string | undefined; limit: number },
): Promise<{ rows: DependencyRow[]; total: number }> {
  let query = dependencies(db);
  const { team, status } = filter;
  if (team !== undefined)
    query = query.where((e) => e.or([e("dependency.team", "=", team), e("dependency.needs_team", "=", team)]));
  if (status !== undefined) query = query.where("dependency.status", "=", status);
  const rows = await query.orderBy("dependency.id").limit(filter.limit).execute();
  if (rows.length < filter.limit) return { rows, total: rows.length };
  const { n } = await query.clearSelect().select(sql<number>`count(*)`.as("n")).executeTakeFirstOrThrow();
  return { rows, total: Number(n) };
}

export async function findDependency(db: Kysely<Database>, key: string): Promise<DependencyRow | undefined> {
  return dependencies(db).where("dependency.key", "=", key).executeTakeFirst();
}

export async function insertDependency(
  ctx: OperationContext,
  row: Pick<DependencyRow, "key" | "task_id" | "team" | "needs_team" | "type" | "needed_task_id" | "note" | "blocking">,
): Promise<void> {
  await ctx.db
    .insertInto("dependency")
    .values({
      ...row,
      status: "open",
      declared_at: ctx.now,
      declared_by: ctx.principal.name,
      resolved_at: null,
      resolved_by: null,
      resolution: null,
    })
    .execute();
}

/** A dependency by its id or a start of it. Throws NOT_FOUND with where they are listed. */
export async function getDependency({ db }: Pick<OperationContext, "db">, ref: string): Promise<DependencyRow> {
  const list = hint("dependency_list", "shows them");
  return getByCutKey(db, "dependency", { ref, noun: "dependency", list }, (key) => findDependency(db, key));
}

/** Which task delivers it, and so which team. */
export async function setNeededTask(
  ctx: OperationContext,
  id: number,
  delivery: { readonly needed_task_id: number; readonly needs_team: string },
): Promise<void> {
  await ctx.db.updateTable("dependency").set(delivery).where("id", "=", id).where("status", "=", "open").execute();
}

/** False when it was resolved already, maybe by another at the same moment. */
export async function resolveDependencyRow(ctx: OperationContext, id: number, resolution: string): Promise<boolean> {
  const changed = await ctx.db
    .updateTable("dependency")
    .set({ status: "resolved", blocking: 0, resolved_at: ctx.now, resolved_by: ctx.principal.name, resolution })
    .where("id", "=", id)
    .where("status", "=", "open")
    .executeTakeFirst();
  return Number(changed.numUpdatedRows) > 0;
}

/**
 * A task's dependencies, on either side, name its new team from now on. Gives the first open one that would be of a team
 * on itself; a resolved one of that sort is left as it is.
 */
export async function bringDependencies(
  ctx: OperationContext,
  taskId: number,
  team: string,
): Promise<string | undefined> {
  for (const row of await dependenciesOf(ctx.db, taskId)) {
    const change = Number(row.task_id) === taskId ? { team } : { needs_team: team };
    const after = { ...row, ...change };
    if (after.team !== after.needs_team)
      await ctx.db.updateTable("dependency").set(change).where("id", "=", row.id).execute();
    else if (row.status === "open") return row.key;
  }
  return undefined;
}

/** True when a cross-team dependency ties the task to the team, so that both see it (DE-06). */
export async function isSharedWith(db: Kysely<Database>, taskId: number, team: string | undefined): Promise<boolean> {
  if (team === undefined) return true;
  return (await sharing.first(db, { taskId, team })) !== undefined;
}

const sharing = prepared((db, p: { taskId: number; team: string }) =>
  db
    .selectFrom("dependency")
    .select("id")
    .where((e) => e.or([e("task_id", "=", p.taskId), e("needed_task_id", "=", p.taskId)]))
    .where((e) => e.or([e("team", "=", p.team), e("needs_team", "=", p.team)]))
    .limit(1),
);
