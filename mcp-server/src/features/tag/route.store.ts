import { DEFAULT_TEAM } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { teamOf } from "../agent/placement.store.ts";
import { noteFailure } from "../escalation/attempt.store.ts";
import { raiseEscalation } from "../escalation/escalation.store.ts";
import { correspondentsOf } from "../message/correspondent.store.ts";
import { parseAddress, reviewerRole } from "../message/message.rules.ts";
import { insertMessage, type MessageDraft } from "../message/message.store.ts";
import { edgesInto } from "../task/dependents.store.ts";
import { addEdge, saveTaskInGraph } from "../task/graph.store.ts";
import { insertDraft } from "../task/new-task.store.ts";
import type { Task } from "../task/task.schema.ts";
import { lockTaskById } from "../task/task.store.ts";
import { insertComment } from "../task/task-parts.store.ts";
import { blockReason, followUpTitle, isPointless } from "./tag.rules.ts";
import { type ReportRow, settleTag, type TagRow } from "./tag.store.ts";

/** Roles that are the lead, whatever the session calls it (requirements RP-03). */
const leadWords = new Set(["coordinator", "orchestrator"]);

/** What a report was about, as far as the store knows it. */
export interface Origin {
  readonly report: ReportRow;
  readonly author: Principal;
  readonly task: Task | undefined;
}

/**
 * Does with a tag what its kind asks for (requirements RP-04); one that names nobody who could be given it stays open
 * for the lead. The finding itself goes along, never a pointer to the report.
 */
export async function routeTag(ctx: OperationContext, tag: TagRow, origin: Origin): Promise<void> {
  if (isPointless(tag.text)) return;
  if (tag.kind === "INTERFACE-CHANGE") return tellDependents(ctx, tag, origin);
  if (tag.kind === "CROSS-DOMAIN") {
    const follow = await followUp(ctx, tag, origin);
    if (follow) await settleTag(ctx, tag, { status: "routed", routedTo: follow.key });
    return;
  }
  if (tag.kind === "BLOCKER") return block(ctx, tag, origin);
  const message = await insertMessage(ctx, {
    kind: tag.kind as "QUESTION" | "RESOLVED" | "INFO",
    sender: origin.author,
    ...(await addressOf(ctx, tag, origin.author)),
    runId: tag.run_id === null ? undefined : Number(tag.run_id),
    taskKey: tag.task_key ?? undefined,
  });
  await settleTag(ctx, tag, { status: "routed", routedTo: message.key });
}

/**
 * Whom a tag's words reach: its author's team, or an agent at work; for everybody else the lead hears of it and for
 * whom it was.
 */
async function addressOf(
  ctx: OperationContext,
  { target, text }: TagRow,
  author: Principal,
): Promise<Pick<MessageDraft, "channel" | "recipient" | "text">> {
  if (target === `team:${author.team}`) return { channel: target, text };
  const others = (await correspondentsOf(ctx, author)).filter(
    ({ key, role }) => key !== author.key && role !== reviewerRole,
  );
  const named = others.findLast((one) => one.name === target && one.isAlive);
  if (named) return { recipient: { name: named.name, key: named.key }, text };
  const isForLead = target === null || leadWords.has(target) || parseAddress(target).kind === "lead";
  return { recipient: { name: "lead", key: undefined }, text: isForLead ? text : `For ${target}: ${text}` };
}

/** A task for the target, with the finding in it; undefined when the reporter worked on no task. */
async function followUp(ctx: OperationContext, tag: TagRow, { task, author }: Origin): Promise<Task | undefined> {
  if (!task) return undefined;
  const target = tag.target ?? "coordinator";
  const place = await teamOf(ctx.db, ctx.config, target);
  const team = target.startsWith("team:") ? target.slice(5) : (place ?? task.team);
  const assignee = place === undefined ? undefined : target;
  const made = await insertDraft(ctx, {
    team: ctx.config.teams.some((known) => known.id === team) ? team : task.team,
    title: followUpTitle(tag.kind, target, tag.text),
    description: `${author.name} found while working on ${task.key}, for ${target}:\n\n${tag.text}`,
    acceptance: `The finding of ${author.name} is dealt with, and ${task.key} says how.`,
    priority: tag.kind === "BLOCKER" ? Math.min(task.priority, 1) : task.priority,
    assignee,
    createdBy: author.name,
  });
  ctx.record({ type: "task.created", subject: made.key, team: made.team, after: { title: made.title, from: tag.key } });
  await addEdge(ctx, made, { targetKey: task.key, type: "discovered-from" });
  return made;
}

