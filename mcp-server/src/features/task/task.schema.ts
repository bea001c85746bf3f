import * as z from "zod";

export const taskStatuses = ["open", "in_progress", "in_review", "closed", "deferred"] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export const outcomes = ["done", "failed", "cancelled", "duplicate", "superseded"] as const;
export type Outcome = (typeof outcomes)[number];

/** A whole task as the rules see it: a row with its flags read. Times are UTC ms. */
export interface Task {
  readonly id: number;
  readonly key: string;
  readonly team: string;
  readonly title: string;
  readonly description: string | null;
  readonly design: string | null;
  readonly acceptance: string | null;
  readonly notes: string | null;
  readonly kind: string;
  readonly status: TaskStatus;
  readonly outcome: Outcome | null;
  readonly foreignStatus: string | null;
  readonly priority: number;
  readonly points: number | null;
  readonly estimateMinutes: number | null;
  readonly assignee: string | null;
  readonly scope: readonly string[];
  readonly externalRef: string | null;
  readonly dueAt: number | null;
  readonly deferUntil: number | null;
  readonly blockedReason: string | null;
  readonly blockedSince: number | null;
  readonly blockedBy: string | null;
  readonly blockedMs: number;
  readonly holder: string | null;
  readonly holderName: string | null;
  readonly leaseExpiresAt: number | null;
  readonly fence: number;
  readonly openBlockers: number;
  readonly blockedAncestors: number;
  readonly openChildren: number;
  readonly closedChildren: number;
  readonly readyPrio: number | null;
  readonly epicPrio: number | null;
  readonly pinned: boolean;
  readonly ephemeral: boolean;
  readonly template: boolean;
  readonly version: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  readonly closeReason: string | null;
  readonly foreignRaw: string | null;
  readonly foreignDigest: string | null;
}

const text = (max: number) => z.string().max(max);

export const MAX_TITLE_BYTES = 500;
export const taskRef = text(255).min(1).describe("Task id.");
export const dependencyRef = text(64).min(1).describe("Dependency id.");
export const title = text(MAX_TITLE_BYTES)
  .refine((value) => value.trim().length > 0, "must not be empty")
  .refine((value) => Buffer.byteLength(value) <= MAX_TITLE_BYTES, `must be at most ${MAX_TITLE_BYTES} bytes`)
  .describe("Imperative.");
export const longText = text(200_000);
export const reason = text(2000).refine((value) => value.trim().length > 0, "must not be empty");
export const comment = longText.refine((value) => value.trim().length > 0, "must not be empty");
export const label = text(255).refine((value) => value.trim().length > 0, "must not be empty");
export const labels = z.array(label).max(100);
export const priority = z.number().int().min(0).max(4).describe("0 critical … 4 backlog.");
export const points = z.number().int().min(0).max(1000).describe("Story points.");
export const kind = text(32)
  .regex(/^[a-z][a-z0-9_-]*$/, "lower-case letters, digits, - and _")
  .describe("task, bug, feature, epic, chore, spike, story or your own word.");
export const scope = z.array(text(500).min(1)).max(200).describe("Path globs the work may change.");
export const assignee = text(255).describe("Name of the agent it is meant for.");
export const teamId = text(64).min(1).describe("Yours by default.");
export const instant = z
  .string()
  .max(64)
  .refine((value) => !Number.isNaN(Date.parse(value)), "must be a time like 2026-11-21T09:00:00Z")
  .describe("ISO 8601 time.");
export const linkType = text(32).regex(/^[a-z][a-z0-9_-]*$/, "lower-case letters, digits, - and _");
export const fenceNumber = z.number().int().positive().describe("Fencing number of your claim.");

/** How a task is shown in lists. */
export const taskBrief = z.object({
  id: z.string(),
  title: z.string(),
  state: z.string(),
  priority: z.number(),
  team: z.string(),
  kind: z.string().optional(),
  points: z.number().optional(),
  holder: z.string().optional(),
  assignee: z.string().optional(),
  blocked: z.string().optional(),
  waits_for: z.number().optional(),
});
export type TaskBrief = z.infer<typeof taskBrief>;

const iso = z.string().optional();

/** How one task is shown in full. */
export const taskFull = taskBrief.extend({
  description: z.string().optional(),
  design: z.string().optional(),
  acceptance: z.string().optional(),
  notes: z.string().optional(),
  outcome: z.string().optional(),
  foreign_status: z.string().optional(),
  scope: z.array(z.string()).optional(),
  labels: z.array(z.string()).optional(),
  external_ref: z.string().optional(),
  estimate_minutes: z.number().optional(),
  due_at: iso,
  defer_until: iso,
  blocked_since: iso,
  blocked_by: z.string().optional(),
  blocked_seconds: z.number().optional(),
  lease_expires_at: iso,
  created_at: z.string(),
  created_by: z.string(),
  updated_at: z.string(),
  started_at: iso,
  closed_at: iso,
  close_reason: z.string().optional(),
  open_children: z.number().optional(),
  closed_children: z.number().optional(),
});
export type TaskFull = z.infer<typeof taskFull>;
