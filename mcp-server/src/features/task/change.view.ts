import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import type { TaskBrief } from "./task.schema.ts";

/** A change as text: what happened to which task, where it stands, what came free by it, and what is legal next. */
export interface Change {
  readonly task: TaskBrief;
  readonly next: readonly string[];
  readonly fence?: number | undefined;
  readonly unblocked?: readonly TaskBrief[] | undefined;
}

/** Two lines and one for each task that came free; a model reads the same text as a person. */
export function renderChange(what: string, change: Change, view: RenderView): string {
  return [
    `${view.paint("green", what)} ${taskLine(change.task, view, change.fence)}`,
    ...renderFreed(change.unblocked, view),
    view.next(change.next),
  ].join("\n");
}

export function renderFreed(tasks: readonly TaskBrief[] | undefined, view: RenderView): string[] {
  return (tasks ?? []).map((task) => `${view.paint("green", "Ready now:")} ${taskLine(task, view)}`);
}

/** `tw-1a2b3c4d (in_progress, P1, team alpha, held by ada, fencing number 2): Write the parser` */
function taskLine(task: TaskBrief, view: RenderView, fence?: number): string {
  const isClosed = task.state === "closed";
  const facts = [
    task.state,
    `P${task.priority}`,
    `team ${task.team}`,
    task.kind,
    task.holder === undefined ? undefined : `${isClosed ? "" : "held "}by ${plainLine(task.holder, 60)}`,
    fence === undefined ? undefined : `fencing number ${fence}`,
    task.assignee === undefined || isClosed ? undefined : `meant for ${plainLine(task.assignee, 60)}`,
    task.blocked === undefined ? undefined : view.paint("red", `blocked: ${plainLine(task.blocked, 200)}`),
    task.waits_for === undefined ? undefined : `waits for ${task.waits_for}`,
  ];
  const shown = facts.filter((fact) => fact !== undefined).join(", ");
  return `${view.paint("cyan", task.id)} (${shown}): ${plainLine(task.title, 200)}`;
}
