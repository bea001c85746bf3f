import { type Run, sum, teamVelocity, type Variant } from "./compare-metrics.rules.ts";
import type { ReadableReport, ReadableTeam } from "./report.schema.ts";

/** Reports whose numbers contradict each other, a sentence per variant: they count as they stand, and a reader knows. */
export function contradictionNotes(variants: readonly Variant[]): string[] {
  return variants.flatMap(({ label, runs }) => {
    const odd = runs.flatMap((run) => contradictionsOf(run.report).map((what) => `${nameOf(run)}: ${what}`));
    if (odd.length === 0) return [];
    const shown = odd.slice(0, 3).join("; ");
    return [`${label}: reports contradict themselves: ${shown}${odd.length > 3 ? ` and ${odd.length - 3} more` : ""}.`];
  });
}

function nameOf({ seed, path }: Run): string {
  return seed === undefined ? path : `seed ${seed}`;
}

function contradictionsOf({ teams, portfolio }: ReadableReport): string[] {
  const list = Object.values(teams);
  const features = sum(list.map(({ total_features }) => total_features)) ?? 0;
  const velocity = sum(list.map(teamVelocity)) ?? 0;
  const slack = sum(list.map(slackOf)) ?? 0;
  const uneven = Object.entries(teams).filter(([, team]) => team.sprints && team.sprints.length !== team.total_sprints);
  return [
    ...(list.length === portfolio.num_teams
      ? []
      : [`${portfolio.num_teams} teams are told and ${list.length} are there`]),
    ...(features === portfolio.total_features
      ? []
      : [`${portfolio.total_features} features in all, ${features} by teams`]),
    ...(Math.abs(velocity - portfolio.total_velocity) <= slack + 0.5
      ? []
      : [`${portfolio.total_velocity} points in all, ${Number(velocity.toFixed(1))} by teams`]),
    ...(uneven.length === 0
      ? []
      : [`${uneven.length} team${uneven.length === 1 ? "" : "s"} with sprints missing or too many`]),
  ];
}

/** A mean that is rounded to a tenth may be off by half of one, each sprint. */
function slackOf({ sprints, total_sprints }: ReadableTeam): number {
  return sprints ? 0.001 : 0.05 * total_sprints + 0.001;
}
