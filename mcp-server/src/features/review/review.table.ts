import type { Generated } from "kysely";

/** One pass of one fresh reviewer over one frozen diff (requirements AR-01, AR-06). */
export interface ReviewTable {
  id: Generated<number>;
  key: string;
  unit_id: number;
  attempt: number;
  diff_hash: string;
  /** All that the reviewer is shown. */
  packet: string;
  /** open, taken (a spawn has used it), answered, void. */
  status: string;
  opened_by: string;
  opened_at: number;
  /** The Agent call that took the packet, and the agent it started. */
  tool_use_id: string | null;
  agent_id: string | null;
  /** PASS or FAIL; null without a verdict. */
  verdict: string | null;
  /** Judgement of each item with its evidence, as JSON. */
  items: string | null;
  /** As JSON: severity, place, text. */
  issues: string | null;
  /** What the reviewer said. */
  answer: string | null;
  /** Why it is void, or why the answer was sent back. */
  fault: string | null;
  /** Times the answer was asked for again. */
  asked_again: Generated<number>;
  /** When it ended, with a verdict or without. */
  answered_at: number | null;
}

/** A collaborative review of a design: advisory, by agents who stay (C-15). */
export interface DesignReviewTable {
  id: Generated<number>;
  task_id: number;
  round: number;
  reviewer: string;
  agent_id: string;
  /** APPROVED or NEEDS_REVISION. */
  verdict: string;
  blockers: string;
  suggestions: string;
  questions: string;
  /** What was walked through the design, as a JSON list like the three above. */
  use_cases: Generated<string>;
  /** Who could misuse it, and how. */
  threats: Generated<string>;
  at: number;
}
