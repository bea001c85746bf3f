export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export type BeadsState = "open" | "in_progress" | "in_review" | "closed" | "deferred";
export type BeadsOutcome = "done" | "failed" | "cancelled" | "duplicate" | "superseded";

export interface BeadsStatus {
  state: BeadsState;
  /** Present exactly when `state` is closed; bd has no outcomes, so a plain bd close reads as done. */
  outcome?: BeadsOutcome;
  /** The file's own word when it is none of open, in_progress, blocked, deferred, closed. Void once `state` moves on. */
  foreignStatus?: string;
  blockedFlag?: true;
}

/** Edge owned by the issue that lists it; the pair (owner, target) is its identity (beads-compat §1.4). */
export interface BeadsDependency {
  target: string;
  type: string;
  createdAt?: number;
  createdBy?: string;
  metadata?: JsonValue;
  threadId?: string;
}

export interface BeadsComment {
  /** Unique in the issue: string ids as found, integer ids as `<issue>/<n>`, since integers collide across files. */
  id: string;
  author?: string;
  text: string;
  createdAt: number;
}

/** What Teamwright keeps in a bd file, under `metadata.teamwright` (beads-compat §6.2). */
export interface TeamwrightMetadata {
  team?: string;
  points?: number;
  scope?: string[];
  blockedReason?: string;
}

/** A bd issue in the words of Teamwright; absent, null and empty text are all `undefined`. Times are epoch ms. */
export interface BeadsIssue {
  id: string;
  title: string;
  description?: string;
  design?: string;
  acceptance?: string;
  notes?: string;
  specId?: string;
  status: BeadsStatus;
  priority: number;
  kind: string;
  assignee?: string;
  owner?: string;
  estimateMinutes?: number;
  createdAt: number;
  createdBy?: string;
  updatedAt: number;
  startedAt?: number;
  closedAt?: number;
  closeReason?: string;
  closedBySession?: string;
  dueAt?: number;
  deferUntil?: number;
  externalRef?: string;
  /** Foreign metadata, any JSON, without the `teamwright` key. */
  metadata?: JsonValue;
  own: TeamwrightMetadata;
  labels: string[];
  dependencies: BeadsDependency[];
  comments: BeadsComment[];
  pinned: boolean;
  ephemeral: boolean;
  noHistory: boolean;
  template: boolean;
  /** Exact text of the imported row; absent for rows born here. Carries what the fields above do not. */
  raw?: string;
}

export type BeadsWarningCode =
  | "bad_estimate"
  | "bad_field"
  | "bad_metadata"
  | "bad_priority"
  | "bad_time"
  | "blocked_by_edge"
  | "closed_at_on_open"
  | "closed_without_closed_at"
  | "comment_duplicate"
  | "comment_invalid"
  | "conflict_side"
  | "custom_status"
  | "dependency_duplicate"
  | "dependency_foreign_owner"
  | "dependency_invalid"
  | "dependency_retyped"
  | "dependency_self"
  | "duplicate_id"
  | "duplicate_tie"
  | "id_not_text"
  | "id_too_long"
  | "priority_absent"
  | "time_absent"
  | "time_without_zone"
  | "title_missing"
  | "title_too_long";

export interface BeadsWarning {
  code: BeadsWarningCode;
  field?: string;
  message: string;
}

export type BeadsBadReason =
  | "torn"
  | "not_json"
  | "not_object"
  | "too_deep"
  | "missing_id"
  | "missing_key"
  | "id_not_plain"
  | "invalid_utf8"
  | "conflict_base";

export interface BeadsTombstone {
  id: string;
  title?: string;
  updatedAt: number;
  deletedAt?: number;
  deletedBy?: string;
  deleteReason?: string;
  originalType?: string;
}

interface RowBase {
  /** First line is 1. */
  line: number;
  raw: string;
  warnings: BeadsWarning[];
}

/** One verdict-ready row per non-blank line; nothing in a file goes unaccounted for. */
export type ParsedRow =
  | (RowBase & { kind: "issue"; issue: BeadsIssue; shape: "export" | "backup" })
  | (RowBase & { kind: "tombstone"; tombstone: BeadsTombstone })
  | (RowBase & { kind: "memory"; key: string; value: string })
  | (RowBase & { kind: "header"; schema: string })
  | (RowBase & { kind: "unknown"; type: string })
  | (RowBase & { kind: "duplicate"; id: string; winnerLine: number })
  | (RowBase & { kind: "marker" })
  | (RowBase & { kind: "bad"; reason: BeadsBadReason; message: string });

export interface BeadsReadOptions {
  /** `bd` reads an absent priority as 0, as bd itself does; otherwise it is 2 with a warning (beads-compat §6.1). */
  strict?: "bd";
}
