import type { Generated } from "kysely";

/** A work unit: one task on its way through implement, validate, review, commit (requirements FP-01). */
export interface UnitTable {
  id: Generated<number>;
  key: string;
  run_id: number;
  task_id: number;
  title: string;
  /** planned, implement, validate, review, commit, done, escalated or abandoned. */
  phase: string;
  /** Units of one number may run at the same time; the next number waits for all of them (FP-07). */
  stage: number;
  /** Globs, as JSON. */
  scope: string;
  /** Definition of done: the lines of the task's acceptance criteria, as JSON. */
  items: string;
  /** What the task asked for when the unit began: whoever is judged by it does not rewrite it meanwhile (AR-01). */
  spec: string | null;
  /** When that was. */
  spec_at: number | null;
  /** Working tree it is done in; null for the project's own. */
  worktree: string | null;
  /** Commit its changes are measured from; set at its start. */
  base: string | null;
  /** The working tree as it was then: what was different already is nobody's fault. */
  start_tree: string | null;
  /** The project's tree at its start, kept while `start_tree` is that of another working tree. */
  home_tree: string | null;
  /** What lies in the tree it was done in before, as JSON: folder and files; null while it has not moved. */
  left_behind: string | null;
  /** Number of the attempt under way; 1 is the first. */
  attempt: Generated<number>;
  /** What validation froze: hash and tree; null before, and again once anything is to be changed. */
  diff_hash: string | null;
  tree: string | null;
  /** Paths of the frozen diff, as JSON. */
  files: string | null;
  commit_sha: string | null;
  /** Somebody runs its gates or its commit until then. */
  busy_until: number | null;
  /** Whose reservation that is; no two are the same. */
  busy_owner: string | null;
  version: Generated<number>;
  created_at: number;
  updated_at: number;
}

/** One round of a unit. A retry is an attempt after the first (C-05). */
export interface UnitAttemptTable {
  id: Generated<number>;
  unit_id: number;
  n: number;
  started_at: number;
  submitted_at: number | null;
  submitted_by: string | null;
  validated_at: number | null;
  /** passed, failed; null before. */
  validation: string | null;
  /** PASS, FAIL; null before. */
  review: string | null;
  /** Why it ended, in one line; null while it lasts and when it led to the commit. */
  failure: string | null;
  diff_hash: string | null;
}

/** A gate that was run, with what it said. */
export interface GateRunTable {
  id: Generated<number>;
  unit_id: number;
  attempt: number;
  gate: string;
  command: string;
  started_at: number;
  duration_ms: number;
  exit_code: number | null;
  signal: string | null;
  /** passed, failed, missing, timeout or killed; all but the first are failed gates. */
  result: string;
  /** SHA-256 of the whole output. */
  output_digest: string;
  output_tail: string;
  output_bytes: number;
  /** Set for gates run on the merged tree. */
  merged: number;
}

/** What a unit's tree held when a person decided to take it as it is, whatever gates and reviewers say (RE-02). */
export interface UnitOverrideTable {
  id: Generated<number>;
  unit_id: number;
  /** Key of the escalation that was decided. */
  escalation: string;
  diff_hash: string;
  tree: string;
  /** Paths, as JSON. */
  files: string;
  /** Name of the person. */
  decided_by: string;
  at: number;
}

/** Who worked on a unit, by instance: an instance that implemented or reviewed it never reviews it (AR-06). */
export interface UnitInstanceTable {
  unit_id: number;
  agent_id: string;
  role: string;
  at: number;
}

/** Where branches and HEADs stood when a run's history was looked at last, by whichever process (FP-05). */
export interface HistoryLookTable {
  run_id: number;
  /** Another after each change: of two who see the same move, one writes it. */
  stamp: string;
  /** Names with their commits, as JSON; a branch that is gone stays. */
  heads: string;
  /** Commits where branches began meanwhile and which nobody has vouched for, as JSON. */
  strange: string;
  at: number;
}
