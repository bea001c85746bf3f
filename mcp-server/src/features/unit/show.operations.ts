import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { writeRunLog } from "../knowledge/run-log.store.ts";
import { doneListOf } from "../review/done-list.store.ts";
import { activeRun, changeRun, checkLeads, findRun, getRunById, openRuns, type RunRow } from "../run/run.store.ts";
import { sendBack } from "../task/rework.store.ts";
import * as fields from "../task/task.schema.ts";
import { lockTaskById } from "../task/task.store.ts";
import { compact } from "../task/task.view.ts";
import { abandonUnit } from "./failure.store.ts";
import { checkDirects } from "./lead.rules.ts";
import { lastOverride } from "./override.store.ts";
import { openRunBriefs } from "./overview.store.ts";
import { endObstacles } from "./people.store.ts";
import { isOpen } from "./unit.rules.ts";
import { attemptsOf, gateRunsOf, getUnit, type UnitRow, unitsOfRun } from "./unit.store.ts";
import { leftBehind, renderRun, renderUnit, runBrief, toUnitBrief, unitBrief, unitRef } from "./unit.view.ts";

export const unitShow = defineOperation({
  name: "unit_show",
  description:
    "Show a work unit with its attempts, gate runs and done list (checked, reviewed, attested), or without an id the open runs with their units.",
  kind: "read",
  mcp: "none",
  positional: ["unit"],
  input: z.strictObject({ unit: unitRef.optional() }),
  output: z.object({
    runs: z.array(runBrief).optional(),
    unit: unitBrief.optional(),
    left_behind: leftBehind.optional(),
    override: z.object({ by: z.string(), diff_hash: z.string(), escalation: z.string() }).optional(),
    attempts: z
      .array(
        z.object({
          n: z.number(),
          validation: z.string().optional(),
          review: z.string().optional(),
          failure: z.string().optional(),
        }),
      )
      .optional(),
    gates: z
      .array(
        z.object({
          attempt: z.number(),
          gate: z.string(),
          result: z.string(),
          seconds: z.number(),
          merged: z.boolean().optional(),
          output_digest: z.string(),
          text: z.string().optional(),
        }),
      )
      .optional(),
    done: z
      .array(
        z.object({
          item: z.string(),
          how: z.enum(["checked", "reviewed", "attested"]),
          ok: z.boolean().optional(),
          by: z.string().optional(),
        }),
      )
      .optional(),
  }),
  async run(ctx, input) {
    if (input.unit === undefined) {
      return { runs: await openRunBriefs(ctx.db) };
    }
    const unit = await getUnit(ctx.db, input.unit);
    const attempts = await attemptsOf(ctx.db, unit.id);
    const gates = await gateRunsOf(ctx.db, unit.id);
    const taken = await lastOverride(ctx.db, unit.id);
    const takenBy = taken?.diff_hash === unit.diff_hash ? taken?.decided_by : undefined;
    return compact({
      unit: toUnitBrief(unit),
      left_behind: unit.left_behind === null ? undefined : leftBehind.parse(JSON.parse(unit.left_behind)),
      override: taken && {
        by: taken.decided_by,
        diff_hash: taken.diff_hash.slice(0, 16),
        escalation: taken.escalation,
      },
      attempts: attempts.map((row) =>
        compact({
          n: row.n,
          validation: row.validation ?? undefined,
          review: ctx.principal.kind === "agent" ? undefined : (row.review ?? undefined),
          failure: row.failure ?? undefined,
        }),
      ),
      gates: gates.map((row) =>
        compact({
          attempt: row.attempt,
          gate: row.gate,
          result: row.result,
          seconds: Math.round(row.duration_ms / 100) / 10,
          merged: row.merged === 1 || undefined,
          output_digest: row.output_digest,
          text: row.result === "passed" ? undefined : row.output_tail.slice(-2000),
        }),
      ),
      // agents see no review but their own
      done: ctx.principal.kind === "agent" ? undefined : await doneListOf(ctx.db, unit, gates, takenBy),
    });
  },
  render(output, view) {
    const lines: string[] = [];
    for (const run of output.runs ?? []) lines.push(renderRun(run, view));
    if (output.runs?.length === 0) lines.push("No run is open.");
    if (output.unit) lines.push(renderUnit(output.unit, view));
    const { left_behind: left, override } = output;
    if (left) lines.push(`left behind in ${left.folder}: ${plainLine(left.files.join(", "), 400)}`);
    if (override)
      lines.push(`${plainLine(override.by, 60)} takes diff ${override.diff_hash} as it is (${override.escalation})`);
    for (const item of output.attempts ?? [])
      lines.push(
        `attempt ${item.n}: validation ${item.validation ?? "–"}, review ${item.review ?? "–"}${item.failure ? `; ${plainLine(item.failure, 300)}` : ""}`,
      );
    for (const gate of output.gates ?? []) {
      lines.push(
        `attempt ${gate.attempt} ${gate.gate}: ${gate.result} in ${gate.seconds} s${gate.merged ? " (merged tree)" : ""}`,
      );
      if (gate.text) lines.push(fenceText(`end of ${gate.gate}`, gate.text));
    }
    if (output.done) lines.push(view.paint("bold", "Done when:"));
    for (const { how, ok, item, by } of output.done ?? [])
      lines.push(
        `  [${ok === undefined ? " " : ok ? "x" : "!"}] ${how.padEnd(8)} ${plainLine(item, 120)}${by ? ` (${plainLine(by, 120)})` : ""}`,
      );
    return lines.join("\n");
  },
});

