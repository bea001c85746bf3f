import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { checkpointState } from "../checkpoint/checkpoint.store.ts";
import { passedReview } from "../review/review.store.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import { closeTask } from "../task/close.store.ts";
import { becameReady } from "../task/freed.store.ts";
import * as fields from "../task/task.schema.ts";
import { findTaskById, lockTaskById } from "../task/task.store.ts";
import { compact, toBrief } from "../task/task.view.ts";
import { BUSY_MS, whileBusy } from "./busy.ts";
import { failUnit } from "./failure.store.ts";
import { type GateOutcome, runGate } from "./gate-run.ts";
import { integrate } from "./integrate.ts";
import { checkDirects } from "./lead.rules.ts";
import { decisionFor } from "./people.store.ts";
import { commitMessage, isCommitOf, nextPhase } from "./unit.rules.ts";
import { getUnit, insertGateRun, saveUnit, type UnitRow, unitsCommitting } from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { gatesFor, othersIn } from "./unit-gates.ts";
import { changesOf, filesOf, freezeUnit, itemsOfUnit, treeOf, unreviewedCommit } from "./unit-tree.ts";

const answer = z.object({
  unit: unitBrief,
  committed: z.boolean(),
  reason: z.string().optional(),
  files: z.array(z.string()).optional(),
  unblocked: z.array(fields.taskBrief).optional(),
  conflicts: z.array(z.string()).optional(),
});

type Answer = z.infer<typeof answer>;

export const unitCommit = defineOperation({
  name: "unit_commit",
  description:
    "Commit a reviewed unit, lead only: exactly the reviewed diff and nothing else, gates again on the merged tree, one unit at a time. Closes the task.",
  kind: "batch",
  destructive: false,
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({
    unit: unitRef,
    summary: z.string().max(2000).optional().describe("Goes into the commit message."),
  }),
  output: answer,
  async run(ctx, input) {
    checkDirects(ctx.principal, "commits");
    const unit = await take(ctx, input.unit);
    try {
      return await whileBusy(ctx, unit, () => commitTaken(ctx, unit, input.summary));
    } catch (error) {
      await ctx.transaction(async (trx) => {
        const current = await getUnit(trx.db, unit.key);
        if (current.version === unit.version) await saveUnit(trx, current, undefined, { busy_until: null });
      });
      throw error;
    }
  },
  render(output, view) {
    const lines = [
      output.committed
        ? view.paint("green", `Committed ${output.unit.commit ?? ""} (${output.files?.length ?? 0} files).`)
        : view.paint("red", `Not committed: ${plainLine(output.reason ?? "", 400)}`),
    ];
    for (const path of output.conflicts ?? []) lines.push(`conflict in ${plainLine(path, 200)}`);
    for (const task of output.unblocked ?? []) lines.push(`now ready: ${task.id} ${plainLine(task.title, 80)}`);
    lines.push(renderUnit(output.unit));
    return lines.join("\n");
  },
});

async function take(ctx: OperationContext, ref: string): Promise<UnitRow> {
  return ctx.transaction(async (trx) => {
    await trx.dialect.lockName(trx.db, "unit-commit");
    const unit = await getUnit(trx.db, ref);
    await checkLeads(trx, await getRunById(trx.db, unit.run_id));
    nextPhase(unit, "commit");
    if ((await checkpointState(trx.db, unit.key)) === "pending")
      throw new TeamwrightError(
        "BLOCKED",
        `${unit.key} waits for a person's word.`,
        hint("brief_show", "shows the checkpoint"),
      );
    const busy = (await unitsCommitting(trx.db, trx.now))[0];
    if (busy)
      throw new TeamwrightError(
        "CONFLICT",
        `${busy.key} is being committed; one at a time.`,
        hint("unit_commit", "afterwards"),
      );
    return saveUnit(trx, unit, undefined, { busy_until: trx.now + BUSY_MS });
  });
}

async function commitTaken(ctx: OperationContext, unit: UnitRow, summary: string | undefined): Promise<Answer> {
  const git = await treeOf(unit, ctx.config.root);
  const review = await passedReview(ctx.db, unit.id, unit.diff_hash ?? "");
  const said = review ? undefined : await decisionFor(ctx.db, unit.key);
  const overriddenBy = said?.decision === "override" ? said.by : undefined;
  if ((!review && overriddenBy === undefined) || unit.tree === null)
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `No fresh reviewer has passed the diff of ${unit.key}.`,
      hint("review_open", "asks one"),
    );
  const project = unit.worktree === null ? git : await Git.at(ctx.config.root);
  for (const tree of new Set([git, project])) await refuseUnderWay(tree);
  const files = filesOf(unit);
  const earlier = await ownCommit(git, unit, files);
  // a crash came between the commit and its record: of exactly what was reviewed, or of what a git hook made of it
  const isExact = earlier !== undefined && (await git.holds(earlier, { tree: unit.tree }, files));
  if (earlier !== undefined && !isExact) {
    if ((await git.head()) === earlier) await git.takeBack(await git.parent(earlier));
    return changedSince(ctx, unit, "there is a commit of this unit that is not what was reviewed");
  }
  const before = earlier === undefined ? await git.head() : await git.parent(earlier);
  let commit = earlier;
  if (commit === undefined) {
    const changes = await changesOf(git, unit, await othersIn(ctx.db, unit));
    const frozen = await freezeUnit(git, unit, changes.own);
    if (frozen.hash !== unit.diff_hash) return changedSince(ctx, unit);
    const foreign = await unreviewedCommit(git, project, unit, files);
    if (foreign !== undefined) return changedSince(ctx, unit, foreign);
    const faultBefore = before === unit.base ? undefined : await gateFault(ctx, unit, git);
    if (faultBefore !== undefined) return gatesFailed(ctx, unit, faultBefore);
    const task = await findTaskById(ctx.db, Number(unit.task_id));
    const message = commitMessage({
      key: unit.key,
      title: unit.title,
      items: itemsOfUnit(unit),
      taskKey: task?.key ?? "",
      review: review?.key,
      overriddenBy,
      attempts: unit.attempt,
      summary,
    });
    commit = await git.commit(files, message);
    if (!(await git.holds(commit, { tree: unit.tree }, files))) {
      await git.takeBack(before);
      return changedSince(ctx, unit, "a git hook has changed files on their way into the commit");
    }
  }
  if (unit.worktree === null) return finish(ctx, unit, commit, files);
  const made = commit;
  const merged = await integrate(project, made, `Merge ${unit.key}: ${unit.title}`, () =>
    gateFault(ctx, unit, project),
  ).catch(async (error: unknown) => {
    if (!(await project.isReachable(made, "HEAD"))) await git.takeBack(before);
    throw error;
  });
  if ("conflicts" in merged) {
    const onto = await project.head();
    await git.moveOnto(onto).catch(async (error: unknown) => {
      await git.takeBack(before);
      throw error;
    });
    return conflicted(ctx, unit, merged.conflicts, onto);
  }
  if ("fault" in merged) {
    await git.takeBack(before);
    return gatesFailed(ctx, unit, merged.fault);
  }
  return finish(ctx, unit, commit, files);
}

