import type { Generated } from "kysely";

/** One round of coordination: what was seen, what coordinators said of it, and what came of that. */
export interface CoordinationRoundTable {
  id: Generated<number>;
  key: string;
  /** full, before a sprint; checkin, in the middle of one */
  kind: string;
  sprint: number;
  /** open (the evaluation is awaited), evaluated (the plan is), done, fell_back */
  status: string;
  /** Of the lead who began it. */
  session: string | null;
  opened_by: string;
  opened_at: number;
  /** Its time box; both NULL where time is not boxed. */
  step_id: number | null;
  deadline: number | null;
  /** `Facts` and who went home, as JSON. */
  facts: string;
  evaluation: string | null;
  evaluation_by: string | null;
  evaluated_at: number | null;
  /** The Agent call whose prompt was the question; the agent it started answers. */
  evaluation_call: string | null;
  plan: string | null;
  plan_by: string | null;
  planned_at: number | null;
  plan_call: string | null;
  /** Times an answer was sent back. */
  asked_again: Generated<number>;
  /** `Outcome` as JSON. */
  outcome: string | null;
  /** Key of the broadcast. */
  message: string | null;
  ended_at: number | null;
  /** When its lead was told of the outcome. */
  told_at: number | null;
}
