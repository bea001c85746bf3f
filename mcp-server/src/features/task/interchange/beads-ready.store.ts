import type { OperationContext } from "../../../kernel/operation.ts";
import type { Task } from "../task.schema.ts";
import { rowToTask } from "../task.store.ts";
import { compact, toBrief } from "../task.view.ts";
import { beadsReadiness, type ReadinessIssue } from "./beads-ready.rules.ts";

interface BeadsFilter {
  readonly labels?: readonly string[] | undefined;
  readonly any_labels?: readonly string[] | undefined;
  readonly kind?: string | undefined;
}

/** The ready list by bd's rules, to the letter, over the whole store (beads-compat §1.5). */
export async function beadsReadyList(
  ctx: OperationContext,
  team: string | undefined,
  most: number,
  filter: BeadsFilter,
) {
  const tasks = (await ctx.db.selectFrom("task").selectAll().execute()).map(rowToTask);
  const links = await ctx.db.selectFrom("link").selectAll().orderBy("id").execute();
  const edges = new Map<number, ReadinessIssue["dependencies"]>();
  for (const link of links) {
    const list = edges.get(Number(link.task_id)) ?? [];
    const metadata = parseJson(link.metadata);
    list.push({ target: link.target_key, type: link.type, ...(metadata === undefined ? {} : { metadata }) });
    edges.set(Number(link.task_id), list);
  }
  const issues = tasks.map((task) => toIssue(task, edges.get(task.id) ?? []));
  const readiness = beadsReadiness(issues, ctx.now);
  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const labels = await ctx.db.selectFrom("task_label").selectAll().execute();
  const labelled = new Map<number, Set<string>>();
  for (const row of labels)
    labelled.set(Number(row.task_id), (labelled.get(Number(row.task_id)) ?? new Set()).add(row.label));
  const asked = (keys: readonly string[]) =>
    keys
      .flatMap((key) => byKey.get(key) ?? [])
      .filter((task) => team === undefined || task.team === team)
      .filter((task) => filter.kind === undefined || task.kind === filter.kind)
      .filter((task) => (filter.labels ?? []).every((label) => labelled.get(task.id)?.has(label)))
      .filter(
        (task) => !filter.any_labels?.length || filter.any_labels.some((label) => labelled.get(task.id)?.has(label)),
      );
  const ready = asked(readiness.ready);
  const page = most > 0 ? ready.slice(0, most) : ready;
  return compact({
    total: ready.length,
    tasks: page.map(toBrief),
    truncated: page.length < ready.length || undefined,
    blocked_total: asked(readiness.blocked).length,
  });
}

function parseJson(text: string | null) {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toIssue(task: Task, dependencies: ReadinessIssue["dependencies"]): ReadinessIssue {
  return {
    id: task.key,
    status: {
      state: task.status,
      ...(task.outcome === null ? {} : { outcome: task.outcome }),
      ...(task.foreignStatus === null ? {} : { foreignStatus: task.foreignStatus }),
      ...(task.blockedSince === null ? {} : { blockedFlag: true as const }),
    },
    priority: task.priority,
    kind: task.kind,
    createdAt: task.createdAt,
    pinned: task.pinned,
    ephemeral: task.ephemeral,
    dependencies,
    ...(task.deferUntil === null ? {} : { deferUntil: task.deferUntil }),
  };
}
