import type { Generated } from "kysely";

/** One piece of team work from its plan to its end; its rules hold while it is open (design §7). */
export interface RunTable {
  id: Generated<number>;
  key: string;
  /** `swarm-…`, `issue-…` or `review-…` (requirements TN-01). */
  name: string;
  level: string;
  /** The swarm it is part of: an initiative and its issues are two levels (requirement CA-05). */
  parent_id: Generated<number | null>;
  /** The session that leads it now; null once that session has ended and nobody has taken over. */
  session: string | null;
  /** Principal key of the lead. */
  lead: string;
  /** `team` or `task`; decided once (requirements MD-01, MD-05). */
  mode: string;
  mode_reason: string;
  /** `single`, `parallel`, `delegated` or `team` (requirements EN-01). */
  verdict: string;
  verdict_reason: string;
  /** Pairs of tasks that need each other's discoveries. */
  pairs: Generated<number>;
  /** `merged_local`, `pr_merged` or `manual` (C-19). */
  phase_gate: string;
  /** Agents started in it. */
  spawns: Generated<number>;
  /** Why more than five are right (requirements CS-02). */
  spawn_ack: string | null;
  /** `open` or `ended`. */
  status: string;
  started_at: number;
  /** Last sign of life of its lead. */
  seen_at: number;
  ended_at: number | null;
  end_note: string | null;
}
