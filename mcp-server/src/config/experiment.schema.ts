import * as z from "zod";
import { claudeSessions } from "./claude.schema.ts";
import { NOT_ONE_LINE, ONE_LINE } from "./people.schema.ts";

const PLAIN_ADDRESS = "must be http(s)://HOST, without a name or a password";

const share = (standard: number) =>
  z.number().min(0, "must be between 0 and 1").max(1, "must be between 0 and 1").default(standard);
const count = (standard: number, least = 0, most = 100_000) => z.number().int().min(least).max(most).default(standard);
const on = (standard: boolean) => z.boolean().default(standard);
const word = z.string().min(1).max(128).regex(ONE_LINE, NOT_ONE_LINE);

/** What an experiment is called and how long it is (requirements EX-01, AG-10). Commands may say otherwise. */
export const experiment = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "use 1–64 letters, digits, ., - or _")
      .default("experiment")
      .describe("Shown in reports."),
    sprints: count(10, 1, 10_000).describe("How many are run."),
    seed: count(1, 0, 2_147_483_647).describe("Of the randomness: the same seed gives the same outputs."),
    repeat_backlog: on(false).describe("Stories come again under other ids when the backlog is used up."),
    quality: z
      .strictObject({
        line_coverage: share(0.85).describe("Least coverage of lines."),
        branch_coverage: share(0.8).describe("Least coverage of branches."),
        complexity: count(10, 1, 1000).describe("Most cyclomatic complexity of a function."),
        test_fix_iterations: count(3, 0, 100).describe("Most rounds of mending tests."),
      })
      .prefault({})
      .describe("What work has to reach before it is done."),
    claude: claudeSessions.describe("The real sessions of `experiment run --agents claude`."),
  })
  .prefault({});

/** requirement AG-02 */
export const disturbanceKinds = [
  "dependency_breaks",
  "production_incident",
  "flaky_test",
  "scope_creep",
  "junior_misunderstanding",
  "architectural_debt",
  "merge_conflict",
] as const;
export type DisturbanceKind = (typeof disturbanceKinds)[number];

/** Things that go wrong, rolled per team and sprint (requirement AG-02). */
export const disturbances = z
  .strictObject({
    enabled: on(false).describe("Whether anything is rolled."),
    frequencies: z
      .strictObject({
        dependency_breaks: share(0.166).describe("Chance per sprint that something a team builds on breaks."),
        production_incident: share(0.125).describe("Chance of an incident that becomes a 3-point hotfix."),
        flaky_test: share(0.25).describe("Chance of a test that fails now and then."),
        scope_creep: share(0.2).describe("Chance of a 2-point task nobody had planned."),
        junior_misunderstanding: share(0.33).describe("Chance that a junior builds something else."),
        architectural_debt: share(0.166).describe("Chance that old structure slows the work."),
        merge_conflict: share(0.3).describe("Chance of a conflict between two changes."),
      })
      .prefault({}),
    blast_radius: z
      .strictObject({
        max_velocity_impact: share(0.3).describe("Most of a sprint's velocity that disturbances may cost."),
        max_quality_regression: share(0.15).describe("Most of the coverage that they may cost."),
      })
      .prefault({}),
  })
  .prefault({});

const swapScenarios = ["critical_production_incident", "specialist_unavailable", "deliberate_cross_training"] as const;

/** Agents that work outside their specialisation for a while (requirement AG-03). */
export const profileSwapping = z
  .strictObject({
    mode: z
      .enum(["none", "constrained", "free"])
      .default("none")
      .describe("Never, in the scenarios below, or at any time."),
    allowed_scenarios: z
      .array(z.enum(swapScenarios))
      .default([...swapScenarios])
      .describe("When `constrained` allows it."),
    slowdown: z.number().min(1).max(100).default(1.2).describe("Factor on the time work takes."),
    proficiency: share(0.7).describe("How well the borrowed profile is mastered at first."),
    knowledge_decay_sprints: count(1, 0, 1000).describe("Sprints after which it is forgotten again."),
    decay_per_sprint: share(0.1).describe("How much of it is lost per sprint."),
    extra_checkpoints: count(1, 0, 10).describe("More looks in each pairing session."),
  })
  .prefault({});

