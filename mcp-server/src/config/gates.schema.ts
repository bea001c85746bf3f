import * as z from "zod";

const command = z
  .union(
    [z.string().min(1), z.array(z.string().min(1)).min(1)],
    "must be a text or a list of texts, none of them empty",
  )
  .describe("A list is a program with its arguments; a text is read by /bin/sh.");

/** Commands whose success lets a unit go on to its review (requirements FP-03, DC-02; C-20: none is assumed). */
export const gates = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "use 1–32 lower-case letters, digits, - or _")
        .describe("What refusals and reports call it: types, lint, tests, coverage …"),
      command,
      timeout_seconds: z
        .number()
        .int()
        .min(1)
        .max(86_400)
        .default(600)
        .describe("A gate that takes longer has failed."),
    }),
  )
  .describe("Absent: detected from the project's own files. An empty list: the check of the scope alone.");

export type Gate = z.infer<typeof gates>[number];

export const units = z.strictObject({
  mode: z.enum(["team", "task"]).optional().describe("Fixes how agents work together; absent: decided for each run."),
  phase_gate: z
    .enum(["merged_local", "pr_merged", "manual"])
    .default("merged_local")
    .describe(
      "What a stage needs before the next begins: its commits here, its pull requests merged, or a person's word.",
    ),
  merge: z
    .enum(["person", "agents"])
    .default("person")
    .describe("Who merges pull requests while a run is open. The guard sees gh, glab and tools that merge."),
  isolation: z
    .enum(["shared", "worktree_per_task", "worktree_per_workflow"])
    .optional()
    .describe(
      "Where agents of a run work: in the project's tree, each in a git worktree of its own, or all in the one worktree that the lead's session is in; absent: as each Agent call asks. Leases hold in all of them.",
    ),
  coverage_thresholds: z
    .string()
    .default(".coverage-thresholds.json")
    .describe("File with the least coverage, and the command that measures it."),
  runs: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Most runs open at a time: issues and reviews, and as many initiatives (swarm)."),
});
