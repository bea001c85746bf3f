import * as z from "zod";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { shownNeed } from "../dependency/dependency.schema.ts";
import { dependenciesOf, isSharedWith } from "../dependency/dependency.store.ts";
import { describeNeed, toShownNeed } from "../dependency/dependency.view.ts";
import { listEventsOf } from "../event/event.store.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { linksFrom, linksTo } from "./link-view.store.ts";
import { whyNotReady } from "./task.rules.ts";
import * as fields from "./task.schema.ts";
import { getTask } from "./task.store.ts";
import { compact, isoTime, renderFull, toFull } from "./task.view.ts";
import { listComments } from "./task-parts.store.ts";
import { waitsFor } from "./wait.store.ts";

const link = z.object({
  type: z.string(),
  id: z.string(),
  state: z.string().optional(),
  title: z.string().optional(),
  blocking: z.boolean().optional(),
});
const comment = z.object({ by: z.string(), at: z.string(), text: z.string() });

export const taskShow = defineOperation({
  name: "task_show",
  description:
    "Show one task in full: description, acceptance criteria, holder, links both ways, dependencies, comments, history.",
  kind: "read",
  mcp: "core",
  positional: ["id"],
  input: z.strictObject({
    id: fields.taskRef,
    comments: z.number().int().min(0).max(500).optional().describe("Most; 10 by default."),
    history: z.boolean().optional(),
  }),
  output: z.object({
    task: fields.taskFull,
    reasons: z.array(z.string()).optional(),
    links: z.array(link).optional(),
    linked_from: z.array(link).optional(),
    dependencies: z.array(shownNeed).optional(),
    comments: z.array(comment).optional(),
    history: z
      .array(z.object({ at: z.string(), type: z.string(), by: z.string(), after: z.string().optional() }))
      .optional(),
  }),
  async run(ctx, input) {
    const task = await getTask(ctx, input.id);
    if (!(await isSharedWith(ctx.db, task.id, ctx.principal.team))) checkOwnTeam(ctx.principal, task.team);
    const comments = input.comments === 0 ? [] : await listComments(ctx.db, task.id, input.comments ?? 10);
    const dependencies = await dependenciesOf(ctx.db, task.id);
    const waits = task.readyPrio === null && (task.status === "open" || task.status === "deferred");
    const reasons = waits ? whyNotReady(task, await waitsFor(ctx, task.id)) : [];
    return compact({
      task: await toFull(ctx.db, task, ctx.now),
      reasons: some(reasons),
      links: some(await linksFrom(ctx.db, task.id)),
      linked_from: some(await linksTo(ctx.db, task.id)),
      dependencies: some(dependencies.map(toShownNeed)),
      comments: some(comments.map((row) => ({ by: row.author, at: isoTime(row.created_at) ?? "", text: row.body }))),
      history: input.history ? await history(ctx, task.key) : undefined,
    });
  },
  render(output, view) {
    const lines = [renderFull(output.task, view)];
    if (output.reasons) lines.push(`not ready: ${plainLine(output.reasons.join("; "), 300)}`);
    for (const item of output.links ?? [])
      lines.push(`${item.type} → ${item.id} ${item.state ?? "(unknown)"} ${plainLine(item.title ?? "", 60)}`);
    for (const item of output.linked_from ?? [])
      lines.push(`${item.type} ← ${item.id} ${item.state ?? ""} ${plainLine(item.title ?? "", 60)}`);
    for (const item of output.dependencies ?? []) lines.push(`dependency ${describeNeed(item, view)}`);
    for (const item of output.comments ?? [])
      lines.push(fenceText(`comment of ${plainLine(item.by, 40)} at ${item.at}`, item.text));
    for (const item of output.history ?? [])
      lines.push(`${item.at} ${item.type} by ${plainLine(item.by, 40)} ${plainLine(item.after ?? "", 120)}`);
    return lines.join("\n");
  },
});

function some<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

async function history(ctx: OperationContext, key: string) {
  const rows = await listEventsOf(ctx.db, key, 50);
  return rows.map((row) =>
    compact({ at: isoTime(row.at) ?? "", type: row.type, by: row.actor_name, after: withoutTokens(row.after) }),
  );
}

/** The holder's key and fencing number are its own business. */
function withoutTokens(after: string | null): string | undefined {
  if (after === null) return undefined;
  const { holder: _, fence: __, ...rest } = JSON.parse(after) as Record<string, unknown>;
  return Object.keys(rest).length > 0 ? JSON.stringify(rest) : undefined;
}