/** Our commit would become part of what a person has begun, and a failure of ours would end it for them. */
async function refuseUnderWay(git: Git): Promise<void> {
  const what = await git.underWay();
  if (what === undefined) return;
  throw new TeamwrightError(
    "CONFLICT",
    `A ${what} is under way in ${git.folder}: it is ended or given up first, by whoever began it.`,
    hint("unit_commit", "afterwards"),
  );
}

async function ownCommit(git: Git, unit: UnitRow, files: readonly string[]): Promise<string | undefined> {
  const found = (await git.commitsSince(unit.base ?? "", files)).find((each) => isCommitOf(unit.key, each.message));
  return found?.commit;
}

/** Runs the gates on a tree that holds other units' work too; what failed, or undefined. */
async function gateFault(ctx: OperationContext, unit: UnitRow, git: Git): Promise<string | undefined> {
  const outcomes: GateOutcome[] = [];
  for (const gate of await gatesFor(ctx.config, git)) outcomes.push(await runGate(gate, git.folder, Date.now));
  await ctx.transaction(async (trx) => {
    for (const outcome of outcomes) await insertGateRun(trx, unit, outcome, true);
  });
  const failed = outcomes.filter((outcome) => outcome.result !== "passed");
  return failed.length > 0 ? failed.map((outcome) => `gate ${outcome.gate} ${outcome.result}`).join(", ") : undefined;
}

async function finish(ctx: OperationContext, unit: UnitRow, commit: string, files: string[]): Promise<Answer> {
  return ctx.transaction(async (trx) => {
    const done = await saveUnit(trx, await getUnit(trx.db, unit.key), "commit", {
      commit_sha: commit,
      busy_until: null,
    });
    const task = await lockTaskById(trx, Number(unit.task_id));
    const closed = task.status === "closed" ? task : await closeTask(trx, task, "done", "4-phase loop complete. PASS.");
    const unblocked = await becameReady(trx);
    trx.record({
      type: "unit.committed",
      subject: unit.key,
      team: closed.team,
      after: { commit, files: files.length },
    });
    return compact({ unit: toUnitBrief(done), committed: true, files, unblocked }) as Answer;
  });
}

async function changedSince(ctx: OperationContext, unit: UnitRow, why?: string): Promise<Answer> {
  const reason = why ?? "the files have changed since they were reviewed: they are validated and reviewed again";
  const back = await ctx.transaction(async (trx) => {
    trx.record({ type: "unit.diff_changed", subject: unit.key, after: { reason } });
    return saveUnit(trx, await getUnit(trx.db, unit.key), "changed", {
      busy_until: null,
      diff_hash: null,
      tree: null,
      files: null,
    });
  });
  return { unit: toUnitBrief(back), committed: false, reason };
}

async function gatesFailed(ctx: OperationContext, unit: UnitRow, fault: string): Promise<Answer> {
  const reason = `on the merged tree: ${fault}`;
  const back = await ctx.transaction(async (trx) =>
    failUnit(trx, await getUnit(trx.db, unit.key), "validation", reason),
  );
  return { unit: toUnitBrief(back), committed: false, reason };
}

/** The owner resolves a conflict, now marked in the unit's own tree, in a new attempt that is validated and reviewed like any other (requirements WT-02). */
async function conflicted(ctx: OperationContext, unit: UnitRow, conflicts: string[], onto: string): Promise<Answer> {
  const reason = `conflicts with what was merged before it: ${conflicts.slice(0, 10).join(", ")}`;
  const back = await ctx.transaction(async (trx) => {
    const task = await lockTaskById(trx, Number(unit.task_id));
    trx.record({
      type: "unit.conflict",
      subject: unit.key,
      team: task.team,
      after: { files: conflicts, task: toBrief(task).id },
    });
    const failed = await failUnit(trx, await getUnit(trx.db, unit.key), "validation", reason);
    return saveUnit(trx, failed, undefined, { base: onto, start_tree: onto });
  });
  return { unit: toUnitBrief(back), committed: false, reason, conflicts };
}
