import type { Generated } from "kysely";

export interface TaskTable {
  id: Generated<number>;
  key: string;
  team: string;
  title: string;
  description: string | null;
  design: string | null;
  acceptance: string | null;
  notes: string | null;
  kind: string;
  status: string;
  outcome: string | null;
  /** A status of another tool that ours has no word for; the task is shown but never ready. */
  foreign_status: string | null;
  priority: number;
  points: number | null;
  estimate_minutes: number | null;
  assignee: string | null;
  /** JSON array of path globs the task may change. */
  scope: string | null;
  external_ref: string | null;
  due_at: number | null;
  defer_until: number | null;
  blocked_reason: string | null;
  blocked_since: number | null;
  blocked_by: string | null;
  blocked_ms: Generated<number>;
  /** The blocked_since that was escalated. */
  watched_since: number | null;
  holder: string | null;
  holder_name: string | null;
  lease_expires_at: number | null;
  /** Fencing token: grows with every claim, so a late writer can be told apart. */
  fence: Generated<number>;
  open_blockers: Generated<number>;
  blocked_ancestors: Generated<number>;
  open_children: Generated<number>;
  closed_children: Generated<number>;
  /** Priority when ready, else NULL: the key of the partial index that makes readiness O(result). */
  ready_prio: number | null;
  /** Priority of an open epic without open children: it needs decomposition, or closing. */
  epic_prio: number | null;
  pinned: Generated<number>;
  ephemeral: Generated<number>;
  template: Generated<number>;
  version: Generated<number>;
  created_at: number;
  created_by: string;
  updated_at: number;
  started_at: number | null;
  closed_at: number | null;
  close_reason: string | null;
  /** The row as another tool wrote it, byte for byte, and the digest of our state at that time. */
  foreign_raw: string | null;
  foreign_digest: string | null;
}

export interface LabelTable {
  task_id: number;
  label: string;
}

export interface CommentTable {
  id: Generated<number>;
  key: string;
  task_id: number;
  author: string;
  body: string;
  created_at: number;
}

export interface LinkTable {
  id: Generated<number>;
  task_id: number;
  /** NULL while no task of that key exists: kept, shown, not blocking. */
  target_id: number | null;
  target_key: string;
  type: string;
  /** 1 while this edge holds its task back; the task's open_blockers is the sum. */
  blocking: Generated<number>;
  /** 1 when an imported edge would close a cycle: kept and flagged, never waited for. */
  cyclic: Generated<number>;
  metadata: string | null;
  created_at: number;
  created_by: string;
}

/** Blocked time of tasks that have come to another team, by team: what stays, less what came along (DE-05). */
export interface BlockedMovedTable {
  team: string;
  ms: number;
}

/** A task was done, and how long that took; kept when it is opened again (requirement ME-04). */
export interface TaskClosureTable {
  id: Generated<number>;
  task_id: number;
  team: string;
  at: number;
  /** Since it was created. */
  lead_ms: number;
  /** Since it was first claimed; null when nobody ever did. */
  cycle_ms: number | null;
}

/** Rows of an import that are no tasks of ours: memories, tombstones, unknown kinds. */
export interface ForeignRowTable {
  id: Generated<number>;
  kind: string;
  key: string;
  raw: string;
  at: number;
}
