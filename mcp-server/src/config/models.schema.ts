import * as z from "zod";
import { coordinatorRoles } from "../kernel/principal.ts";
import { people } from "./people.schema.ts";

/** From the cheapest to the strongest; the words the client's Agent tool takes (requirements MO-04). */
export const modelNames = ["haiku", "sonnet", "opus"] as const;
export type ModelName = (typeof modelNames)[number];

const microUsd = z.number().int().min(0).max(1_000_000_000_000);

const price = z.strictObject({
  input: microUsd.describe("Micro-USD per million tokens that were in no cache."),
  cache_read: microUsd.describe("Micro-USD per million tokens read from the cache."),
  output: microUsd.describe("Micro-USD per million tokens written."),
});
export type Price = z.infer<typeof price>;

/** Haiku at its price for prompts over 100,000 tokens: an estimate rather says too much. */
const shippedPrices = {
  as_of: "2026-10-24",
  source: "https://platform.claude.com/docs/en/about-claude/pricing",
  haiku: { input: 500_000, cache_read: 50_000, output: 2_500_000 },
  sonnet: { input: 2_000_000, cache_read: 100_000, output: 10_000_000 },
  opus: { input: 4_000_000, cache_read: 200_000, output: 20_000_000 },
};

/** What agents cost and when the strongest model is taken (requirements C-06, C-07, CS-01). */
export const models = z
  .strictObject({
    agents: people,
    unclear_is_opus: z
      .boolean()
      .default(true)
      .describe("Take opus for ambiguity or risk 2 at a score of 2 or 3 already, not from 4 on only."),
    unscored: z
      .enum(["refuse", "warn", "allow"])
      .default("refuse")
      .describe("What a spawn within a run leads to when brief_spawn has not scored its task and it names no model."),
    prices: z
      .strictObject({
        as_of: z
          .string()
          .regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date like 2026-10-24")
          .describe("The day the prices were read."),
        source: z.string().min(1).max(500).describe("Where they were read."),
        haiku: price,
        sonnet: price,
        opus: price,
      })
      .default(shippedPrices)
      .describe("For estimates; given as a whole, with their date and source."),
  })
  .prefault({});

/** How many agents there may be (requirements C-04, TZ-01, CS-02). */
export const agentLimits = z
  .strictObject({
    teammates: z.number().int().min(1).max(50).default(5).describe("Most agents at work at once in a run."),
    spawns: z.number().int().min(1).max(500).default(5).describe("Spawns of a run before it wants a reason for more."),
  })
  .prefault({});

export const spawnExceptions = z
  .array(z.string().min(1).max(64))
  .default(["researcher", "adversarial-reviewer", "design-reviewer", ...coordinatorRoles, "Explore", "Plan"])
  .describe("Roles that may be started in a run without a task: they look, and change nothing.");

/** What an agent of a run is told at its start (requirements CX-01, CX-04, C-11). */
export const contextLimits = z
  .strictObject({
    budget_tokens: z
      .number()
      .int()
      .min(200)
      .max(2400) // the client cuts a hook's text at 10,000 characters
      .default(2000)
      .describe("Most tokens (bytes / 4) of what an agent is told at its start."),
    learnings_lines: z.number().int().min(0).max(100).default(50).describe("Lines of LEARNINGS.md that are told."),
    facts: z.number().int().min(0).max(50).default(8).describe("Most facts of the knowledge base that are told."),
  })
  .prefault({});
