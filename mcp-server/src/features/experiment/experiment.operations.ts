import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { openingLines } from "./console.rules.ts";
import { wantsSessions } from "./live/place.ts";
import { hasSeeds } from "./seed-folders.ts";

const MAX_SPRINTS = 10_000;

export const experimentRun = defineOperation({
  name: "experiment_run",
  description:
    "Run an experiment: simulated teams work through a backlog under a coordination policy, on a store and a clock of their own. Same seed, same bytes. Writes boards, pairing logs, retrospectives and final_report.json to a folder; a run that was stopped goes on there.",
  // nothing of the project's own store is read or written
  kind: "read",
  needsStore: false,
  mcp: "none",
  input: z.strictObject({
    config: z.string().min(1).max(4096).optional().describe("Teams, people and policy; as teamwright.yaml."),
    backlog: z.string().min(1).max(4096).optional().describe("Stories of the portfolio; as the configuration says."),
    sprints: z.number().int().min(1).max(MAX_SPRINTS).optional().describe("In all; as the configuration says."),
    continue: z
      .number()
      .int()
      .min(1)
      .max(MAX_SPRINTS)
      .optional()
      .describe("So many more in a folder of a run, or of seeds."),
    output: z.string().min(1).max(4096).optional().describe("Folder; outputs/experiment by default."),
    seed: z.number().int().min(0).max(2_147_483_647).optional().describe("As the configuration says."),
    seeds: z.number().int().min(1).max(1000).optional().describe("So many runs, each in a folder seed-N of its own."),
    jobs: z.number().int().min(1).max(256).optional().describe("Runs at the same time; as many as there are cores."),
    variant: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("What the policy is called in comparisons, or a YAML file laid over the configuration."),
    agents: z
      .enum(["mock", "claude"])
      .optional()
      .describe("Who works: simulated agents, or a real headless session of Claude Code per team; mock by default."),
    project: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe("With agents claude: a git repository, of which a clone is worked on; an empty one by default."),
  }),
  output: z.object({
    ok: z.boolean(),
    folder: z.string(),
    report: z.string(),
    sprints_done: z.number(),
    sprints_wanted: z.number(),
    seeds: z.number().optional(),
    resumed_after: z.number().optional(),
    cancelled: z.boolean().optional(),
    waits_for: z.string().optional(),
    agents: z.array(z.object({ id: z.string(), name: z.string() })),
    teams: z.array(z.object({ id: z.string(), name: z.string(), agents: z.number() })),
    coordinators: z.array(z.string()),
    summary: z.string(),
    lines: z.array(z.string()).describe("The sprints of this run, as the console shows them."),
  }),
  async run(ctx, input) {
    const here = ctx.files?.folder ?? ctx.config.root;
    const folder = resolve(here, input.output ?? join("outputs", "experiment"));
    if (wantsSessions(input, folder)) {
      const { runLive } = await import("./live/live-run.ts");
      return runLive({ ...input, here, folder }, ctx);
    }
    // the simulation is much code that no other start should load
    const { runOne, runSeeds } = await import("./seeds.ts");
    const progress = (done: number, total: number) => ctx.progress(done, total, "sprints");
    const { seeds, jobs = availableParallelism(), ...rest } = input;
    const asked = { ...rest, here, folder };
    const isOne = seeds === undefined && !(input.continue !== undefined && hasSeeds(folder));
    return isOne ? runOne(asked, progress) : runSeeds({ ...asked, seeds }, { jobs, progress });
  },
  render(output) {
    const missing = output.sprints_wanted - output.sprints_done;
    return [
      ...openingLines(output),
      ...output.lines,
      "",
      ...(output.resumed_after === undefined ? [] : [`Went on after sprint ${output.resumed_after}.`]),
      ...(output.cancelled
        ? [
            output.seeds === undefined
              ? `Stopped; ${missing} sprints are left: --continue ${missing} goes on.`
              : "Stopped; the same command takes up every seed where it is.",
          ]
        : []),
      ...(output.waits_for === undefined
        ? []
        : [`The stakeholder's word is waited for: put it into ${output.waits_for}.`]),
      `${output.seeds === undefined ? "Portfolio report" : "Portfolio reports"}: ${plainLine(output.report, 4096)}`,
    ].join("\n");
  },
});
