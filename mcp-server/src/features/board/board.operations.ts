import * as z from "zod";
import { limitsOf } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { cards } from "../task/cards.store.ts";
import { renderChange } from "../task/change.view.ts";
import { checkClaimable, checkHandsFree, dropClaim, grantClaim, handIn } from "../task/claim.store.ts";
import { saveTaskInGraph } from "../task/graph.store.ts";
import { isAnothersWork, sendBack } from "../task/rework.store.ts";
import { checkHolds, checkMayChange, checkMove, nextOperations } from "../task/task.rules.ts";
import * as fields from "../task/task.schema.ts";
import { lockTask } from "../task/task.store.ts";
import { compact, toBrief } from "../task/task.view.ts";
import { checkOwnTeam, teamInView } from "../team/team.rules.ts";
import { openUnitOf } from "../unit/unit.store.ts";
import { columnOf, columns, limitedColumn } from "./board.rules.ts";
import { readCounts } from "./board.store.ts";

const column = z.object({
  column: z.enum(columns),
  total: z.number(),
  limit: z.number().optional(),
  tasks: z.array(fields.taskBrief),
});
const board = z.object({ team: z.string(), name: z.string().optional(), columns: z.array(column) });

export const boardShow = defineOperation({
  name: "board_show",
  description:
    "Show the kanban board of a team or of all: backlog, ready, in progress, review, done, with limits, holders and totals.",
  kind: "read",
  mcp: "core",
  positional: ["team"],
  input: z.strictObject({
    team: fields.teamId.optional(),
    limit: z.number().int().min(1).max(200).optional().describe("Cards per column; 10 by default."),
  }),
  output: z.object({ boards: z.array(board) }),
  async run(ctx, input) {
    const asked = teamInView(ctx.config, ctx.principal, input.team);
    const counts = await readCounts(ctx.db, asked);
    const declared = ctx.config.teams.map((team) => team.id);
    // tasks of a team that the configuration names no longer are not to vanish from sight (KB-09)
    const left = [...counts]
      .filter(([id, totals]) => !declared.includes(id) && Object.values(totals).some((n) => n > 0))
      .map(([id]) => id);
    const teams = asked === undefined ? [...declared, ...left.sort()] : [asked];
    const boards = [];
    for (const team of teams) {
      const totals = counts.get(team) ?? {};
      const list = [];
      for (const name of columns) {
        const total = totals[name] ?? 0;
        const tasks = total > 0 ? await cards(ctx.db, team, name, input.limit ?? 10) : [];
        list.push(compact({ column: name, total, limit: limitedColumn(name, limitsOf(ctx.config, team)), tasks }));
      }
      const label = ctx.config.teams.find((candidate) => candidate.id === team)?.name;
      boards.push(compact({ team, name: label, columns: list }));
    }
    return { boards };
  },
  render(output, view) {
    return output.boards
      .map((item) => {
        const width = Math.max(14, Math.floor((view.width - columns.length * 3) / columns.length));
        const head = item.columns.map(
          (col) => `${col.column.replace("_", " ")} ${col.total}${col.limit === undefined ? "" : `/${col.limit}`}`,
        );
        const height = Math.max(1, ...item.columns.map((col) => col.tasks.length));
        const rows = Array.from({ length: height }, (_, index) =>
          item.columns.map((col) => {
            const task = col.tasks[index];
            if (!task) return "";
            const who = task.holder ? ` @${task.holder}` : "";
            const text = plainLine(`${task.blocked === undefined ? "" : "! "}${task.title}${who}`, width);
            return task.blocked === undefined ? text : view.paint("red", text);
          }),
        );
        return `${view.paint("bold", `Team ${item.name ?? item.team}`)}\n${view.table(head, rows)}`;
      })
      .join("\n\n");
  },
});

