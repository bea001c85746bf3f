import type { WipLimits } from "../../config/config.schema.ts";

export const columns = ["backlog", "ready", "in_progress", "review", "done"] as const;
export type Column = (typeof columns)[number];

/** Where a task stands on its board; derived, never stored (contradiction C-10). */
export function columnOf(task: { status: string; ready: boolean }): Column {
  if (task.status === "closed") return "done";
  if (task.status === "in_review") return "review";
  if (task.status === "in_progress") return "in_progress";
  return task.ready ? "ready" : "backlog";
}

/** The limit of a column, if it has one. */
export function limitedColumn(column: Column, limits: WipLimits): number | undefined {
  if (column === "in_progress") return limits.in_progress;
  if (column === "review") return limits.review;
  return undefined;
}
