import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import { renderFreed } from "../task/change.view.ts";
import { becameReady } from "../task/freed.store.ts";
import { shift } from "../task/graph.store.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { teamInView } from "../team/team.rules.ts";
import { shownCircle, shownNeed } from "./dependency.schema.ts";
import { getDependency, listDependencies, resolveDependencyRow } from "./dependency.store.ts";
import { describeNeed, renderCircles, toShownNeed } from "./dependency.view.ts";
import { circlesNow } from "./wait-circle.store.ts";

export const dependencyResolve = defineOperation({
  name: "dependency_resolve",
  description:
    "Resolve a cross-team dependency by hand, saying how; the waiting task goes on. Either of the two teams, the lead or a person may do it.",
  kind: "write",
  mcp: "all",
  positional: ["id"],
  input: z.strictObject({ id: fields.dependencyRef, resolution: fields.reason }),
  output: z.object({
    dependency: shownNeed,
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
    const dependency = toShownNeed(await getDependency(ctx, row.key));
    const unblocked = await becameReady(ctx);
    return compact({ dependency, unblocked, next: ["task_show", "task_ready"] });
  },
  render: (output, view) =>
    [
      `${view.paint("green", "Resolved")} ${describeNeed(output.dependency, view)}`,
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
    dependencies: z.array(shownNeed),
    truncated: z.boolean().optional(),
    circles: z.array(shownCircle).optional(),
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
      dependencies: rows.map(toShownNeed),
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
