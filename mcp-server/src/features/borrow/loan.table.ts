import type { Generated } from "kysely";

/** The ledger of loans: what was asked for, what came of it, and until when. */
export interface LoanTable {
  id: Generated<number>;
  key: string;
  /** A name that a team of the configuration lists. */
  agent: string;
  home_team: string;
  /** The team it worked in when it was asked for: its home, but for a loan that goes on from a host. */
  from_team: string;
  to_team: string;
  reason: string;
  /** requested, refused, active or returned */
  status: string;
  requested_by: string;
  requested_by_name: string;
  requested_at: number;
  /** The message that asks the lender's lead. */
  question: string | null;
  decided_by: string | null;
  decided_at: number | null;
  /** A code of borrow.rules.ts, and the sentence that goes with it. */
  refusal: string | null;
  refusal_why: string | null;
  /** The first sprint in which the host has the agent. */
  sprint_from: number;
  /** Home again when this sprint starts. */
  due_sprint: number;
  returned_at: number | null;
  /** The last sprint in which the host had the agent; before sprint_from when it had it in none. */
  last_sprint: number | null;
  returned_why: string | null;
  /** When the agent was told that it is lent, and that it is home again. */
  told_at: number | null;
  told_home_at: number | null;
}
