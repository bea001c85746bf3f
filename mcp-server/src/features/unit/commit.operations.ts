import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { checkpointState } from "../checkpoint/checkpoint.store.ts";
import { passedReview, reviewsOf } from "../review/review.store.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { reserve, whileBusy } from "./busy.ts";
import { type Committed, commitTaken, type Warrant } from "./commit-unit.ts";
import { gateAnswer, renderGates, toGateAnswer } from "./gate.view.ts";
import { checkDirects } from "./lead.rules.ts";
import { overrideOf } from "./override.store.ts";
import { nextPhase } from "./unit.rules.ts";
import { getUnit, type UnitRow, unitsCommitting } from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";

const answer = z.object({
  unit: unitBrief,
  committed: z.boolean(),
  reason: z.string().optional(),
  files: z.array(z.string()).optional(),
  unblocked: z.array(fields.taskBrief).optional(),
  conflicts: z.array(z.string()).optional(),
  overridden: z.array(z.string()).optional(),
  gates: z.array(gateAnswer).optional(),
  publish: z.string().optional(),
});

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
    const run = await getRunById(ctx.db, unit.run_id);
    return whileBusy(ctx, unit, async (hold) => {
      const warrant = await warrantOf(ctx, unit);
      const done = toAnswer(await commitTaken(ctx, unit, { warrant, summary: input.summary, hold }));
      return done.committed && run.phase_gate === "pr_merged" ? { ...done, publish: PUBLISH } : done;
    });
  },
  render(output, view) {
    const lines = [
      output.committed
        ? view.paint("green", `Committed ${output.unit.commit ?? ""} (${output.files?.length ?? 0} files).`)
        : view.paint("red", `Not committed: ${plainLine(output.reason ?? "", 400)}`),
    ];
    for (const gate of output.overridden ?? []) lines.push(view.paint("yellow", `overridden: gate ${gate}`));
    lines.push(...renderGates(output.gates ?? [], view));
    for (const path of output.conflicts ?? []) lines.push(`conflict in ${plainLine(path, 200)}`);
    for (const task of output.unblocked ?? []) lines.push(`now ready: ${task.id} ${plainLine(task.title, 80)}`);
    lines.push(renderUnit(output.unit, view));
    if (output.publish) lines.push(output.publish);
    return lines.join("\n");
  },
});

/** Units leave one by one, none waits for the others (requirements FP-06, FP-07). */
const PUBLISH =
  "Push it now, open its pull request, and start a shepherd for that: the next stage begins when it is merged.";

async function take(ctx: OperationContext, ref: string): Promise<UnitRow> {
  return ctx.transaction(async (trx) => {
    await trx.dialect.lockName(trx.db, "unit-commit");
    const unit = await getUnit(trx.db, ref);
    await checkLeads(trx, await getRunById(trx.db, unit.run_id));
    await refuseUnanswered(trx, unit);
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
    return reserve(trx, unit);
  });
}

/** Whoever has read a reviewer's words may take for a verdict what was none. */
async function refuseUnanswered(ctx: OperationContext, unit: UnitRow): Promise<void> {
  const last = unit.phase === "review" ? (await reviewsOf(ctx.db, unit.id)).at(-1) : undefined;
  if (last?.status !== "void") return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${last.key} has ended without a verdict on ${unit.key}.`,
    hint("review_open", "asks another fresh reviewer"),
    last.fault === null ? [] : [plainLine(last.fault, 300)],
  );
}

/** What may be committed: the diff of the last validation that a review has passed, or that a person has decided to take. */
async function warrantOf(ctx: OperationContext, unit: UnitRow): Promise<Warrant> {
  const hash = unit.diff_hash ?? "";
  const review = await passedReview(ctx.db, unit.id, hash);
  const override = review ? undefined : await overrideOf(ctx.db, unit.id, hash);
  if ((review || override) && unit.tree !== null) return { review: review?.key, overriddenBy: override?.decided_by };
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `No fresh reviewer has passed the diff of ${unit.key}.`,
    hint("review_open", "asks one"),
  );
}

function toAnswer({ failed, ...done }: Committed): z.infer<typeof answer> {
  const { overridden = [] } = done;
  return compact({
    ...done,
    gates: failed?.map(toGateAnswer),
    unit: toUnitBrief(done.unit),
    overridden: overridden.length > 0 ? overridden : undefined,
  }) as z.infer<typeof answer>;
}
