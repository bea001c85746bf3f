import type { OperationContext } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import { openTaskIn } from "../agent/agent.store.ts";
import { closeTask } from "../task/close.store.ts";
import { addEdge, adoptDanglingEdges } from "../task/graph.store.ts";
import { insertDraft } from "../task/new-task.store.ts";
import type { Task } from "../task/task.schema.ts";
import { findTaskByKey, lockTask } from "../task/task.store.ts";
import { titleFor } from "./bridge.rules.ts";
import { type ClientTaskRow, changeClientTask } from "./bridge.store.ts";

/**
 * The durable task of a client task: the one its creator named, the one its subject names, or a new one. A row that
 * has its task keeps it, so that a repeated hook, a retry and another session create nothing twice (BD-02, BD-07).
 */
export async function linkClientTask(ctx: OperationContext, row: ClientTaskRow): Promise<ClientTaskRow> {
  if (row.task_key !== null) return row;
  const named = (await namedTask(ctx, row.wanted)) ?? (await taskInSubject(ctx, row.subject));
  const task = named ?? (await createFor(ctx, row));
  const origin = named ? "linked" : "created";
  const linked = await changeClientTask(ctx, row, { task_key: task.key, origin, description: null });
  ctx.record({
    type: `bridge.${origin}`,
    subject: task.key,
    team: task.team,
    after: { client: row.client_id, session: row.session, by: row.created_by },
  });
  return linked;
}

/**
 * Metadata given later names the task after all: one made for the client task in the meantime, and not begun, is
 * closed as a duplicate of it, for whoever made it and the lead.
 */
export async function relinkClientTask(
  ctx: OperationContext,
  row: ClientTaskRow,
  wanted: string,
): Promise<ClientTaskRow> {
  if (row.task_key === null) return changeClientTask(ctx, row, { wanted });
  const named = await namedTask(ctx, wanted);
  if (!named || named.key === row.task_key || row.origin !== "created") return row;
  if (row.created_by !== ctx.principal.key && !directsWork(ctx.principal)) return row;
  const made = await lockTask(ctx, row.task_key);
  if (made.status !== "open" || made.openChildren > 0) return row;
  await addEdge(ctx, made, { targetKey: named.key, type: "duplicates" });
  await closeTask(ctx, await lockTask(ctx, made.key), "duplicate", `Its client task stands for ${named.key}.`);
  ctx.record({ type: "bridge.relinked", subject: named.key, before: { task: made.key }, after: { task: named.key } });
  return changeClientTask(ctx, row, { task_key: named.key, origin: "linked", wanted });
}

/** By our id, or by the one another tool gave it. */
async function namedTask(ctx: OperationContext, wanted: string | null): Promise<Task | undefined> {
  if (wanted === null) return undefined;
  const found = await findTaskByKey(ctx.db, wanted);
  if (found) return found;
  const row = await ctx.db
    .selectFrom("task")
    .select("key")
    .where("external_ref", "=", wanted)
    .orderBy("id")
    .executeTakeFirst();
  return row && findTaskByKey(ctx.db, row.key);
}

async function taskInSubject(ctx: OperationContext, subject: string): Promise<Task | undefined> {
  const key = await openTaskIn(ctx.db, subject);
  return key === null ? undefined : findTaskByKey(ctx.db, key);
}

async function createFor(ctx: OperationContext, row: ClientTaskRow): Promise<Task> {
  const [first] = ctx.config.teams;
  const known = ctx.config.teams.some((team) => team.id === row.creator_team);
  const task = await insertDraft(ctx, {
    team: (known ? row.creator_team : first?.id) ?? "main",
    title: titleFor(row.subject, row.client_id),
    description: row.description ?? undefined,
    externalRef: row.wanted ?? undefined,
    createdBy: row.creator_name,
  });
  ctx.record({
    type: "task.created",
    subject: task.key,
    team: task.team,
    after: { title: task.title, state: task.status, client: row.client_id },
  });
  await adoptDanglingEdges(ctx, task);
  return task;
}
