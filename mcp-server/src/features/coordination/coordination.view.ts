import type { RenderView } from "../../kernel/operation.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { definitions, type Part, type RoundKind } from "./coordination.rules.ts";
import type { RoundStatus, ShownRound } from "./coordination.schema.ts";
import { consoleLines, type Outcome, titleOf } from "./outcome.rules.ts";
import type { RoundRow } from "./round.store.ts";

export function toShownRound(row: RoundRow): ShownRound {
  return compact({
    round: row.key,
    kind: row.kind as RoundKind, // both written by round.store.ts and round-end.store.ts only
    sprint: row.sprint,
    status: row.status as RoundStatus,
    deadline: row.ended_at === null ? isoTime(row.deadline) : undefined,
    message: row.message ?? undefined,
  }) as ShownRound;
}

/** Whose word a round waits for. */
export function awaited(row: Pick<RoundRow, "status">): Part | undefined {
  if (row.status === "open") return "evaluation";
  return row.status === "evaluated" ? "plan" : undefined;
}

export function spawnFor(row: RoundRow) {
  const part = awaited(row);
  if (part === undefined) return undefined;
  const named: Readonly<Record<string, string>> = { checkin: "Check-in", orientation: "Orientation" };
  const what = part === "plan" ? "Plan" : (named[row.kind] ?? "Evaluation");
  return { subagent_type: definitions[part], description: `${what} ${row.key}`, prompt: row.key };
}

export function renderRound(shown: ShownRound, outcome: Outcome | undefined, view: RenderView): string[] {
  const title = titleOf(shown);
  const colour = { open: "yellow", evaluated: "yellow", done: "green", fell_back: "red" } as const;
  const head = `${view.paint("cyan", shown.round)} ${title}: ${view.paint(colour[shown.status], shown.status.replace("_", " "))}`;
  return [head, ...(outcome ? consoleLines(shown.kind, outcome) : [])];
}

export function renderSpawn(spawn: NonNullable<ReturnType<typeof spawnFor>>): string {
  return `Call Agent with subagent_type ${spawn.subagent_type}, description "${spawn.description}", prompt "${spawn.prompt}"; the server puts its question in the prompt's place.`;
}