/** The reporter's task is blocked, and waits for a task of whoever can take the obstacle away. */
async function block(ctx: OperationContext, tag: TagRow, origin: Origin): Promise<void> {
  const follow = await followUp(ctx, tag, origin);
  if (!follow || !origin.task) return;
  const task = await lockTaskById(ctx, origin.task.id);
  if (task.status !== "closed") {
    const reason = blockReason(tag);
    const blocked = await saveTaskInGraph(ctx, task, {
      blockedReason: reason,
      blockedSince: task.blockedSince ?? ctx.now,
      blockedBy: origin.author.name,
    });
    ctx.record({
      type: "task.blocked",
      subject: task.key,
      team: task.team,
      after: { blockedReason: reason, tag: tag.key },
    });
    await addEdge(ctx, blocked, { targetKey: follow.key, type: "blocks" });
  }
  await settleTag(ctx, tag, { status: "routed", routedTo: follow.key });
}

/** Dependents learn of a changed interface in their own task's text, before anybody is started on them (RP-04). */
async function tellDependents(ctx: OperationContext, tag: TagRow, { task, author }: Origin): Promise<void> {
  const dependents = task ? await edgesInto(ctx.db, task.id) : [];
  const note = `Interface change by ${author.name}${task ? ` in ${task.key}` : ""}: ${tag.text}`;
  for (const id of dependents) {
    const before = await lockTaskById(ctx, id);
    if (before.status === "closed") continue;
    await saveTaskInGraph(ctx, before, {
      description: `${before.description ? `${before.description}\n\n` : ""}${note}`,
    });
    await insertComment(ctx, before.id, { author: author.name, body: note });
    ctx.record({
      type: "task.interface_change",
      subject: before.key,
      team: before.team,
      after: { tag: tag.key, text: tag.text },
    });
  }
  const teams = [
    task?.team ?? author.team ?? ctx.config.teams[0]?.id ?? DEFAULT_TEAM,
    await teamNamed(ctx, tag.target),
  ];
  const told: string[] = [];
  for (const team of new Set(teams.filter((id) => id !== undefined))) {
    const message = await insertMessage(ctx, {
      kind: "INTERFACE-CHANGE",
      sender: author,
      channel: `team:${team}`,
      text: note,
      runId: tag.run_id === null ? undefined : Number(tag.run_id),
      taskKey: task?.key,
    });
    told.push(message.key);
  }
  await settleTag(ctx, tag, { status: "routed", routedTo: dependents.length > 0 && task ? task.key : told.join(", ") });
}

/** The team a target is, or works in. */
async function teamNamed(ctx: OperationContext, target: string | null): Promise<string | undefined> {
  if (target === null) return undefined;
  const { teams } = ctx.config;
  return teams.find(({ id }) => target === `team:${id}`)?.id ?? teamOf(ctx.db, ctx.config, target);
}

/** FAILED is retried or escalated, never left (requirements RP-04, RE-01, RE-03). */
export async function routeFailure(ctx: OperationContext, { report, author, task }: Origin): Promise<void> {
  if (!task || report.status !== "FAILED") return;
  const operation = author.role === "researcher" ? "research" : "build_test";
  const reason = `${author.name} reported FAILED`;
  const state = await noteFailure(ctx, {
    scope: task.key,
    operation,
    by: author.name,
    reason,
    excerpt: report.text.slice(0, 2000),
  });
  if (!state.exhausted) return;
  await raiseEscalation(ctx, {
    scope: task.key,
    taskKey: task.key,
    unitKey: null,
    runId: report.run_id === null ? null : Number(report.run_id),
    operation,
    reason: `${reason}, and its retries are used up`,
    exhausted: true,
  });
}
