export interface MetaTable {
  key: string;
  value: string;
}

/** Append-only: audit trail, change feed and hash chain in one. `seq` is gapless and in commit order. */
export interface EventTable {
  seq: number;
  hlc: string;
  at: number;
  replica: string;
  actor: string;
  actor_name: string;
  actor_kind: string;
  session: string | null;
  operation: string;
  type: string;
  subject: string | null;
  team: string | null;
  before: string | null;
  after: string | null;
  prev_hash: string;
  hash: string;
}

/** A commit may land unacknowledged; the key lets a retry return the first answer instead of acting twice. */
export interface IdempotencyTable {
  key: string;
  actor: string;
  operation: string;
  input_hash: string;
  result: string;
  at: number;
}
