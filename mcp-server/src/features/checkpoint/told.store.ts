import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { EscalationRow } from "../escalation/escalation.store.ts";
import type { CheckpointRow } from "./checkpoint.store.ts";

/** Whose news: what the session asked for itself, and what belongs to the run it leads. */
export interface Listener {
  readonly session: string;
  readonly runId: number | null;
}

export interface News {
  readonly checkpoints: CheckpointRow[];
  readonly escalations: EscalationRow[];
}

/** One look at two small indexes: whether there is anything to tell. */
export async function hasNews(db: Kysely<Database>, { session, runId }: Listener): Promise<boolean> {
  const params = { session, run: runId ?? -1 };
  return (await newCheckpoint.first(db, params)) !== undefined || (await newEscalation.first(db, params)) !== undefined;
}

/** Checkpoints a person has decided and escalations that wait for one or were settled by one, each told once. */
export async function takeNews(ctx: OperationContext, listener: Listener): Promise<News> {
  const params = { session: listener.session, run: listener.runId ?? -1 };
  await ctx.dialect.lockName(ctx.db, `news:${listener.session}`);
  const checkpoints = await newCheckpoint.all(ctx.db, params);
  const escalations = await newEscalation.all(ctx.db, params);
  const told = { told_at: ctx.now };
  for (const { id } of checkpoints) await ctx.db.updateTable("checkpoint").set(told).where("id", "=", id).execute();
  for (const { id } of escalations) await ctx.db.updateTable("escalation").set(told).where("id", "=", id).execute();
  return { checkpoints, escalations };
}

type Params = { session: string; run: number };

const newCheckpoint = prepared((db, p: Params) =>
  db
    .selectFrom("checkpoint")
    .selectAll()
    .where("told_at", "is", null)
    .where("status", "<>", "pending")
    .where((e) => e.or([e("session", "=", p.session), e("run_id", "=", p.run)]))
    .orderBy("id")
    .limit(20),
);

const newEscalation = prepared((db, p: Params) =>
  db
    .selectFrom("escalation")
    .selectAll()
    .where("told_at", "is", null)
    .where("level", "=", "human")
    .where((e) => e.or([e("session", "=", p.session), e("run_id", "=", p.run)]))
    .orderBy("id")
    .limit(20),
);
