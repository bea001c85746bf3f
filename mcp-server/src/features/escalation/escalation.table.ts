import type { Generated } from "kysely";

/** Something that those below could not settle, on its way up (requirements RE-02, RE-03, C-21). */
export interface EscalationTable {
  id: Generated<number>;
  key: string;
  /** Id of the unit, task, run or agent it is about: raised again for the same operation, it climbs. */
  scope: string;
  task_key: string | null;
  run_id: number | null;
  unit_key: string | null;
  operation: string;
  /** Who has to settle it: coordinator, orchestrator or human. */
  level: string;
  reason: string;
  /** Every attempt and every raise, oldest first, as JSON. */
  history: string;
  /** Principal key of the first who raised it. */
  raised_by: string;
  raised_by_name: string;
  session: string | null;
  created_at: number;
  updated_at: number;
  /** `open` or `resolved`. */
  status: string;
  /** override, defer, revise, cancel or retry; null when it was settled by what it was about. */
  decision: string | null;
  resolution: string | null;
  resolved_by: string | null;
  resolved_by_name: string | null;
  resolved_at: number | null;
  /** When the lead was told that it waits for a person, or what the person decided; null before. */
  told_at: number | null;
}

/** Failures in a row of one operation on one unit or task; survives restarts and compactions (requirements RE-05). */
export interface AttemptTable {
  scope: string;
  operation: string;
  failures: number;
  /** Attempts more that a decision has granted beyond the table. */
  granted: Generated<number>;
  last_reason: string | null;
  /** Every failure and pass, oldest first, as JSON. */
  history: string;
  updated_at: number;
}
