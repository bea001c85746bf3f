import * as z from "zod";

/**
 * The portfolio report of one run, `final_report.json` at the root of its output tree (OU-02). The fields of seed 000 §9
 * keep their names and meaning; the others are ours. `finalReport` is what a run writes, `readableReport` what a
 * comparison accepts: reports with the seed's fields alone are compared by what they have.
 */

const count = z.number().int().min(0);
const amount = z.number().min(0);
const id = z.string().min(1).max(200);
const events = z.array(z.unknown());

const sprintEntry = z.object({
  sprint: z.number().int().min(1),
  velocity: amount.describe("Story points of the cards this team closed as done in the sprint."),
  features_completed: count.describe("Cards closed as done in the sprint."),
  wip: count.describe("Cards in progress and in review when the sprint ended."),
  blocked_count: count.describe("Cards that were blocked when the sprint ended."),
  blocked_minutes: amount.describe("Minutes cards were blocked within the sprint, summed over cards."),
  borrowed_in: z.array(id).describe("Agents of other teams who worked here in the sprint."),
  borrowed_out: z.array(id).describe("Agents of this team who worked elsewhere in the sprint."),
  agents: count.describe("Agents who worked in this team in the sprint, borrowed ones included, lent ones not."),
  test_coverage: amount.nullable().describe("Share of lines, 0 to 1; null where nothing was measured."),
  pairing_sessions: count.optional().describe("Absent for real sessions."),
  cycle_time_avg: amount.nullable().describe("Working days from claim to close, mean; null when no card was closed."),
  disturbances: events,
  departure_events: events,
  backfill_events: events,
  cross_team_dependencies: count.describe("Cards with `depends_on_team` on this team's board in the sprint."),
});

const teamTotals = z.object({
  total_sprints: count,
  avg_velocity: amount.describe("Story points per sprint, to one decimal."),
  total_features: count,
});

const teamDetails = z.object({
  team_type: z.string().max(100).describe("stream_aligned, platform, enabling or complicated_subsystem."),
  agents: count.describe("Agents the configuration gives the team."),
});

const portfolio = z.object({
  total_sprints: count,
  total_velocity: amount.describe("Story points of all teams and sprints."),
  total_features: count,
  num_teams: count,
});

const overheadStep = z.object({
  step: z.string().max(100).describe("iteration_zero, coordination, distribution or checkin."),
  sprint: z.number().int().min(0),
  elapsed: amount.describe("Seconds."),
  timed_out: z.boolean(),
});

const overheadBudget = z.object({
  total_budget_seconds: amount,
  spent_seconds: amount,
  remaining_seconds: z.number().describe("Below zero when the budget was overrun."),
  num_steps: count,
  timeouts: count,
  steps: z.array(overheadStep),
});

const borrow = z.object({
  agent: id,
  from: id.describe("The team that lends."),
  to: id,
  sprint: z.number().int().min(0).describe("The first sprint of the loan."),
  due: z.number().int().min(0).describe("The sprint after which the agent is due at home."),
  returned: z.number().int().min(0).nullable().describe("The sprint in or after which the agent went home."),
});

const coordination = z.object({
  enabled: z.boolean(),
  rounds: count.describe("Full loops that were held."),
});

const run = z.object({
  seed: z.number().int().describe("Of the simulation; runs of two variants with the same one are a pair."),
  variant: z.string().max(200).describe("Name of the policy that was tried."),
  setup: z
    .string()
    .max(64)
    .optional()
    .describe("Digest of teams, practices and stories; runs with the same one differ in coordination and luck alone."),
  sprint_minutes: z.number().positive().describe("Time box of a sprint; the overhead's share is measured by it."),
});

const head = { experiment: z.string().max(200), mode: z.literal("multi_team") };

/** Every field, as `experiment run` writes it. */
export const finalReport = z.object({
  ...head,
  ...run.shape,
  teams: z.record(id, teamTotals.extend({ ...teamDetails.shape, sprints: z.array(sprintEntry) })),
  portfolio,
  overhead_budget: overheadBudget,
  borrows: z.array(borrow),
  coordination,
});
export type FinalReport = z.infer<typeof finalReport>;

/** A number of agents does as well as their names. */
const lent = z.union([count, z.array(z.unknown()).transform((agents) => agents.length)]);

const readableSprint = sprintEntry
  .partial()
  .required({ sprint: true, velocity: true })
  .extend({ borrowed_in: lent.optional(), borrowed_out: lent.optional() });

/** What can be compared: totals of teams and portfolio; anything else may be missing, unknown fields are left out. */
export const readableReport = z.object({
  experiment: head.experiment.optional(),
  mode: z.string().max(100).optional(),
  ...run.partial().shape,
  teams: z.record(
    id,
    teamTotals.extend({
      ...teamDetails.partial().shape,
      sprints: z.array(readableSprint).optional(),
    }),
  ),
  portfolio,
  overhead_budget: overheadBudget.partial().optional(),
  borrows: z.array(borrow.partial().required({ sprint: true })).optional(),
  coordination: coordination.partial().optional(),
});
export type ReadableReport = z.infer<typeof readableReport>;
export type ReadableTeam = ReadableReport["teams"][string];
export type ReadableSprint = NonNullable<ReadableTeam["sprints"]>[number];
