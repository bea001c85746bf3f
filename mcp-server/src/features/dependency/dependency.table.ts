import type { Generated } from "kysely";

export interface DependencyTable {
  id: Generated<number>;
  key: string;
  task_id: number;
  /** The team that waits. */
  team: string;
  /** The team that is waited for. */
  needs_team: string;
  type: string;
  status: string;
  needed_task_id: number | null;
  note: string | null;
  /** 1 while it holds its task back. */
  blocking: Generated<number>;
  declared_at: number;
  declared_by: string;
  resolved_at: number | null;
  resolved_by: string | null;
  resolution: string | null;
}