/** A person's word on the product, now and then (requirement AG-04). */
export const stakeholderReview = z
  .strictObject({
    enabled: on(false).describe("Whether anybody is asked."),
    cadence_sprints: count(3, 1, 1000).describe("After every N sprints."),
    timeout_minutes: z.number().min(0).max(100_000).default(60).describe("How long an answer is waited for."),
    timeout_action: z
      .enum(["auto_approve", "po_proxy", "block"])
      .default("auto_approve")
      .describe("Without an answer: approved, decided by the product owner, or nothing goes on."),
    feedback: z.enum(["file", "webhook"]).default("file").describe("Where the answer comes from."),
    webhook_url: z
      .url({ protocol: /^https?$/, error: PLAIN_ADDRESS })
      .regex(/^https?:\/\/[^/?#@\s]+(?:[/?#]|$)/, PLAIN_ADDRESS)
      .optional()
      .describe("Where a webhook's payload goes."),
    webhook_retry_seconds: z
      .array(z.number().min(0).max(3600))
      .max(10)
      .default([5, 15, 30])
      .describe("As many tries as there are pauses here; each failed one is followed by its pause."),
    webhook_timeout_seconds: z
      .number()
      .positive()
      .max(86_400)
      .default(60)
      .describe("How long one try waits for its answer, by the clock on the wall."),
  })
  .prefault({});

/** Set-up of each team before its first sprint (requirement AG-05). */
export const sprintZero = z
  .strictObject({
    enabled: on(false).describe("Whether there is one."),
    duration_share: share(0.5).describe("Its length as part of a sprint's."),
    ci_gate: on(true).describe("Sprint 1 waits until its tasks are done."),
    business_brief: on(true).describe("The product owner writes a Business Knowledge Brief."),
  })
  .prefault({});

/** Consultants from outside (requirement AG-09). */
export const specialists = z
  .strictObject({
    enabled: on(false).describe("Whether they may be called."),
    max_per_sprint: count(3, 0, 100).describe("Most consultations of a team in a sprint."),
    velocity_penalty: z.number().min(0).max(100).default(2).describe("Points a consultation costs."),
    hours: z.number().min(0).max(1000).default(8).describe("How long one lasts."),
    domains: z.array(word).max(100).default([]).describe("What may be asked for; anything when empty."),
  })
  .prefault({});

/** Agents that leave and are replaced (requirement AG-09). */
export const turnover = z
  .strictObject({
    enabled: on(false).describe("Whether anybody leaves."),
    starts_in_sprint: count(10, 1, 100_000).describe("The first sprint in which anybody may leave."),
    probability: share(0.05).describe("Chance of each agent per sprint."),
    backfill_delay_sprints: count(1, 0, 1000).describe("Sprints until a place is filled again."),
    max_per_sprint: count(1, 0, 100).describe("Most that leave a team in a sprint."),
  })
  .prefault({});

/** Newcomers are slower at first (requirement AG-09). */
export const onboarding = z
  .strictObject({
    enabled: on(true).describe("Off: newcomers are at once as fast as the others."),
    sprints: count(2, 0, 1000).describe("How long it lasts."),
    first_sprint_points: count(3, 0, 1000).describe("Most points a newcomer takes on in its first sprint."),
    velocity_factor: share(0.5).describe("Of the usual speed, while it lasts."),
  })
  .prefault({});

/** What agents learn about how they work (requirement AG-06). */
export const metaLearning = z
  .strictObject({
    enabled: on(false).describe("Agents apply what they wrote down in retrospectives."),
    gain_per_learning: share(0.01).describe("What an applied learning adds to an agent's speed."),
    max_gain: share(0.1).describe("The most that all of an agent's learnings add."),
  })
  .prefault({});

/** Retrospective with keep, drop and puzzle (requirement AG-06). */
export const retro = z.strictObject({ enabled: on(true).describe("Whether teams hold one.") }).prefault({});

/** Pairs and what is written down of their sessions (requirement AG-07). */
export const pairing = z
  .strictObject({
    enabled: on(true).describe("Whether agents pair, and a log is written."),
    brainstorm_rounds: count(3, 0, 20).describe("Rounds before a session begins."),
    checkpoints: count(4, 0, 20).describe("Looks in the course of a session."),
  })
  .prefault({});

/** What becomes of a planned story: tasks with hours, an owner and a navigator (requirement AG-01). */
export const technicalPlanning = z
  .strictObject({
    enabled: on(true).describe("Whether stories are cut into tasks, and who owns a story's first task begins with it."),
    min_tasks: count(2, 1, 20).describe("Fewest tasks of a story."),
    max_tasks: count(4, 1, 20).describe("Most tasks of a story."),
    hours: z
      .array(z.number().positive().max(1000))
      .min(1)
      .max(20)
      .default([4, 8, 16])
      .describe("Sizes a task may have."),
  })
  .prefault({});

/** The team's morning meeting (requirement AG-01). */
export const standup = z
  .strictObject({
    enabled: on(true).describe("Whether teams hold one: a card it finds blocked goes on half a day sooner."),
    from_day: count(2, 1, 60).describe("The first day of a sprint that has one."),
    minutes: z.number().min(0).max(480).default(15).describe("What it takes of every developer's day of 8 hours."),
  })
  .prefault({});

/** How those who disagree come to a decision (requirement AG-08). */
export const consensus = z
  .strictObject({
    enabled: on(true).describe("Off: pairs never disagree."),
    max_exchanges: count(3, 1, 20).describe("After so many without agreement a pair asks the dev lead."),
    field_weight: z
      .number()
      .min(0.5, "must be between 0.5 and 1")
      .max(1, "must be between 0.5 and 1")
      .default(0.7)
      .describe("Vote of whoever's field it is, dev lead or product owner; the other has the rest."),
    threshold: share(0.6).describe("What a vote needs; with less the stakeholder decides."),
    cost_points: z
      .strictObject({
        dev_lead: z.number().min(0).max(100).default(0.1).describe("A decision of the dev lead."),
        po_and_lead: z.number().min(0).max(100).default(0.25).describe("A vote of product owner and dev lead."),
        stakeholder: z.number().min(0).max(100).default(0.5).describe("A decision of the stakeholder."),
      })
      .prefault({})
      .describe("Points of work it takes the team to get a decision."),
  })
  .prefault({});

/** What a team may have on or off by itself, by the section's name. */
export const practiceNames = [
  "disturbances",
  "profile_swapping",
  "stakeholder_review",
  "sprint_zero",
  "specialists",
  "turnover",
  "onboarding",
  "meta_learning",
  "retro",
  "pairing",
  "technical_planning",
  "standup",
  "consensus",
] as const;
export type PracticeName = (typeof practiceNames)[number];
