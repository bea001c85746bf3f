import * as z from "zod";

/**
 * Where a rule lives. hook: before and after calls of the client. transaction: in the operation itself. afterwards: in
 * CI or by a check. advice: in a skill only.
 */
export const rulePlaces = ["hook", "transaction", "afterwards", "advice"] as const;
export type RulePlace = (typeof rulePlaces)[number];

export const ruleStates = ["enforced", "audit", "off"] as const;
export type RuleStateWord = (typeof ruleStates)[number];

export const ruleReport = z.object({
  rule: z.string(),
  place: z.enum(rulePlaces),
  state: z.enum(ruleStates),
  /** It protects others: where it should hold and does not, the whole check fails. */
  strict: z.boolean(),
  ok: z.boolean(),
  /** What cannot happen while it holds; only where it does not. docs/rules.md has it of all. */
  promise: z.string().optional(),
  /** What was tried and seen, or why nothing could be. */
  proof: z.string(),
  source: z.string(),
});
export type RuleReport = z.infer<typeof ruleReport>;
