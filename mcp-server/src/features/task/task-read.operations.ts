import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { teamInView } from "../team/team.rules.ts";
import { beadsReadyList } from "./interchange/beads-ready.store.ts";
import { countReady, listNotReady, listOpenEpics, listReady, type ReadyFilter } from "./ready.store.ts";
import { whyNotReady } from "./task.rules.ts";
import * as fields from "./task.schema.ts";
import { compact, isoTime, renderBriefs, toBrief } from "./task.view.ts";
import { listStale, listTasks, type TaskFilter } from "./task-list.store.ts";
import { waitsFor } from "./wait.store.ts";

const limit = z.number().int().min(0).max(10_000).describe("0 for all.");
const brief = fields.taskBrief;
const MOST_EXPLAINED = 200;

export const taskReady = defineOperation({
  name: "task_ready",
  description:
    "Ready tasks: what can be worked on now, unblocked and unclaimed, best first, and epics that need decomposition. Takes nothing: task_claim does.",
  kind: "read",
  mcp: "core",
  listedFields: ["team", "limit", "labels", "explain"],
  input: z.strictObject({
    team: fields.teamId.optional(),
    limit: limit.optional(),
    labels: fields.labels.optional().describe("All of these."),
    any_labels: fields.labels.optional().describe("Any of these."),
    kind: fields.kind.optional(),
    explain: z.boolean().optional().describe("Also why the others are not ready."),
    rules: z.enum(["teamwright", "beads"]).optional().describe("beads: bd's rules to the letter."),
  }),
  output: z.object({
    total: z.number(),
    tasks: z.array(brief),
    truncated: z.boolean().optional(),
    needs_decomposition: z.array(brief).optional(),
    not_ready: z.array(z.object({ id: z.string(), title: z.string(), reasons: z.array(z.string()) })).optional(),
    blocked_total: z.number().optional(),
  }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team);
    const most = input.limit ?? 20;
    if (input.rules === "beads") {
      if (input.explain)
        throw new TeamwrightError(
          "INVALID_INPUT",
          "The reasons are those of Teamwright's own rules; bd's rules have none to tell.",
          hint("task_ready", "with explain and without rules"),
        );
      return beadsReadyList(ctx, team, most, input);
    }
    const filter = { team, labels: input.labels, anyLabels: input.any_labels, kind: input.kind };
    const rows = await listReady(ctx.db, filter, most > 0 ? most + 1 : 0);
    const truncated = most > 0 && rows.length > most;
    const tasks = truncated ? rows.slice(0, most) : rows;
    const epics = await listOpenEpics(ctx.db, filter);
    return compact({
      total: truncated ? await countReady(ctx.db, filter) : tasks.length,
      tasks,
      truncated: truncated || undefined,
      needs_decomposition: epics.length > 0 ? epics : undefined,
      not_ready: input.explain ? await explainOthers(ctx, filter, most) : undefined,
    });
  },
  render(output, view) {
    const blocked = output.blocked_total === undefined ? "" : `, ${output.blocked_total} blocked`;
    const ready = output.total === 0 ? "Nothing is ready" : `${output.total} ready`;
    const lines = [output.total === 0 ? `${ready}${blocked}.` : `${ready}${blocked}`, renderBriefs(output.tasks, view)];
    if (output.needs_decomposition)
      lines.push("Epics that need decomposition:", renderBriefs(output.needs_decomposition, view));
    for (const item of output.not_ready ?? [])
      lines.push(
        `${view.paint("cyan", item.id)} ${plainLine(item.title, 60)}: ${plainLine(item.reasons.join("; "), 200)}`,
      );
    return lines.filter(Boolean).join("\n");
  },
});

async function explainOthers(ctx: OperationContext, filter: ReadyFilter, most: number) {
  const result = [];
  for (const task of await listNotReady(ctx.db, filter, most > 0 ? Math.min(most, MOST_EXPLAINED) : MOST_EXPLAINED))
    result.push({ id: task.key, title: task.title, reasons: whyNotReady(task, await waitsFor(ctx, task.id)) });
  return result;
}

const filters = {
  team: fields.teamId.optional(),
  status: z.array(z.enum(fields.taskStatuses)).optional(),
  kind: fields.kind.optional(),
  priority: fields.priority.optional(),
  holder: fields.assignee.optional().describe("Name."),
  assignee: fields.assignee.optional(),
  labels: fields.labels.optional().describe("All of these."),
  any_labels: fields.labels.optional().describe("Any of these."),
  parent: fields.taskRef.optional().describe("Everything below it."),
  blocked: z.boolean().optional().describe("With or without the blocked flag."),
  search: z.string().min(1).max(500).optional().describe("Words in title, description, criteria, notes."),
};

export const taskList = defineOperation({
  name: "task_list",
  description:
    "List and search tasks by words (full text), state, team, label, kind, holder, parent. Returns short rows and the total. What can be started: task_ready.",
  kind: "read",
  mcp: "core",
  listedFields: ["team", "status", "labels", "parent", "blocked", "search", "limit"],
  positional: ["search"],
  input: z.strictObject({
    ...filters,
    limit: limit.optional(),
    offset: z.number().int().min(0).max(10_000_000).optional(),
  }),
  output: z.object({ total: z.number(), tasks: z.array(brief), truncated: z.boolean().optional() }),
  async run(ctx, { limit: asked, offset, ...input }) {
    const filter: TaskFilter = { ...input, team: teamInView(ctx.config, ctx.principal, input.team) };
    const most = asked ?? 50;
    const { rows, total } = await listTasks(ctx, filter, most, offset ?? 0);
    return compact({ total, tasks: rows.map(toBrief), truncated: (offset ?? 0) + rows.length < total || undefined });
  },
  render: (output, view) =>
    `${output.total} task${output.total === 1 ? "" : "s"}${output.truncated ? `, ${output.tasks.length} shown` : ""}\n${renderBriefs(output.tasks, view)}`,
});

export const taskStale = defineOperation({
  name: "task_stale",
  description: "Stale tasks: open or in progress and untouched for some days, oldest first. Changes nothing.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    days: z.number().min(0).max(36_500).optional().describe("30 by default."),
    team: fields.teamId.optional(),
    limit: limit.optional(),
  }),
  output: z.object({ total: z.number(), tasks: z.array(brief.extend({ updated_at: z.string() })) }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team);
    const before = ctx.now - (input.days ?? 30) * 86_400_000;
    const { rows, total } = await listStale(ctx.db, { team, before }, input.limit ?? 50);
    const tasks = rows.map((task) => ({ ...toBrief(task), updated_at: isoTime(task.updatedAt) ?? "" }));
    return { total, tasks };
  },
  render(output, view) {
    if (output.total === 0) return "Nothing is stale.";
    const shown = output.tasks.length < output.total ? `, ${output.tasks.length} shown` : "";
    const rows = output.tasks.map((task) => [
      view.paint("cyan", task.id),
      task.updated_at.slice(0, 16).replace("T", " "),
      task.state,
      task.team,
      plainLine(task.holder ?? "", 20),
      plainLine(task.title, Math.max(30, view.width - 80)),
    ]);
    return `${output.total} stale${shown}\n${view.table(["id", "untouched since", "state", "team", "holder", "title"], rows)}`;
  },
});
