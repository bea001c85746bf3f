import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { renderChange } from "./change.view.ts";
import { becameReady } from "./freed.store.ts";
import { addEdge, removeEdge } from "./graph.store.ts";
import { checkLinkTeams, checkNotItself } from "./link.rules.ts";
import { checkMayChange } from "./task.rules.ts";
import * as fields from "./task.schema.ts";
import { lockTask, resolveKey } from "./task.store.ts";
import { compact, toBrief } from "./task.view.ts";

export const taskLink = defineOperation({
  name: "task_link",
  description:
    "Link two tasks: id waits for target (blocks, conditional-blocks, waits-for), belongs under it (parent-child), or refers to it (related, discovered-from, duplicates, supersedes …). Refuses circles. For another team's work use dependency_declare.",
  kind: "write",
  mcp: "all",
  listedFields: ["id", "target", "type"],
  positional: ["id", "target"],
  input: z.strictObject({
    id: fields.taskRef,
    target: fields.taskRef.describe("The other task: the one waited for, the parent, the original."),
    type: fields.linkType.optional().describe("blocks by default."),
    gate: z
      .enum(["all-children", "any-children"])
      .optional()
      .describe("For waits-for: which of the target's children must be closed."),
  }),
  output: z.object({
    result: z.string(),
    type: z.string(),
    target: z.string(),
    task: fields.taskBrief,
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    const source = await ownTask(ctx, input.id);
    const targetKey = await resolveKey(ctx, input.target);
    const target = await lockTask(ctx, targetKey);
    const type = input.type ?? "blocks";
    checkLinkTeams(ctx.principal, source, target, type);
    checkNotItself(source, target);
    if (input.gate !== undefined && type !== "waits-for") {
      throw new TeamwrightError(
        "INVALID_INPUT",
        `A ${type} link has no gate.`,
        hint("task_link", "with type waits-for has one"),
      );
    }
    const metadata = input.gate === undefined ? null : JSON.stringify({ gate: input.gate });
    const result = await addEdge(ctx, source, { targetKey, type, metadata });
    if (result === "added") {
      ctx.record({ type: "link.added", subject: source.key, team: source.team, after: { type, target: targetKey } });
    }
    const task = toBrief(await lockTask(ctx, source.key));
    return { result, type, target: targetKey, task, next: ["task_show", "task_unlink"] };
  },
  render: (output, view) =>
    renderChange(
      `${output.result === "same" ? "Already linked" : "Linked"} by ${output.type} to ${plainLine(output.target)}:`,
      output,
      view,
    ),
});

export const taskUnlink = defineOperation({
  name: "task_unlink",
  description:
    "Remove the link from one task to another; what waited for it alone becomes ready. Says so when there is none.",
  kind: "write",
  destructive: true,
  mcp: "all",
  positional: ["id", "target"],
  input: z.strictObject({ id: fields.taskRef, target: fields.taskRef }),
  output: z.object({
    target: z.string(),
    task: fields.taskBrief,
    unblocked: z.array(fields.taskBrief).optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    const source = await ownTask(ctx, input.id);
    let target = input.target; // the exact text first: a link may name a task that is not here
    if (!(await removeEdge(ctx, source, target))) {
      target = await resolveKey(ctx, input.target);
      if (!(await removeEdge(ctx, source, target))) throw noSuchLink(source.key, input.target);
    }
    ctx.record({ type: "link.removed", subject: source.key, team: source.team, before: { target } });
    return compact({
      target,
      task: toBrief(await lockTask(ctx, source.key)),
      unblocked: await becameReady(ctx, source.key),
      next: ["task_show", "task_link"],
    });
  },
  render: (output, view) => renderChange(`Unlinked from ${plainLine(output.target)}:`, output, view),
});

/** The task, locked: a neighbour's change must not pass it by. Throws FORBIDDEN for another team's, and for what another holds. */
async function ownTask(ctx: OperationContext, ref: string) {
  const task = await lockTask(ctx, ref);
  checkOwnTeam(ctx.principal, task.team);
  checkMayChange(task, ctx.principal);
  return task;
}

function noSuchLink(from: string, to: string): TeamwrightError {
  return new TeamwrightError(
    "NOT_FOUND",
    `${from} has no link to ${plainLine(to, 60)}.`,
    hint("task_show", "lists the links"),
  );
}
