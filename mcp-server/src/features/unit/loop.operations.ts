import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { findAgent, wantsWorktree } from "../agent/agent.store.ts";

import { checkpointState } from "../checkpoint/checkpoint.store.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import { saveTaskInGraph } from "../task/graph.store.ts";
import { sendBack } from "../task/rework.store.ts";
import { checkHolds, checkMove } from "../task/task.rules.ts";
import * as fields from "../task/task.schema.ts";
import { findTaskById, lockTaskById } from "../task/task.store.ts";
import { decisionFor, grantAttempt } from "./people.store.ts";
import { stageObstacles } from "./stage-gate.ts";
import {
  beginAttempt,
  changeAttempt,
  getUnit,
  noteInstance,
  saveUnit,
  type UnitRow,
  unitsOfRun,
} from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { othersIn } from "./unit-gates.ts";
import { changesOf, freezeUnit, isolatedTree, treeOf } from "./unit-tree.ts";

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
    const earlier = (await unitsOfRun(ctx.db, run.id)).filter((unit) => unit.stage < seen.stage);
    const obstacles = await stageObstacles(
      ctx.config,
      run.phase_gate,
      earlier,
      async () => (await checkpointState(ctx.db, `${run.key}:stage-${seen.stage}`)) === "approved",
    );
    const waiting = await checkpointState(ctx.db, seen.key);
    if (waiting === "pending" || waiting === "rejected") obstacles.push(`its checkpoint is ${waiting}`);
    if (obstacles.length > 0) {
      throw new TeamwrightError(
        "BLOCKED",
        `${seen.key} cannot start yet.`,
        hint("unit_show", "shows the run; checkpoint_request asks the person"),
        obstacles,
      );
    }
    const git = await Git.at(ctx.config.root);
    const base = await git.head();
    const changed = (await git.changed(base)).filter((file) => !file.path.startsWith(".teamwright/"));
    const frozen = await git.freeze(base, changed);
    const unit = await ctx.transaction(async (trx) => {
      const spec = await specOf(trx, seen);
      const change = { base, start_tree: frozen.tree, spec };
      const started = await saveUnit(trx, await getUnit(trx.db, seen.key), "start", change);
      await beginAttempt(trx, started.id, started.attempt);
      return started;
    });
    return { unit: toUnitBrief(unit) };
  },
  render: (output) => renderUnit(output.unit),
});

/** What its reviewers will be shown as the specification. */
async function specOf(ctx: OperationContext, unit: UnitRow): Promise<string> {
  const task = await findTaskById(ctx.db, Number(unit.task_id));
  return [task?.description, task?.design && `Design:\n${task.design}`].filter(Boolean).join("\n\n");
}

/** After a person has decided: one attempt more, or to the commit as it is. */
async function resume(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  const said = await decisionFor(ctx.db, unit.key);
  if (said?.decision === "override") return override(ctx, unit);
  return ctx.transaction(async (trx) => {
    if (said?.decision !== "retry" && said?.decision !== "revise") {
      throw new TeamwrightError(
        "BLOCKED",
        `${unit.key} is escalated, and no person has decided to go on with it.`,
        hint("unit_show", "shows the failures; a person decides at the command line"),
      );
    }
    await grantAttempt(trx, unit);
    const attempt = unit.attempt + 1;
    const spec = await specOf(trx, unit);
    const next = await saveUnit(trx, unit, "resume", { attempt, spec, diff_hash: null, tree: null, files: null });
    await beginAttempt(trx, next.id, next.attempt);
    const task = await lockTaskById(trx, Number(unit.task_id));
    if (task.status === "in_review") await sendBack(trx, task, "a person decided to go on");
    return next;
  });
}

/** A person takes the responsibility a reviewer would have: what is there now is frozen for the commit. */
async function override(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  const git = await treeOf(unit, ctx.config.root);
  const frozen = await freezeUnit(git, unit, (await changesOf(git, unit, await othersIn(ctx.db, unit))).own);
  if (frozen.files.length === 0)
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${unit.key} has changed nothing that could be committed.`,
      hint("unit_end", "with unit and reason gives it up"),
    );
  return ctx.transaction((trx) =>
    saveUnit(trx, unit, "override", {
      diff_hash: frozen.hash,
      tree: frozen.tree,
      files: JSON.stringify(frozen.files.map((file) => file.path)),
    }),
  );
}

export const unitSubmit = defineOperation({
  name: "unit_submit",
  description:
    "Submit the work of a unit you hold: its task goes to review and the lead validates. Nothing is committed by hand. Fails when an isolated agent did not work in a tree of its own.",
  kind: "batch",
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef, fence: fields.fenceNumber.optional() }),
  output: z.object({ unit: unitBrief }),
  async run(ctx, input) {
    const seen = await getUnit(ctx.db, input.unit);
    const worktree = await worktreeOf(ctx);
    const base = worktree === undefined || seen.base === null ? undefined : await baseIn(worktree, seen.base);
    const unit = await ctx.transaction(async (trx) => {
      const current = await getUnit(trx.db, seen.key);
      const task = await lockTaskById(trx, Number(current.task_id));
      checkHolds(task, trx.principal, input.fence);
      checkMove(task, "in_review");
      await saveTaskInGraph(trx, task, { status: "in_review", leaseExpiresAt: null });
      trx.record({
        type: "task.submitted",
        subject: task.key,
        team: task.team,
        before: { state: task.status },
        after: { state: "in_review" },
      });
      if (trx.principal.agentId !== undefined) await noteInstance(trx, current.id, trx.principal.agentId, "implement");
      await changeAttempt(trx, current, { submitted_at: trx.now, submitted_by: trx.principal.key });
      return saveUnit(trx, current, "submit", worktree === undefined ? {} : { worktree, ...base });
    });
    return { unit: toUnitBrief(unit) };
  },
  render: (output) => renderUnit(output.unit),
});

/** The caller's own working tree, when it was started in isolation; it must be one (requirements WT-01, WT-03). */
async function worktreeOf(ctx: OperationContext): Promise<string | undefined> {
  const { agentId } = ctx.principal;
  const agent = agentId === undefined ? undefined : await findAgent(ctx.db, agentId);
  if (!agent || !(agent.worktree !== null || (await wantsWorktree(ctx.db, agent.agent_id)))) return undefined;
  const usual = join(ctx.config.root, ".claude", "worktrees", `agent-${agent.agent_id}`);
  const folder = agent.worktree ?? (existsSync(usual) ? usual : ctx.config.root);
  return isolatedTree(await Git.at(ctx.config.root), folder);
}

/** A tree of its own begins where its branch left the project's. */
async function baseIn(worktree: string, fallback: string): Promise<{ base: string; start_tree: string }> {
  const git = await Git.at(worktree);
  const base = (await git.forkPoint(fallback)) ?? fallback;
  return { base, start_tree: base };
}
