import * as z from "zod";

/** What two runs are compared by, in the order of the table. */
export const metricKeys = [
  "total_velocity",
  "velocity_per_sprint",
  "velocity_per_capita",
  "features",
  "blocked_minutes",
  "loans",
  "overhead_share",
  "overhead_budget_used",
] as const;
export type MetricKey = (typeof metricKeys)[number];

/** The six questions of seed 000 §10. */
export const questionIds = [
  "coordination",
  "borrowing_cost",
  "team_types",
  "dependencies",
  "coordinated_borrowing",
  "team_size",
] as const;

const estimate = z
  .object({
    n: z.number().describe("Runs or pairs of runs it rests on."),
    mean: z.number(),
    sd: z.number().optional(),
    low: z.number().optional().describe("Lower end of the 95 % interval; absent with fewer than two."),
    high: z.number().optional(),
    effect: z.number().optional().describe("Mean over standard deviation; Cohen's dz for paired differences."),
  })
  .readonly();

const direction = z.enum(["higher", "lower", "none", "unknown"]);

const comparedVariant = z.object({
  label: z.string(),
  paths: z.array(z.string()),
  runs: z.number(),
  seeds: z.array(z.number()),
  coordination: z.boolean().optional().describe("Absent when its reports do not say, or differ."),
  teams: z.number().describe("The most that a run has."),
  sprints: z.number().describe("The most that a run has."),
});
export type ComparedVariant = z.infer<typeof comparedVariant>;

const difference = z.object({
  variant: z.string(),
  baseline: z.string(),
  estimate: estimate.optional().describe("Of variant minus baseline over common seeds."),
  direction,
  verdict: z.string(),
});

const comparedMetric = z.object({
  metric: z.enum(metricKeys),
  title: z.string(),
  unit: z.string(),
  better: z.enum(["higher", "lower"]).optional().describe("Absent where neither is better by itself."),
  means: z.array(z.object({ variant: z.string(), estimate: estimate.optional() })),
  differences: z.array(difference),
});
export type ComparedMetric = z.infer<typeof comparedMetric>;

const answer = z.object({
  about: z.string(),
  unit: z.string(),
  estimate: estimate.optional(),
  direction,
  verdict: z.string(),
});
export type Answer = z.infer<typeof answer>;

const answeredQuestion = z.object({
  id: z.enum(questionIds),
  question: z.string(),
  measure: z.string(),
  answers: z.array(answer),
  unanswered: z.string().optional().describe("Why these reports answer it not, or in part only."),
});
export type AnsweredQuestion = z.infer<typeof answeredQuestion>;

const seriesKeys = ["velocity", "blocked_minutes", "loans"] as const;

const series = z.object({
  key: z.enum(seriesKeys),
  title: z.string(),
  unit: z.string(),
  variants: z.array(z.object({ variant: z.string(), points: z.array(z.object({ sprint: z.number(), estimate })) })),
});
export type Series = z.infer<typeof series>;

const sizePoint = z.object({
  variant: z.string(),
  team: z.string(),
  agents: z.number(),
  estimate: estimate.describe("Story points per agent and sprint."),
});
export type SizePoint = z.infer<typeof sizePoint>;

const overheadPoint = z.object({
  variant: z.string(),
  estimate: estimate.optional().describe("Percent of the sprints' time."),
});

export const comparison = z.object({
  ok: z.boolean().describe("No when something that was named could not be read."),
  baseline: z.string(),
  confidence: z.number(),
  variants: z.array(comparedVariant),
  metrics: z.array(comparedMetric),
  questions: z.array(answeredQuestion),
  series: z.array(series),
  overhead: z.array(overheadPoint),
  team_sizes: z.array(sizePoint),
  notes: z.array(z.string()).describe("What limits the comparison."),
  problems: z.array(z.string()).describe("What could not be read."),
  html: z.string().optional().describe("The page that was written."),
});
export type Comparison = z.infer<typeof comparison>;
