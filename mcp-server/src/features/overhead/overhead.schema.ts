import * as z from "zod";

/** Steps whose time is boxed, in the order a sprint knows them; iteration zero comes before the first (OH-02, OH-04). */
export const overheadSteps = ["iteration_zero", "coordination", "distribution", "checkin"] as const;
export type OverheadStep = (typeof overheadSteps)[number];

const seconds = z.number();

/** `overhead_budget` of a report: the document's fields, and what goes beyond them (requirement OH-07). */
export const overheadReport = z.object({
  total_budget_seconds: seconds,
  spent_seconds: seconds,
  remaining_seconds: seconds,
  overrun_seconds: seconds,
  num_steps: z.number(),
  timeouts: z.number(),
  steps: z.array(
    z.object({
      step: z.enum(overheadSteps),
      sprint: z.number(),
      elapsed: seconds,
      timed_out: z.boolean(),
      timeout: seconds,
      team: z.string().optional(),
      running: z.boolean().optional(),
      fallback: z.string().optional(),
    }),
  ),
});
export type OverheadReport = z.infer<typeof overheadReport>;
