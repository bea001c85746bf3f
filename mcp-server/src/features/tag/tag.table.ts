import type { Generated } from "kysely";

/** What an agent handed in when it stopped. */
export interface ReportTable {
  id: Generated<number>;
  key: string;
  agent_id: string;
  agent_name: string;
  run_id: number | null;
  task_key: string | null;
  /** COMPLETE, IN-PROGRESS, BLOCKED or FAILED; null when it says none. */
  status: string | null;
  text: string;
  /** Findings that were still there when it was accepted, as JSON. */
  findings: string;
  /** It was sent back twice and is accepted as it is. */
  malformed: number;
  at: number;
}

/** A signal in a report, open until somebody has dealt with it (requirements RP-03, RP-04). */
export interface TagTable {
  id: Generated<number>;
  key: string;
  report_id: number;
  run_id: number | null;
  task_key: string | null;
  agent_name: string;
  kind: string;
  target: string | null;
  text: string;
  /** open, routed or resolved. */
  status: string;
  /** Task or message it led to. */
  routed_to: string | null;
  resolution: string | null;
  resolved_by: string | null;
  at: number;
  settled_at: number | null;
}

/** How often an agent's report was sent back; kept so that a restart does not begin anew. */
export interface ReportAskTable {
  agent_id: string;
  asked: number;
  at: number;
}
