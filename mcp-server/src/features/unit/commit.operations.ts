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
import { commitMessage, nextPhase } from "./unit.rules.ts";
import { getUnit, insertGateRun, saveUnit, type UnitRow, unitsCommitting } from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { gatesFor, othersIn } from "./unit-gates.ts";
import { changesOf, filesOf, freezeUnit, itemsOfUnit, treeOf } from "./unit-tree.ts";

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
        if (current.phase === "commit") await saveUnit(trx, current, undefined, { busy_until: null });
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
  const files = filesOf(unit);
  const earlier = (await git.commitsSince(unit.base ?? "", files)).find((each) =>
    each.message.includes(`Teamwright-Unit: ${unit.key}\n`),
  );
  if (earlier) return finish(ctx, unit, earlier.commit, files); // a crash came between the commit and its record
  const changes = await changesOf(git, unit, await othersIn(ctx.db, unit));
  const frozen = await freezeUnit(git, unit, changes.own);
  if (frozen.hash !== unit.diff_hash) return changedSince(ctx, unit);
  const head = await git.head();
  const faultBefore = head === unit.base ? undefined : await gateFault(ctx, unit, git);
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
  const commit = await git.commit(files, message);
  if (!(await git.holds(commit, { tree: unit.tree }, files))) {
    await git.takeBack(head);
    return changedSince(ctx, unit, "a git hook has changed files on their way into the commit");
  }
  if (unit.worktree === null) return finish(ctx, unit, commit, files);
  const project = await Git.at(ctx.config.root);
  const merged = await integrate(project, commit, `Merge ${unit.key}: ${unit.title}`, () =>
    gateFault(ctx, unit, project),
  );
  if ("conflicts" in merged) {
    await git.takeBack(head);
    const onto = await project.head();
    await git.moveOnto(onto);
    return conflicted(ctx, unit, merged.conflicts, onto);
  }
  if ("fault" in merged) {
    await git.takeBack(head);
    return gatesFailed(ctx, unit, merged.fault);
  }
  return finish(ctx, unit, commit, files);
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
