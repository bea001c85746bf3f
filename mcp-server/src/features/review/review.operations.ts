import { randomBytes } from "node:crypto";
import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { checkLeads, getRunById } from "../run/run.store.ts";
import { getTask } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { backToValidation } from "../unit/failure.store.ts";
import { checkDirects } from "../unit/lead.rules.ts";
import { nextPhase } from "../unit/unit.rules.ts";
import { findUnitRef, getUnit, type UnitRow } from "../unit/unit.store.ts";
import { unitRef } from "../unit/unit.view.ts";
import { othersIn } from "../unit/unit-gates.ts";
import { changesOf, filesOf, freezeUnit, itemsOfUnit, scopeOf, treeOf } from "../unit/unit-tree.ts";
import { changeNotes } from "./change-notes.store.ts";
import { type DesignReviewRow, designReviewsOf } from "./design.store.ts";
import { composePacket, REVIEWER } from "./packet.rules.ts";
import { insertReview, reviewsOf } from "./review.store.ts";
import { issuesOf } from "./review.view.ts";
import { voidReview, voidRounds, whyUnanswered } from "./void.store.ts";
import { wholeChange } from "./whole.store.ts";

export const reviewOpen = defineOperation({
  name: "review_open",
  description:
    "Open an adversarial review of a validated unit: returns the Agent call to make. Its prompt becomes the server's packet; the verdict comes from the reviewer itself. Each pass needs a fresh one.",
  kind: "batch",
  mcp: "all",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef }),
  output: z.object({
    review: z.string(),
    unit: z.string(),
    diff_hash: z.string(),
    spawn: z.object({ subagent_type: z.string(), description: z.string(), prompt: z.string() }),
  }),
  async run(ctx, input) {
    checkDirects(ctx.principal, "opens a review");
    const unit = await getUnit(ctx.db, input.unit);
    const run = await getRunById(ctx.db, unit.run_id);
    nextPhase(unit, "approve");
    const git = await treeOf(unit, ctx.config.root);
    const frozen = await freezeUnit(git, unit, (await changesOf(git, unit, await othersIn(ctx.db, unit))).own);
    if (frozen.hash !== unit.diff_hash) {
      const reason = "its files have changed since they were validated";
      await ctx.transaction(async (trx) => {
        await checkLeads(trx, run);
        const current = await endEarlier(trx, unit.key, reason);
        if (current.phase === "review") await backToValidation(trx, current, reason);
      });
      throw new TeamwrightError(
        "CONFLICT",
        `The files of ${unit.key} have changed since they were validated.`,
        hint("unit_validate", "is needed again"),
      );
    }
    const changes = await changeNotes(ctx.db, unit);
    const whole = await wholeChange(ctx.db, git, unit, frozen.tree);
    const row = await ctx.transaction(async (trx) => {
      await checkLeads(trx, run);
      const current = await endEarlier(trx, unit.key);
      if (current.phase === "escalated") return undefined;
      const key = trx.newKey("rv");
      const packet = composePacket({
        review: key,
        title: unit.title,
        spec: unit.spec ?? "",
        items: itemsOfUnit(unit),
        changes,
        scope: scopeOf(unit),
        files: filesOf(unit),
        diff: frozen.diff,
        diffHash: frozen.hash,
        whole,
        folder: git.folder,
        nonce: randomBytes(6).toString("hex"),
      });
      return insertReview(trx, { key, unit_id: unit.id, attempt: unit.attempt, diff_hash: frozen.hash, packet });
    });
    if (!row)
      throw new TeamwrightError(
        "RULE_VIOLATED",
        `${unit.key} is a person's now: too many of its reviews came to no verdict.`,
        hint("review_list", "shows the rounds"),
      );
    return {
      review: row.key,
      unit: unit.key,
      diff_hash: frozen.hash.slice(0, 16),
      spawn: { subagent_type: REVIEWER, description: `Review ${row.key}`, prompt: row.key },
    };
  },
  render: (output) =>
    `Review ${output.review} of ${output.unit} is open. Call Agent with subagent_type ${output.spawn.subagent_type}, description "${output.spawn.description}", prompt "${output.spawn.prompt}", and no name.`,
});

/**
 * Makes void what is under way: of two reviews that are opened at once the second ends the first. The unit comes back
 * as it is then, which is escalated when such rounds have used its retries up.
 */
