import type { Generated } from "kysely";

/** One fact that somebody learned (requirements LP-04, C-28). Lists are JSON text, times UTC ms. */
export interface KnowledgeTable {
  id: Generated<number>;
  key: string;
  /** `agent`, `team` or `org`. */
  scope: string;
  /** The agent's name or the team's id; "" for the whole organisation. */
  owner: string;
  kind: string;
  fact: string;
  detail: string | null;
  recommendation: string | null;
  tags: string;
  /** Path globs the fact is about. */
  files: string;
  /** `low`, `medium` or `high`. */
  confidence: string;
  /** Times it was found or told. */
  used: Generated<number>;
  helpful: Generated<number>;
  outdated: Generated<number>;
  created_at: number;
  created_by: string;
  updated_at: number;
  used_at: number | null;
  /** Taken out by a person; kept for the record. */
  retired_at: number | null;
  retired_reason: string | null;
}

/** Where a fact comes from; three of them make it certain. */
export interface KnowledgeSourceTable {
  knowledge_id: number;
  /** `task`, `run`, `report` or `person`. */
  kind: string;
  ref: string;
  actor: string;
  at: number;
}
