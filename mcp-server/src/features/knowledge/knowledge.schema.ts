import * as z from "zod";

export const knowledgeScopes = ["agent", "team", "org"] as const;
export type KnowledgeScope = (typeof knowledgeScopes)[number];

/** What kind of thing was learned; each has its heading when agents are told. */
export const knowledgeKinds = [
  "rule",
  "mistake",
  "gotcha",
  "pattern",
  "solution",
  "decision",
  "api",
  "fact",
  "question",
] as const;
export type KnowledgeKind = (typeof knowledgeKinds)[number];

const confidences = ["low", "medium", "high"] as const;
export type Confidence = (typeof confidences)[number];

/** A fact is told to many agents, one line each (requirements LP-02, C-24). */
export const MAX_FACT = 120;

const text = (max: number) => z.string().max(max);

export const factText = text(MAX_FACT)
  .refine((value) => !/[\r\n\u2028\u2029]/.test(value), "must be one line")
  .refine((value) => value.trim().length > 0, "must not be empty")
  .describe("One line; `GOTCHA: …` names the kind too.");
export const detail = text(20_000);
export const recommendation = text(500).refine((value) => value.trim().length > 0, "must not be empty");
export const tags = z.array(text(64).min(1)).max(20);

/** A fact as the rules see it. Times are UTC ms. */
export interface Knowledge {
  readonly id: number;
  readonly key: string;
  readonly scope: KnowledgeScope;
  readonly owner: string;
  readonly kind: KnowledgeKind;
  readonly fact: string;
  readonly detail: string | null;
  readonly recommendation: string | null;
  readonly tags: readonly string[];
  readonly files: readonly string[];
  readonly confidence: Confidence;
  readonly used: number;
  readonly helpful: number;
  readonly outdated: number;
  readonly sources: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly usedAt: number | null;
}

/** How a fact is shown. */
export const knowledgeView = z.object({
  id: z.string(),
  kind: z.enum(knowledgeKinds),
  fact: z.string(),
  recommendation: z.string().optional(),
  detail: z.string().optional(),
  scope: z.enum(knowledgeScopes),
  owner: z.string().optional(),
  tags: z.array(z.string()).optional(),
  files: z.array(z.string()).optional(),
  confidence: z.enum(confidences),
  sources: z.number(),
  used: z.number(),
  helpful: z.number().optional(),
  outdated: z.number().optional(),
});
export type KnowledgeView = z.infer<typeof knowledgeView>;
