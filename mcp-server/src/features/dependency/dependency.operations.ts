import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext, type RenderView } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import { renderFreed } from "../task/change.view.ts";
import { findWaitCircle } from "../task/circle.store.ts";
import { becameReady } from "../task/freed.store.ts";
import { shift } from "../task/graph.store.ts";
import { checkMayChange } from "../task/task.rules.ts";
import * as fields from "../task/task.schema.ts";
import { lockTask } from "../task/task.store.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { checkOwnTeam, checkTeam, teamInView } from "../team/team.rules.ts";
import { dependencyTypes, holdsTaskBack } from "./dependency.rules.ts";
import {
  type DependencyRow,
  dependenciesOf,
  findDependency,
  insertDependency,
  listDependencies,
  resolveDependencyRow,
} from "./dependency.store.ts";
import { circlesNow } from "./wait-circle.store.ts";

const shown = z.object({
  id: z.string(),
  task: z.string(),
  team: z.string(),
  needs_team: z.string(),
  type: z.string(),
  status: z.string(),
  needed_task: z.string().optional(),
  note: z.string().optional(),
  declared_by: z.string(),
  resolved_at: z.string().optional(),
  resolution: z.string().optional(),
});
const circle = z.object({ teams: z.array(z.string()), deadlock: z.boolean() });

export const dependencyDeclare = defineOperation({
  name: "dependency_declare",
  description:
    "Declare a cross-team dependency: your task needs something of another team, best with the task that will deliver it. It resolves by itself when that task closes. Names wait circles.",
  kind: "write",
  mcp: "all",
  positional: ["task", "needs_team"],
  input: z.strictObject({
    task: fields.taskRef.describe("The task that waits."),
    needs_team: fields.teamId.describe("The team waited for."),
    type: z.enum(dependencyTypes).optional().describe("blocks by default; shared_component holds nothing back."),
    needed_task: fields.taskRef.optional().describe("Their task that delivers it."),
    note: fields.reason.optional(),
  }),
  output: z.object({ dependency: shown, circles: z.array(circle).optional(), next: z.array(z.string()) }),
  async run(ctx, input) {
    checkTeam(ctx.config, input.needs_team);
    const waiting = await lockTask(ctx, input.task);
    checkOwnTeam(ctx.principal, waiting.team);
    checkMayChange(waiting, ctx.principal);
    if (waiting.status === "closed")
      throw new TeamwrightError("RULE_VIOLATED", `${waiting.key} is closed.`, hint("task_reopen", "opens it again"));
    if (waiting.team === input.needs_team) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        `${waiting.key} is ${input.needs_team}'s own.`,
        hint("task_link", "orders tasks of one team"),
      );
    }
    const needed = input.needed_task === undefined ? undefined : await lockTask(ctx, input.needed_task);
    if (needed && needed.team !== input.needs_team) {
      throw new TeamwrightError(
        "INVALID_INPUT",
        `${needed.key} belongs to team ${needed.team}, not ${input.needs_team}.`,
        hint("dependency_declare", "with the right team"),
      );
    }
    const type = input.type ?? "blocks";
    const closesCircle = needed ? await findWaitCircle(ctx, waiting, needed) : false;
    if (closesCircle !== false && holdsTaskBack(type)) {
      throw new TeamwrightError(
        "RULE_VIOLATED",
        `The teams would wait for each other: ${closesCircle}.`,
        hint("dependency_list", "shows who waits for whom"),
      );
    }
    const same = (await dependenciesOf(ctx.db, waiting.id)).find((row) =>
      isSame(row, waiting.id, input.needs_team, needed?.id, type),
    );
    if (same) return { dependency: toShown(same), next: ["dependency_list", "task_show"] };
    const key = ctx.newKey("dep");
    const settled = needed?.status === "closed";
    const blocking = holdsTaskBack(type) && !settled ? 1 : 0;
    await insertDependency(ctx, {
      key,
      task_id: waiting.id,
      team: waiting.team,
      needs_team: input.needs_team,
      type,
      needed_task_id: needed?.id ?? null,
      note: input.note ?? null,
      blocking,
    });
    ctx.record({
      type: "dependency.declared",
      subject: key,
      team: waiting.team,
      after: compact({ task: waiting.key, needs_team: input.needs_team, type, needed_task: needed?.key }),
    });
    const row = await getDependency(ctx, key);
    if (settled && needed) await resolveDependencyRow(ctx, Number(row.id), `${needed.key} closed`);
    else if (blocking === 1) await shift(ctx, waiting.id, { openBlockers: 1 });
    const circles = (await circlesNow(ctx)).filter(({ teams }) => teams.includes(waiting.team));
    return compact({
      dependency: toShown(await getDependency(ctx, key)),
      circles: circles.length > 0 ? circles : undefined,
      next: ["dependency_list", "task_show"],
    });
  },
  render: (output, view) =>
    [
      `${view.paint("green", "Declared")} ${describe(output.dependency, view)}`,
      ...renderCircles(output.circles, view),
      view.next(output.next),
    ].join("\n"),
});

