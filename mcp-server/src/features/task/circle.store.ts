import { type Kysely, sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { Task } from "./task.schema.ts";

const waitingTypes = ["blocks", "conditional-blocks", "waits-for", "parent-child"];
const MAX_VISITS = 200_000;

/**
 * The circle an edge would close, as text, or false. Two moments of each task are looked at, its start and its end:
 * a task starts after the end of what it waits for and after its parents could start; it ends after its start and after
 * the end of its children. Open tasks only: a closed one can no longer keep anybody waiting, but for those who wait for
 * its children. Refuses instead of guessing when the walk grows past its bound. `lenient` leaves the children out, as bd does: what is imported holds there too.
 */
export async function closesCycle(
  ctx: OperationContext,
  source: Task,
  target: Task,
  type: string,
  lenient = false,
): Promise<string | false> {
  if (!waitingTypes.includes(type)) return false;
  if (source.id === target.id) return `${source.key} → ${source.key}`;
  await ctx.dialect.lockName(ctx.db, "links");
  if (type !== "parent-child") {
    if (await isAncestor(ctx.db, source.id, target.id))
      return `${target.key} is above ${source.key} and cannot finish before it`;
    return findPath(ctx.db, endOf(target.id), startOf(source.id), lenient);
  }
  const asStart = await findPath(ctx.db, startOf(target.id), startOf(source.id), lenient);
  return asStart !== false || lenient ? asStart : findPath(ctx.db, endOf(source.id), endOf(target.id), false);
}

/** The circle that waits through this task when it is open, or false; asked before a closed one is opened again. */
export async function circleThrough(ctx: OperationContext, task: Task): Promise<string | false> {
  await ctx.dialect.lockName(ctx.db, "links");
  const atEnd = await findPath(ctx.db, endOf(task.id), endOf(task.id), false);
  return atEnd !== false ? atEnd : findPath(ctx.db, startOf(task.id), startOf(task.id), false);
}

const MOST_BEFORE = 2000;

/**
 * The open tasks that a task comes after, or belongs under: none of them is worked on beside it. Undefined when they are
 * too many to say.
 */
export async function whatComesBefore(db: Kysely<Database>, taskId: number): Promise<ReadonlySet<number> | undefined> {
  const moments = new Set<number>([startOf(taskId)]);
  const over = new Set<number>();
  for (let frontier = [...moments]; frontier.length > 0; ) {
    const steps = await laterThan(db, frontier, taskId, false, over);
    frontier = [...new Set(steps.map(({ to }) => to))].filter((moment) => !moments.has(moment));
    for (const moment of frontier) moments.add(moment);
    if (moments.size > MOST_BEFORE) return undefined;
  }
  return new Set([...moments].map((moment) => Math.floor(moment / 2)));
}

// a moment is a number: a task's start is even, its end odd
const startOf = (id: number) => id * 2;
const endOf = (id: number) => id * 2 + 1;

async function findPath(db: Kysely<Database>, from: number, to: number, lenient: boolean): Promise<string | false> {
  const cameFrom = new Map<number, number>();
  const over = new Set<number>();
  let frontier = [from];
  let visits = 0;
  const behind = new Behind(db, to);
  while (frontier.length > 0) {
    if (await behind.isOutOfReachOf(from)) return false;
    const next: number[] = [];
    for (let start = 0; start < frontier.length; start += 400) {
      for (const edge of await laterThan(db, frontier.slice(start, start + 400), Math.floor(to / 2), lenient, over)) {
        visits += 1;
        if (visits > MAX_VISITS) {
          throw new TeamwrightError(
            "OVER_LIMIT",
            "The links around these tasks are too many to check for circles.",
            hint("task_unlink", "removes some"),
          );
        }
        if (edge.to === to) return nameCircle(db, cameFrom, edge.from, from, to);
        if (edge.to === from || cameFrom.has(edge.to)) continue;
        cameFrom.set(edge.to, edge.from);
        next.push(edge.to);
      }
    }
    frontier = next;
  }
  return false;
}

const MOST_BEHIND = 1000;

/**
 * The walk from the other end, level by level beside the first: all that comes after a moment, closed tasks too. A new
 * task has nothing behind it, however long the chain in front of it is.
 */
class Behind {
  readonly #db: Kysely<Database>;
  readonly #seen: Set<number>;
  #frontier: readonly number[];

  constructor(db: Kysely<Database>, moment: number) {
    this.#db = db;
    this.#seen = new Set([moment]);
    this.#frontier = [moment];
  }

  /** Goes on by one level; true once all is known and this moment is none of it. */
  async isOutOfReachOf(moment: number): Promise<boolean> {
    if (this.#frontier.length === 0) return false;
    const steps = await earlierThan(this.#db, this.#frontier);
    this.#frontier = steps.filter((step) => !this.#seen.has(step));
    for (const step of this.#frontier) this.#seen.add(step);
    if (!steps.includes(moment) && this.#seen.size <= MOST_BEHIND) return this.#frontier.length === 0;
    this.#frontier = []; // within reach, or too much to look at
    return false;
  }
}

/** What comes directly after the moments: the other direction of `laterThan`, whatever is closed. */
async function earlierThan(db: Kysely<Database>, moments: readonly number[]): Promise<number[]> {
  const starts = moments.filter((moment) => moment % 2 === 0).map((moment) => moment / 2);
  const ends = moments.filter((moment) => moment % 2 === 1).map((moment) => (moment - 1) / 2);
  const found = new Set(starts.map(endOf));
  const ids = [...new Set([...starts, ...ends])];
  const links = await db
    .selectFrom("link")
    .select(["task_id", "target_id", "type"])
    .where((e) => e.or([e("target_id", "in", ids), e("task_id", "in", ids)]))
    .where("type", "in", waitingTypes)
    .where("cyclic", "=", 0)
    .execute();
  const [isStart, isEnd] = [new Set(starts), new Set(ends)];
  for (const { task_id: from, target_id: to, type } of links) {
    if (to === null) continue;
    if (type !== "parent-child") {
      if (isEnd.has(Number(to))) found.add(startOf(Number(from)));
      continue;
    }
    if (isStart.has(Number(to))) found.add(startOf(Number(from)));
    if (isEnd.has(Number(from))) found.add(endOf(Number(to)));
  }
  const needs =
    ends.length === 0
      ? []
      : await db.selectFrom("dependency").select("task_id").where("needed_task_id", "in", ends).execute();
  for (const { task_id: from } of needs) found.add(startOf(Number(from)));
  return [...found];
}

/** What the moments come after, over open tasks and the one that is sought; closed ones that are met go into `over`. */
async function laterThan(
  db: Kysely<Database>,
  moments: readonly number[],
  sought: number,
  lenient: boolean,
  over: Set<number>,
) {
  const ends = moments.filter((moment) => moment % 2 === 1);
  const endIds = ends.map((moment) => (moment - 1) / 2);
  const steps = ends.filter((end) => !over.has((end - 1) / 2)).map((end) => ({ from: end, to: end - 1 }));
  const startIds = moments.filter((moment) => moment % 2 === 0).map((moment) => moment / 2);
  for (const wait of startIds.length > 0 ? await waitsOf(db, startIds, sought) : []) {
    const to = wait.type === "parent-child" ? startOf(wait.to) : endOf(wait.to);
    if (wait.isOver) over.add(wait.to);
    steps.push({ from: startOf(wait.from), to });
  }
  if (!lenient && endIds.length > 0) {
    for (const child of await childrenOf(db, endIds, sought))
      steps.push({ from: endOf(child.parent), to: endOf(child.child) });
  }
  return steps;
}

async function isAncestor(db: Kysely<Database>, childId: number, candidateId: number): Promise<boolean> {
  const seen = new Set<number>();
  let frontier = [childId];
  while (frontier.length > 0) {
    const rows = await db
      .selectFrom("link")
      .select("target_id")
      .where("task_id", "in", frontier)
      .where("type", "=", "parent-child")
      .where("target_id", "is not", null)
      .where("cyclic", "=", 0)
      .execute();
    const parents = rows.map((row) => Number(row.target_id)).filter((id) => !seen.has(id));
    if (parents.includes(candidateId)) return true;
    for (const id of parents) seen.add(id);
    frontier = parents;
  }
  return false;
}

interface Wait {
  readonly from: number;
  readonly to: number;
  readonly type: string;
  /** Its target is closed: only the target's children are still waited for. */
  readonly isOver: boolean;
}

async function waitsOf(db: Kysely<Database>, ids: readonly number[], sought: number): Promise<Wait[]> {
  const links = await db
    .selectFrom("link")
    .innerJoin("task", "task.id", "link.target_id")
    .select(["link.task_id as from", "link.target_id as to", "link.type", "task.status"])
    .where("link.task_id", "in", [...ids])
    .where("link.type", "in", waitingTypes)
    .where("link.cyclic", "=", 0)
    .where((e) =>
      e.or([
        e("task.status", "!=", "closed"),
        e("task.id", "=", sought),
        e.and([e("link.type", "=", "waits-for"), e("link.blocking", "=", 1)]),
      ]),
    )
    .execute();
  const needs = await db
    .selectFrom("dependency")
    .innerJoin("task", "task.id", "dependency.needed_task_id")
    .select(["dependency.task_id as from", "dependency.needed_task_id as to"])
    .where("dependency.task_id", "in", [...ids])
    .where((e) =>
      e.or([
        e("dependency.blocking", "=", 1),
        // what the sought one's closing resolved is waited for again when it opens
        e.and([
          e("task.id", "=", sought),
          e("dependency.type", "!=", "shared_component"),
          e("dependency.resolution", "=", sql<string>`task.key || ' closed'`),
        ]),
      ]),
    )
    .execute();
  return [
    ...links.map((link) => ({ ...link, isOver: link.status === "closed" && Number(link.to) !== sought })),
    ...needs.map((need) => ({ ...need, type: "needs", isOver: false })),
  ].map(({ from, to, type, isOver }) => ({ from: Number(from), to: Number(to), type, isOver }));
}

async function childrenOf(db: Kysely<Database>, parents: readonly number[], sought: number) {
  const rows = await db
    .selectFrom("link")
    .innerJoin("task", "task.id", "link.task_id")
    .select(["link.task_id as child", "link.target_id as parent"])
    .where("link.target_id", "in", [...parents])
    .where("link.type", "=", "parent-child")
    .where("link.cyclic", "=", 0)
    .where((e) => e.or([e("task.status", "!=", "closed"), e("task.id", "=", sought)]))
    .execute();
  return rows.map((row) => ({ child: Number(row.child), parent: Number(row.parent) }));
}

/** For the dependency slice: the circle a need of `source` for `target` would close, or false. */
export function findWaitCircle(ctx: OperationContext, source: Task, target: Task): Promise<string | false> {
  return closesCycle(ctx, source, target, "blocks");
}

/** The tasks of the walk from `from` to `to`, each once where it is met in a row. */
async function nameCircle(
  db: Kysely<Database>,
  cameFrom: ReadonlyMap<number, number>,
  last: number,
  from: number,
  to: number,
): Promise<string> {
  const path = [to];
  for (let at: number | undefined = last; at !== undefined && at !== from; at = cameFrom.get(at)) path.push(at);
  path.push(from);
  const ids = path.reverse().map((moment) => Math.floor(moment / 2));
  const shown = ids.filter((id, index) => id !== ids[index - 1]).slice(0, 12);
  const rows = await db.selectFrom("task").select(["id", "key"]).where("id", "in", shown).execute();
  const keys = new Map(rows.map((row) => [Number(row.id), row.key]));
  return shown.map((id) => keys.get(id) ?? "?").join(" → ");
}
