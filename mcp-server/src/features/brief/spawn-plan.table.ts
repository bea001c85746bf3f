import type { Generated } from "kysely";

/** How hard a task was found to be and which model that asks for; the last one of a task counts (requirements MO-01). */
export interface SpawnPlanTable {
  id: Generated<number>;
  key: string;
  task_id: number;
  run_id: number | null;
  /** 0 to 10, and its five parts as JSON. */
  score: number;
  scores: string;
  /** JSON list of what asks for the strongest model whatever the score. */
  always: string;
  model: string;
  /** `fast`, `balanced` or `quality` (requirements MO-06). */
  profile: string;
  reason: string;
  /** Estimate in micro-USD, from the prices of that day. */
  cost_micro_usd: number;
  prices_as_of: string;
  created_at: number;
  created_by: string;
}

/** An Agent call that a run has let through. */
export interface RunSpawnTable {
  id: Generated<number>;
  run_id: number;
  tool_use_id: string;
  plan_id: number | null;
  task_key: string | null;
  /** The role, where it needs no task. */
  exception: string | null;
  model: string | null;
  /** 1 when the prompt carries the brief already. */
  briefed: number;
  at: number;
}

/** What an agent has been told, so that it is not told twice (C-11). */
export interface ContextLoadTable {
  agent_id: string;
  section: string;
  digest: string;
  at: number;
}
