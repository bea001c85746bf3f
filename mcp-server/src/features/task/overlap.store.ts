import type { Kysely } from "kysely";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { whatComesBefore } from "./circle.store.ts";
import { firstOverlap } from "./quality.rules.ts";
import type { Task } from "./task.schema.ts";
import { rowToTask } from "./task.store.ts";

/** Of a team's tasks, those that are worked on and the most urgent that are not: a board's length must not matter. */
const MOST_IN_HAND = 100;
const MOST_WAITING = 200;
/** Pairs of globs looked at in one call. */
const MOST_PAIRS = 100_000;
/** Named for each new task; one is enough to think again. */
const MOST_NAMED = 3;
/** Told in one message. */
const MOST_CONFLICTS = 20;

interface Other {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly scope: readonly string[];
}

/**
 * New tasks that may write what an open task of their team may write, and that nothing puts behind it (TD-06, TD-08).
 * Tasks of the same call are compared before they are made.
 */
export async function overlapsWithOpen(ctx: OperationContext, made: readonly Task[]): Promise<string[]> {
  const own = new Set(made.map(({ id }) => id));
  const others = new Map<string, readonly Other[]>();
  const findings: string[] = [];
  let pairs = 0;
  for (const task of made) {
    if (task.scope.length === 0 || task.kind === "epic") continue;
    const known = others.get(task.team) ?? (await openScopes(ctx.db, task.team)).filter(({ id }) => !own.has(id));
    others.set(task.team, known);
    const met: { other: Other; glob: string }[] = [];
    for (const other of known) {
      pairs += task.scope.length * other.scope.length;
      if (pairs > MOST_PAIRS) break;
      const glob = firstOverlap(task.scope, other.scope);
      if (glob !== undefined) met.push({ other, glob });
    }
    const before = met.length > 0 ? await whatComesBefore(ctx.db, task.id) : undefined;
    if (before)
      findings.push(
        ...met
          .filter(({ other }) => !before.has(other.id))
          .slice(0, MOST_NAMED)
          .map(({ other, glob }) => sentence(task, other, glob)),
      );
  }
  return findings;
}

/** A new task and an open one of another team that may write the same files. */
export interface TeamConflict {
  readonly task: { readonly key: string; readonly team: string };
  readonly other: { readonly key: string; readonly team: string };
  readonly glob: string;
}

const CONFLICT = "task.conflict";

/**
 * Tasks, new or with another scope, that may write what tasks of other teams may write; no link can order those (DE-07,
 * FO-07). `told`: by task, keys of tasks that have been named beside it before.
 */
export async function conflictsOfTeams(
  ctx: OperationContext,
  made: readonly Task[],
  told: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
): Promise<TeamConflict[]> {
  const teams = ctx.config.teams.map(({ id }) => id);
  const scoped = made.filter(canConflict);
  if (teams.length < 2 || scoped.length === 0) return [];
  const conflicts: TeamConflict[] = [];
  let pairs = 0;
  for (const team of teams) {
    const others = await openScopes(ctx.db, team);
    for (const task of scoped) {
      if (task.team === team) continue;
      let named = 0;
      for (const { key, scope } of others) {
        pairs += task.scope.length * scope.length;
        if (pairs > MOST_PAIRS || named === MOST_NAMED) break;
        if (told.get(task.key)?.has(key)) continue;
        const glob = firstOverlap(task.scope, scope);
        // two new tasks of one call meet twice
        const isTold = conflicts.some((one) => one.task.key === key && one.other.key === task.key);
        if (glob === undefined || isTold) continue;
        named += 1;
        conflicts.push({ task: { key: task.key, team: task.team }, other: { key, team }, glob });
      }
    }
  }
  return conflicts.slice(0, MOST_CONFLICTS);
}

/** For who has made the task; both teams read the same on their channel. */
export function conflictSentence({ task, other, glob }: TeamConflict): string {
  return `${task.key} of ${task.team} and ${plainLine(other.key, 40)} of ${other.team} may both write ${plainLine(glob, 80)}: dependency_declare puts one behind the other`;
}

function canConflict({ scope, kind, status }: Task): boolean {
  return scope.length > 0 && kind !== "epic" && status !== "closed";
}

/**
 * Conflicts of tasks that are open again, come from a file, or have another scope or team now, those left out that have
 * been told: once per pair (DE-07).
 */
export async function newConflictsOf(ctx: OperationContext, tasks: readonly Task[]): Promise<TeamConflict[]> {
  if (ctx.config.teams.length < 2) return [];
  const told = new Map<string, ReadonlySet<string>>();
  for (const { key } of tasks.filter(canConflict)) told.set(key, await namedBeside(ctx.db, key));
  return conflictsOfTeams(ctx, tasks, told);
}

/** Those of the tasks that say which files they may write. */
export async function scopedAmong(db: Kysely<Database>, keys: readonly string[]): Promise<Task[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom("task")
    .selectAll()
    .where("key", "in", keys)
    .where("scope", "is not", null)
    .execute();
  return rows.map(rowToTask);
}

/** Both tasks' trails have it, so that neither is told of again when the scope of one changes. */
export function recordConflicts(ctx: OperationContext, conflicts: readonly TeamConflict[]): void {
  for (const { task, other, glob } of conflicts)
    for (const [one, beside] of [
      [task, other],
      [other, task],
    ] as const)
      ctx.record({ type: CONFLICT, subject: one.key, team: one.team, after: { beside: beside.key, glob } });
}

/** Keys of tasks of other teams that were told to be in conflict with this one. */
export async function namedBeside(db: Kysely<Database>, key: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom("event")
    .select("after")
    .where("subject", "=", key)
    .where("type", "=", CONFLICT)
    .execute();
  // written by recordConflicts only
  return new Set(rows.map(({ after }) => (JSON.parse(after ?? "{}") as { beside: string }).beside));
}

function sentence(task: Task, other: Other, glob: string): string {
  return `"${plainLine(task.title, 40)}" and ${plainLine(other.key, 40)} "${plainLine(other.title, 40)}" may both write ${plainLine(glob, 80)}: order them with blocked_by`;
}

async function openScopes(db: Kysely<Database>, team: string): Promise<Other[]> {
  const rows = [
    ...(await scopesOf.all(db, { team, status: "in_progress", most: MOST_IN_HAND })),
    ...(await scopesOf.all(db, { team, status: "in_review", most: MOST_IN_HAND })),
    ...(await scopesOf.all(db, { team, status: "open", most: MOST_WAITING })),
  ];
  return rows.map(({ id, key, title, scope }) => ({
    id: Number(id),
    key,
    title,
    scope: JSON.parse(scope ?? "[]") as string[], // written by insertTask and saveTask only
  }));
}

const scopesOf = prepared((db, p: { team: string; status: string; most: number }) =>
  db
    .selectFrom("task")
    .select(["id", "key", "title", "scope"])
    .where("team", "=", p.team)
    .where("status", "=", p.status)
    .where("scope", "is not", null)
    .where("kind", "!=", "epic")
    .orderBy("priority")
    .orderBy("created_at")
    .orderBy("id")
    .limit(p.most),
);
