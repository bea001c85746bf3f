import * as z from "zod";

/** What a person is to look at (requirement FP-08); `gate` opens the next stage of a run. */
export const checkpointKinds = [
  "planned",
  "schema",
  "security",
  "first_of_pattern",
  "destructive",
  "external",
  "named",
  "gate",
] as const;
export type CheckpointKind = (typeof checkpointKinds)[number];

export const checkpointStatuses = ["pending", "approved", "rejected"] as const;
export type CheckpointStatus = (typeof checkpointStatuses)[number];

const part = z.string().max(8000);

/** What a person decides on. */
export const checkpointReport = z.object({
  done: part.optional(),
  decisions: part.optional(),
  plan: part.optional().describe("What is next."),
  questions: part.optional(),
});
export type CheckpointReport = z.infer<typeof checkpointReport>;

export const shownCheckpoint = z.object({
  id: z.string(),
  status: z.enum(checkpointStatuses),
  kind: z.string(),
  title: z.string(),
  about: z.string(),
  by: z.string(),
  since: z.string(),
  report: checkpointReport.optional(),
  decided_by: z.string().optional(),
  decided_at: z.string().optional(),
  note: z.string().optional(),
});
export type ShownCheckpoint = z.infer<typeof shownCheckpoint>;
