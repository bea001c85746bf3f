import { type Kysely, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { type DependencyType, holdsTaskBack } from "../dependency/dependency.rules.ts";
import {
  type DependencyRow,
  getDependency,
  insertDependency,
  resolveDependencyRow,
} from "../dependency/dependency.store.ts";
import { closesCycle } from "../task/circle.store.ts";
import { nameDelivery } from "../task/deliver.store.ts";
import { addEdge, shift } from "../task/graph.store.ts";
import type { Task } from "../task/task.schema.ts";
import { findTaskById } from "../task/task.store.ts";
import { findStory, PORTFOLIO, type StoryRow } from "./story.store.ts";

interface Meta {
  readonly dependency_status?: string;
  readonly depends_on_story?: string;
}

/** What a story needs of another team becomes a need of its task (requirement KB-08); gives its key, if there is one. */
export async function needOf(ctx: OperationContext, row: StoryRow, task: Task): Promise<string | undefined> {
  const needed = row.depends_on_team;
  const { dependency_status: status } = JSON.parse(row.metadata) as Meta;
  if (needed === null || needed === task.team || status === "resolved") return undefined;
  if (!ctx.config.teams.some(({ id }) => id === needed)) return undefined; // a team that has gone since the file was loaded
  const type = (row.dependency_type ?? "blocks") as DependencyType; // checked when it was loaded
  const key = ctx.newKey("dep");
  const blocking = holdsTaskBack(type) ? 1 : 0;
  const need = { key, task_id: task.id, team: task.team, needs_team: needed, type, needed_task_id: null, note: null };
  await insertDependency(ctx, { ...need, blocking });
  const after = { task: task.key, needs_team: needed, type };
  ctx.record({ type: "dependency.declared", subject: key, team: task.team, after });
  if (blocking === 1) await shift(ctx, task.id, { openBlockers: 1 });
  return key;
}

/**
 * Needs of stories that name the story which delivers them get its task, as soon as a team has it (requirement DE-06).
 * One that came to the very team which waits becomes an order of its tasks.
 */
export async function linkStoryNeeds(ctx: OperationContext): Promise<void> {
  const waits = (await unnamed.all(ctx.db, {})).flatMap(({ metadata, ...wait }) => {
    const { depends_on_story: named } = JSON.parse(metadata) as Meta;
    return named === undefined || named === wait.story ? [] : [{ ...wait, named }];
  });
  const given = await tasksOfStories(ctx.db, [...new Set(waits.map(({ named }) => named))]);
  for (const { key, owner, needs_team: team, named } of waits) {
    const found = [owner, team, PORTFOLIO]
      .map((whose) => given.get(nameOf(whose, named)))
      .find((id) => id !== undefined);
    if (found === undefined) continue; // most of a long backlog is still to come
    const need = await getDependency(ctx, key);
    const needed = await findTaskById(ctx.db, found);
    const waiting = await findTaskById(ctx.db, Number(need.task_id));
    if (!needed || !waiting || needed.id === waiting.id) continue;
    if (needed.team !== waiting.team) await nameDelivery(ctx, need, { waiting, needed });
    else await orderInstead(ctx, need, waiting, needed);
  }
}

/**
 * A story that has come to the very team it waits for, and names the story that delivers, comes behind its task: an order
 * on one board (requirement DE-06). `given`: tasks of this distribution; each pair meets once, when the later one comes.
 */
export async function orderOwnStories(ctx: OperationContext, given: ReadonlySet<string>): Promise<void> {
  for (const { story, owner, metadata, task_id: id } of await own.all(ctx.db, {})) {
    const named = (JSON.parse(metadata) as Meta).depends_on_story;
    const needed =
      named === undefined || named === story ? undefined : await taskOfStory(ctx, named, [owner, PORTFOLIO]);
    const waiting = needed && (await findTaskById(ctx.db, Number(id)));
    if (!waiting || needed.team !== waiting.team || needed.status === "closed") continue;
    if (!given.has(waiting.key) && !given.has(needed.key)) continue;
    await putBehind(ctx, waiting, needed);
  }
}

const own = prepared((db) =>
  db
    .selectFrom("story")
    .innerJoin("task", "task.id", "story.task_id")
    .select(["story.key as story", "story.owner", "story.metadata", "story.task_id"])
    .where("story.status", "=", sql.lit("assigned"))
    .whereRef("story.depends_on_team", "=", "story.team")
    .where("story.metadata", "like", sql.lit('%"depends_on_story":%'))
    .where("task.status", "=", sql.lit("open"))
    .where((e) => e.or([e("story.dependency_type", "is", null), e("story.dependency_type", "!=", "shared_component")]))
    .orderBy("story.id"),
);

/** False when it would wait for itself. */
async function putBehind(ctx: OperationContext, waiting: Task, needed: Task): Promise<boolean> {
  if ((await closesCycle(ctx, waiting, needed, "blocks")) !== false) return false;
  await addEdge(ctx, waiting, { targetKey: needed.key, type: "blocks" });
  ctx.record({
    type: "link.added",
    subject: waiting.key,
    team: waiting.team,
    after: { type: "blocks", target: needed.key },
  });
  return true;
}

async function taskOfStory(ctx: OperationContext, key: string, owners: readonly string[]): Promise<Task | undefined> {
  for (const owner of new Set(owners)) {
    const story = await findStory(ctx.db, owner, key);
    if (story?.task_id != null) return findTaskById(ctx.db, Number(story.task_id));
  }
  return undefined;
}

const nameOf = (owner: string, story: string) => JSON.stringify([owner, story]);
const NAMES_AT_ONCE = 500;

/** Ids of the tasks that stories of these keys have become, by owner and key. */
async function tasksOfStories(db: Kysely<Database>, keys: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let start = 0; start < keys.length; start += NAMES_AT_ONCE) {
    const rows = await db
      .selectFrom("story")
      .select(["owner", "key", "task_id"])
      .where("key", "in", keys.slice(start, start + NAMES_AT_ONCE))
      .where("task_id", "is not", null)
      .execute();
    for (const { owner, key, task_id: id } of rows) found.set(nameOf(owner, key), Number(id));
  }
  return found;
}

async function orderInstead(ctx: OperationContext, need: DependencyRow, waiting: Task, needed: Task): Promise<void> {
  if (holdsTaskBack(need.type) && !(await putBehind(ctx, waiting, needed))) return;
  const resolution = `${needed.key} came to team ${needed.team} itself`;
  if (!(await resolveDependencyRow(ctx, Number(need.id), resolution))) return;
  if (need.blocking === 1) await shift(ctx, waiting.id, { openBlockers: -1 });
  ctx.record({ type: "dependency.resolved", subject: need.key, team: need.team, after: { resolution } });
}

const unnamed = prepared((db) =>
  db
    .selectFrom("dependency")
    .innerJoin("story", "story.task_id", "dependency.task_id")
    .select(["dependency.key", "dependency.needs_team", "story.key as story", "story.owner", "story.metadata"])
    .where("dependency.status", "=", sql.lit("open"))
    .where("dependency.needed_task_id", "is", null)
    .where("story.metadata", "like", sql.lit('%"depends_on_story":%'))
    .orderBy("dependency.id"),
);
