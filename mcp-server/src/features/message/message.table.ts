import type { Generated } from "kysely";

/** The one message log (requirement C-14). Rows are written in the order of their ids, under a lock. */
export interface MessageTable {
  id: Generated<number>;
  key: string;
  kind: string;
  /** `team:<id>`, `portfolio` or `coordination`; null for a message to one reader. */
  channel: string | null;
  /** The name it was sent to: an agent's, or `lead`. */
  recipient_name: string | null;
  /** Principal key of who had that name when it was sent; null when nobody had. */
  recipient_key: string | null;
  sender_key: string;
  sender_name: string;
  sender_generation: number | null;
  session: string | null;
  run_id: number | null;
  task_key: string | null;
  /** Team of the sender. */
  team: string | null;
  text: string;
  urgent: number;
  /** The message this one replies to. */
  reply_to: number | null;
  /** The reply that settled it: questions and blockers are open until then. */
  answered_by: number | null;
  /** `tool`, or `client` for what was mirrored from the client's own message tool. */
  source: string;
  created_at: number;
  /** When its one reader got it; channels have cursors instead. */
  read_at: number | null;
  read_by: string | null;
}

/** How far a reader has read the channels. Both numbers only ever grow. */
export interface MessageCursorTable {
  /** Principal key. */
  reader: string;
  last_read_id: number;
  /** Urgent messages up to here were told ahead of the others. */
  urgent_read_id: number;
  updated_at: number;
}
