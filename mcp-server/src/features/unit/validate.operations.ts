import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { type Frozen, Git } from "../../kernel/git.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { resetFailures } from "../escalation/attempt.store.ts";
import { failedReview } from "../review/review.store.ts";
import { issuesOf } from "../review/review.view.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import { compact } from "../task/task.view.ts";
import { free, isBusy, reserve, whileBusy } from "./busy.ts";
import { failUnit } from "./failure.store.ts";
import { gateAnswer, renderGates, toGateAnswer } from "./gate.view.ts";
import { type GateOutcome, runGate } from "./gate-run.ts";
import { historyFault, knownCommits } from "./history.store.ts";
import { checkDirects } from "./lead.rules.ts";
import { overrideOf } from "./override.store.ts";
import { gateScope } from "./people.store.ts";
import { nextPhase } from "./unit.rules.ts";
import { changeAttempt, getUnit, insertGateRun, saveUnit, type UnitRow } from "./unit.store.ts";
import { renderUnit, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";
import { coverageFault, gatesFor, othersIn } from "./unit-gates.ts";
import { changesOf, freezeUnit, refuseElsewhere, treeOf, unreviewedCommit } from "./unit-tree.ts";

export const unitValidate = defineOperation({
  name: "unit_validate",
  description:
    "Validate a submitted unit, lead only: the server runs the project's gates (types, lint, tests, coverage) itself, checks changed files against the scope and freezes the diff.",
  kind: "batch",
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef }),
  output: z.object({
    unit: unitBrief,
    passed: z.boolean(),
    gates: z.array(gateAnswer),
    outside_scope: z.array(z.string()).optional(),
    reason: z.string().optional(),
  }),
  async run(ctx, input) {
    checkDirects(ctx.principal, "validates");
    const unit = await take(ctx, input.unit);
    return whileBusy(ctx, unit, async () => {
      const seen = await examine(ctx, unit);
      const after = await ctx.transaction((trx) => settle(trx, unit, seen));
      return compact({
        unit: toUnitBrief(after),
        passed: seen.fault === undefined,
        gates: seen.outcomes.map(toGateAnswer),
        outside_scope: seen.outside.length > 0 ? [...seen.outside] : undefined,
        reason: seen.fault,
      });
    });
  },
  render(output, view) {
    const lines = [
      output.passed
        ? view.paint("green", "Gates passed, diff frozen.")
        : view.paint("red", `Not passed: ${plainLine(output.reason ?? "", 400)}`),
    ];
    lines.push(...renderGates(output.gates, view));
    for (const path of output.outside_scope ?? []) lines.push(`outside the scope: ${plainLine(path, 200)}`);
    lines.push(renderUnit(output.unit, view));
    return lines.join("\n");
  },
});

/** Notes that the gates run now: two at once would judge each other's leftovers. */
async function take(ctx: OperationContext, ref: string): Promise<UnitRow> {
  const seen = await getUnit(ctx.db, ref);
  await gatesFor(ctx.config, await treeOf(seen, ctx.config.root)); // refuses where there are none
  return ctx.transaction(async (trx) => {
    const unit = await getUnit(trx.db, seen.key);
    await checkLeads(trx, await getRunById(trx.db, unit.run_id));
    nextPhase(unit, "pass");
    if (isBusy(unit, trx.now)) {
      throw new TeamwrightError(
        "CONFLICT",
        `The gates of ${unit.key} run already.`,
        hint("unit_show", "shows how far they are"),
      );
    }
    return reserve(trx, unit);
  });
}

interface Seen {
  readonly outcomes: readonly GateOutcome[];
  readonly outside: readonly string[];
  /** Why it has not passed; undefined when it has. */
  readonly fault: string | undefined;
  readonly frozen: { hash: string; tree: string; files: string[] } | undefined;
}

