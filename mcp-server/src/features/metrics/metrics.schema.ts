import * as z from "zod";
import type { TimeWindow } from "./window.rules.ts";

const isoTime = z
  .string()
  .max(40)
  .refine((text) => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text)), {
    error: "must be a date like 2026-11-21, or a time like 2026-11-21T09:00:00Z",
  });

export const from = isoTime.optional().describe("Date or time it begins with; the beginning of the store.");
export const to = isoTime.optional().describe("Date or time it ends with, that included; now.");

export const explain = z.boolean().optional().describe("Also what each number means.");
export const formulas = z.array(z.object({ name: z.string(), unit: z.string(), formula: z.string() })).optional();

export const windowShape = { from: z.string().optional(), to: z.string() };

/** As answers show it; a window that begins with the store has no `from`. */
export function shownWindow(window: TimeWindow): { from?: string; to: string } {
  return {
    ...(window.from > 0 ? { from: new Date(window.from).toISOString() } : {}),
    to: new Date(window.to).toISOString(),
  };
}

export const shownMeasure = z.object({
  name: z.string(),
  value: z.number().nullable(),
  unit: z.string(),
  range: z.string(),
  basis: z.record(z.string(), z.number()).describe("The counts of the formula."),
  missing: z.string().optional(),
  formula: z.string().optional(),
  source: z.string().optional(),
});
export type ShownMeasure = z.infer<typeof shownMeasure>;

const seconds = z.number().nullable().describe("Null where nothing was done.");
export const quantiles = z.object({ median: seconds, p85: seconds });

/** The flow of a team in a time; durations are seconds. */
const flowOfTime = z.object({
  throughput: z.number().describe("Tasks done."),
  lead: quantiles,
  cycle: quantiles,
  conflicts: z.number(),
  conflict_rate: z.number().nullable().describe("Conflicts per task done."),
});
export type FlowOfTime = z.infer<typeof flowOfTime>;

const flowNow = z.object({
  queue: z.number().describe("Tasks that are ready."),
  wip: z.number(),
  age: quantiles.extend({ oldest: seconds }),
  agents: z.number(),
  busy: z.number(),
  utilisation: z.number().nullable().describe("Share of agents with a task in progress."),
});
export type FlowNow = z.infer<typeof flowNow>;

export const teamFlow = z.object({
  team: z.string(),
  now: flowNow,
  total: flowOfTime,
  periods: z.array(flowOfTime.extend({ start: z.string() })),
});
export type TeamFlow = z.infer<typeof teamFlow>;
