import { type Kysely, type Selectable, sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { RunRow } from "../run/run.store.ts";
import type { GateOutcome } from "./gate-run.ts";
import { nextPhase, type UnitEvent } from "./unit.rules.ts";
import type { GateRunTable, UnitAttemptTable, UnitTable } from "./unit.table.ts";

export type UnitRow = Selectable<UnitTable>;
export type AttemptRow = Selectable<UnitAttemptTable>;
export type GateRunRow = Selectable<GateRunTable>;

export async function insertUnit(
  ctx: OperationContext,
  run: RunRow,
  draft: Pick<UnitRow, "task_id" | "title" | "stage" | "scope" | "items">,
): Promise<UnitRow> {
  const row = await ctx.db
    .insertInto("unit")
    .values({
      ...draft,
      key: ctx.newKey("wu"),
      run_id: run.id,
      phase: "planned",
      spec: null,
      spec_at: null,
      worktree: null,
      base: null,
      start_tree: null,
      home_tree: null,
      left_behind: null,
      diff_hash: null,
      tree: null,
      files: null,
      commit_sha: null,
      busy_until: null,
      busy_owner: null,
      created_at: ctx.now,
      updated_at: ctx.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ctx.record({ type: "unit.planned", subject: row.key, after: { run: run.key, stage: row.stage } });
  return row;
}

/** A unit by its id, a start of it, or the id of its task. Throws NOT_FOUND. */
export async function getUnit(db: Kysely<Database>, ref: string): Promise<UnitRow> {
  const row = await findUnitRef(db, ref);
  if (row) return row;
  throw new TeamwrightError("NOT_FOUND", "No work unit has this id.", hint("unit_show", "lists those of the run"));
}

export async function findUnitRef(db: Kysely<Database>, ref: string): Promise<UnitRow | undefined> {
  const rows = await db
    .selectFrom("unit")
    .innerJoin("task", "task.id", "unit.task_id")
    .selectAll("unit")
    .where((e) =>
      e.or([
        e("unit.key", "=", ref),
        e("task.key", "=", ref),
        e(sql`substr(unit.key, 1, ${[...ref].length})`, "=", ref), // no range: see store/cut-key.ts
      ]),
    )
    .orderBy("unit.id", "desc")
    .limit(20)
    .execute();
  const exact = rows.find((each) => each.key === ref) ?? rows.find((each) => !each.key.startsWith(ref));
  if (exact || rows.length <= 1) return exact ?? rows[0];
  throw new TeamwrightError(
    "INVALID_INPUT",
    `${plainLine(ref, 60)} is the start of several ids.`,
    hint("unit_show", "lists them with their ids"),
  );
}

export async function unitsOfRun(db: Kysely<Database>, runId: number): Promise<UnitRow[]> {
  return db.selectFrom("unit").selectAll().where("run_id", "=", runId).orderBy("stage").orderBy("id").execute();
}

const openOfTask = prepared((db, p: { taskId: number }) =>
  db
    .selectFrom("unit")
    .selectAll()
    .where("task_id", "=", p.taskId)
    .where("phase", "not in", ["done", "abandoned"])
    .orderBy("id", "desc"),
);

/** The unit a task is on its way in, if any. */
export async function openUnitOf(db: Kysely<Database>, taskId: number): Promise<UnitRow | undefined> {
  return openOfTask.first(db, { taskId });
}

/**
 * Writes a unit. Compare-and-swap on its version: of two that move it at once the second gets CONFLICT. `event` names
 * the move, which the table of phases must allow.
 */
export async function saveUnit(
  ctx: OperationContext,
  unit: UnitRow,
  event: UnitEvent | undefined,
  change: Partial<Omit<UnitRow, "id" | "key" | "phase">> = {},
): Promise<UnitRow> {
  const phase = event === undefined ? unit.phase : nextPhase(unit, event);
  const next = { ...unit, ...change, phase, version: unit.version + 1, updated_at: ctx.now };
  const { id, key: _, ...columns } = next;
  const result = await ctx.db
    .updateTable("unit")
    .set(columns)
    .where("id", "=", id)
    .where("version", "=", unit.version)
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) !== 1)
    throw new TeamwrightError(
      "CONFLICT",
      `${unit.key} was moved by another at the same moment.`,
      hint("unit_show", "shows it"),
    );
  if (phase !== unit.phase)
    ctx.record({
      type: `unit.${event}`,
      subject: unit.key,
      before: { phase: unit.phase },
      after: { phase, attempt: next.attempt, ...(next.diff_hash === null ? {} : { diff_hash: next.diff_hash }) },
    });
  return next;
}

export async function attemptsOf(db: Kysely<Database>, unitId: number): Promise<AttemptRow[]> {
  return db.selectFrom("unit_attempt").selectAll().where("unit_id", "=", unitId).orderBy("n").execute();
}

export async function beginAttempt(ctx: OperationContext, unitId: number, n: number): Promise<void> {
  await ctx.db
    .insertInto("unit_attempt")
    .values({
      unit_id: unitId,
      n,
      started_at: ctx.now,
      submitted_at: null,
      submitted_by: null,
      validated_at: null,
      validation: null,
      review: null,
      failure: null,
      diff_hash: null,
    })
    .onConflict((conflict) => conflict.columns(["unit_id", "n"]).doNothing())
    .execute();
}

export async function changeAttempt(
  ctx: OperationContext,
  unit: Pick<UnitRow, "id" | "attempt">,
  change: Partial<Omit<AttemptRow, "id" | "unit_id" | "n">>,
): Promise<void> {
  await ctx.db
    .updateTable("unit_attempt")
    .set(change)
    .where("unit_id", "=", unit.id)
    .where("n", "=", unit.attempt)
    .execute();
}

export async function insertGateRun(
  ctx: OperationContext,
  unit: Pick<UnitRow, "id" | "attempt">,
  outcome: GateOutcome,
  merged: boolean,
): Promise<void> {
  await ctx.db
    .insertInto("gate_run")
    .values({
      unit_id: unit.id,
      attempt: unit.attempt,
      gate: outcome.gate,
      command: outcome.command,
      started_at: outcome.startedAt,
      duration_ms: outcome.durationMs,
      exit_code: outcome.exitCode,
      signal: outcome.signal,
      result: outcome.result,
      output_digest: outcome.outputDigest,
      output_tail: outcome.outputTail,
      output_bytes: outcome.outputBytes,
      merged: merged ? 1 : 0,
    })
    .execute();
}

export async function gateRunsOf(db: Kysely<Database>, unitId: number): Promise<GateRunRow[]> {
  return db.selectFrom("gate_run").selectAll().where("unit_id", "=", unitId).orderBy("id").execute();
}

export async function noteInstance(
  ctx: OperationContext,
  unitId: number,
  agentId: string,
  role: string,
): Promise<void> {
  await ctx.db
    .insertInto("unit_instance")
    .values({ unit_id: unitId, agent_id: agentId, role, at: ctx.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What an agent's instance has done on a unit: `implement`, `review`. */
export async function rolesOf(db: Kysely<Database>, unitId: number, agentId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("unit_instance")
    .select("role")
    .where("unit_id", "=", unitId)
    .where("agent_id", "=", agentId)
    .execute();
  return rows.map((row) => row.role);
}

/**
 * Units of open runs whose files lie in the same working tree. Whoever implements one next may do it in the project's,
 * wherever it was done before: which tree it is, is known when it is handed in.
 */
export async function unitsInTree(db: Kysely<Database>, worktree: string | null): Promise<UnitRow[]> {
  return db
    .selectFrom("unit")
    .innerJoin("run", "run.id", "unit.run_id")
    .selectAll("unit")
    .where("run.ended_at", "is", null)
    .where("unit.phase", "not in", ["done", "abandoned", "planned"])
    .where((e) =>
      worktree === null
        ? e.or([e("unit.worktree", "is", null), e("unit.phase", "=", "implement")])
        : e("unit.worktree", "=", worktree),
    )
    .execute();
}

/** Units whose commit is under way anywhere in the project. */
export async function unitsCommitting(db: Kysely<Database>, now: number): Promise<UnitRow[]> {
  return db.selectFrom("unit").selectAll().where("phase", "=", "commit").where("busy_until", ">", now).execute();
}

export async function getUnitById(db: Kysely<Database>, id: number): Promise<UnitRow> {
  return db.selectFrom("unit").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

/**
 * Only for whoever has reserved it: a beat that comes late prolongs nobody else's reservation. Without a new version, so
 * that they go on with what they read. False when the reservation is another's, or over.
 */
export async function prolongBusy(
  ctx: OperationContext,
  { id, busy_owner }: Pick<UnitRow, "id" | "busy_owner">,
  until: number,
): Promise<boolean> {
  if (busy_owner === null) return false;
  const result = await ctx.db
    .updateTable("unit")
    .set({ busy_until: until })
    .where("id", "=", id)
    .where("busy_owner", "=", busy_owner)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}
