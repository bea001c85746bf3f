import * as z from "zod";
import { teamTypes } from "../../config/config.schema.ts";
import { dependencyTypes } from "../dependency/dependency.rules.ts";
import * as fields from "../task/task.schema.ts";

/** The order of stories that say none: after all that do (requirement PF-03). */
const LAST_PRIORITY = 999;

const shortText = z.string().min(1).max(200);

/** A story's id: what an ASSIGN line can name, and a terminal and a model can be shown as it is. */
const storyId = z
  .string()
  .regex(/^[\p{L}\p{N}][^\s\p{C}:*,`"'<>|()]{0,63}$/u, "use 1–64 letters, digits, ., _ or -, without blanks");

/** A story of a backlog file (requirement PF-07). What else it has is kept as metadata. */
export const story = z.object({
  id: storyId,
  title: fields.title,
  description: fields.longText.optional(),
  priority: z.number().int().min(0).max(LAST_PRIORITY).default(LAST_PRIORITY),
  story_points: fields.points.optional(),
  acceptance_criteria: z.array(fields.longText.min(1)).max(100).default([]),
  tags: z.array(fields.label).max(100).default([]),
  domain: shortText.optional(),
  team_type_hint: z.enum(teamTypes).optional(),
  /** No team gets it before that sprint; 0 is the set-up. */
  sprint: z.number().int().min(0).max(100_000).optional(),
  scenarios: z
    // biome-ignore lint/suspicious/noThenProperty: the format's own word, and nobody awaits a story
    .array(z.object({ given: fields.longText, when: fields.longText, then: fields.longText }))
    .max(100)
    .default([]),
  depends_on_team: shortText.optional(),
  /** The story that delivers what is needed; its task is named as soon as a team has it. */
  depends_on_story: storyId.optional(),
  dependency_type: z.enum(dependencyTypes).optional(),
  dependency_status: z.enum(["open", "resolved"]).optional(),
});
export type Story = z.infer<typeof story>;

/** A story as a file gives it, checked, with all it says beside the fields above. */
export interface StoryDraft extends Story {
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a backlog says of the product (requirement PF-07); the rest of it is kept beside. */
export const product = z.looseObject({
  repository: z.looseObject({ type: z.enum(["greenfield", "brownfield"]).optional() }).optional(),
});
export type Product = z.infer<typeof product>;

export const loadVerdicts = ["created", "updated", "kept", "rejected"] as const;
export type LoadVerdict = (typeof loadVerdicts)[number];

export const assigned = z.object({
  story: z.string(),
  team: z.string(),
  task: z.string(),
  title: z.string(),
  points: z.number().optional(),
  why: z.string(),
});
export type Assigned = z.infer<typeof assigned>;

/** What a distribution has done. */
export const distribution = z.object({
  sprint: z.number(),
  strategy: z.string(),
  assigned: z.array(assigned),
  /** Assignments that were asked for and are not possible, and why. */
  ignored: z.array(z.object({ story: z.string(), why: z.string() })),
  /** Stories of the portfolio that no team has. */
  pending: z.number(),
  timed_out: z.boolean().optional(),
});
export type Distribution = z.infer<typeof distribution>;
