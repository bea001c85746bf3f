import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { TeamwrightError } from "../../kernel/errors.ts";
import { defineOperation, type FilePort, type OperationContext } from "../../kernel/operation.ts";
import { type Comparison, comparison, metricKeys } from "./compare.schema.ts";
import { renderComparison } from "./compare.view.ts";

const path = z.string().min(1).max(4096).optional();

/** Requirements OU-04, EX-02 to EX-04, ME-05. */
export const experimentCompare = defineOperation({
  name: "experiment_compare",
  description:
    "Compare experiments, paired by seed with the first one named: means with 95 % intervals, paired differences, effect sizes and the six research questions, as a table, as JSON, or as one HTML page with plots. Folders of runs are read; policies, named by their YAML files, are first run over a configuration. Exit code 1 means that one of them could not be read.",
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
        "Output folders of runs, folders of `seed-*` runs, or YAML files of policies to run; `name=folder` names one. The baseline first.",
      ),
    config: path.describe("Policies are laid over this configuration; it may be one of those compared."),
    backlog: path.describe("Stories of the portfolio, for policies; as the configuration says."),
    sprints: z.number().int().min(1).max(10_000).optional().describe("Of each run of a policy; as configured."),
    seeds: z.number().int().min(1).max(1000).optional().describe("Runs of each policy; 20 unless set."),
    seed: z.number().int().min(0).max(2_147_483_647).optional().describe("The first; as the configuration says."),
    jobs: z.number().int().min(1).max(256).optional().describe("Runs at the same time; as many as there are cores."),
    output: path.describe("Folder of the policies' runs; outputs/comparison by default."),
    html: z.string().min(1).max(4096).optional().describe("Writes the page with the plots to this file."),
    metric: z.array(z.enum(metricKeys)).max(metricKeys.length).optional().describe("Only these; all unless set."),
  }),
  output: comparison,
  async run(ctx, { html, metric, ...asked }) {
    const files = filesOf(ctx.files);
    const { names, unplayed } = await playPolicies(ctx, asked);
    // the statistics are much code that no other start should load
    const [{ compareVariants }, { readVariants }] = await Promise.all([
      import("./compare.rules.ts"),
      import("./compare-read.ts"),
    ]);
    const { variants, problems } = await readVariants(files, names, (done, total) =>
      ctx.progress(done, total, "reports"),
    );
    problems.unshift(...unplayed);
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

interface PoliciesAsked {
  readonly runs: readonly string[];
  readonly config?: string | undefined;
  readonly backlog?: string | undefined;
  readonly sprints?: number | undefined;
  readonly seeds?: number | undefined;
  readonly seed?: number | undefined;
  readonly jobs?: number | undefined;
  readonly output?: string | undefined;
}

/** Runs the policies among what is named, and gives what is to be read then; where there are none, nothing is loaded. */
async function playPolicies(ctx: OperationContext, { runs, jobs, output, seeds = 20, ...asked }: PoliciesAsked) {
  if (!runs.some((name) => /\.ya?ml$/.test(name))) return { names: runs, unplayed: [] };
  const { playVariants } = await import("./compare-run.ts");
  const here = ctx.files?.folder ?? ctx.config.root;
  const folder = resolve(here, output ?? join("outputs", "comparison"));
  const progress = (done: number, total: number) => ctx.progress(done, total, "sprints");
  const options = { jobs: jobs ?? availableParallelism(), progress };
  const { names, problems } = await playVariants(runs, { ...asked, seeds, here, folder }, options);
  return { names, unplayed: problems };
}

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
