import * as z from "zod";

const most = (retries: number) => z.number().int().min(0).max(50).default(retries);

/** Attempts after a failure, by operation (requirements RE-01, RE-02, C-05): 3 retries are at most 4 attempts. */
export const retries = z
  .strictObject({
    build_test: most(3).describe("Build and test, before the orchestrator is asked."),
    review_fix: most(5).describe("Review and fix, before the orchestrator is asked."),
    research: most(2).describe("Research, before it is reported as it is."),
    deploy: most(1).describe("Deploy check, before it is blocked and reported."),
    gate: most(3).describe("Each gate of a work unit, before a person is asked."),
  })
  .prefault({});

export const escalation = z
  .strictObject({
    blocked_cycle_minutes: z
      .number()
      .int()
      .min(1)
      .max(10_080)
      .default(60)
      .describe("A task that is blocked for longer is escalated, once."),
  })
  .prefault({});
