import * as z from "zod";
import { NOT_ONE_LINE, ONE_LINE } from "./people.schema.ts";

const share = (standard: number) =>
  z.number().min(0, "must be between 0 and 1").max(1, "must be between 0 and 1").default(standard);
const name = z.string().min(1).max(64).regex(ONE_LINE, NOT_ONE_LINE);

/** How much time goes into coordinating, and how it is shared out (requirements OH-01, OH-03, TC-08). */
const overheadBudget = z
  .strictObject({
    overhead_budget_pct: share(0.2).describe("Part of all sprint time that may go into overhead."),
    iteration_zero_share: share(0.4).describe("Part of the overhead for iteration 0, the set-up before sprint 1."),
    coordination_step_weight: share(0.5).describe("The full loop's part of a sprint's overhead; the weights sum to 1."),
    distribution_step_weight: share(0.3).describe("The portfolio's distribution."),
    checkin_step_weight: share(0.2).describe("The check-in in the middle of a sprint."),
    min_step_timeout_seconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(10)
      .describe("Granted to every step, even from a spent budget; what goes beyond is reported as overrun."),
    carry_over: z.boolean().default(false).describe("Time that a step leaves unused is added to the next of its kind."),
  })
  .prefault({});
export type OverheadSettings = z.infer<typeof overheadBudget>;

/** requirements CO-01, CO-05, BO-06, C-17, C-22 */
export const coordination = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Master switch; off or absent: teams go on without each other."),
    full_loop_cadence: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe("The full loop runs before sprints 2, 2 + N, 2 + 2N …"),
    mid_sprint_checkin: z.boolean().default(true).describe("A look between development and QA, once per sprint."),
    max_borrows_per_sprint: z
      .number()
      .int()
      .min(0)
      .max(100)
      .default(2)
      .describe("Most agents lent in a sprint; 0 observes only."),
    borrow_duration_sprints: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe("Sprints after which a borrowed agent is due at home."),
    dependency_tracking: z.boolean().default(true).describe("The loop looks at what teams need of each other."),
    coordinators: z.array(name).max(10).default([]).meta({
      description: "Agents of no team; who evaluates and who plans follows from their role_archetype.",
      uniqueItems: true,
    }),
    overhead_budget: overheadBudget.describe("Time boxes of the steps above."),
    consent: z
      .enum(["rule", "lead"])
      .default("rule")
      .describe("Who agrees to lend an agent: the rules alone, or the lender's lead as well."),
    min_team_size: z
      .number()
      .int()
      .min(0)
      .max(50)
      .default(2)
      .describe("No team lends when fewer of its own agents than this would stay; guests do not count."),
    protected_roles: z
      .array(name)
      .default(["product_owner", "dev_lead", "qa_lead"])
      .describe("Agents with such a role_archetype are not lent, and do not leave."),
  })
  .prefault({});

/** Phases of a sprint, in order (requirement AG-01). */
export const sprintPhases = ["planning", "development", "qa", "review"] as const;
export type SprintPhase = (typeof sprintPhases)[number];

/** requirements AG-01 */
export const sprint = z
  .strictObject({
    minutes: z.number().min(1).max(100_000).default(60).describe("Length of a sprint by the clock; the time box."),
    days: z.number().int().min(1).max(60).default(5).describe("Working days that a simulated sprint has."),
    max_candidates: z.number().int().min(1).max(100).default(8).describe("Most stories looked at when planning."),
    max_questions: z.number().int().min(0).max(100).default(4).describe("Most agents that ask about a story."),
    points_per_developer: z
      .number()
      .min(0)
      .max(100)
      .default(3)
      .describe("Capacity of a team is this times its developers; planning stops at the first story beyond."),
  })
  .prefault({});

const distributionStrategies = ["round_robin", "heuristic", "coordinator"] as const;
export type DistributionStrategy = (typeof distributionStrategies)[number];

/** requirements PF-01, PF-02, C-08 */
export const portfolio = z
  .strictObject({
    stories_per_team: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(3)
      .describe("Stories a team gets per sprint, less those it has not begun."),
    strategy: z
      .enum(distributionStrategies)
      .default("round_robin")
      .describe(
        "In turn; by type, domain and specialisation; or as a coordinator assigns, the rest by the second way.",
      ),
    backlog: z.string().min(1).max(4096).optional().describe("File of the portfolio, seen from this file."),
  })
  .prefault({});
