import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { withFilter } from "./ready.store.ts";
import type { Task } from "./task.schema.ts";
import { getTask, rowToTask } from "./task.store.ts";

export interface TaskFilter {
  readonly team?: string | undefined;
  readonly status?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  readonly priority?: number | undefined;
  readonly holder?: string | undefined;
  readonly assignee?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly any_labels?: readonly string[] | undefined;
  readonly parent?: string | undefined;
  readonly blocked?: boolean | undefined;
  readonly search?: string | undefined;
}

const SEARCH_MOST = 1000;
/** What a search with further filters looks through, best match first, and how many ids one statement takes. */
const SEARCH_DEPTH = 100_000;
const IDS_AT_ONCE = 5000;

/** Tasks that meet every filter, by priority and age; best match first when words are given. */
export async function listTasks(
  ctx: OperationContext,
  filter: TaskFilter,
  limit: number,
  offset: number,
): Promise<{ rows: Task[]; total: number }> {
  const { team, kind, labels, any_labels: anyLabels } = filter;
  let query = withFilter(ctx.db.selectFrom("task"), { team, kind, labels, anyLabels });
  if (filter.status?.length) query = query.where("status", "in", [...filter.status]);
  if (filter.priority !== undefined) query = query.where("priority", "=", filter.priority);
  if (filter.holder !== undefined) query = query.where("holder_name", "=", filter.holder);
  if (filter.assignee !== undefined) query = query.where("assignee", "=", filter.assignee);
  if (filter.blocked !== undefined) query = query.where("blocked_since", filter.blocked ? "is not" : "is", null);
  if (filter.parent !== undefined) {
    const below = await descendants(ctx, (await getTask(ctx, filter.parent)).id);
    if (below.length === 0) return { rows: [], total: 0 };
    query = query.where("id", "in", below);
  }
  if (filter.search !== undefined) return rankedTasks(ctx, query, filter.search, team, limit, offset);
  const counted = await query.select(sql<number>`count(*)`.as("n")).executeTakeFirstOrThrow();
  const total = Number(counted.n);
  let page = query.selectAll("task").orderBy("priority").orderBy("created_at").orderBy("id");
  if (limit > 0) page = page.limit(limit).offset(offset);
  const rows = (await page.execute()).map(rowToTask);
  return { rows: limit > 0 ? rows : rows.slice(offset), total };
}

/** Open tasks and those in progress that nobody has touched since `before` (UTC ms), the oldest first; 0 is no limit. */
export async function listStale(
  db: Kysely<Database>,
  { team, before }: { readonly team?: string | undefined; readonly before: number },
  limit: number,
): Promise<{ rows: Task[]; total: number }> {
  let query = db
    .selectFrom("task")
    .where("status", "in", ["open", "in_progress"])
    .where("ephemeral", "=", 0)
    .where("updated_at", "<", before);
  if (team !== undefined) query = query.where("team", "=", team);
  const { n } = await query.select(sql<number>`count(*)`.as("n")).executeTakeFirstOrThrow();
  const oldest = query.selectAll().orderBy("updated_at");
  const rows = await (limit > 0 ? oldest.limit(limit) : oldest).execute();
  return { rows: rows.map(rowToTask), total: Number(n) };
}

/** The tasks of the query that have the words, best first: the filters hold before anything is cut off. */
async function rankedTasks(
  ctx: OperationContext,
  query: SelectQueryBuilder<Database, "task", unknown>,
  text: string,
  team: string | undefined,
  limit: number,
  offset: number,
): Promise<{ rows: Task[]; total: number }> {
  const words = searchWords(text);
  if (words.length === 0) return { rows: [], total: 0 };
  let ranking = await ctx.dialect.searchTasks(ctx.db, words, SEARCH_MOST, team);
  if (ranking.length === SEARCH_MOST) ranking = await ctx.dialect.searchTasks(ctx.db, words, SEARCH_DEPTH, team);
  const matching: number[] = [];
  for (let start = 0; start < ranking.length; start += IDS_AT_ONCE) {
    const ids = ranking.slice(start, start + IDS_AT_ONCE);
    const kept = new Set((await query.select("id").where("id", "in", ids).execute()).map((row) => Number(row.id)));
    matching.push(...ids.filter((id) => kept.has(id)));
  }
  const page = matching.slice(offset, limit > 0 ? offset + limit : undefined);
  const found = new Map<number, Task>();
  for (let start = 0; start < page.length; start += IDS_AT_ONCE) {
    const ids = page.slice(start, start + IDS_AT_ONCE);
    const rows = await ctx.db.selectFrom("task").selectAll().where("id", "in", ids).execute();
    for (const row of rows) found.set(Number(row.id), rowToTask(row));
  }
  return { rows: page.flatMap((id) => found.get(id) ?? []), total: matching.length };
}

/** Words of letters and digits; raw text would be taken for query syntax (storage floors §0.10). */
export function searchWords(text: string): string[] {
  return (text.match(/[\p{L}\p{N}_]+/gu) ?? []).slice(0, 12);
}

/** Ids of everything below a task by parent edges, however deep; circles are walked once. */
async function descendants(ctx: OperationContext, rootId: number): Promise<number[]> {
  const found = new Set<number>();
  let frontier = [rootId];
  while (frontier.length > 0) {
    const next: number[] = [];
    for (let start = 0; start < frontier.length; start += 500) {
      const rows = await ctx.db
        .selectFrom("link")
        .select("task_id")
        .where("target_id", "in", frontier.slice(start, start + 500))
        .where("type", "=", "parent-child")
        .execute();
      for (const row of rows) {
        const id = Number(row.task_id);
        if (id !== rootId && !found.has(id)) {
          found.add(id);
          next.push(id);
        }
      }
    }
    frontier = next;
  }
  return [...found].slice(0, 20_000);
}
