import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { TeamType } from "./classify.rules.ts";
import type { LoadVerdict, Product, StoryDraft } from "./portfolio.schema.ts";
import type { StoryTable } from "./portfolio.table.ts";

export type StoryRow = Selectable<StoryTable>;
/** Owner of the stories that all teams without a backlog of their own draw from. */
export const PORTFOLIO = "";
/** As a literal it is the condition of the index story_pending: what was given out long ago is not looked at. */
const PENDING = sql.lit("pending");

/** Loads and distributions of the portfolio happen one after another. */
export async function lockPortfolio(ctx: OperationContext): Promise<void> {
  await ctx.dialect.lockName(ctx.db, "portfolio");
}

/**
 * Takes a story in, or says what taking it in would do. Again is harmless; a story that a team already has stays as it
 * was given out (requirement PF-08).
 */
export async function loadStory(
  ctx: OperationContext,
  owner: string,
  draft: StoryDraft,
  isDryRun: boolean,
): Promise<{ verdict: LoadVerdict; reason: string }> {
  const values = toColumns(draft);
  const existing = await findStory(ctx.db, owner, draft.id);
  if (!existing) {
    if (!isDryRun) await insertStory(ctx, owner, draft.id, values);
    return { verdict: "created", reason: "new" };
  }
  const changed = (Object.keys(values) as (keyof typeof values)[]).filter((name) => existing[name] !== values[name]);
  if (changed.length === 0) return { verdict: "kept", reason: "unchanged" };
  if (existing.status !== "pending") return { verdict: "kept", reason: `team ${existing.team} has it already` };
  if (!isDryRun) {
    await ctx.db
      .updateTable("story")
      .set({ ...values, updated_at: ctx.now })
      .where("id", "=", existing.id)
      .execute();
    ctx.record({ type: "story.updated", subject: draft.id, after: { changed: changed.join(", ") } });
  }
  return { verdict: "updated", reason: changed.join(", ") };
}

async function insertStory(ctx: OperationContext, owner: string, key: string, values: ReturnType<typeof toColumns>) {
  const at = { created_at: ctx.now, updated_at: ctx.now };
  await ctx.db
    .insertInto("story")
    .values({ ...values, key, owner, status: "pending", ...at } satisfies Insertable<StoryTable>)
    .execute();
  ctx.record({
    type: "story.created",
    subject: key,
    ...(owner === PORTFOLIO ? {} : { team: owner }),
    after: { title: values.title },
  });
}

function toColumns(draft: StoryDraft) {
  const { scenarios, dependency_status: needStatus, depends_on_story: delivers, metadata } = draft;
  return {
    title: draft.title.trim(),
    description: draft.description ?? null,
    priority: draft.priority,
    points: draft.story_points ?? null,
    acceptance: JSON.stringify([
      ...draft.acceptance_criteria,
      ...scenarios.map(({ given, when, then }) => `Given ${given}, when ${when}, then ${then}.`),
    ]),
    tags: JSON.stringify(draft.tags),
    domain: draft.domain ?? null,
    hint: draft.team_type_hint ?? null,
    depends_on_team: draft.depends_on_team ?? null,
    dependency_type: draft.dependency_type ?? null,
    sprint: draft.sprint ?? null,
    metadata: JSON.stringify({
      ...metadata,
      ...(needStatus === undefined ? {} : { dependency_status: needStatus }),
      ...(delivers === undefined ? {} : { depends_on_story: delivers }),
    }),
  };
}

/** How the rules see it. */
export function toPending(row: StoryRow) {
  return {
    key: row.key,
    title: row.title,
    description: row.description ?? undefined,
    domain: row.domain ?? undefined,
    tags: JSON.parse(row.tags) as string[],
    hint: (row.hint ?? undefined) as TeamType | undefined, // checked when it was loaded
  };
}

export async function findStory(db: Kysely<Database>, owner: string, key: string): Promise<StoryRow | undefined> {
  return db.selectFrom("story").selectAll().where("owner", "=", owner).where("key", "=", key).executeTakeFirst();
}

