import { type Kysely, sql } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { EventDraft, OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { unwatched } from "../task/claim.store.ts";
import { raiseEscalation } from "./escalation.store.ts";

const BATCH = 50;

/** Blocks that began then or earlier have lasted for more than a cycle. */
export function blockedBefore(now: number, config: ProjectConfig): number {
  return now - config.escalation.blocked_cycle_minutes * 60_000;
}

/** A task that is blocked for more than one cycle goes up, once per block (requirement RE-03). */
export async function watchBlocks(ctx: OperationContext): Promise<void> {
  const before = blockedBefore(ctx.now, ctx.config);
  await ctx.dialect.lockName(ctx.db, "sweep");
  const rows = await ctx.db
    .selectFrom("task")
    .select(["id", "key", "status", "blocked_since", "blocked_reason", "blocked_by", "foreign_raw"])
    .where(unwatched)
    .where("blocked_since", "<=", before)
    .orderBy("blocked_since")
    .limit(BATCH)
    .execute();
  for (const row of rows) {
    await ctx.db.updateTable("task").set({ watched_since: row.blocked_since }).where("id", "=", row.id).execute();
    // a flag that came with an import was not raised here, and may be years old
    if (row.status === "closed" || (row.blocked_by === "import" && row.foreign_raw !== null)) continue;
    const since = new Date(Number(row.blocked_since)).toISOString();
    await raiseEscalation(ctx, {
      operation: "blocked",
      ...(await unitOf(ctx.db, Number(row.id), row.key)),
      reason: `Blocked since ${since}${row.blocked_by === null ? "" : ` (by ${row.blocked_by})`}: ${row.blocked_reason ?? "no reason given"}`,
    });
  }
}

async function unitOf(db: Kysely<Database>, taskId: number, taskKey: string) {
  const unit = await db
    .selectFrom("unit")
    .select(["key", "run_id"])
    .where("task_id", "=", taskId)
    .where("phase", "not in", ["done", "abandoned"])
    .orderBy("id", "desc")
    .executeTakeFirst();
  return {
    scope: unit?.key ?? taskKey,
    unitKey: unit?.key ?? null,
    taskKey,
    runId: unit ? Number(unit.run_id) : null,
  };
}

const openOfTask = prepared(
  (db, p: { task: string }) =>
    db
      .selectFrom("escalation")
      .select(["id", "key", "operation", "level"])
      .where("task_key", "=", p.task)
      .where("status", "=", sql.lit("open")), // the condition of the index escalation_task
);

/**
 * What the events of a transaction have settled: a lifted block the escalation of that block, a closed task all of its
 * own. What waits for a person stays: only a person takes it off the list.
 */
export async function settleByDeed(ctx: OperationContext): Promise<void> {
  for (const event of [...ctx.effects.events]) {
    const settled = settledBy(event);
    if (settled === undefined || event.subject === undefined) continue;
    for (const row of await openOfTask.all(ctx.db, { task: event.subject })) {
      if (row.level === "human" || (settled === "block" && row.operation !== "blocked")) continue;
      const resolution = settled === "block" ? "the task is not blocked any more" : "the task was closed";
      await ctx.db
        .updateTable("escalation")
        .set({
          status: "resolved",
          resolution,
          resolved_by: ctx.principal.key,
          resolved_by_name: ctx.principal.name,
          resolved_at: ctx.now,
          updated_at: ctx.now,
        })
        .where("id", "=", row.id)
        .where("status", "=", "open")
        .execute();
      ctx.record({ type: "escalation.settled", subject: row.key, after: { resolution } });
    }
  }
}

function settledBy({ type }: EventDraft): "block" | "task" | undefined {
  if (type === "task.unblocked") return "block";
  return type === "task.closed" ? "task" : undefined;
}
