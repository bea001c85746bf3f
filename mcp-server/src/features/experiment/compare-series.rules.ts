import { plainLine } from "../../kernel/fence.ts";
import type { Series, SizePoint } from "./compare.schema.ts";
import { agentSprints, ratio, sum, teamVelocity, type Variant } from "./compare-metrics.rules.ts";
import { estimateOver } from "./compare-pairs.rules.ts";
import type { ReadableReport, ReadableSprint } from "./report.schema.ts";
import { estimateMean } from "./stats.rules.ts";

type PerSprint = (report: ReadableReport, sprint: number) => number | undefined;

const perSprint: readonly (Pick<Series, "key" | "title" | "unit"> & { readonly of: PerSprint })[] = [
  {
    key: "velocity",
    title: "Velocity per sprint",
    unit: "points",
    of: (report, sprint) => overTeams(report, sprint, ({ velocity }) => velocity),
  },
  {
    key: "blocked_minutes",
    title: "Time blocked per sprint",
    unit: "minutes",
    of: (report, sprint) => overTeams(report, sprint, ({ blocked_minutes }) => blocked_minutes),
  },
  {
    key: "loans",
    title: "Loans begun per sprint",
    unit: "loans",
    of: ({ borrows, coordination, portfolio }, sprint) =>
      sprint > portfolio.total_sprints || (!borrows && coordination?.enabled !== false)
        ? undefined
        : (borrows ?? []).filter((loan) => loan.sprint === sprint).length,
  },
];

/** Means of the whole portfolio sprint by sprint, over the runs that came so far; sprints that none has are left out. */
export function seriesOf(variants: readonly Variant[]): Series[] {
  return perSprint.map(({ of, ...series }) => ({
    ...series,
    variants: variants.map((variant) => ({
      variant: variant.label,
      points: sprintsOf(variant).flatMap((sprint) => {
        const estimate = estimateOver(variant, (report) => of(report, sprint));
        return estimate ? [{ sprint, estimate }] : [];
      }),
    })),
  }));
}

/** Each team of each variant: how many agents, and story points per agent and sprint, mean over its runs. */
export function sizePoints(variants: readonly Variant[]): SizePoint[] {
  return variants.flatMap((variant) => {
    const found = new Map<string, { team: string; agents: number; values: number[] }>();
    for (const { report } of variant.runs)
      for (const [team, facts] of Object.entries(report.teams)) {
        const perCapita = ratio(teamVelocity(facts), agentSprints(facts));
        if (facts.agents === undefined || perCapita === undefined) continue;
        const key = `${facts.agents} ${team}`;
        const point = found.get(key) ?? { team: plainLine(team, 60) || "unnamed", agents: facts.agents, values: [] };
        point.values.push(perCapita);
        found.set(key, point);
      }
    return [...found.values()].flatMap(({ team, agents, values }) => {
      const estimate = estimateMean(values);
      return estimate ? [{ variant: variant.label, team, agents, estimate }] : [];
    });
  });
}

function overTeams(
  { teams }: ReadableReport,
  n: number,
  of: (sprint: ReadableSprint) => number | undefined,
): number | undefined {
  return sum(Object.values(teams).flatMap(({ sprints = [] }) => sprints.filter(({ sprint }) => sprint === n).map(of)));
}

function sprintsOf({ runs }: Variant): number[] {
  const numbers = runs.flatMap(({ report }) =>
    Object.values(report.teams).flatMap(({ sprints = [] }) => sprints.map(({ sprint }) => sprint)),
  );
  return [...new Set(numbers)].sort((one, two) => one - two);
}
