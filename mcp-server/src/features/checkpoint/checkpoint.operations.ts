import * as z from "zod";
import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext, type PersonAnswer } from "../../kernel/operation.ts";
import { aboutOf, gateOf } from "../escalation/about.store.ts";
import { aboutRef } from "../escalation/escalation.schema.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { questionOf } from "./checkpoint.rules.ts";
import {
  checkpointKinds,
  checkpointReport,
  checkpointStatuses,
  type ShownCheckpoint,
  shownCheckpoint,
} from "./checkpoint.schema.ts";
import {
  type CheckpointRow,
  decideCheckpoint,
  getCheckpoint,
  listCheckpoints,
  requestCheckpoint,
} from "./checkpoint.store.ts";
import { answerCommand, howToAnswer, renderCheckpoint, reportOf, toShownCheckpoint } from "./checkpoint.view.ts";

export const checkpointRequest = defineOperation({
  name: "checkpoint_request",
  description: "Checkpoint: ask a person to approve before work on it goes on. Nobody else can answer.",
  kind: "batch",
  mcp: "all",
  positional: ["title"],
  input: z.strictObject({
    title: fields.title.describe("What to approve."),
    kind: z.enum(checkpointKinds),
    about: aboutRef.optional().describe("Unit, task or RUN:stage-N id; default yours."),
    ...checkpointReport.shape,
  }),
  output: z.object({ checkpoint: shownCheckpoint, how: z.string().optional(), next: z.array(z.string()) }),
  async run(ctx, input) {
    const { title, kind, about, ...report } = input;
    const row = await ctx.transaction(async (trx) => {
      const found = await aboutOf(trx, about);
      const meant = kind === "gate" ? await gateOf(trx.db, found) : found;
      return requestCheckpoint(trx, { about: meant, kind, title: title.trim(), report: compact(report) });
    });
    const answered = row.status === "pending" ? await askPerson(ctx, row) : row;
    const how = answered.status === "pending" ? howToAnswer(answered.key) : undefined;
    return compact({ checkpoint: toShownCheckpoint(answered, false), how, next: ["brief_show"] });
  },
  render: ({ checkpoint, how, next }, view) =>
    [renderCheckpoint(checkpoint, view), ...(how === undefined ? [] : [how]), view.next(next)].join("\n"),
});

/** Asks where a dialog can be shown. The request is stored before and the answer after: the wait is in no transaction. */
async function askPerson(ctx: OperationContext, row: CheckpointRow): Promise<CheckpointRow> {
  const answer = await ctx.ask?.(questionOf({ ...row, report: reportOf(row) }));
  if (!answer) return getCheckpoint(ctx.db, row.key); // somebody may have answered elsewhere meanwhile
  try {
    return await ctx.transaction((trx) => decideCheckpoint(trx, row.key, answerOf(answer)), answer.principal);
  } catch (error) {
    if (error instanceof TeamwrightError && error.code === "CONFLICT") return getCheckpoint(ctx.db, row.key);
    throw error;
  }
}

function answerOf({ choice, note }: PersonAnswer) {
  return { status: choice === "approve" ? ("approved" as const) : ("rejected" as const), note, told: true };
}

const checkpointRef = z.string().trim().min(1).max(64).describe("Checkpoint id.");
const decided = z.object({ checkpoint: shownCheckpoint });

export const checkpointApprove = defineOperation({
  name: "checkpoint_approve",
  description: "Approve a checkpoint, so that the work it is about goes on. For people only, outside any session.",
  kind: "write",
  mcp: "none",
  positional: ["id"],
  input: z.strictObject({ id: checkpointRef, note: fields.reason.optional() }),
  output: decided,
  run: async (ctx, { id, note }) => ({
    checkpoint: toShownCheckpoint(await decideCheckpoint(ctx, id, { status: "approved", note }), true),
  }),
  render: (output, view) => renderCheckpoint(output.checkpoint, view),
});

export const checkpointReject = defineOperation({
  name: "checkpoint_reject",
  description: "Reject a checkpoint and say why; the work it is about stays stopped. For people only.",
  kind: "write",
  mcp: "none",
  positional: ["id"],
  input: z.strictObject({ id: checkpointRef, note: fields.reason.describe("What has to be different.") }),
  output: decided,
  run: async (ctx, { id, note }) => ({
    checkpoint: toShownCheckpoint(await decideCheckpoint(ctx, id, { status: "rejected", note }), true),
  }),
  render: (output, view) => renderCheckpoint(output.checkpoint, view),
});

export const checkpointList = defineOperation({
  name: "checkpoint_list",
  description: "Checkpoints that wait for a person, or all that were ever asked for; one with its report by its id.",
  kind: "read",
  mcp: "none",
  positional: ["id"],
  input: z.strictObject({
    id: checkpointRef.optional().describe("Shows one with its report."),
    status: z
      .enum([...checkpointStatuses, "all"])
      .optional()
      .describe("pending by default."),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  output: z.object({ total: z.number(), checkpoints: z.array(shownCheckpoint), truncated: z.boolean().optional() }),
  async run(ctx, { id, status = "pending", limit = 100 }) {
    if (id !== undefined) return { total: 1, checkpoints: [toShownCheckpoint(await getCheckpoint(ctx.db, id), true)] };
    const { rows, total } = await listCheckpoints(ctx.db, { status: status === "all" ? undefined : status, limit });
    const checkpoints: ShownCheckpoint[] = rows.map((row) => toShownCheckpoint(row, false));
    return compact({ total, checkpoints, truncated: rows.length < total || undefined });
  },
  render(output, view) {
    const [first] = output.checkpoints;
    if (!first) return "No checkpoint waits.";
    const pending = output.checkpoints.find(({ status }) => status === "pending");
    const how = pending ? `\nTo answer: ${answerCommand(pending.id)}` : "";
    if (output.checkpoints.length === 1 && output.total === 1) return `${renderCheckpoint(first, view)}${how}`;
    const rows = output.checkpoints.map((row) => [
      view.paint("cyan", row.id),
      row.status,
      row.kind,
      row.about,
      plainLine(row.title, 60),
      plainLine(row.decided_by ?? row.by, 30),
    ]);
    const table = view.table(["id", "status", "kind", "about", "title", "by"], rows);
    return `${table}${output.truncated ? `\n${rows.length} of ${output.total} shown` : ""}${how}`;
  },
});
