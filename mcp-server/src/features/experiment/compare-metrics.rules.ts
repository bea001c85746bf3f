import type { MetricKey } from "./compare.schema.ts";
import type { ReadableReport, ReadableTeam } from "./report.schema.ts";

/** One run that is compared. */
export interface Run {
  readonly path: string;
  /** Pairs it with the runs of other variants; undefined when neither its report nor its folder says. */
  readonly seed: number | undefined;
  readonly report: ReadableReport;
}

/** Runs of one policy under several seeds. */
export interface Variant {
  /** One line, unique among the variants compared. */
  readonly label: string;
  readonly runs: readonly Run[];
}

/** A number of a run; `undefined` where its report does not have what it takes. */
export interface Metric {
  readonly key: MetricKey;
  readonly title: string;
  readonly unit: string;
  /** Absent where neither is better by itself. */
  readonly better?: "higher" | "lower";
  of(report: ReadableReport): number | undefined;
}

/** Requirements OU-04, EX-04, ME-05. */
export const metrics: readonly Metric[] = [
  {
    key: "total_velocity",
    title: "Total portfolio velocity",
    unit: "points",
    better: "higher",
    of: ({ portfolio }) => portfolio.total_velocity,
  },
  {
    key: "velocity_per_sprint",
    title: "Velocity per sprint",
    unit: "points",
    better: "higher",
    of: ({ portfolio }) => ratio(portfolio.total_velocity, portfolio.total_sprints),
  },
  {
    key: "velocity_per_capita",
    title: "Velocity per agent and sprint",
    unit: "points",
    better: "higher",
    of: (report) => ratio(report.portfolio.total_velocity, sum(Object.values(report.teams).map(agentSprints))),
  },
  {
    key: "features",
    title: "Features",
    unit: "features",
    better: "higher",
    of: ({ portfolio }) => portfolio.total_features,
  },
  {
    key: "blocked_minutes",
    title: "Time blocked",
    unit: "minutes",
    better: "lower",
    of: (report) => sum(Object.values(report.teams).map(blockedMinutes)),
  },
  { key: "loans", title: "Loans", unit: "loans", of: loansOf },
  {
    key: "overhead_share",
    title: "Overhead, share of the sprints' time",
    unit: "%",
    better: "lower",
    of: overheadShare,
  },
  {
    key: "overhead_budget_used",
    title: "Overhead, share of its budget",
    unit: "%",
    of: ({ overhead_budget: budget }) => percent(ratio(budget?.spent_seconds, budget?.total_budget_seconds)),
  },
];

/** Whether cross-team coordination was on; undefined when the report does not say. */
export function coordinationOf(report: ReadableReport): boolean | undefined {
  return report.coordination?.enabled;
}

/** Loans of the run; none where coordination was off, since nothing else lends. */
export function loansOf(report: ReadableReport): number | undefined {
  return report.borrows?.length ?? (coordinationOf(report) === false ? 0 : undefined);
}

/** Agents at work, summed over the sprints: loans count where the work is done. */
export function agentSprints(team: ReadableTeam): number | undefined {
  const counted = sum((team.sprints ?? []).map(({ agents }) => agents));
  return counted ?? (team.agents === undefined ? undefined : team.agents * team.total_sprints);
}

/** Story points of all sprints; the mean of a report is rounded, its sprints are not. */
export function teamVelocity(team: ReadableTeam): number {
  return sum((team.sprints ?? []).map(({ velocity }) => velocity)) ?? team.avg_velocity * team.total_sprints;
}

export function blockedMinutes(team: ReadableTeam): number | undefined {
  return sum((team.sprints ?? []).map(({ blocked_minutes }) => blocked_minutes));
}

/** Undefined when a part is missing, or there is none: a sum without it would mislead. */
export function sum(parts: readonly (number | undefined)[]): number | undefined {
  if (parts.length === 0) return undefined;
  return parts.reduce<number | undefined>(
    (total, part) => (total === undefined || part === undefined ? undefined : total + part),
    0,
  );
}

/** Undefined when a number is missing or the divisor is zero. */
export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

function percent(share: number | undefined): number | undefined {
  return share === undefined ? undefined : share * 100;
}

function overheadShare(report: ReadableReport): number | undefined {
  const { overhead_budget: budget, portfolio, sprint_minutes: minutes } = report;
  if (budget?.spent_seconds === undefined && coordinationOf(report) === false) return 0;
  const seconds = minutes === undefined ? undefined : portfolio.total_sprints * minutes * 60;
  return percent(ratio(budget?.spent_seconds, seconds));
}
