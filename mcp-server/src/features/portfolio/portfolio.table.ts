import type { Generated } from "kysely";

export interface StoryTable {
  id: Generated<number>;
  key: string;
  /** The team whose own backlog it is of; empty for the portfolio. */
  owner: string;
  title: string;
  description: string | null;
  priority: number;
  points: number | null;
  /** JSON array of criteria; scenarios are among the metadata. */
  acceptance: string;
  /** JSON array. */
  tags: string;
  domain: string | null;
  hint: string | null;
  depends_on_team: string | null;
  dependency_type: string | null;
  /** No team gets it before that sprint. */
  sprint: number | null;
  /** JSON object: scenarios, a resolved dependency, and what the file said beside our fields. */
  metadata: string;
  status: string;
  team: string | null;
  task_id: number | null;
  assigned_sprint: number | null;
  assigned_why: string | null;
  assigned_at: number | null;
  created_at: number;
  updated_at: number;
}

/** What a backlog says of its product; one row per owner. */
export interface BacklogTable {
  owner: string;
  file: string;
  /** JSON object. */
  product: string | null;
  loaded_at: number;
}
