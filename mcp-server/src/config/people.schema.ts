import * as z from "zod";

/** Names stand in the prompts of coordinators and in tables: none breaks their lines or moves a cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
export const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$/;
export const NOT_ONE_LINE = "must not contain line breaks or control characters";

const word = z.string().min(1).max(128).regex(ONE_LINE, NOT_ONE_LINE);

const seniorities = ["junior", "mid", "senior"] as const;
export type Seniority = (typeof seniorities)[number];

/** The roles that coordinate, by the step they take (requirements CA-01, CA-02, CA-03). */
export const coordinatorRoles = { evaluate: "staff_engineer", plan: "enablement_lead" } as const;

/** One agent by what it can (requirement TC-07). */
const person = z.strictObject({
  name: word.optional().describe("For people; the id by default."),
  individual: word.optional().describe("Name of a personality."),
  seniority: z.enum(seniorities).default("mid").describe("How experienced the agent is."),
  primary_specialization: word.optional().describe("What it does best: backend, frontend, devops, security …"),
  auxiliary_specializations: z.array(word).max(50).default([]).describe("What else it can do."),
  role_archetype: word
    .optional()
    .describe("developer, tester, dev_lead, qa_lead, product_owner, staff_engineer, enablement_lead or your own."),
  demographics: z.strictObject({ pronouns: word.optional().describe("How others speak of the agent.") }).optional(),
  model: word.optional().describe("Model it runs on; absent: as the spawn's score says."),
  temperature: z.number().min(0).max(2).optional().describe("For simulations with a model of their own."),
  max_tokens: z.number().int().min(1).max(10_000_000).optional().describe("Most tokens of an answer."),
});
export type Person = z.infer<typeof person>;

/** Agents by their id (requirements TC-03, TC-06, TC-07). */
export const people = z
  .record(
    z
      .string()
      .regex(/^[^\s:*,`]{1,64}$/u, "an agent's id has 1–64 characters, no blanks, colons, commas or *")
      .regex(ONE_LINE, NOT_ONE_LINE),
    person,
  )
  .optional()
  .describe("All agents of teams and all coordinators; absent: any name may be used.");