export const dependencyResolve = defineOperation({
  name: "dependency_resolve",
  description:
    "Resolve a cross-team dependency by hand, saying how; the waiting task goes on. Either of the two teams, the lead or a person may do it.",
  kind: "write",
  mcp: "all",
  positional: ["id"],
  input: z.strictObject({ id: fields.dependencyRef, resolution: fields.reason }),
  output: z.object({
    dependency: shown,
    unblocked: z.array(fields.taskBrief).optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    const row = await getDependency(ctx, input.id);
    if (
      !directsWork(ctx.principal) &&
      ctx.principal.team !== undefined &&
      ctx.principal.team !== row.needs_team &&
      ctx.principal.team !== row.team
    ) {
      throw new TeamwrightError(
        "FORBIDDEN",
        "Only the two teams of a dependency resolve it.",
        hint("dependency_list", "shows yours"),
      );
    }
    if (await resolveDependencyRow(ctx, Number(row.id), input.resolution)) {
      if (row.blocking === 1) await shift(ctx, Number(row.task_id), { openBlockers: -1 });
      ctx.record({
        type: "dependency.resolved",
        subject: row.key,
        team: row.team,
        after: { resolution: input.resolution },
      });
    }
    return compact({
      dependency: toShown(await getDependency(ctx, row.key)),
      unblocked: await becameReady(ctx),
      next: ["task_show", "task_ready"],
    });
  },
  render: (output, view) =>
    [
      `${view.paint("green", "Resolved")} ${describe(output.dependency, view)}`,
      ...renderFreed(output.unblocked, view),
      view.next(output.next),
    ].join("\n"),
});

export const dependencyList = defineOperation({
  name: "dependency_list",
  description:
    "Cross-team dependencies: who waits for whom, of what type, open or resolved, with wait circles and deadlocks between teams named.",
  kind: "read",
  mcp: "all",
  input: z.strictObject({
    team: fields.teamId.optional(),
    status: z.enum(["open", "resolved"]).optional(),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  output: z.object({
    total: z.number(),
    dependencies: z.array(shown),
    truncated: z.boolean().optional(),
    circles: z.array(circle).optional(),
  }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team);
    const { rows, total } = await listDependencies(ctx.db, {
      team,
      status: input.status,
      limit: input.limit ?? 100,
    });
    const circles = await circlesNow(ctx);
    return compact({
      total,
      dependencies: rows.map(toShown),
      truncated: rows.length < total || undefined,
      circles: circles.length > 0 ? circles : undefined,
    });
  },
  render(output, view) {
    if (output.total === 0) return "No team waits for another.";
    const rows = output.dependencies.map((row) => [
      view.paint("cyan", row.id),
      `${row.team} → ${row.needs_team}`,
      row.type,
      row.status === "open" ? view.paint("yellow", "open") : row.status,
      row.task,
      row.needed_task ?? "",
      plainLine(row.note ?? row.resolution ?? "", 40),
    ]);
    const table = view.table(["id", "teams", "type", "status", "task", "needs", "note"], rows);
    return [
      table,
      ...(output.truncated ? [`${rows.length} of ${output.total} shown`] : []),
      ...renderCircles(output.circles, view),
    ].join("\n");
  },
});

/** `dep-1a2b (needs_api, open): tw-1 of team alpha needs tw-2 of team beta: note` */
function describe(dependency: z.infer<typeof shown>, view: RenderView): string {
  const { id, type, status, task, team, needs_team, needed_task, note, resolution } = dependency;
  const isOpen = status === "open";
  const needed = needed_task === undefined ? `team ${needs_team}` : `${needed_task} of team ${needs_team}`;
  const words = isOpen ? note : (resolution ?? note);
  return `${view.paint("cyan", id)} (${isOpen ? `${type}, open` : type}): ${task} of team ${team} ${isOpen ? "needs" : "needed"} ${needed}${words === undefined ? "" : `: ${plainLine(words, 200)}`}`;
}

function renderCircles(circles: z.infer<typeof circle>[] | undefined, view: RenderView): string[] {
  return (circles ?? []).map(({ teams, deadlock }) =>
    view.paint("red", `${deadlock ? "DEADLOCK" : "circle"}: ${[...teams, teams[0]].join(" waits for ")}`),
  );
}

/** Declaring twice is one need: two rows would both have to be resolved. */
function isSame(row: DependencyRow, waiting: number, team: string, needed: number | undefined, type: string): boolean {
  const asked =
    Number(row.task_id) === waiting && row.needs_team === team && row.type === type && row.status === "open";
  return asked && (row.needed_task_id === null ? undefined : Number(row.needed_task_id)) === needed;
}

async function getDependency(ctx: OperationContext, key: string): Promise<DependencyRow> {
  const row = await findDependency(ctx.db, key);
  if (row) return row;
  throw new TeamwrightError("NOT_FOUND", "No dependency has this id.", hint("dependency_list", "shows them"));
}

function toShown(row: DependencyRow): z.infer<typeof shown> {
  return compact({
    id: row.key,
    task: row.task_key,
    team: row.team,
    needs_team: row.needs_team,
    type: row.type,
    status: row.status,
    needed_task: row.needed_key ?? undefined,
    note: row.note ?? undefined,
    declared_by: row.declared_by,
    resolved_at: isoTime(row.resolved_at),
    resolution: row.resolution ?? undefined,
  }) as z.infer<typeof shown>;
}
