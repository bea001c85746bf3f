import type { Generated } from "kysely";

/** A task of the client's own list and the durable task it stands for (requirements BD-01, BD-02, BD-07). */
export interface ClientTaskTable {
  id: Generated<number>;
  /** The list is the session's; with `client_id` the identity of the row. */
  session: string;
  /** Number in the client's list, as text. */
  client_id: string;
  subject: string;
  /** Kept until the durable task is there. */
  description: string | null;
  /** Durable task its creator named, whether or not it was found. */
  wanted: string | null;
  /** Null between the client's creation and ours. */
  task_key: string | null;
  /** linked to a task that was there, or created for it; null before. */
  origin: string | null;
  /** creating, pending, in_progress, completing, completed or deleted: the client's, as last seen. */
  state: string;
  /** Key and name of whoever made it. */
  created_by: string;
  creator_name: string;
  creator_team: string | null;
  completed_by: string | null;
  /** The lead has heard that the durable task is closed. */
  told_at: number | null;
  created_at: number;
  updated_at: number;
}
