import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { grantRetry } from "../escalation/attempt.store.ts";
import type { HistoryEntry } from "../escalation/escalation.schema.ts";
import { lastDecision, raiseEscalation } from "../escalation/escalation.store.ts";
import { openParts, type RunRow } from "../run/run.store.ts";
import { findTaskById } from "../task/task.store.ts";
import { gateRunsOf, type UnitRow } from "./unit.store.ts";

export type LoopGate = "validation" | "review";

/** Failures of a unit are counted for each of the two gates apart (requirements FP-09, C-05). */
export function gateScope(unit: Pick<UnitRow, "key">, gate: LoopGate): string {
  return `${unit.key}:${gate}`;
}

/** What a person has decided about a unit's gates; undefined while the escalation is open. */
export async function decisionFor(
  db: Kysely<Database>,
  unit: string,
): Promise<{ decision: string; by: string; note: string; at: number } | undefined> {
  const row = await lastDecision(db, unit);
  if (!row?.decision) return undefined;
  const { decision, resolved_by_name, resolution, resolved_at } = row;
  return { decision, by: resolved_by_name ?? "a person", note: resolution ?? "", at: Number(resolved_at) };
}

/** One attempt more, after a person has let the unit go on. */
export async function grantAttempt(ctx: OperationContext, unit: UnitRow): Promise<void> {
  for (const gate of ["validation", "review"] as const)
    await grantRetry(ctx, { scope: gateScope(unit, gate), operation: "gate", by: ctx.principal.name, gate });
}

/** Hands a unit whose retries are used up to the person, with every failure (requirements FP-09, RE-02). */
export async function escalateUnit(
  ctx: OperationContext,
  unit: UnitRow,
  gate: LoopGate,
  reason: string,
): Promise<void> {
  const task = await findTaskById(ctx.db, Number(unit.task_id));
  const history: HistoryEntry[] = (await gateRunsOf(ctx.db, unit.id))
    .filter((run) => run.result !== "passed")
    .map((run) => ({
      at: Number(run.started_at),
      by: "teamwright",
      what: `gate: ${run.gate}`,
      result: run.result,
      text: run.output_tail.slice(-600),
    }));
  history.push(...(await voidRoundsOf(ctx.db, unit)));
  await raiseEscalation(ctx, {
    scope: gateScope(unit, gate),
    unitKey: unit.key,
    taskKey: task?.key ?? null,
    runId: Number(unit.run_id),
    operation: "gate",
    reason,
    history,
    exhausted: true,
  });
}

/** Reviews that came to no verdict, numbered: whoever decides sees how often it was asked. */
async function voidRoundsOf(db: Kysely<Database>, unit: UnitRow): Promise<HistoryEntry[]> {
  const rows = await db
    .selectFrom("review")
    .select(["key", "fault", "opened_at", "answered_at"])
    .where("unit_id", "=", unit.id)
    .where("status", "=", "void")
    .where("tool_use_id", "is not", null)
    .orderBy("id")
    .execute();
  return rows.map((row, index) => ({
    at: Number(row.answered_at ?? row.opened_at),
    by: "teamwright",
    what: "gate: review",
    result: `void, round ${index + 1} without a verdict`,
    text: `${row.key}: ${row.fault ?? "not answered"}`,
  }));
}

/** What nobody has dealt with in a run, beside its units: one sentence each. */
export async function endObstacles(db: Kysely<Database>, run: RunRow): Promise<string[]> {
  const tags = await db
    .selectFrom("tag")
    .select(["key", "kind", "target"])
    .where("run_id", "=", run.id)
    .where("status", "=", "open")
    .orderBy("id")
    .limit(20)
    .execute();
  const parts = (await openParts(db, run.id)).map((part) => `${part.name} (${part.key}) is part of it and open`);
  const open = tags.map(
    (tag) => `${tag.key} ${tag.kind}${tag.target === null ? "" : ` for ${tag.target}`} is not routed`,
  );
  return [...parts, ...open];
}
