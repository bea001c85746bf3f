import { type Kysely, type Selectable, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { blockedTime, finishedSince, teamState } from "./health.store.ts";
import type { TimeBox } from "./sprint.rules.ts";
import type { SprintTable, SprintTeamTable } from "./sprint.table.ts";

export type SprintRow = Selectable<SprintTable>;
export type SprintTeamRow = Selectable<SprintTeamTable>;

/** The sprint that runs now; undefined between sprints. */
export async function currentSprint(db: Kysely<Database>): Promise<SprintRow | undefined> {
  return running.first(db, {});
}

const running = prepared((db) => db.selectFrom("sprint").selectAll().where("ended_at", "is", null));

/** The newest sprint, running or not. */
export async function lastSprint(db: Kysely<Database>): Promise<SprintRow | undefined> {
  return newest.first(db, {});
}

const newest = prepared((db) => db.selectFrom("sprint").selectAll().orderBy("n", "desc").limit(sql.lit(1)));

export async function listSprints(db: Kysely<Database>, limit: number): Promise<SprintRow[]> {
  return db.selectFrom("sprint").selectAll().orderBy("n", "desc").limit(limit).execute();
}

/** The sprint that a loan granted now is for: the running one, or the next in its review and between sprints. */
export async function sprintForLoans(db: Kysely<Database>): Promise<number> {
  const last = await lastSprint(db);
  if (!last) return 1;
  return last.ended_at === null && last.phase !== "review" ? last.n : last.n + 1;
}

export function timeBoxOf(row: SprintRow): TimeBox {
  return { n: row.n, phase: row.phase, startedAt: Number(row.started_at), plannedMs: Number(row.planned_ms) };
}

/** Taken before a sprint is started or ended, so that two callers cannot both do it. */
export async function lockSprints(ctx: OperationContext): Promise<void> {
  await ctx.dialect.lockName(ctx.db, "sprint");
}

/** Opens the sprint; the lock is held and none is running. */
export async function openSprint(ctx: OperationContext, n: number, plannedMs: number): Promise<SprintRow> {
  const row = await ctx.db
    .insertInto("sprint")
    .values({
      n,
      phase: "planning",
      started_at: ctx.now,
      planned_ms: Math.round(plannedMs),
      from_seq: Number((await newestEvent.first(ctx.db, {}))?.seq ?? 0),
      ended_at: null,
      opened_by: ctx.principal.key,
      opened_by_name: ctx.principal.name,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  for (const { id } of ctx.config.teams)
    await ctx.db
      .insertInto("sprint_team")
      .values({ sprint_id: row.id, team: id, blocked_before_ms: await blockedTime(ctx.db, id, ctx.now) })
      .execute();
  ctx.record({ type: "sprint.started", subject: `sprint-${n}`, after: { n, planned_ms: Number(row.planned_ms) } });
  return row;
}

const newestEvent = prepared((db) => db.selectFrom("event").select((e) => e.fn.max("seq").as("seq")));

export async function setPhase(ctx: OperationContext, row: SprintRow, phase: string): Promise<SprintRow> {
  await ctx.db.updateTable("sprint").set({ phase }).where("id", "=", row.id).execute();
  ctx.record({
    type: "sprint.phase",
    subject: `sprint-${row.n}`,
    before: { phase: row.phase },
    after: { phase },
  });
  return { ...row, phase };
}

/** Ends a running sprint and writes down what each team did in it; the lock is held (requirement ME-03, C-23). */
export async function endSprint(ctx: OperationContext, row: SprintRow): Promise<SprintTeamRow[]> {
  await ctx.db.updateTable("sprint").set({ phase: "ended", ended_at: ctx.now }).where("id", "=", row.id).execute();
  const begun = await teamsOfSprint(ctx.db, row.id);
  const results: SprintTeamRow[] = [];
  for (const { id: team } of ctx.config.teams) {
    const before = begun.find((one) => one.team === team)?.blocked_before_ms ?? 0;
    const result = { sprint_id: row.id, team, ...(await resultOf(ctx, row, team, Number(before))) };
    await ctx.db
      .insertInto("sprint_team")
      .values(result)
      .onConflict((conflict) => conflict.columns(["sprint_id", "team"]).doUpdateSet(result))
      .execute();
    results.push(result);
  }
  ctx.record({
    type: "sprint.ended",
    subject: `sprint-${row.n}`,
    after: { n: row.n, velocity: Object.fromEntries(results.map(({ team, velocity }) => [team, velocity])) },
  });
  return results;
}

/** What a team has done in a sprint that runs: as its row will be when it ends now. */
export async function resultOf(ctx: OperationContext, row: SprintRow, team: string, blockedBefore: number) {
  const { points, done } = await finishedSince(ctx.db, team, row);
  const state = await teamState(ctx, team);
  return {
    blocked_before_ms: blockedBefore,
    velocity: points,
    done,
    blocked: state.blocked,
    blocked_ms: Math.max(0, (await blockedTime(ctx.db, team, ctx.now)) - blockedBefore),
    wip: state.wip,
    agents: state.agents,
    borrowed_in: state.borrowedIn.length,
    borrowed_out: state.borrowedOut.length,
  };
}

export async function teamsOfSprint(db: Kysely<Database>, sprintId: number): Promise<SprintTeamRow[]> {
  return db.selectFrom("sprint_team").selectAll().where("sprint_id", "=", sprintId).orderBy("team").execute();
}

/** Velocity of teams by sprint, of the sprints from one number on, or to another, that have ended (requirement BO-08). */
export async function velocities(
  db: Kysely<Database>,
  from: number,
  to?: number,
): Promise<{ n: number; team: string; velocity: number; done: number }[]> {
  let query = db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select(["sprint.n", "sprint_team.team", "sprint_team.velocity", "sprint_team.done"])
    .where("sprint.ended_at", "is not", null)
    .where("sprint.n", ">=", from);
  if (to !== undefined) query = query.where("sprint.n", "<=", to);
  return query.orderBy("sprint.n").execute();
}

/** Whether the full loop that is due before this sprint has been held, with coordinators or without (CO-02, OH-06). */
export async function isLoopDone(db: Kysely<Database>, n: number): Promise<boolean> {
  const round = await db
    .selectFrom("coordination_round")
    .select("id")
    .where("kind", "=", "full")
    .where("sprint", "=", n)
    .where("ended_at", "is not", null)
    .executeTakeFirst();
  return round !== undefined;
}