/** Scope, gates, and the scope's files once more: what the gates saw is what is frozen (requirements FP-04, AR-04). */
async function examine(ctx: OperationContext, unit: UnitRow): Promise<Seen> {
  const git = await treeOf(unit, ctx.config.root);
  await refuseElsewhere(git, unit);
  const others = await othersIn(ctx.db, unit);
  const before = await changesOf(git, unit, others);
  const none = { outcomes: [], outside: before.outside, frozen: undefined };
  if (before.outside.length > 0)
    return { ...none, fault: `changed outside its scope: ${before.outside.slice(0, 10).join(", ")}` };
  if (before.own.length === 0) return { ...none, fault: "nothing in its scope has changed" };
  const paths = before.own.map((file) => file.path);
  const project = unit.worktree === null ? git : await Git.at(ctx.config.root);
  const moved = await historyFault(ctx, unit);
  // who has done it is not known, so that it costs no attempt of anybody's
  if (moved !== undefined)
    throw new TeamwrightError("BLOCKED", moved, hint("unit_validate", "again once it is settled"));
  const known = await knownCommits(ctx, unit);
  const foreign = await unreviewedCommit(git, project, unit, paths, known);
  if (foreign !== undefined) return { ...none, fault: foreign };
  const first = await freezeUnit(git, unit, before.own);
  if (first.files.length === 0) return { ...none, fault: "nothing in its scope has changed" };
  const review = await failedReview(ctx.db, unit.id, first.hash);
  if (review && !(await overrideOf(ctx.db, unit.id, first.hash)))
    return { ...none, fault: `${review.key} has failed exactly this content: ${issuesOf(review).join("; ")}` };
  if (/^\+(?:<{7}|>{7}) /m.test(first.diff)) return { ...none, fault: "its files hold conflict marks" };
  const outcomes: GateOutcome[] = [];
  const gates = await gatesFor(ctx.config, git);
  for (const [index, gate] of gates.entries()) {
    ctx.progress(index, gates.length, gate.name);
    outcomes.push(await runGate(gate, git.folder, Date.now));
  }
  const failed = outcomes.filter((outcome) => outcome.result !== "passed");
  const uncovered = coverageFault(ctx.config, git.folder, outcomes);
  const after = await changesOf(git, unit, others);
  const frozen = await freezeUnit(git, unit, after.own);
  const fault =
    failed.length > 0
      ? failed.map((outcome) => `gate ${outcome.gate} ${outcome.result}`).join(", ")
      : (uncovered ??
        changedMeanwhile(first, frozen, before.touched, after.touched) ??
        (await unreviewedCommit(git, project, unit, paths, known))); // a gate may have committed
  return {
    outcomes,
    outside: [],
    fault,
    frozen: { hash: frozen.hash, tree: frozen.tree, files: frozen.files.map((file) => file.path) },
  };
}

/** What the gates judged is what is frozen, and the rest of the tree is what it was: a gate judges, it does not edit. */
function changedMeanwhile(
  first: Frozen,
  frozen: Frozen,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string | undefined {
  if (frozen.hash !== first.hash) return "files of its scope changed while the gates ran";
  // a gate may leave new files behind, such as a coverage report
  const edited = [...after].flatMap(([path, status]) => (status !== "?" && !before.has(path) ? [path] : []));
  if (edited.length === 0) return undefined;
  return `files outside its scope changed while the gates ran: ${edited.slice(0, 10).join(", ")}`;
}

async function settle(ctx: OperationContext, taken: UnitRow, seen: Seen): Promise<UnitRow> {
  const unit = await getUnit(ctx.db, taken.key);
  if (unit.version !== taken.version)
    throw new TeamwrightError("CONFLICT", `${unit.key} was moved while its gates ran.`, hint("unit_show", "shows it"));
  for (const outcome of seen.outcomes) await insertGateRun(ctx, unit, outcome, false);
  await changeAttempt(ctx, unit, { validated_at: ctx.now, diff_hash: seen.frozen?.hash ?? null });
  if (seen.fault !== undefined || !seen.frozen) return failUnit(ctx, unit, "validation", seen.fault ?? "no diff");
  await changeAttempt(ctx, unit, { validation: "passed" });
  await resetFailures(ctx, {
    scope: gateScope(unit, "validation"),
    operation: "gate",
    by: ctx.principal.name,
    gate: "validation",
  });
  return saveUnit(ctx, unit, "pass", {
    diff_hash: seen.frozen.hash,
    tree: seen.frozen.tree,
    files: JSON.stringify(seen.frozen.files),
    ...free,
  });
}
