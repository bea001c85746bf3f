import { limitsOf } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { findAgent } from "../agent/agent.store.ts";
import { heldBy } from "./claim.store.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import type { Task } from "./task.schema.ts";

/** True for a task in review that another than the caller has handed in. */
export function isAnothersWork(ctx: OperationContext, task: Task): boolean {
  return task.status === "in_review" && task.holder !== null && task.holder !== ctx.principal.key;
}

/**
 * Takes a task from review back to whoever did it: who sends work back does not do it. Their claim goes on with its
 * number. An agent that has ended or has its hands full gets no claim: the task is open, and meant for its name, unless
 * it had none that a later agent could bear, or works for another team now and whoever is there goes on.
 */
export async function sendBack(ctx: OperationContext, task: Task, reason?: string): Promise<Task> {
  const holder = task.holder ?? "";
  await ctx.dialect.lockName(ctx.db, `holder:${holder}`);
  const agent = holder.startsWith("agent:") ? await findAgent(ctx.db, holder.slice("agent:".length)) : undefined;
  const isGone = holder.startsWith("agent:") && (agent === undefined || agent.ended_at !== null);
  const isAway = agent !== undefined && agent.team !== null && agent.team !== task.team;
  const goesOn = !isGone && !isAway && (await hasFreeHands(ctx, holder, task.team));
  const leaseExpiresAt = holder.startsWith("human:") ? null : ctx.now + ctx.leaseMs;
  const assignee = isAway || (isGone && agent?.name === null) ? null : task.holderName;
  const returned = await saveTaskInGraph(
    ctx,
    task,
    goesOn
      ? { status: "in_progress", leaseExpiresAt }
      : { status: "open", holder: null, holderName: null, assignee, leaseExpiresAt: null },
  );
  ctx.record({
    type: "task.returned",
    subject: task.key,
    team: task.team,
    before: { state: task.status, holder: task.holder },
    after: { state: returned.status, holder: returned.holder, name: task.holderName, ...(reason ? { reason } : {}) },
  });
  return returned;
}

async function hasFreeHands(ctx: OperationContext, holder: string, team: string): Promise<boolean> {
  const held = (await heldBy(ctx.db, holder)).filter((task) => task.status === "in_progress");
  return held.length < (limitsOf(ctx.config, team).per_agent ?? 1);
}
