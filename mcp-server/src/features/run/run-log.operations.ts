import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { writeRunLog } from "../knowledge/run-log.store.ts";
import { findRun, lastRun } from "./run.store.ts";

export const runLog = defineOperation({
  name: "run_log",
  description:
    "Write the log of a run to team-registry/run-logs: tasks, spawns, models, gates, messages, times and what was learned, counted by the server. It is written at the end of each run; this does it again, or for a run that is open.",
  kind: "write",
  mcp: "none",
  positional: ["run"],
  input: z.strictObject({
    run: z.string().min(1).max(64).optional().describe("Id of the run; the last one by default."),
  }),
  output: z.object({ run: z.string(), path: z.string(), learnings: z.string(), text: z.string() }),
  async run(ctx, input) {
    const run = input.run === undefined ? await lastRun(ctx.db) : await findRun(ctx.db, input.run);
    if (!run) throw new TeamwrightError("NOT_FOUND", "No run has this id.", hint("brief_show", "shows open runs"));
    const { path, text, learnings } = await writeRunLog(ctx, run);
    return { run: run.key, path, text, learnings: learnings.problem ?? learnings.state };
  },
  render: (output) => `${output.path} is written; LEARNINGS.md: ${output.learnings}.`,
});
