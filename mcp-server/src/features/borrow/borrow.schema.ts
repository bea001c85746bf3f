import * as z from "zod";

export const loanStatuses = ["requested", "refused", "active", "returned"] as const;

const word = z.string().trim().min(1).max(64);
export const agentName = word;
export const teamRef = word;
export const loanRef = word.describe("Loan id.");

/** A loan as answers show it. */
export const shownLoan = z.object({
  id: z.string(),
  agent: z.string(),
  home: z.string(),
  /** Where it worked when it was asked for; absent when that was its home. */
  from: z.string().optional(),
  to: z.string(),
  status: z.enum(loanStatuses),
  reason: z.string(),
  requested_by: z.string(),
  sprint: z.number(),
  due_sprint: z.number(),
  refused: z.string().optional(),
  why: z.string().optional(),
  returned: z.string().optional(),
  last_sprint: z.number().optional(),
});
export type ShownLoan = z.infer<typeof shownLoan>;