export const boardMove = defineOperation({
  name: "board_move",
  listedFields: ["id", "to", "reason"],
  description:
    "Move a task to a column of its board: in_progress claims it, or sends it back from review to whoever did it; review hands it in; ready gives it back. Work in progress limits hold. Closing: task_close.",
  kind: "write",
  mcp: "core",
  positional: ["id", "to"],
  input: z.strictObject({
    id: fields.taskRef,
    to: z.enum(["backlog", "ready", "in_progress", "review"]),
    reason: fields.reason.optional(),
    fence: fields.fenceNumber.optional(),
  }),
  output: z.object({
    task: fields.taskBrief,
    column: z.enum(columns),
    fence: z.number().optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    const task = await lockTask(ctx, input.id);
    checkOwnTeam(ctx.principal, task.team);
    const from = columnOf({ status: task.status, ready: task.readyPrio !== null });
    const moved = from === input.to ? task : await move(ctx, task, input.to, input);
    return compact({
      task: toBrief(moved),
      column: columnOf({ status: moved.status, ready: moved.readyPrio !== null }),
      fence: moved.holder === ctx.principal.key ? moved.fence : undefined,
      next: nextOperations(moved, ctx.principal),
    });
  },
  render: (output, view) => renderChange(`Moved to ${output.column}:`, output, view),
});

type Locked = Awaited<ReturnType<typeof lockTask>>;

async function move(
  ctx: OperationContext,
  task: Locked,
  to: string,
  input: { reason?: string | undefined; fence?: number | undefined },
): Promise<Locked> {
  if (to === "in_progress") {
    checkMayChange(task, ctx.principal, input.fence);
    checkMove(task, "in_progress");
    if (isAnothersWork(ctx, task)) return sendBack(ctx, task, input.reason);
    await ctx.dialect.lockName(ctx.db, `holder:${ctx.principal.key}`);
    if (task.status === "open") await checkClaimable(ctx, task);
    await checkHandsFree(ctx, task.team);
    return grantClaim(ctx, task);
  }
  if (to === "review") {
    checkHolds(task, ctx.principal, input.fence);
    checkMove(task, "in_review");
    await checkNoUnit(ctx, task);
    return handIn(ctx, task);
  }
  if (task.status === "closed") checkMove(task, "in_review");
  if (task.status === "deferred" || task.status === "open") {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${task.key} is ${task.status}: backlog and ready follow from what it waits for.`,
      hint("task_update", "with defer_until, block or unblock changes that"),
    );
  }
  checkHolds(task, ctx.principal, input.fence);
  const open = task.status === "in_review" ? await saveTaskInGraph(ctx, task, { status: "open" }) : task;
  return dropClaim(ctx, open, "claim.released", input.reason);
}

/** What a unit's agent hands in is validated: unit_submit tells the unit, and moves the card with it. */
async function checkNoUnit(ctx: OperationContext, task: Locked): Promise<void> {
  const unit = await openUnitOf(ctx.db, task.id);
  if (!unit) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${task.key} is the work of unit ${unit.key} in phase ${unit.phase}.`,
    hint("unit_submit", "hands it in"),
  );
}

export const boardLimits = defineOperation({
  name: "board_limits",
  description: "Work in progress limits of every team with the use of each; they are set in teamwright.yaml.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({ team: fields.teamId.optional() }),
  output: z.object({
    limits: z.array(z.object({ team: z.string(), column: z.string(), used: z.number(), limit: z.number().optional() })),
  }),
  async run(ctx, input) {
    const asked = teamInView(ctx.config, ctx.principal, input.team);
    const counts = await readCounts(ctx.db, asked);
    const teams = asked === undefined ? ctx.config.teams.map((team) => team.id) : [asked];
    const limits = teams.flatMap((team) =>
      (["in_progress", "review"] as const).map((name) =>
        compact({
          team,
          column: name,
          used: counts.get(team)?.[name] ?? 0,
          limit: limitedColumn(name, limitsOf(ctx.config, team)),
        }),
      ),
    );
    return { limits };
  },
  render: (output, view) =>
    view.table(
      ["team", "column", "used", "limit"],
      output.limits.map((row) => [
        row.team,
        row.column,
        String(row.used),
        row.limit === undefined ? "none" : String(row.limit),
      ]),
    ),
});
