import * as z from "zod";
import { sprintPhases } from "../../config/coordination.schema.ts";

/** What a team has done in a sprint. */
export const teamResult = z.object({
  team: z.string(),
  velocity: z.number().describe("Points of the cards closed as done."),
  done: z.number().describe("Cards closed as done, those without points too."),
  blocked: z.number(),
  blocked_seconds: z.number(),
  wip: z.number(),
  agents: z.number(),
  borrowed_in: z.number(),
  borrowed_out: z.number(),
});
export type TeamResult = z.infer<typeof teamResult>;

/** A sprint as answers show it. */
export const shownSprint = z.object({
  n: z.number(),
  phase: z.enum([...sprintPhases, "ended"]),
  started_at: z.string(),
  ends_at: z.string(),
  ended_at: z.string().optional(),
  minutes: z.number(),
  /** Of a running one. */
  minutes_left: z.number().optional(),
});
export type ShownSprint = z.infer<typeof shownSprint>;
