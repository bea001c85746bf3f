import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { Git } from "../../kernel/git.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { closeTask } from "../task/close.store.ts";
import { becameReady } from "../task/freed.store.ts";
import type { TaskBrief } from "../task/task.schema.ts";
import { findTaskById, lockTaskById } from "../task/task.store.ts";
import { toBrief } from "../task/task.view.ts";
import { free, type Hold, stillReserved } from "./busy.ts";
import { backToValidation, failUnit } from "./failure.store.ts";
import { type GateOutcome, runGate } from "./gate-run.ts";
import { historyFault, knownCommits } from "./history.store.ts";
import { integrate } from "./integrate.ts";
import { tellCommitted } from "./news.store.ts";
import { commitMessage, gatesTrailer, isCommitOf } from "./unit.rules.ts";
import { insertGateRun, saveUnit, type UnitRow } from "./unit.store.ts";
import { gatesFor, othersIn } from "./unit-gates.ts";
import { changesOf, filesOf, freezeUnit, itemsOfUnit, refuseElsewhere, treeOf, unreviewedCommit } from "./unit-tree.ts";

/** Who stands behind a commit: the review that has passed exactly this diff, or the person who has overridden it. */
export interface Warrant {
  readonly review: string | undefined;
  readonly overriddenBy: string | undefined;
}

export interface Committed {
  readonly unit: UnitRow;
  readonly committed: boolean;
  readonly reason?: string;
  readonly files?: readonly string[];
  readonly unblocked?: readonly TaskBrief[] | undefined;
  readonly conflicts?: readonly string[];
  /** Gates that failed, and did not stop a person's override. */
  readonly overridden?: readonly string[] | undefined;
  /** What stopped it. */
  readonly failed?: readonly GateOutcome[];
}

/** Commits a unit that is reserved: what was frozen and nothing else. Each step finds out what one before a crash did. */
export async function commitTaken(
  ctx: OperationContext,
  unit: UnitRow,
  { warrant, summary, hold }: { warrant: Warrant; summary: string | undefined; hold: Hold },
): Promise<Committed> {
  const git = await treeOf(unit, ctx.config.root);
  const project = unit.worktree === null ? git : await Git.at(ctx.config.root);
  for (const tree of new Set([git, project])) await refuseUnderWay(tree);
  await refuseElsewhere(git, unit);
  const files = filesOf(unit);
  const frozen = { tree: unit.tree ?? "" };
  const earlier = await ownCommit(git, unit, files);
  // a crash came between the commit and its record: of exactly what was reviewed, or of what a git hook made of it
  const isExact = earlier !== undefined && (await git.holds(earlier, frozen, files));
  if (earlier !== undefined && !isExact) {
    await hold();
    if ((await git.head()) === earlier) await git.takeBack(await git.parent(earlier));
    return changedSince(ctx, unit, "there is a commit of this unit that is not what was reviewed");
  }
  const before = earlier === undefined ? await git.head() : await git.parent(earlier);
  const failed: GateOutcome[] = [];
  let commit = earlier;
  if (commit === undefined) {
    const changes = await changesOf(git, unit, await othersIn(ctx.db, unit));
    if ((await freezeUnit(git, unit, changes.own)).hash !== unit.diff_hash) return changedSince(ctx, unit);
  }
  const moved = warrant.overriddenBy === undefined ? await historyFault(ctx, unit, earlier) : undefined;
  const known = await knownCommits(ctx, unit, earlier);
  const foreign = (await unreviewedCommit(git, project, unit, files, known)) ?? moved;
  if (foreign !== undefined) return changedSince(ctx, unit, foreign);
  if (commit === undefined) {
    // a review was of what the gates have passed; an override may be of what they never saw
    if (warrant.overriddenBy !== undefined || before !== unit.base)
      failed.push(...(await failedGates(ctx, unit, git, before !== unit.base)));
    if (failed.length > 0 && warrant.overriddenBy === undefined) return gatesFailed(ctx, unit, failed);
    const task = await findTaskById(ctx.db, Number(unit.task_id));
    const about = { key: unit.key, title: unit.title, items: itemsOfUnit(unit), attempts: unit.attempt };
    const message = commitMessage({
      ...about,
      ...warrant,
      taskKey: task?.key ?? "",
      failedGates: failed.map(named),
      summary,
    });
    await hold();
    commit = await git.commit(files, message);
    if (!(await git.holds(commit, frozen, files)) || (await git.parent(commit)) !== before) {
      await hold();
      await git.takeBack(before);
      return changedSince(ctx, unit, "a git hook has changed files on their way into the commit");
    }
  }
  if (unit.worktree === null) return finish(ctx, unit, commit, { files, warrant, failed });
  return merge(ctx, { unit, git, project, commit, before, files, warrant, failed, hold });
}

interface Merging {
  readonly unit: UnitRow;
  readonly git: Git;
  readonly project: Git;
  readonly commit: string;
  /** Where the unit's own tree stood before its commit. */
  readonly before: string;
  readonly files: readonly string[];
  readonly warrant: Warrant;
  readonly failed: readonly GateOutcome[];
  readonly hold: Hold;
}

