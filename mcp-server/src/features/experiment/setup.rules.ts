import { createHash } from "node:crypto";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { practiceNames } from "../../config/experiment.schema.ts";
import type { Backlog } from "./backlog.rules.ts";

/**
 * Digest of what a run is given besides its coordination: teams, people, limits, practices and stories. Runs with the
 * same one differ in coordination and luck alone, so that a difference is told of coordination (requirement EX-04).
 */
export function setupOf(config: ProjectConfig, backlogs: readonly Backlog[]): string {
  const { teams, models, wip_limits, sprint, portfolio, experiment } = config;
  const given = [
    teams.map(({ backlog: _, name: __, ...team }) => team), // a path tells nothing, the stories are beside it
    models.agents,
    wip_limits,
    sprint,
    portfolio.stories_per_team,
    [experiment.repeat_backlog, experiment.quality],
    practiceNames.map((name) => config[name]),
    backlogs.map(({ text, team }) => [text, team]),
  ];
  return createHash("sha256").update(JSON.stringify(given)).digest("hex").slice(0, 16);
}
