import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { allMetrics } from "./export.store.ts";
import { renderMetrics } from "./prometheus.rules.ts";

export const metricsExport = defineOperation({
  name: "metrics_export",
  description:
    "Metrics of teams, sprints, loans, overhead, reviews and gates as Prometheus text, labelled by team; to a file for a textfile collector, or printed.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    output: z.string().min(1).optional().describe("A file, replaced as a whole; its name should end in .prom."),
  }),
  output: z.object({
    families: z.number(),
    samples: z.number(),
    file: z.string().optional(),
    text: z.string().optional(),
  }),
  async run(ctx, input) {
    const families = await allMetrics(ctx);
    const text = renderMetrics(families);
    const counted = {
      families: families.length,
      samples: families.reduce((all, family) => all + family.samples.length, 0),
    };
    if (input.output === undefined) return { ...counted, text };
    if (!ctx.files)
      throw new TeamwrightError(
        "INVALID_INPUT",
        "Files are written from the command line only.",
        hint("metrics_export", "without output prints the metrics"),
      );
    await ctx.files.write(input.output, [text]);
    return { ...counted, file: input.output };
  },
  render: (output) => output.text?.trimEnd() ?? `${output.samples} samples written to ${output.file}`,
});
