import type { Kysely } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { findByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { activeRun, findRun } from "../run/run.store.ts";
import { getTask } from "../task/task.store.ts";
import { checkOwnTeam } from "../team/team.rules.ts";

/** What something is about: a unit with its task, a task, a stage of a run, or the caller's run. */
export interface About {
  /** The id it goes by: unit, else task, else stage or run, else the caller. */
  readonly scope: string;
  readonly unitKey: string | null;
  readonly taskKey: string | null;
  readonly runId: number | null;
}

/**
 * Finds what an id, or a unique start of one, means. Throws NOT_FOUND, INVALID_INPUT for the start of several, or
 * FORBIDDEN for the task of another team.
 */
export async function aboutOf(ctx: OperationContext, ref: string | undefined): Promise<About> {
  const { db, principal } = ctx;
  const run = principal.session === undefined ? undefined : await activeRun(db, principal.session);
  const runId = run ? Number(run.id) : null;
  if (ref === undefined) {
    const held = await heldTask(db, principal.key);
    if (held === undefined) return { scope: run?.key ?? principal.key, unitKey: null, taskKey: null, runId };
    return taskOrUnit(ctx, held, runId);
  }
  return taskOrUnit(ctx, ref, runId).catch(async (error: unknown) => {
    const isNone = error instanceof TeamwrightError && error.code === "NOT_FOUND";
    const found = isNone ? await unitOrRun(ctx, ref) : undefined;
    if (found) return found;
    throw error;
  });
}

/** A unit, a run, or a stage of one: `run-…:stage-2`. */
async function unitOrRun({ db, principal }: OperationContext, ref: string): Promise<About | undefined> {
  const units = hint("unit_show", "lists them with their ids");
  const unit = await findByCutKey(db, "unit", ref, units, (key) => findUnit(db, key));
  if (unit) {
    checkOwnTeam(principal, unit.team);
    return { scope: unit.key, unitKey: unit.key, taskKey: unit.task, runId: Number(unit.run_id) };
  }
  const [, name, stage = ""] = /^([^:]+)(:stage-\d+)?$/.exec(ref) ?? [];
  const run = name === undefined ? undefined : await findRun(db, name);
  return run && { scope: `${run.key}${stage}`, unitKey: null, taskKey: null, runId: Number(run.id) };
}

/**
 * The stage whose gate is meant, where a person opens those of the run: a lead who asks about a unit that waits behind
 * it, or about the run, means that gate (requirement FP-07). Anything else stays what it is.
 */
export async function gateOf(db: Kysely<Database>, about: About): Promise<About> {
  const isTaskAlone = about.taskKey !== null && about.unitKey === null;
  if (about.runId === null || isTaskAlone || about.scope.includes(":stage-")) return about;
  const waiting = await db
    .selectFrom("unit")
    .innerJoin("run", "run.id", "unit.run_id")
    .select(["run.key as run", "unit.stage"])
    .where("run.id", "=", about.runId)
    .where("run.phase_gate", "=", "manual")
    .where("unit.phase", "=", "planned")
    .where("unit.stage", ">", 1)
    .$if(about.unitKey !== null, (query) => query.where("unit.key", "=", about.unitKey ?? ""))
    .orderBy("unit.stage")
    .executeTakeFirst();
  return waiting ? { ...about, scope: `${waiting.run}:stage-${waiting.stage}`, unitKey: null, taskKey: null } : about;
}

/** A task on its way in a unit is spoken of as that unit. */
async function taskOrUnit(ctx: OperationContext, ref: string, runId: number | null): Promise<About> {
  const task = await getTask(ctx, ref).catch((error: unknown) => {
    if (!(error instanceof TeamwrightError) || error.code !== "NOT_FOUND") throw error;
    throw new TeamwrightError("NOT_FOUND", "No unit and no task has this id.", hint("task_list", "finds tasks"));
  });
  checkOwnTeam(ctx.principal, task.team);
  const unit = await ctx.db
    .selectFrom("unit")
    .select(["key", "run_id"])
    .where("task_id", "=", task.id)
    .where("phase", "not in", ["done", "abandoned"])
    .orderBy("id", "desc")
    .executeTakeFirst();
  return unit
    ? { scope: unit.key, unitKey: unit.key, taskKey: task.key, runId: Number(unit.run_id) }
    : { scope: task.key, unitKey: null, taskKey: task.key, runId };
}

async function findUnit(db: Kysely<Database>, key: string) {
  return db
    .selectFrom("unit")
    .innerJoin("task", "task.id", "unit.task_id")
    .select(["unit.key", "unit.run_id", "task.key as task", "task.team"])
    .where("unit.key", "=", key)
    .executeTakeFirst();
}

async function heldTask(db: Kysely<Database>, holder: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("task")
    .select("key")
    .where("holder", "=", holder)
    .where("status", "=", "in_progress")
    .orderBy("id")
    .executeTakeFirst();
  return row?.key;
}
