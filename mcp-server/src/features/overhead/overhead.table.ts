import type { Generated } from "kysely";

/** A step of overhead with its time box; it runs while `elapsed_ms` is NULL. */
export interface OverheadStepTable {
  id: Generated<number>;
  /** 0 before the first sprint. */
  sprint: number;
  step: string;
  team: string | null;
  started_at: number;
  timeout_ms: number;
  deadline: number;
  /** At most `timeout_ms`: at the deadline the fallback takes over, and nobody waits longer. */
  elapsed_ms: number | null;
  timed_out: Generated<number>;
  /** 1 when the work it was opened for has been done, or has fallen back. */
  used: Generated<number>;
}