export const unitEnd = defineOperation({
  name: "unit_end",
  description:
    "End the run, or with unit give one unit up. Refused while units or tags are open, unless a reason says why that is right.",
  kind: "batch",
  mcp: "all",
  input: z.strictObject({
    run: z.string().trim().min(1).max(80).optional().describe("Yours by default."),
    unit: unitRef.optional(),
    reason: fields.reason.optional(),
  }),
  output: z.object({
    ended: z.string(),
    left: z.array(z.string()).optional(),
    run_log: z.string().optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    checkDirects(ctx.principal, "ends a run");
    const { unit } = input;
    if (unit !== undefined) return ctx.transaction((trx) => abandon(trx, unit, input.reason));
    const { run, ...answer } = await ctx.transaction((trx) => endRun(trx, input));
    const ended = await findRun(ctx.db, run.key);
    return compact({ ...answer, run_log: (await writeRunLog(ctx, ended ?? run)).path });
  },
  render: (output, view) =>
    [
      `Ended ${output.ended}.`,
      ...(output.left ?? []).map((text) => `left: ${plainLine(text, 200)}`),
      ...(output.run_log ? [`run log: ${output.run_log}`] : []),
      view.next(output.next),
    ].join("\n"),
});

async function endRun(ctx: OperationContext, input: { run?: string | undefined; reason?: string | undefined }) {
  const { session } = ctx.principal;
  const run =
    input.run !== undefined
      ? await findRun(ctx.db, input.run)
      : session === undefined
        ? await onlyRun(ctx)
        : await activeRun(ctx.db, session);
  if (!run || run.ended_at !== null)
    throw new TeamwrightError("NOT_FOUND", "No open run is meant by this.", hint("unit_show", "lists the open runs"));
  await checkLeads(ctx, run);
  const open = (await unitsOfRun(ctx.db, run.id)).filter((unit) => isOpen(unit.phase));
  const left = [...open.map((unit) => `${unit.key} is in phase ${unit.phase}`), ...(await endObstacles(ctx.db, run))];
  if (left.length > 0 && input.reason === undefined) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${run.name} is not finished.`,
      hint("unit_end", "with a reason ends it all the same; brief_show says what is next"),
      left,
    );
  }
  for (const unit of open) await giveUp(ctx, unit);
  await changeRun(ctx, run.id, { status: "ended", ended_at: ctx.now, end_note: input.reason ?? null, session: null });
  ctx.record({
    type: "run.ended",
    subject: run.key,
    after: { left, ...(input.reason === undefined ? {} : { reason: input.reason }) },
  });
  const answer = compact({
    ended: run.name,
    left: left.length > 0 ? left : undefined,
    next: ["unit_plan", "brief_show"],
  });
  return { ...answer, run };
}

/** A person at the command line leads no session: theirs is the run that is open, when there is no other. */
async function onlyRun(ctx: OperationContext): Promise<RunRow | undefined> {
  const open = await openRuns(ctx.db);
  return open.length === 1 ? open[0] : undefined;
}

/** Its task is nobody's to review any more: it goes back to whoever did it. */
async function giveUp(ctx: OperationContext, unit: UnitRow): Promise<void> {
  await abandonUnit(ctx, unit);
  const task = await lockTaskById(ctx, Number(unit.task_id));
  if (task.status === "in_review") await sendBack(ctx, task, "its unit was given up");
}

async function abandon(ctx: OperationContext, ref: string, reason: string | undefined) {
  if (reason === undefined)
    throw new TeamwrightError(
      "INVALID_INPUT",
      "Giving a unit up takes a reason.",
      hint("unit_end", "with unit and reason"),
    );
  const unit = await getUnit(ctx.db, ref);
  await checkLeads(ctx, await getRunById(ctx.db, unit.run_id));
  await giveUp(ctx, unit);
  ctx.record({ type: "unit.given_up", subject: unit.key, after: { reason } });
  return { ended: unit.key, next: ["brief_show", "task_update"] };
}