async function merge(ctx: OperationContext, merging: Merging): Promise<Committed> {
  const { unit, git, project, commit, before, files, warrant, hold } = merging;
  const subject = `Merge ${unit.key}: ${unit.title}`;
  let failed: readonly GateOutcome[] = [];
  const merged = await integrate(project, commit, subject, hold, async () => {
    failed = await failedGates(ctx, unit, project, true);
    return failed.length === 0 || warrant.overriddenBy !== undefined ? undefined : failed.map(named).join(", ");
  }).catch(async (error: unknown) => {
    await hold();
    if (!(await project.isReachable(commit, "HEAD"))) await git.takeBack(before);
    throw error;
  });
  if ("conflicts" in merged) {
    const onto = await project.head();
    await hold();
    await git.moveOnto(onto).catch(async (error: unknown) => {
      await git.takeBack(before);
      throw error;
    });
    return conflicted(ctx, unit, merged.conflicts, onto);
  }
  if ("fault" in merged) {
    await hold();
    await git.takeBack(before);
    return gatesFailed(ctx, unit, failed);
  }
  // after a crash something else may have been committed upon the merge: that is nobody's to reword
  const isLast = (await project.head()) === merged.merged;
  if (failed.length > 0 && isLast && (await project.isMergeOf(merged.merged, commit))) {
    await hold();
    await project.reword([subject, "", gatesTrailer(failed.map(named))].join("\n"));
  }
  return finish(ctx, unit, commit, { files, warrant, failed: [...merging.failed, ...failed] });
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

/** `tests failed` */
function named({ gate, result }: GateOutcome): string {
  return `${gate} ${result}`;
}

/** Runs the gates, notes what they said and returns those that did not pass. `merged`: the tree holds other units' work too. */
async function failedGates(ctx: OperationContext, unit: UnitRow, git: Git, merged: boolean): Promise<GateOutcome[]> {
  const outcomes: GateOutcome[] = [];
  for (const gate of await gatesFor(ctx.config, git)) outcomes.push(await runGate(gate, git.folder, Date.now));
  await ctx.transaction(async (trx) => {
    for (const outcome of outcomes) await insertGateRun(trx, unit, outcome, merged);
  });
  return outcomes.filter(({ result }) => result !== "passed");
}

async function finish(
  ctx: OperationContext,
  unit: UnitRow,
  commit: string,
  { files, warrant, failed }: Pick<Merging, "files" | "warrant" | "failed">,
): Promise<Committed> {
  const why =
    warrant.overriddenBy === undefined
      ? "4-phase loop complete. PASS."
      : `Committed as it was, by the decision of ${warrant.overriddenBy}.`;
  const overridden = [...new Set(failed.map(named))];
  return ctx.transaction(async (trx) => {
    const done = await saveUnit(trx, await stillReserved(trx, unit), "commit", { commit_sha: commit, ...free });
    const task = await lockTaskById(trx, Number(unit.task_id));
    const closed = task.status === "closed" ? task : await closeTask(trx, task, "done", why);
    const unblocked = await becameReady(trx);
    trx.record({
      type: "unit.committed",
      subject: unit.key,
      team: closed.team,
      after: { commit, files: files.length, ...(overridden.length > 0 ? { failed_gates: overridden } : {}) },
    });
    await tellCommitted(trx, unit, { commit, task: closed.key, team: closed.team, files });
    return { unit: done, committed: true, files, unblocked, overridden };
  });
}

async function changedSince(ctx: OperationContext, unit: UnitRow, why?: string): Promise<Committed> {
  const reason = why ?? "the files have changed since they were reviewed: they are validated and reviewed again";
  const back = await ctx.transaction(async (trx) => backToValidation(trx, await stillReserved(trx, unit), reason));
  return { unit: back, committed: false, reason };
}

async function gatesFailed(ctx: OperationContext, unit: UnitRow, failed: readonly GateOutcome[]): Promise<Committed> {
  const reason = `on the merged tree: ${failed.map((each) => `gate ${named(each)}`).join(", ")}`;
  const back = await ctx.transaction(async (trx) =>
    failUnit(trx, await stillReserved(trx, unit), "validation", reason),
  );
  return { unit: back, committed: false, reason, failed };
}

/** The owner resolves a conflict, now marked in the unit's own tree, in a new attempt that is validated and reviewed like any other (requirements WT-02). */
async function conflicted(ctx: OperationContext, unit: UnitRow, conflicts: string[], onto: string): Promise<Committed> {
  const reason = `conflicts with what was merged before it: ${conflicts.slice(0, 10).join(", ")}`;
  const back = await ctx.transaction(async (trx) => {
    const task = await lockTaskById(trx, Number(unit.task_id));
    trx.record({
      type: "unit.conflict",
      subject: unit.key,
      team: task.team,
      after: { files: conflicts, task: toBrief(task).id },
    });
    const failed = await failUnit(trx, await stillReserved(trx, unit), "validation", reason);
    return saveUnit(trx, failed, undefined, { base: onto, start_tree: onto });
  });
  return { unit: back, committed: false, reason, conflicts };
}
