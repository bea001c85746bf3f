import type { Generated } from "kysely";

/** A point that work does not pass before a person has approved it (requirement FP-08). */
export interface CheckpointTable {
  id: Generated<number>;
  key: string;
  run_id: number | null;
  /** Id of the unit, task, stage or run it is about. */
  about: string;
  kind: string;
  title: string;
  /** What the person decides on, as JSON: done, decisions, plan, questions. Never changed. */
  report: string;
  session: string | null;
  requested_by: string;
  requested_by_name: string;
  created_at: number;
  /** `pending`, `approved` or `rejected`. */
  status: string;
  decided_by: string | null;
  decided_by_name: string | null;
  decided_at: number | null;
  note: string | null;
  /** When the lead was told what was decided; null before. */
  told_at: number | null;
}
