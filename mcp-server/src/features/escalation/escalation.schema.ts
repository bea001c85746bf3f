import * as z from "zod";

/** What is retried a limited number of times (requirements RE-01, RE-02, C-05). */
export const countedOperations = ["build_test", "review_fix", "research", "deploy", "gate"] as const;
export type CountedOperation = (typeof countedOperations)[number];
export const escalatedOperations = [...countedOperations, "blocked", "conflict", "other"] as const;
export type EscalatedOperation = (typeof escalatedOperations)[number];

/** The chain, from below (requirements RE-03, C-21). */
export const levels = ["agent", "coordinator", "orchestrator", "human"] as const;
export type Level = (typeof levels)[number];

/** What may be decided once retries are used up (requirement RE-02). */
export const decisions = ["override", "defer", "revise", "cancel", "retry"] as const;
export type Decision = (typeof decisions)[number];

/** One thing that happened on the way: a failed attempt, a pass, a raise, a decision. `at` is UTC ms. */
export interface HistoryEntry {
  readonly at: number;
  /** Name of who did it. */
  readonly by: string;
  /** The operation or gate, as in `gate` or `gate: tests`. */
  readonly what: string;
  readonly result: string;
  /** Reason and excerpt. */
  readonly text?: string;
}

/** Numbers of a counted operation; `limit` retries are `limit + 1` attempts. */
export interface RetryState {
  readonly failures: number;
  readonly retriesLeft: number;
  readonly retries: number;
  readonly maxAttempts: number;
  readonly exhausted: boolean;
}

/** Id of a unit or task as people and models write it. */
export const aboutRef = z.string().trim().min(1).max(255).describe("Unit or task id.");

const shownEntry = z.object({
  at: z.string(),
  by: z.string(),
  what: z.string(),
  result: z.string(),
  text: z.string().optional(),
});

export const shownEscalation = z.object({
  id: z.string(),
  level: z.string(),
  status: z.string(),
  operation: z.string(),
  about: z.string(),
  task: z.string().optional(),
  unit: z.string().optional(),
  text: z.string(),
  by: z.string(),
  since: z.string(),
  attempts: z.number().optional().describe("Attempts that failed, where the operation is counted."),
  max_attempts: z.number().optional(),
  retries: z.number().optional(),
  decision: z.string().optional(),
  resolution: z.string().optional(),
  resolved_by: z.string().optional(),
  history: z.array(shownEntry).optional(),
});
export type ShownEscalation = z.infer<typeof shownEscalation>;
