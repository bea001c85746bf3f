import { type Kysely, type Selectable, sql } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { isCoordinated } from "../../config/practices.rules.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import {
  asStep,
  type Budget,
  budgetOf,
  type ReportedStep,
  reportOf,
  type StepFacts,
  stepTimeout,
} from "./overhead.rules.ts";
import type { OverheadReport, OverheadStep } from "./overhead.schema.ts";
import type { OverheadStepTable } from "./overhead.table.ts";

type StepRow = Selectable<OverheadStepTable>;

/** A step that has begun. Times are UTC ms. */
export interface RunningStep {
  readonly id: number;
  readonly step: OverheadStep;
  readonly sprint: number;
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly deadline: number;
}

/**
 * Opens a time box for a step of a sprint (0: before the first); undefined where teams are not coordinated, and time is
 * not boxed. Throws INVALID_INPUT for an unknown step (requirements OH-03, OH-09).
 */
export async function beginStep(
  ctx: OperationContext,
  step: OverheadStep,
  sprint: number,
  team?: string,
): Promise<RunningStep | undefined> {
  asStep(step);
  if (!isCoordinated(ctx.config)) return undefined;
  await ctx.dialect.lockName(ctx.db, "overhead"); // two steps that begin at once share what remains
  await expireSteps(ctx);
  const past = await spentBefore(ctx.db, sprint);
  const { timeoutMs, overrunMs } = stepTimeout(liveBudget(ctx.config, past, sprint), step, sprint, past);
  const row = await ctx.db
    .insertInto("overhead_step")
    .values({
      sprint,
      step,
      team: team ?? null,
      started_at: ctx.now,
      timeout_ms: timeoutMs,
      deadline: ctx.now + timeoutMs,
      elapsed_ms: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({
    type: "overhead.started",
    ...(team === undefined ? {} : { team }),
    after: { step, sprint, timeout_ms: timeoutMs, ...(overrunMs > 0 ? { overrun_ms: overrunMs } : {}) },
  });
  return toRunning(row);
}

/** Closes it with the time it took; `timedOut` says that its deadline had passed, now or before. */
export async function endStep(ctx: OperationContext, id: number): Promise<{ elapsedMs: number; timedOut: boolean }> {
  const row = await ctx.db.selectFrom("overhead_step").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  if (row.elapsed_ms !== null) return { elapsedMs: Number(row.elapsed_ms), timedOut: row.timed_out === 1 };
  await ctx.db.updateTable("overhead_step").set({ used: 1 }).where("id", "=", row.id).execute();
  return close(ctx, row);
}

/**
 * Closes the box that was opened last for this step of the sprint and not yet used; undefined when there is none. A box
 * that ended by itself, because its time was over, is used by this once: `timedOut` is then true.
 */
export async function finishStep(
  ctx: OperationContext,
  step: OverheadStep,
  sprint: number,
): Promise<{ elapsedMs: number; timedOut: boolean } | undefined> {
  const row = await ctx.db
    .selectFrom("overhead_step")
    .selectAll()
    .where("step", "=", step)
    .where("sprint", "=", sprint)
    .where("used", "=", 0)
    .orderBy("id", "desc")
    .executeTakeFirst();
  if (!row) return undefined;
  await ctx.db
    .updateTable("overhead_step")
    .set({ used: 1 })
    .where("step", "=", step)
    .where("sprint", "=", sprint)
    .where("used", "=", 0) // those before it too, whose time was over when the last one was opened
    .execute();
  if (row.elapsed_ms !== null) return { elapsedMs: Number(row.elapsed_ms), timedOut: row.timed_out === 1 };
  return close(ctx, row);
}

/** Closes the steps whose deadline has passed, and names them: what each falls back to is its own slice's to do. */
async function expireSteps(ctx: OperationContext): Promise<RunningStep[]> {
  const rows = await ctx.db
    .selectFrom("overhead_step")
    .selectAll()
    .where("elapsed_ms", "is", null)
    .where("deadline", "<", ctx.now)
    .orderBy("id")
    .execute();
  for (const row of rows) await close(ctx, row);
  return rows.map(toRunning);
}

async function close(ctx: OperationContext, row: StepRow): Promise<{ elapsedMs: number; timedOut: boolean }> {
  const timeoutMs = Number(row.timeout_ms);
  const took = Math.max(0, ctx.now - Number(row.started_at));
  const [elapsedMs, timedOut] = [Math.min(took, timeoutMs), took > timeoutMs];
  await ctx.db
    .updateTable("overhead_step")
    .set({ elapsed_ms: elapsedMs, timed_out: timedOut ? 1 : 0 })
    .where("id", "=", row.id)
    .execute();
  ctx.record({
    type: "overhead.ended",
    ...(row.team === null ? {} : { team: row.team }),
    after: { step: row.step, sprint: row.sprint, elapsed_ms: elapsedMs, ...(timedOut ? { timed_out: true } : {}) },
  });
  return { elapsedMs, timedOut };
}

/** The step that was begun last of its kind and still runs, if one does. */
export async function runningStep(db: Kysely<Database>, step: OverheadStep): Promise<RunningStep | undefined> {
  const row = await db
    .selectFrom("overhead_step")
    .selectAll()
    .where("step", "=", step)
    .where("elapsed_ms", "is", null)
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row ? toRunning(row) : undefined;
}

/** Budget, spending and steps, in seconds (requirement OH-07). */
export async function overheadReport(
  db: Kysely<Database>,
  config: ProjectConfig,
  now: number,
): Promise<OverheadReport> {
  const steps = (await allSteps(db)).map(toFacts);
  return reportOf(liveBudget(config, steps, 0), steps, now);
}

/** For as many sprints as are planned; live teams that go on beyond have more sprint time, and more overhead. */
function liveBudget(config: ProjectConfig, past: readonly StepFacts[], sprint: number): Budget {
  const sprints = Math.max(config.experiment.sprints, sprint, ...past.map((fact) => fact.sprint));
  return budgetOf(config.coordination.overhead_budget, sprints, config.sprint.minutes);
}

/**
 * What was spent so far, summed by step, before this sprint and from it on: what a step is granted depends on no more,
 * and these are eight rows however long a team works.
 */
async function spentBefore(db: Kysely<Database>, sprint: number): Promise<StepFacts[]> {
  const rows = await spent.all(db, { sprint });
  return rows.map((row) => ({
    step: row.step as OverheadStep, // written by this file only
    sprint: row.sprint,
    timeoutMs: 0,
    elapsedMs: Number(row.ms),
  }));
}

const spent = prepared((db, p: { sprint: number }) =>
  db
    .selectFrom("overhead_step")
    .select((e) => [
      "step",
      e.fn.max("sprint").as("sprint"),
      sql<number>`sum(coalesce(elapsed_ms, timeout_ms))`.as("ms"),
    ])
    .groupBy(["step", sql`case when sprint < ${p.sprint} then 0 else 1 end`]),
);

async function allSteps(db: Kysely<Database>): Promise<StepRow[]> {
  return db.selectFrom("overhead_step").selectAll().orderBy("id").execute();
}

function toFacts(row: StepRow): ReportedStep {
  return {
    step: row.step as OverheadStep, // written by this file only
    sprint: row.sprint,
    timeoutMs: Number(row.timeout_ms),
    elapsedMs: row.elapsed_ms === null ? undefined : Number(row.elapsed_ms),
    timedOut: row.timed_out === 1,
    startedAt: Number(row.started_at),
    team: row.team ?? undefined,
  };
}

function toRunning(row: StepRow): RunningStep {
  return {
    id: Number(row.id),
    step: row.step as OverheadStep,
    sprint: row.sprint,
    startedAt: Number(row.started_at),
    timeoutMs: Number(row.timeout_ms),
    deadline: Number(row.deadline),
  };
}
