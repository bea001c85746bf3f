import * as z from "zod";

/** A need of one team of another, as answers show it. */
export const shownNeed = z.object({
  id: z.string(),
  task: z.string(),
  team: z.string(),
  needs_team: z.string(),
  type: z.string(),
  status: z.string(),
  needed_task: z.string().optional(),
  note: z.string().optional(),
  declared_by: z.string(),
  resolved_at: z.string().optional(),
  resolution: z.string().optional(),
});
export type ShownNeed = z.infer<typeof shownNeed>;

/** Teams that wait for each other. */
export const shownCircle = z.object({ teams: z.array(z.string()), deadlock: z.boolean() });
export type ShownCircle = z.infer<typeof shownCircle>;