async function endEarlier(ctx: OperationContext, key: string, fault?: string): Promise<UnitRow> {
  await ctx.dialect.lockName(ctx.db, `review:${key}`);
  let unit = await getUnit(ctx.db, key);
  nextPhase(unit, "approve");
  for (const earlier of await reviewsOf(ctx.db, unit.id)) {
    if (earlier.status !== "open" && earlier.status !== "taken") continue;
    unit = await voidReview(ctx, unit, earlier, fault ?? (await whyUnanswered(ctx.db, earlier)));
    if (unit.phase !== "review") break;
  }
  return unit;
}

const designRound = z.object({
  round: z.number(),
  reviewer: z.string(),
  verdict: z.string(),
  blockers: z.array(z.string()).optional(),
  suggestions: z.array(z.string()).optional(),
  questions: z.array(z.string()).optional(),
  use_cases: z.array(z.string()).optional(),
  threats: z.array(z.string()).optional(),
});

const round = z.object({
  review: z.string(),
  attempt: z.number(),
  status: z.string(),
  verdict: z.string().optional(),
  diff_hash: z.string(),
  reviewer: z.string().optional(),
  issues: z.array(z.string()).optional(),
  fault: z.string().optional(),
});

export const reviewList = defineOperation({
  name: "review_list",
  description:
    "All review rounds of a unit side by side: verdicts, issues, what made one void; of a task its design reviews. For people and leads.",
  kind: "read",
  mcp: "none",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef }),
  output: z.object({
    unit: z.string().optional(),
    rounds: z.array(round),
    void_rounds: z.number().optional(),
    design: z.array(designRound).optional(),
  }),
  async run(ctx, input) {
    if (ctx.principal.kind === "agent")
      throw new TeamwrightError(
        "FORBIDDEN",
        "Agents see no review but their own.",
        hint("brief_show", "says where you stand"),
      );
    const unit = await findUnitRef(ctx.db, input.unit);
    const task = unit ? undefined : await getTask(ctx, input.unit);
    const design = await designReviewsOf(ctx.db, Number(unit?.task_id ?? task?.id));
    return compact({
      unit: unit?.key,
      rounds: (unit ? await reviewsOf(ctx.db, unit.id) : []).map((row) =>
        compact({
          review: row.key,
          attempt: row.attempt,
          status: row.status,
          verdict: row.verdict ?? undefined,
          diff_hash: row.diff_hash.slice(0, 16),
          reviewer: row.agent_id ?? undefined,
          issues: row.verdict === null ? undefined : issuesOf(row),
          fault: row.fault ?? undefined,
        }),
      ),
      void_rounds: (unit && (await voidRounds(ctx.db, unit.id))) || undefined,
      design: design.length === 0 ? undefined : design.map(toDesignRound),
    });
  },
  render(output, view) {
    if (output.rounds.length === 0 && !output.design) return "No review yet.";
    const lines = output.rounds.flatMap((item) => [
      `${view.paint("cyan", item.review)} attempt ${item.attempt}: ${item.verdict ?? item.status}${item.fault ? ` (${plainLine(item.fault, 200)})` : ""}`,
      ...(item.issues?.length ? [fenceText(`issues of ${item.review}`, item.issues.join("\n"))] : []),
    ]);
    if (output.void_rounds) lines.push(`rounds without a verdict: ${output.void_rounds}`);
    for (const item of output.design ?? []) {
      lines.push(`${plainLine(item.reviewer, 60)}, round ${item.round}: ${item.verdict}`);
      for (const [what, list] of designLists(item))
        lines.push(fenceText(`${what} of ${plainLine(item.reviewer, 60)}`, list.join("\n")));
    }
    return lines.join("\n");
  },
});

function designLists(item: z.infer<typeof designRound>): [string, string[]][] {
  const { blockers, suggestions, questions, use_cases, threats } = item;
  const lists = { blockers, suggestions, questions, "use cases": use_cases, threats };
  return Object.entries(lists).flatMap(([what, list]): [string, string[]][] => (list ? [[what, list]] : []));
}

function toDesignRound(row: DesignReviewRow): z.infer<typeof designRound> {
  const some = (text: string) => {
    const list = JSON.parse(text) as string[]; // written by insertDesignReview
    return list.length > 0 ? list : undefined;
  };
  return compact({
    round: row.round,
    reviewer: row.reviewer,
    verdict: row.verdict,
    blockers: some(row.blockers),
    suggestions: some(row.suggestions),
    questions: some(row.questions),
    use_cases: some(row.use_cases),
    threats: some(row.threats),
  }) as z.infer<typeof designRound>;
}
