import { type Kysely, type Selectable, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { changeRun, type RunRow } from "../run/run.store.ts";
import type { Task } from "../task/task.schema.ts";
import type { ModelChoice, Scores } from "./model.rules.ts";
import type { RunSpawnTable, SpawnPlanTable } from "./spawn-plan.table.ts";

export type SpawnPlan = Selectable<SpawnPlanTable>;

export async function insertPlan(
  ctx: OperationContext,
  plan: {
    task: Task;
    run: RunRow | undefined;
    scores: Scores;
    always: readonly string[];
    choice: ModelChoice;
    cost: number;
  },
): Promise<SpawnPlan> {
  const { task, run, scores, always, choice, cost } = plan;
  const row = await ctx.db
    .insertInto("spawn_plan")
    .values({
      key: ctx.newKey("sp"),
      task_id: task.id,
      run_id: run?.id ?? null,
      score: choice.score,
      scores: JSON.stringify(scores),
      always: JSON.stringify(always),
      model: choice.model,
      profile: choice.profile,
      reason: choice.reason,
      cost_micro_usd: cost,
      prices_as_of: ctx.config.models.prices.as_of,
      created_at: ctx.now,
      created_by: ctx.principal.key,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({
    type: "spawn.planned",
    subject: task.key,
    team: task.team,
    after: { score: choice.score, ...scores, always, model: choice.model, reason: choice.reason, cost_micro_usd: cost },
  });
  return row;
}

/** The last plan of the task with that key. */
export async function planOf(db: Kysely<Database>, taskKey: string): Promise<SpawnPlan | undefined> {
  return db
    .selectFrom("spawn_plan")
    .innerJoin("task", "task.id", "spawn_plan.task_id")
    .selectAll("spawn_plan")
    .where("task.key", "=", taskKey)
    .orderBy("spawn_plan.id", "desc")
    .executeTakeFirst();
}

/** Spawns that the client has let start late, for a question of permission, say. */
const PENDING_MS = 120_000;

/**
 * Agents of the session at work: those that have started and not ended, and those whose call was let through a moment
 * ago. Reviewers are counted apart: a review must never wait for a builder (C-04).
 */
export async function atWork(ctx: OperationContext, session: string): Promise<number> {
  const agents = await ctx.db
    .selectFrom("agent")
    .select(["role", "agent_id"])
    .where("session", "=", session)
    .where("ended_at", "is", null)
    .execute();
  const pending = await ctx.db
    .selectFrom("run_spawn")
    .innerJoin("run", "run.id", "run_spawn.run_id")
    .leftJoin("spawn", "spawn.tool_use_id", "run_spawn.tool_use_id")
    .select(sql<number>`count(*)`.as("n"))
    .where("run.session", "=", session)
    .where("run_spawn.at", ">", ctx.now - PENDING_MS)
    .where("spawn.agent_id", "is", null)
    .executeTakeFirstOrThrow();
  return agents.filter(({ role }) => !isReviewer(role)).length + Number(pending.n);
}

export function isReviewer(role: string | null | undefined): boolean {
  return role?.endsWith("adversarial-reviewer") ?? false;
}

/** Counts a spawn of the run; once, however often its call is asked about. */
export async function countSpawn(
  ctx: OperationContext,
  run: RunRow,
  spawn: Omit<Selectable<RunSpawnTable>, "id" | "run_id" | "at">,
): Promise<void> {
  const inserted = await ctx.db
    .insertInto("run_spawn")
    .values({ ...spawn, run_id: run.id, at: ctx.now })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!inserted) return;
  await changeRun(ctx, run.id, { spawns: run.spawns + 1, seen_at: ctx.now });
}

export async function isCounted(db: Kysely<Database>, toolUseId: string): Promise<boolean> {
  const row = await db.selectFrom("run_spawn").select("id").where("tool_use_id", "=", toolUseId).executeTakeFirst();
  return row !== undefined;
}
