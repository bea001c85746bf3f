import type { Generated } from "kysely";

/** A time box of the whole project. */
export interface SprintTable {
  id: Generated<number>;
  /** Counted from 1. */
  n: number;
  /** planning, development, qa, review, then ended. */
  phase: string;
  started_at: number;
  planned_ms: number;
  /** The last event before it: what is closed later in the trail is closed in it. */
  from_seq: number;
  ended_at: number | null;
  opened_by: string;
  opened_by_name: string;
}

/** What a team did in a sprint; written when the sprint ends, but for the first two columns and the third. */
export interface SprintTeamTable {
  sprint_id: number;
  team: string;
  /** Time that the team's tasks had been blocked before the sprint began. */
  blocked_before_ms: number;
  /** Points of the cards closed as done (C-23). */
  velocity: Generated<number>;
  /** How many cards those were; one without points counts, too. */
  done: Generated<number>;
  /** Cards that were blocked when it ended. */
  blocked: Generated<number>;
  /** Time that the team's cards were blocked in the sprint. */
  blocked_ms: Generated<number>;
  wip: Generated<number>;
  agents: Generated<number>;
  borrowed_in: Generated<number>;
  borrowed_out: Generated<number>;
}
