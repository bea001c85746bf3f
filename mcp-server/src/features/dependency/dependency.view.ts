import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import type { ShownCircle, ShownNeed } from "./dependency.schema.ts";
import type { DependencyRow } from "./dependency.store.ts";

/** `dep-1a2b (needs_api, open): tw-1 of team alpha needs tw-2 of team beta: note` */
export function describeNeed(need: ShownNeed, view: RenderView): string {
  const { id, type, status, task, team, needs_team, needed_task, note, resolution } = need;
  const isOpen = status === "open";
  const needed = needed_task === undefined ? `team ${needs_team}` : `${needed_task} of team ${needs_team}`;
  const words = isOpen ? note : (resolution ?? note);
  return `${view.paint("cyan", id)} (${isOpen ? `${type}, open` : type}): ${task} of team ${team} ${isOpen ? "needs" : "needed"} ${needed}${words === undefined ? "" : `: ${plainLine(words, 200)}`}`;
}

export function renderCircles(circles: readonly ShownCircle[] | undefined, view: RenderView): string[] {
  return (circles ?? []).map(({ teams, deadlock }) =>
    view.paint("red", `${deadlock ? "DEADLOCK" : "circle"}: ${[...teams, teams[0]].join(" waits for ")}`),
  );
}

export function toShownNeed(row: DependencyRow): ShownNeed {
  return {
    id: row.key,
    task: row.task_key,
    team: row.team,
    needs_team: row.needs_team,
    type: row.type,
    status: row.status,
    ...(row.needed_key === null ? {} : { needed_task: row.needed_key }),
    ...(row.note === null ? {} : { note: row.note }),
    declared_by: row.declared_by,
    ...(row.resolved_at === null ? {} : { resolved_at: new Date(Number(row.resolved_at)).toISOString() }),
    ...(row.resolution === null ? {} : { resolution: row.resolution }),
  };
}
