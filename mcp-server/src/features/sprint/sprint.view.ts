import type { RenderView } from "../../kernel/operation.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { MINUTE_MS, remainingMs } from "./sprint.rules.ts";
import type { ShownSprint, TeamResult } from "./sprint.schema.ts";
import { type SprintRow, type SprintTeamRow, timeBoxOf } from "./sprint.store.ts";

export function toShownSprint(row: SprintRow, now: number): ShownSprint {
  const box = timeBoxOf(row);
  return compact({
    n: row.n,
    phase: row.phase,
    started_at: new Date(box.startedAt).toISOString(),
    ends_at: new Date(box.startedAt + box.plannedMs).toISOString(),
    ended_at: isoTime(row.ended_at === null ? null : Number(row.ended_at)),
    minutes: box.plannedMs / MINUTE_MS,
    minutes_left: row.ended_at === null ? Math.round((remainingMs(box, now) / MINUTE_MS) * 10) / 10 : undefined,
  }) as ShownSprint;
}

export function toTeamResult(row: Omit<SprintTeamRow, "sprint_id" | "blocked_before_ms">): TeamResult {
  return {
    team: row.team,
    velocity: row.velocity,
    done: row.done,
    blocked: row.blocked,
    blocked_seconds: Math.round(Number(row.blocked_ms) / 1000),
    wip: row.wip,
    agents: row.agents,
    borrowed_in: row.borrowed_in,
    borrowed_out: row.borrowed_out,
  };
}

/** `Sprint 3, development: 12.5 of 60 minutes left` */
export function renderSprint(sprint: ShownSprint, view: RenderView): string {
  const name = view.paint("bold", `Sprint ${sprint.n}`);
  if (sprint.minutes_left === undefined) return `${name}: ended ${sprint.ended_at ?? ""}`.trimEnd();
  const left = view.paint(sprint.minutes_left === 0 ? "red" : "green", `${sprint.minutes_left} of ${sprint.minutes}`);
  return `${name}, ${sprint.phase}: ${left} minutes left`;
}

export function renderResults(results: readonly TeamResult[], view: RenderView): string {
  return view.table(
    ["team", "points", "done", "in work", "blocked", "blocked min", "agents", "in", "out"],
    results.map((row) => [
      view.paint("cyan", row.team),
      String(row.velocity),
      String(row.done),
      String(row.wip),
      row.blocked > 0 ? view.paint("red", String(row.blocked)) : "0",
      (row.blocked_seconds / 60).toFixed(1),
      String(row.agents),
      String(row.borrowed_in),
      String(row.borrowed_out),
    ]),
  );
}
