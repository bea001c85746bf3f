import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { approvedAt, checkpointState } from "../checkpoint/checkpoint.store.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import { sendBack } from "../task/rework.store.ts";
import { findTaskById, lockTaskById } from "../task/task.store.ts";
import { isBusy } from "./busy.ts";
import { frozenNow, lastOverride, type OverrideRow } from "./override.store.ts";
import { decisionFor, grantAttempt } from "./people.store.ts";
import { stageObstacles } from "./stage-gate.ts";
import { beginAttempt, getUnit, saveUnit, type UnitRow, unitsOfRun } from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { workflowTree } from "./unit-tree.ts";

export const unitStart = defineOperation({
  name: "unit_start",
  description:
    "Start a work unit: notes the commit its diff is measured from. Refused while an earlier stage is not done or a checkpoint waits. Then spawn an agent with the task's id.",
  kind: "batch",
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef }),
  output: z.object({ unit: unitBrief }),
  async run(ctx, input) {
    const seen = await getUnit(ctx.db, input.unit);
    const run = await getRunById(ctx.db, seen.run_id);
    await ctx.transaction((trx) => checkLeads(trx, run));
    if (seen.phase === "escalated") return { unit: toUnitBrief(await resume(ctx, seen)) };
    const taken = await takenAsIs(ctx, seen);
    if (taken) return { unit: toUnitBrief(await override(ctx, seen, taken)) };
    const earlier = (await unitsOfRun(ctx.db, run.id)).filter((unit) => unit.stage < seen.stage);
    const approved = () => approvedAt(ctx.db, `${run.key}:stage-${seen.stage}`);
    const obstacles = await stageObstacles(ctx.config, run.phase_gate, earlier, approved);
    const waiting = await checkpointState(ctx.db, seen.key);
    if (waiting === "pending" || waiting === "rejected") obstacles.push(`its checkpoint is ${waiting}`);
    if (obstacles.length > 0) {
      throw new TeamwrightError(
        "BLOCKED",
        `${seen.key} cannot start yet.`,
        hint("brief_show", "shows the run; checkpoint_request asks the person"),
        obstacles,
      );
    }
    const worktree = await workflowTree(ctx);
    const git = await Git.at(worktree ?? ctx.config.root);
    const base = await git.head();
    const changed = (await git.changed(base)).filter((file) => !file.path.startsWith(".teamwright/"));
    const frozen = await git.freeze(base, changed);
    const unit = await ctx.transaction(async (trx) => {
      const spec = await specOf(trx, seen);
      const change = {
        worktree: worktree ?? null,
        base,
        start_tree: frozen.tree,
        home_tree: frozen.tree,
        spec,
        spec_at: trx.now,
      };
      const started = await saveUnit(trx, await getUnit(trx.db, seen.key), "start", change);
      await beginAttempt(trx, started.id, started.attempt);
      return started;
    });
    return { unit: toUnitBrief(unit) };
  },
  render: (output, view) => renderUnit(output.unit, view),
});

/** What its reviewers will be shown as the specification. */
async function specOf(ctx: OperationContext, unit: UnitRow): Promise<string> {
  const task = await findTaskById(ctx.db, Number(unit.task_id));
  return [task?.description, task?.design && `Design:\n${task.design}`].filter(Boolean).join("\n\n");
}

/** After a person has decided: one attempt more, or to the commit with what they have seen. */
async function resume(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  const said = await decisionFor(ctx.db, unit.key);
  const taken = said?.decision === "override" ? await lastOverride(ctx.db, unit.id) : undefined;
  if (taken) return override(ctx, unit, taken);
  return ctx.transaction(async (trx) => {
    if (said?.decision !== "retry" && said?.decision !== "revise") {
      throw new TeamwrightError(
        "BLOCKED",
        `${unit.key} is escalated, and no person has decided to go on with it.`,
        hint("brief_show", "shows what they are asked: tell them, they decide in a terminal of their own"),
      );
    }
    await grantAttempt(trx, unit);
    const attempt = unit.attempt + 1;
    const spec = await specOf(trx, unit);
    const next = await saveUnit(trx, unit, "resume", { attempt, spec, spec_at: trx.now });
    await beginAttempt(trx, next.id, next.attempt);
    const task = await lockTaskById(trx, Number(unit.task_id));
    if (task.status === "in_review") await sendBack(trx, task, "a person decided to go on");
    return next;
  });
}

/** A person takes the responsibility a reviewer would have: for what was there when they decided, and nothing later. */
async function override(ctx: OperationContext, unit: UnitRow, taken: OverrideRow): Promise<UnitRow> {
  const { diff_hash, tree, files } = taken;
  return ctx.transaction((trx) => saveUnit(trx, unit, "override", { diff_hash, tree, files }));
}

/** A decision of a person's that covers exactly what is there now, while the loop was still to go on. */
async function takenAsIs(ctx: OperationContext, unit: UnitRow): Promise<OverrideRow | undefined> {
  const taken = unit.base === null ? undefined : await lastOverride(ctx.db, unit.id);
  const isDue = taken && ["implement", "validate", "review"].includes(unit.phase) && !isBusy(unit, ctx.now);
  return isDue && (await frozenNow(ctx, unit)).hash === taken.diff_hash ? taken : undefined;
}
