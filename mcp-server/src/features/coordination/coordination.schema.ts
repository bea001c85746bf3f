import * as z from "zod";
import { roundKinds } from "./coordination.rules.ts";

export const roundRef = z.string().min(1).max(64);
export const roundKind = z.enum(roundKinds);
const roundStatuses = ["open", "evaluated", "done", "fell_back"] as const;
export type RoundStatus = (typeof roundStatuses)[number];

const shownLoan = z.object({
  agent: z.string(),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
  loan: z.string().optional(),
  code: z.string().optional(),
  why: z.string().optional(),
});

const shownNeed = z.object({
  id: z.string(),
  task: z.string(),
  team: z.string(),
  needs_team: z.string(),
  type: z.string(),
  status: z.string(),
  needed_task: z.string().optional(),
  open_ms: z.number(),
  change: z.enum(["new", "resolved", "open"]),
});

/** requirement CO-10 */
export const shownOutcome = z.object({
  lent: z.array(shownLoan),
  waiting: z.array(shownLoan),
  refused: z.array(shownLoan),
  unread: z.array(z.object({ line: z.number(), text: z.string(), why: z.string() })),
  recommendations: z.array(z.string()),
  dependency_updates: z.array(shownNeed),
  returned: z.array(z.object({ agent: z.string(), from: z.string(), to: z.string() })),
  /** Of iteration 0: what the coordinator said, and what came of the portfolio. */
  orientation: z.string().optional(),
  given: z.object({ assigned: z.number(), pending: z.number() }).optional(),
  fallback: z.string().optional(),
});

export const shownTeam = z.object({
  team: z.string(),
  velocity: z.number(),
  velocity_trend: z.array(z.number()),
  wip: z.number(),
  oldest_wip_ms: z.number(),
  blocked: z.number(),
  blocked_ms: z.number(),
  agents: z.number(),
  borrowed_in: z.array(z.string()),
  borrowed_out: z.array(z.string()),
  debt: z.number(),
  lendable: z.array(z.string()),
  /** Teams that agents have worked in on earlier loans. */
  worked_in: z.record(z.string(), z.array(z.string())).optional(),
});

/** The Agent call that gets the next word of a round. */
export const shownSpawn = z.object({ subagent_type: z.string(), description: z.string(), prompt: z.string() });

export const shownRound = z.object({
  round: z.string(),
  kind: roundKind,
  sprint: z.number(),
  status: z.enum(roundStatuses),
  /** Until when coordinators are waited for. */
  deadline: z.string().optional(),
  message: z.string().optional(),
});
export type ShownRound = z.infer<typeof shownRound>;
