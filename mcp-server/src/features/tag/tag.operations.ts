import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { activeRun } from "../run/run.store.ts";
import * as fields from "../task/task.schema.ts";
import { getTask, resolveKey } from "../task/task.store.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { getTag, listTags, malformedCount, settleTag } from "./tag.store.ts";

const shown = z.object({
  id: z.string(),
  kind: z.string(),
  target: z.string().optional(),
  text: z.string(),
  by: z.string(),
  task: z.string().optional(),
  status: z.string(),
  routed_to: z.string().optional(),
  resolution: z.string().optional(),
  since: z.string(),
});

export const tagList = defineOperation({
  name: "tag_list",
  description:
    "List tags of agents' reports (CROSS-DOMAIN, BLOCKER, INTERFACE-CHANGE …) that nobody has dealt with, oldest first.",
  kind: "read",
  mcp: "all",
  input: z.strictObject({
    all: z.boolean().optional().describe("Settled ones too."),
    limit: z.number().int().min(1).max(200).optional(),
  }),
  output: z.object({ total: z.number(), tags: z.array(shown), malformed_reports: z.number().optional() }),
  async run(ctx, input) {
    const run = ctx.principal.session === undefined ? undefined : await activeRun(ctx.db, ctx.principal.session);
    const { rows, total } = await listTags(ctx.db, { all: input.all, limit: input.limit ?? 50 });
    const malformed = run ? await malformedCount(ctx.db, Number(run.id)) : 0;
    const tags = rows.map((row) =>
      compact({
        id: row.key,
        kind: row.kind,
        target: row.target ?? undefined,
        text: row.text,
        by: row.agent_name,
        task: row.task_key ?? undefined,
        status: row.status,
        routed_to: row.routed_to ?? undefined,
        resolution: row.resolution ?? undefined,
        since: isoTime(row.at) ?? "",
      }),
    );
    return compact({ total, tags, malformed_reports: malformed || undefined });
  },
  render(output, view) {
    if (output.tags.length === 0) return "No tag is open.";
    const lines = output.tags.map(
      (tag) =>
        `${view.paint("cyan", tag.id)} ${view.paint(tag.kind === "BLOCKER" ? "red" : "yellow", tag.kind)}${tag.target ? ` for ${plainLine(tag.target, 40)}` : ""} by ${plainLine(tag.by, 40)}${tag.task ? ` on ${tag.task}` : ""}: ${plainLine(tag.text, 300)}${tag.routed_to ? ` → ${tag.routed_to}` : ""}`,
    );
    if (output.malformed_reports) lines.push(`${output.malformed_reports} reports were accepted malformed`);
    return lines.join("\n");
  },
});

export const tagResolve = defineOperation({
  name: "tag_resolve",
  description:
    "Resolve an open tag: say what became of it, or name the task that deals with it. For the lead and people.",
  kind: "write",
  mcp: "all",
  positional: ["tag"],
  input: z.strictObject({
    tag: z.string().trim().min(1).max(80).describe("Id."),
    resolution: fields.reason,
    task: fields.taskRef.optional(),
  }),
  output: z.object({ tag: z.string(), status: z.string(), open: z.number() }),
  async run(ctx, input) {
    if (ctx.principal.kind === "agent") {
      throw new TeamwrightError(
        "FORBIDDEN",
        "The lead or a person settles tags.",
        hint("message_send", "tells the lead what you know"),
      );
    }
    const tag = await getTag(ctx.db, input.tag);
    const task = input.task === undefined ? undefined : await getTask(ctx, await resolveKey(ctx, input.task));
    await settleTag(ctx, tag, { status: "resolved", routedTo: task?.key, resolution: input.resolution });
    return { tag: tag.key, status: "resolved", open: (await listTags(ctx.db, { limit: 1 })).total };
  },
  render: (output, view) => `${view.paint("green", "Resolved")} ${output.tag}; ${output.open} open.`,
});