/** The next stories of a backlog that wait for a team, the most urgent first, then in the order they came. */
export async function pendingStories(
  db: Kysely<Database>,
  owner: string,
  sprint: number,
  limit: number,
): Promise<StoryRow[]> {
  if (limit === 0) return [];
  return db
    .selectFrom("story")
    .selectAll()
    .where("owner", "=", owner)
    .where("status", "=", PENDING)
    .where((e) => e.or([e("sprint", "is", null), e("sprint", "<=", sprint)]))
    .orderBy("priority")
    .orderBy("id")
    .limit(limit)
    .execute();
}

/** Those of the portfolio that wait and are named, in whatever case. */
export async function pendingNamed(db: Kysely<Database>, keys: readonly string[]): Promise<StoryRow[]> {
  if (keys.length === 0) return [];
  return db
    .selectFrom("story")
    .selectAll()
    .where("owner", "=", PORTFOLIO)
    .where("status", "=", PENDING)
    .where((e) =>
      e.or([
        e("key", "in", keys), // beyond ASCII, what is lower case is each store's own affair
        e(
          e.fn<string>("lower", ["key"]),
          "in",
          keys.map((key) => key.toLowerCase()),
        ),
      ]),
    )
    .orderBy("priority")
    .orderBy("id")
    .execute();
}

/** How many stories of one backlog wait; of all together without `owner`. */
export async function countPending(db: Kysely<Database>, owner?: string): Promise<number> {
  let query = db.selectFrom("story").select(sql<number>`count(*)`.as("n")).where("status", "=", PENDING);
  if (owner !== undefined) query = query.where("owner", "=", owner);
  return Number((await query.executeTakeFirst())?.n ?? 0);
}

/** Stories each team holds and has not begun, wherever they came from. */
export async function unstartedByTeam(db: Kysely<Database>): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("task")
    .innerJoin("story", "story.task_id", "task.id")
    .select(["task.team", sql<number>`count(*)`.as("n")])
    .where("task.status", "in", ["open", "deferred"])
    .where("task.started_at", "is", null)
    .groupBy("task.team")
    .execute();
  return new Map(rows.map((row) => [row.team, Number(row.n)]));
}

/** Stories each team was ever given. */
export async function givenByTeam(db: Kysely<Database>): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("story")
    .select(["team", sql<number>`count(*)`.as("n")])
    .where("status", "=", sql.lit("assigned"))
    .groupBy("team")
    .execute();
  return new Map(rows.map((row) => [row.team ?? "", Number(row.n)]));
}

export async function saveBacklog(
  ctx: OperationContext,
  owner: string,
  file: string,
  product: Product | undefined,
): Promise<void> {
  const row = { file, product: product === undefined ? null : JSON.stringify(product), loaded_at: ctx.now };
  await ctx.db
    .insertInto("backlog")
    .values({ owner, ...row })
    .onConflict((conflict) => conflict.column("owner").doUpdateSet(row))
    .execute();
}

/** What the portfolio's file, or a team's own, says of the product (requirement PF-07). */
export async function productOf(db: Kysely<Database>, owner = PORTFOLIO): Promise<Product | undefined> {
  const row = await db.selectFrom("backlog").select("product").where("owner", "=", owner).executeTakeFirst();
  return row?.product ? (JSON.parse(row.product) as Product) : undefined;
}

/** The newest stories that meet the filter, with their tasks. */
export async function listStories(
  db: Kysely<Database>,
  filter: { team?: string | undefined; status?: string | undefined; limit: number },
) {
  let query = db
    .selectFrom("story")
    .leftJoin("task", "task.id", "story.task_id")
    .selectAll("story")
    .select(["task.key as task_key", "task.status as task_status"]);
  const { team, status } = filter;
  if (team !== undefined) query = query.where((e) => e.or([e("story.team", "=", team), e("story.owner", "=", team)]));
  if (status !== undefined) query = query.where("story.status", "=", status);
  return query.orderBy("story.priority").orderBy("story.id").limit(filter.limit).execute();
}

/** How many stories of each backlog wait, and how many each team has. */
export async function storyCounts(db: Kysely<Database>) {
  const rows = await db
    .selectFrom("story")
    .select(["owner", "status", "team", sql<number>`count(*)`.as("n"), sql<number | null>`sum(points)`.as("points")])
    .groupBy(["owner", "status", "team"])
    .orderBy("owner")
    .orderBy("status")
    .orderBy("team")
    .execute();
  return rows.map((row) => ({ ...row, n: Number(row.n), points: Number(row.points ?? 0) }));
}
