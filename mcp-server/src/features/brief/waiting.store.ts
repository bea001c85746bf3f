import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { ShownCheckpoint } from "../checkpoint/checkpoint.schema.ts";
import { listCheckpoints } from "../checkpoint/checkpoint.store.ts";
import { toShownCheckpoint } from "../checkpoint/checkpoint.view.ts";
import type { ShownEscalation } from "../escalation/escalation.schema.ts";
import { listEscalations } from "../escalation/escalation.store.ts";
import { toShownEscalation } from "../escalation/escalation.view.ts";

export interface Waiting {
  checkpoints: ShownCheckpoint[];
  checkpoints_total: number;
  escalations: ShownEscalation[];
  escalations_total: number;
}

const MOST = 10;

/** What waits for the lead or a person (requirements RE-03, FP-08); an agent has its own task to look at. */
export async function whatWaits(ctx: OperationContext, principal: Principal): Promise<Waiting | undefined> {
  if (principal.kind === "agent") return undefined;
  const pending = await listCheckpoints(ctx.db, { status: "pending", limit: MOST });
  const open = await listEscalations(ctx.db, { status: "open", limit: MOST });
  return {
    checkpoints: pending.rows.map((row) => toShownCheckpoint(row, false)),
    checkpoints_total: pending.total,
    escalations: open.rows.map((row) => toShownEscalation(row, ctx.config, false)),
    escalations_total: open.total,
  };
}
