import * as z from "zod";

const argument = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes("\u0000"), "must not contain a NUL");
const tool = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[A-Za-z]\P{Cc}*$/u, "is the name of a tool, as in Bash(npm test)");

/** How an experiment's real sessions are started (`experiment run --agents claude`; design §10). */
export const claudeSessions = z
  .strictObject({
    binary: argument.default("claude").describe("The client's program; a bare name is looked for on the PATH."),
    model: argument.optional().describe("Model of the sessions; absent: the client's own choice."),
    permission_mode: z
      .enum(["acceptEdits", "auto", "dontAsk", "bypassPermissions"])
      .default("acceptEdits")
      .describe("Nobody is there to be asked: what the mode does not allow is denied."),
    allowed_tools: z
      .array(tool)
      .max(200)
      .default([])
      .describe("Allowed besides this plugin's own, as in Bash(npm test)."),
    time_box_seconds: z
      .number()
      .min(1)
      .max(6_000_000)
      .optional()
      .describe("How long a team's session may last; the sprint's minutes unless set."),
    max_turns: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe("Most turns of a session; no limit unless set."),
    concurrency: z.number().int().min(1).max(50).default(4).describe("Most teams at work at once."),
    instructions: z.string().min(1).max(20_000).optional().describe("Said to each session besides its task."),
    args: z.array(argument).max(100).default([]).describe("More arguments of the client, as they are."),
  })
  .prefault({});
export type ClaudeSettings = z.infer<typeof claudeSessions>;
