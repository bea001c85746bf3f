import { parseConfig } from "../../mcp-server/src/config/config.load.ts";
import { type ProjectConfig, withDefaults } from "../../mcp-server/src/config/config.schema.ts";
import { writeReports } from "../../mcp-server/src/features/experiment/reports.ts";
import { type RunOptions, runExperiment } from "../../mcp-server/src/features/experiment/runner.ts";
import { aBacklog, everything } from "./experiments.ts";
import { type Answer, openWorld, type World } from "./world.ts";

export function configOf(text: string): ProjectConfig {
  const { config, problems } = parseConfig(text, "config.yaml");
  if (!config) throw new Error(problems.join("\n"));
  return withDefaults(config, "/");
}

export interface Played {
  readonly files: Record<string, string>;
  readonly report: Answer;
  readonly outcome: Awaited<ReturnType<typeof runExperiment>>;
  json(path: string): Answer;
}

export type PlayOptions = Partial<RunOptions> & { text?: string };

/** Plays in the world's store and keeps every file that was written. */
export async function play(world: World, options: PlayOptions = {}): Promise<Played> {
  const { text = everything, ...rest } = options;
  const files: Record<string, string> = {};
  const output = {
    write(path: string, content: string) {
      files[path] = content;
    },
  };
  const { store } = world.runtime;
  const outcome = await runExperiment({
    store,
    config: configOf(text),
    backlogs: [{ name: "backlog.yaml", text: aBacklog() }],
    seed: 5,
    variant: "everything",
    sprints: 3,
    output,
    ...rest,
  });
  await writeReports(store.db, outcome, output);
  const json = (path: string) => JSON.parse(files[path] ?? "null");
  return { files, outcome, json, report: json("final_report.json") };
}

export async function playAlone(options: PlayOptions = {}): Promise<Played> {
  await using world = await openWorld();
  return await play(world, options); // the world ends with this function
}
