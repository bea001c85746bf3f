import type { Generated } from "kysely";

export interface AgentTable {
  id: Generated<number>;
  /** The client's agent id; the identity. */
  agent_id: string;
  session: string;
  name: string | null;
  role: string | null;
  generation: Generated<number>;
  team: string | null;
  task_key: string | null;
  worktree: string | null;
  started_at: number;
  last_seen_at: number;
  ended_at: number | null;
  end_reason: string | null;
}

/** An Agent call seen by the guard, waiting to be joined with the agent it started. */
export interface SpawnTable {
  id: Generated<number>;
  session: string;
  tool_use_id: string;
  parent_agent_id: string | null;
  name: string | null;
  subagent_type: string | null;
  task_key: string | null;
  worktree: number;
  agent_id: string | null;
  created_at: number;
}
