import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { tellConflicts } from "../message/conflict-message.store.ts";
import { checkOwnTeam, checkTeam } from "../team/team.rules.ts";
import { renderChange } from "./change.view.ts";
import { dropClaim } from "./claim.store.ts";
import { saveTaskInGraph } from "./graph.store.ts";
import { newConflictsOf } from "./overlap.store.ts";
import { checkMayChange, checkMove, checkTeamChange, nextOperations, unblocked } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import * as fields from "./task.schema.ts";
import { lockTask, type TaskPatch } from "./task.store.ts";
import { compact, toBrief } from "./task.view.ts";
import { changeLabels, insertComment } from "./task-parts.store.ts";
import { changeTeam } from "./task-team.store.ts";

const update = z.strictObject({
  id: fields.taskRef,
  title: fields.title.optional(),
  description: fields.longText.optional(),
  acceptance: fields.longText.optional(),
  design: fields.longText.optional(),
  notes: fields.longText.optional(),
  kind: fields.kind.optional(),
  priority: fields.priority.optional(),
  points: fields.points.optional(),
  assignee: fields.assignee.optional().describe("Meant for; empty for anybody."),
  scope: fields.scope.optional(),
  team: fields.teamId.optional().describe("Lead or person only: moves it to this team's board."),
  add_labels: fields.labels.optional(),
  remove_labels: fields.labels.optional(),
  comment: fields.comment.optional(),
  block: fields.reason.optional().describe("Reason; raises the blocked flag, the task stays yours."),
  unblock: z.boolean().optional(),
  defer_until: z
    .union([fields.instant, z.literal("indefinitely"), z.literal("now")])
    .optional()
    .describe("ISO 8601 time, indefinitely, or now to wake it."),
  due_at: fields.instant.optional(),
  external_ref: fields.longText.optional(),
  release: fields.reason.optional().describe("Reason; gives the claim back."),
  fence: fields.fenceNumber.optional(),
});

const plainFields = [
  "title",
  "description",
  "acceptance",
  "design",
  "notes",
  "kind",
  "priority",
  "points",
  "scope",
] as const;

export const taskUpdate = defineOperation({
  name: "task_update",
  description:
    "Update a task: fields, labels, comment, block or unblock with a reason, defer, release your claim. Only holder or lead change a held task; anybody of the team may comment. Closing: task_close; columns: board_move.",
  kind: "write",
  mcp: "core",
  listedFields: [
    "id",
    "title",
    "description",
    "acceptance",
    "priority",
    "assignee",
    "scope",
    "add_labels",
    "comment",
    "block",
    "unblock",
    "defer_until",
    "release",
  ],
  coreFields: [
    "id",
    "title",
    "description",
    "acceptance",
    "priority",
    "scope",
    "add_labels",
    "comment",
    "block",
    "unblock",
    "defer_until",
    "release",
  ],
  positional: ["id"],
  input: update,
  output: z.object({ task: fields.taskBrief, released: z.boolean().optional(), next: z.array(z.string()) }),
  async run(ctx, input) {
    let task = await lockTask(ctx, input.id);
    checkOwnTeam(ctx.principal, task.team);
    const { id: _, comment, fence, ...rest } = input;
    const asked = Object.keys(rest).filter((name) => {
      const value = rest[name as keyof typeof rest];
      return value !== undefined && !(name.endsWith("_labels") && Array.isArray(value) && value.length === 0);
    });
    if (asked.length > 0 || fence !== undefined) checkMayChange(task, ctx.principal, fence);
    if (asked.length === 0 && comment === undefined) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        "Nothing to change was given.",
        hint("task_update", "with a field, comment, block, defer_until or release"),
      );
    }
    const patch = { ...fieldPatch(ctx, input), ...(await teamPatch(ctx, task, input)) };
    const wake = await deferPatch(ctx, task, input.defer_until);
    const block = blockPatch(ctx, task, input);
    const before = task;
    task = await saveTaskInGraph(ctx, task, { ...patch, ...wake, ...block });
    if (input.add_labels || input.remove_labels)
      await changeLabels(ctx, task.id, input.add_labels ?? [], input.remove_labels ?? []);
    if (comment !== undefined) await insertComment(ctx, task.id, { author: ctx.principal.name, body: comment });
    ctx.record(changeEvent(before, task, input));
    if (input.release !== undefined && (before.holder === null || task.holder !== null)) {
      if (task.holder === null)
        throw new TeamwrightError(
          "CONFLICT",
          `${task.key} is held by nobody.`,
          hint("task_show", "shows where it stands"),
        );
      task = await dropClaim(ctx, task, "claim.released", input.release);
      // given back and meant for another at once: what was dropped is the old claim's name
      if (patch.assignee) task = await saveTaskInGraph(ctx, task, { assignee: patch.assignee });
    }
    if (input.scope !== undefined || task.team !== before.team)
      await tellConflicts(ctx, await newConflictsOf(ctx, [task]));
    return compact({
      task: toBrief(task),
      next: nextOperations(task, ctx.principal),
      released: input.release === undefined ? undefined : true,
    });
  },
  render: (output, view) => renderChange(output.released ? "Released" : "Updated", output, view),
});

