import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { prepared } from "../../store/prepared.ts";
import { type AgentRow, agentPrincipal, findAgent } from "../agent/agent.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { getRunById, type RunRow } from "../run/run.store.ts";
import { freeClaim } from "../task/claim.store.ts";
import { saveTaskInGraph } from "../task/graph.store.ts";
import { unblocked } from "../task/task.rules.ts";
import type { Task } from "../task/task.schema.ts";
import { findTaskByKey, lockTaskById } from "../task/task.store.ts";
import { blockReason } from "./tag.rules.ts";
import type { TagRow } from "./tag.store.ts";

/**
 * Takes off the block that a BLOCKER tag has set once the task it led to is done, and says how to go on (requirements
 * RP-04, C-30). A block with another reason stays: it is somebody else's.
 */
export async function freeByDeed(ctx: OperationContext): Promise<void> {
  for (const event of [...ctx.effects.events]) {
    if (event.type !== "task.closed" || event.subject === undefined) continue;
    for (const tag of await blockersRoutedTo(ctx, event.subject)) await free(ctx, tag, event.subject);
  }
}

/** By an index of the few tags that have led to a task: every closing asks. */
async function blockersRoutedTo(ctx: OperationContext, key: string): Promise<TagRow[]> {
  return routedTo.all(ctx.db, { key });
}

const routedTo = prepared((db, p: { key: string }) =>
  db
    .selectFrom("tag")
    .innerJoin("task", "task.key", "tag.routed_to")
    .selectAll("tag")
    .where("tag.routed_to", "=", p.key)
    .where("tag.kind", "=", "BLOCKER")
    .where("task.outcome", "=", "done")
    .orderBy("tag.id"),
);

async function free(ctx: OperationContext, tag: TagRow, by: string): Promise<void> {
  const found = tag.task_key === null ? undefined : await findTaskByKey(ctx.db, tag.task_key);
  if (found?.blockedReason !== blockReason(tag)) return;
  const task = await lockTaskById(ctx, found.id);
  const other = await stillInTheWay(ctx, task.key);
  if (other) {
    const reason = blockReason(other);
    await saveTaskInGraph(ctx, task, { blockedReason: reason, blockedBy: other.agent_name });
    ctx.record({
      type: "task.blocked",
      subject: task.key,
      team: task.team,
      before: { blockedReason: task.blockedReason },
      after: { blockedReason: reason, tag: other.key },
    });
    return;
  }
  const freed = await saveTaskInGraph(ctx, task, unblocked(task, ctx.now));
  ctx.record({
    type: "task.unblocked",
    subject: task.key,
    team: task.team,
    before: { blockedReason: task.blockedReason },
    after: { by, tag: tag.key },
  });
  const run = tag.run_id === null ? undefined : await getRunById(ctx.db, Number(tag.run_id));
  if (run && run.ended_at === null) await goOn(ctx, tag, freed, by, run);
}

/** Who can be written to goes on with what it knows; else another is started, whose brief holds the last report. */
async function goOn(ctx: OperationContext, tag: TagRow, task: Task, by: string, run: RunRow): Promise<void> {
  const author = await authorOf(ctx, tag);
  const key = author && agentPrincipal(author).key;
  const stays = run.mode === "team" && author?.name != null && author.session === run.session;
  const about = { sender: systemPrincipal, runId: Number(run.id), taskKey: task.key, kind: "RESOLVED" } as const;
  const gone = `${task.key} is not blocked any more: ${by} is done.`;
  const who = plainLine(tag.agent_name, 60);
  if (stays) await insertMessage(ctx, { ...about, recipient: { name: tag.agent_name, key }, text: `${gone} Go on.` });
  // a blocked task waits for its holder; one that has ended and cannot be written to will not come back
  else if (task.holder === key && author?.ended_at != null) await freeClaim(ctx, task, "its agent has ended");
  const next = stays
    ? `${who} has been told and goes on; write to ${who} to wake it.`
    : `Start an agent for ${task.key}: its brief holds what ${who} reported.`;
  const lead = { name: "lead", key: run.session === null ? undefined : `lead:${run.session}` };
  await insertMessage(ctx, { ...about, recipient: lead, text: `${gone} ${next}` });
}

/** A blocker of the same task whose own task is still open: a task has one reason, the last that was given. */
async function stillInTheWay(ctx: OperationContext, taskKey: string): Promise<TagRow | undefined> {
  return ctx.db
    .selectFrom("tag")
    .innerJoin("task", "task.key", "tag.routed_to")
    .selectAll("tag")
    .where("tag.task_key", "=", taskKey)
    .where("tag.kind", "=", "BLOCKER")
    .where("task.status", "!=", "closed")
    .orderBy("tag.id", "desc")
    .executeTakeFirst();
}

async function authorOf(ctx: OperationContext, tag: TagRow): Promise<AgentRow | undefined> {
  const report = await ctx.db
    .selectFrom("report")
    .select("agent_id")
    .where("id", "=", Number(tag.report_id))
    .executeTakeFirst();
  return report && findAgent(ctx.db, report.agent_id);
}
