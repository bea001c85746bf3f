import * as z from "zod";
import { TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type FilePort } from "../../kernel/operation.ts";
import { type Comparison, comparison, metricKeys } from "./compare.schema.ts";
import { renderComparison } from "./compare.view.ts";

/** Requirements OU-04, EX-02 to EX-04, ME-05. */
export const experimentCompare = defineOperation({
  name: "experiment_compare",
  description:
    "Compare runs of experiments, paired by seed with the first one named: means with 95 % intervals, paired differences, effect sizes and the six research questions, as a table, as JSON, or as one HTML page with plots. Reads final reports and changes nothing else. Exit code 1 means that one of them could not be read.",
  kind: "read",
  needsStore: false,
  mcp: "none",
  positional: ["runs"],
  input: z.strictObject({
    runs: z
      .array(z.string().min(1).max(4096))
      .min(1)
      .max(50)
      .describe(
        "Output folders of runs, or folders of `seed-*` runs, as `name=folder` to name them; the baseline first.",
      ),
    html: z.string().min(1).max(4096).optional().describe("Writes the page with the plots to this file."),
    metric: z.array(z.enum(metricKeys)).max(metricKeys.length).optional().describe("Only these; all unless set."),
  }),
  output: comparison,
  async run(ctx, { runs, html, metric }) {
    const files = filesOf(ctx.files);
    // the statistics are much code that no other start should load
    const [{ compareVariants }, { readVariants }] = await Promise.all([
      import("./compare.rules.ts"),
      import("./compare-read.ts"),
    ]);
    const { variants, problems } = await readVariants(files, runs, (done, total) =>
      ctx.progress(done, total, "reports"),
    );
    const [base, ...others] = variants;
    if (!base)
      throw new TeamwrightError(
        "INVALID_INPUT",
        "None of what was named could be read.",
        undefined,
        problems.slice(0, 20),
      );
    const result: Comparison = {
      ok: problems.length === 0,
      ...compareVariants([base, ...others], metric),
      problems: [...problems],
    };
    if (html === undefined) return result;
    await files.write(html, [await pageOf(result)]);
    return { ...result, html };
  },
  render: renderComparison,
});

function filesOf(files: FilePort | undefined): FilePort {
  if (files?.tree) return files;
  throw new TeamwrightError("UNAVAILABLE", "Files are read at the command line only.");
}

/** Loaded for the page alone: the charting library is several times the rest. */
async function pageOf(result: Comparison): Promise<string> {
  const { comparisonPage } = await import("./compare-page.view.ts").catch((error: unknown) => {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new TeamwrightError("UNAVAILABLE", "The charting library is not installed; run `npm ci` or use a release.");
  });
  return comparisonPage(result);
}