type Update = z.infer<typeof update>;

function fieldPatch(ctx: OperationContext, input: Update): TaskPatch {
  const patch: Record<string, unknown> = {};
  for (const name of plainFields) if (input[name] !== undefined) patch[name] = input[name];
  if (input.assignee !== undefined) patch.assignee = input.assignee.trim() || null;
  if (input.due_at !== undefined) patch.dueAt = Date.parse(input.due_at);
  if (input.external_ref !== undefined) patch.externalRef = input.external_ref;
  if (typeof patch.title === "string") patch.title = patch.title.trim();
  if (patch.assignee !== undefined && ctx.principal.kind === "agent" && patch.assignee !== ctx.principal.name) {
    throw new TeamwrightError(
      "FORBIDDEN",
      "An agent cannot assign work to another.",
      hint("task_update", "with comment says who should look at it"),
    );
  }
  return patch;
}

async function teamPatch(ctx: OperationContext, task: Task, input: Update): Promise<TaskPatch> {
  const { team } = input;
  if (team === undefined || checkTeam(ctx.config, team) === task.team) return {};
  checkTeamChange(task, ctx.principal, input.release !== undefined);
  await changeTeam(ctx, task, team);
  // whom it was meant for is of the old team; of a closed task it tells who did it
  return input.assignee === undefined && task.status !== "closed" ? { team, assignee: null } : { team };
}

async function deferPatch(ctx: OperationContext, task: Task, until: Update["defer_until"]) {
  if (until === undefined) return {};
  if (until === "now") {
    if (task.status === "deferred") checkMove(task, "open");
    return task.status === "deferred" ? { status: "open" as const, deferUntil: null } : {};
  }
  const deferUntil = until === "indefinitely" ? null : Date.parse(until);
  if (deferUntil !== null && deferUntil <= ctx.now) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      "defer_until lies in the past.",
      hint("task_update", "with defer_until now wakes a task"),
    );
  }
  if (task.status !== "deferred") checkMove(task, "deferred");
  return {
    status: "deferred" as const,
    deferUntil,
    ...(task.holder === null ? {} : { holder: null, holderName: null, assignee: null, leaseExpiresAt: null }),
  };
}

function blockPatch(ctx: OperationContext, task: Task, input: Update) {
  if (input.block !== undefined && input.unblock) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      "Give block or unblock, not both.",
      hint("task_update", "with one of them"),
    );
  }
  if (input.block !== undefined) {
    if (task.status === "closed") checkMove(task, "in_progress");
    return { blockedReason: input.block, blockedSince: task.blockedSince ?? ctx.now, blockedBy: ctx.principal.name };
  }
  if (input.unblock && task.blockedSince !== null) return unblocked(task, ctx.now);
  return {};
}

/** What the trail tells of a change, before and after. */
const trailFields = [
  "status",
  ...plainFields,
  "team",
  "assignee",
  "holder",
  "blockedReason",
  "deferUntil",
  "dueAt",
  "externalRef",
] as const;

function changeEvent(before: Task, after: Task, input: Update) {
  const differing = trailFields.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const type =
    input.block !== undefined
      ? "task.blocked"
      : input.unblock && before.blockedSince !== null
        ? "task.unblocked"
        : "task.updated";
  const extra = {
    ...(input.add_labels ? { add_labels: input.add_labels } : {}),
    ...(input.remove_labels ? { remove_labels: input.remove_labels } : {}),
    ...(input.comment !== undefined ? { comment: input.comment } : {}),
  };
  return {
    type,
    subject: after.key,
    team: after.team,
    before: Object.fromEntries(differing.map((name) => [name, before[name]])),
    after: { ...Object.fromEntries(differing.map((name) => [name, after[name]])), ...extra },
  };
}
