import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { findAgent, wantsWorktree } from "../agent/agent.store.ts";
import { failedReview } from "../review/review.store.ts";
import { issuesOf } from "../review/review.view.ts";
import { handIn } from "../task/claim.store.ts";
import { checkHolds, checkMove } from "../task/task.rules.ts";
import * as fields from "../task/task.schema.ts";
import { findTaskById, lockTaskById } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { frozenNow, overrideOf } from "./override.store.ts";
import { nextPhase } from "./unit.rules.ts";
import { changeAttempt, getUnit, noteInstance, saveUnit, type UnitRow } from "./unit.store.ts";
import { leftBehind, renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { changesOf, checkInTree, isolatedTree, treeOf } from "./unit-tree.ts";

export const unitSubmit = defineOperation({
  name: "unit_submit",
  description:
    "Submit the work of a unit you hold: its task goes to review and the lead validates. Nothing is committed by hand. Refused for what a review has failed as it is, and when an isolated agent did not work in a tree of its own.",
  kind: "batch",
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef, fence: fields.fenceNumber.optional() }),
  output: z.object({ unit: unitBrief, left_behind: leftBehind.optional() }),
  async run(ctx, input) {
    const seen = await getUnit(ctx.db, input.unit);
    checkHolds(await taskOf(ctx, seen), ctx.principal, input.fence);
    nextPhase(seen, "submit");
    const place = await placeOf(ctx, seen);
    const left = place.worktree === seen.worktree ? undefined : await leftIn(ctx, seen);
    await refuseFailed(ctx, { ...seen, ...place });
    const unit = await ctx.transaction(async (trx) => {
      const current = await getUnit(trx.db, seen.key);
      const task = await lockTaskById(trx, Number(current.task_id));
      checkHolds(task, trx.principal, input.fence);
      checkMove(task, "in_review");
      await handIn(trx, task);
      if (trx.principal.agentId !== undefined) await noteInstance(trx, current.id, trx.principal.agentId, "implement");
      await changeAttempt(trx, current, { submitted_at: trx.now, submitted_by: trx.principal.key });
      if (left) trx.record({ type: "unit.tree_changed", subject: current.key, after: { left_behind: left } });
      return saveUnit(trx, current, "submit", { ...place, ...(left ? { left_behind: JSON.stringify(left) } : {}) });
    });
    return compact({ unit: toUnitBrief(unit), left_behind: left }) as { unit: z.infer<typeof unitBrief> };
  },
  render(output, view) {
    const left = output.left_behind;
    const lines = left ? [`left behind in ${left.folder}: ${plainLine(left.files.join(", "), 400)}`] : [];
    return [...lines, renderUnit(output.unit, view)].join("\n");
  },
});

async function taskOf(ctx: OperationContext, unit: UnitRow) {
  const task = await findTaskById(ctx.db, Number(unit.task_id));
  if (task) return task;
  throw new TeamwrightError("NOT_FOUND", `The task of ${unit.key} is gone.`, hint("unit_show", "shows the unit"));
}

type Place = Pick<UnitRow, "worktree" | "base" | "start_tree">;

/** Where whoever hands in has worked, and what their changes are measured from there. */
async function placeOf(ctx: OperationContext, seen: UnitRow): Promise<Place> {
  if (ctx.config.units.isolation === "worktree_per_workflow" && seen.worktree !== null) {
    if (ctx.principal.cwd !== undefined) await checkInTree(ctx.principal.cwd, seen.worktree);
    return { worktree: seen.worktree, base: seen.base, start_tree: seen.start_tree };
  }
  const worktree = (await worktreeOf(ctx)) ?? null;
  const { base, start_tree } = seen;
  if (base === null || (worktree === null && seen.worktree === null)) return { worktree, base, start_tree };
  // a tree of its own begins where its branch left the project's; the project's own is as it was at the unit's start
  const git = await Git.at(worktree ?? ctx.config.root);
  const fork = (await git.forkPoint(base)) ?? base;
  return { worktree, base: fork, start_tree: worktree === null ? (seen.home_tree ?? fork) : fork };
}

/** The caller's own working tree, when it was started in isolation; it must be one (requirements WT-01, WT-03). */
async function worktreeOf(ctx: OperationContext): Promise<string | undefined> {
  const { agentId } = ctx.principal;
  const agent = agentId === undefined ? undefined : await findAgent(ctx.db, agentId);
  if (!agent || !(agent.worktree !== null || (await wantsWorktree(ctx.db, agent.agent_id)))) return undefined;
  const usual = join(ctx.config.root, ".claude", "worktrees", `agent-${agent.agent_id}`);
  const folder = agent.worktree ?? (existsSync(usual) ? usual : ctx.config.root);
  return isolatedTree(await Git.at(ctx.config.root), folder);
}

/** What an earlier attempt has changed in another tree: named, and left where it is. Undefined when there is nothing. */
async function leftIn(ctx: OperationContext, seen: UnitRow): Promise<z.infer<typeof leftBehind> | undefined> {
  const git = await treeOf(seen, ctx.config.root).catch(() => undefined); // it may have been removed with its agent
  if (!git || seen.base === null) return undefined;
  const { own, outside } = await changesOf(git, seen, []);
  // in the project's tree what lies outside the scope is others' work
  const files = [...own.map((file) => file.path), ...(seen.worktree === null ? [] : outside)];
  return files.length > 0 ? { folder: git.folder, files: files.slice(0, 100) } : undefined;
}

/** The same text does not get better by another reviewer (requirements AR-06): it is changed, or a person decides. */
async function refuseFailed(ctx: OperationContext, unit: UnitRow): Promise<void> {
  if (unit.base === null || !(await failedReview(ctx.db, unit.id))) return;
  const { hash } = await frozenNow(ctx, unit);
  const review = await failedReview(ctx.db, unit.id, hash);
  if (!review || (await overrideOf(ctx.db, unit.id, hash))) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${review.key} has failed exactly this content of ${unit.key}.`,
    hint(
      "escalation_raise",
      `about ${unit.key} with operation gate, when you hold that to be wrong: a person may override`,
    ),
    issuesOf(review).map((issue) => plainLine(issue, 300)),
  );
}
