import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { tellConflicts } from "../message/conflict-message.store.ts";
import { checkOwnTeam } from "../team/team.rules.ts";
import { abandonUnit } from "../unit/failure.store.ts";
import { openUnitOf } from "../unit/unit.store.ts";
import { renderChange } from "./change.view.ts";
import { circleThrough } from "./circle.store.ts";
import { closeTask } from "./close.store.ts";
import { becameReady } from "./freed.store.ts";
import { addEdge, saveTaskInGraph } from "./graph.store.ts";
import { checkNotItself } from "./link.rules.ts";
import { newConflictsOf } from "./overlap.store.ts";
import { checkClose, checkHolds, checkMove, nextOperations } from "./task.rules.ts";
import type { Task } from "./task.schema.ts";
import * as fields from "./task.schema.ts";
import { findTaskById, getTask, lockTask } from "./task.store.ts";
import { compact, toBrief } from "./task.view.ts";
import { waitsFor } from "./wait.store.ts";

const changed = z.object({ task: fields.taskBrief, next: z.array(z.string()) });

export const taskClose = defineOperation({
  name: "task_close",
  description:
    "Close a task you hold, with outcome and reason. Refused while it has open children or blockers, unless it is given up. Returns what became ready by it.",
  kind: "write",
  destructive: true,
  mcp: "core",
  listedFields: ["id", "outcome", "reason", "of"],
  positional: ["id"],
  input: z.strictObject({
    id: fields.taskRef,
    outcome: z.enum(fields.outcomes).optional().describe("done by default."),
    reason: fields.reason.optional(),
    of: fields.taskRef.optional().describe("The task that stays, for duplicate and superseded."),
    force: z.boolean().optional().describe("Lead only: in spite of open children or blockers."),
    fence: fields.fenceNumber.optional(),
  }),
  output: changed.extend({
    outcome: z.string().optional(),
    /** It was closed before this call, which has changed nothing. */
    was_closed: z.boolean().optional(),
    unblocked: z.array(fields.taskBrief).optional(),
  }),
  async run(ctx, input) {
    const task = await lockTask(ctx, input.id);
    checkOwnTeam(ctx.principal, task.team);
    if (task.status === "closed") return { ...(await answer(ctx, task)), was_closed: true };
    checkHolds(task, ctx.principal, input.fence);
    const outcome = input.outcome ?? "done";
    await settleUnit(ctx, task, outcome);
    if (input.of !== undefined && outcome !== "duplicate" && outcome !== "superseded") {
      throw new TeamwrightError(
        "INVALID_INPUT",
        `A task closed as ${outcome} is not one of another.`,
        hint("task_close", "with outcome duplicate or superseded"),
      );
    }
    if (input.force && ctx.principal.kind === "agent") {
      throw new TeamwrightError(
        "FORBIDDEN",
        "Only the lead or a person closes by force.",
        hint("task_update", "with block says what is in the way"),
      );
    }
    if (!input.force) checkClose(task, outcome, await waitsFor(ctx, task.id));
    checkMove(task, "closed");
    if (input.of !== undefined) {
      const original = await getTask(ctx, input.of);
      checkOwnTeam(ctx.principal, original.team);
      checkNotItself(task, original);
      await addEdge(ctx, task, {
        targetKey: original.key,
        type: outcome === "superseded" ? "supersedes" : "duplicates",
      });
    }
    const closed = await closeTask(ctx, await lockTask(ctx, task.key), outcome, input.reason);
    return answer(ctx, closed);
  },
  render: (output, view) =>
    renderChange(
      `${output.was_closed ? "Was closed already," : "Closed"} as ${output.outcome ?? "done"}:`,
      output,
      view,
    ),
});

/**
 * In a run nobody closes as done what no fresh reviewer has passed (requirements FP-01, FP-15); to give the work up is
 * for who directs it, and gives up the unit.
 */
async function settleUnit(ctx: OperationContext, task: Task, outcome: string): Promise<void> {
  const unit = await openUnitOf(ctx.db, task.id);
  if (!unit) return;
  if (outcome !== "done" && ctx.principal.kind !== "agent") {
    await abandonUnit(ctx, unit);
    return;
  }
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${task.key} is the work of unit ${unit.key} in phase ${unit.phase}: it closes with the reviewed commit.`,
    hint("unit_show", "shows what is left to do"),
  );
}

async function answer(ctx: OperationContext, task: Task) {
  return compact({
    task: toBrief(task),
    outcome: task.outcome ?? undefined,
    next: nextOperations(task, ctx.principal),
    unblocked: await becameReady(ctx),
  });
}

/** Throws when a task that was linked while this one was closed would now be waited for in a circle. */
async function checkReopen(ctx: OperationContext, task: Task): Promise<void> {
  const circle = await circleThrough(ctx, task);
  if (circle === false) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `Open again, ${task.key} would wait in a circle: ${circle}.`,
    hint("task_unlink", "removes one of the links"),
  );
}

export const taskReopen = defineOperation({
  name: "task_reopen",
  description: "Reopen a closed task; what waited for it waits again. A task that is not closed stays as it is.",
  kind: "write",
  mcp: "none",
  positional: ["id"],
  input: z.strictObject({ id: fields.taskRef, reason: fields.reason.optional() }),
  output: changed.extend({ reopened: z.boolean().optional() }),
  async run(ctx, input) {
    const task = await lockTask(ctx, input.id);
    checkOwnTeam(ctx.principal, task.team);
    if (task.status !== "closed") return { task: toBrief(task), next: nextOperations(task, ctx.principal) };
    await checkReopen(ctx, task);
    // whoever had it may be gone: it is for anybody again
    const open = await saveTaskInGraph(ctx, task, {
      status: "open",
      outcome: null,
      closeReason: null,
      closedAt: null,
      holderName: null,
      assignee: null,
    });
    ctx.record({
      type: "task.reopened",
      subject: task.key,
      team: task.team,
      before: { outcome: task.outcome },
      after: { state: "open", ...(input.reason ? { reason: input.reason } : {}) },
    });
    const shown = (await findTaskById(ctx.db, open.id)) ?? open;
    // what other teams have taken on meanwhile was compared with open tasks only
    await tellConflicts(ctx, await newConflictsOf(ctx, [shown]));
    return { task: toBrief(shown), reopened: true, next: nextOperations(shown, ctx.principal) };
  },
  render: (output, view) => renderChange(output.reopened ? "Open again:" : "Was not closed:", output, view),
});
