import { coordinationOf, loansOf, type Metric, type Run, type Variant } from "./compare-metrics.rules.ts";
import type { ReadableReport } from "./report.schema.ts";
import { type Estimate, estimateDifference, estimateMean } from "./stats.rules.ts";

/** Runs of both variants under one seed, in the order of seeds. A run without a seed has no pair. */
function pairRuns(base: Variant, other: Variant): readonly (readonly [Run, Run])[] {
  const known = bySeed(base);
  return [...bySeed(other)]
    .sort(([one], [two]) => one - two)
    .flatMap(([seed, run]) => {
      const pair = known.get(seed);
      return pair ? [[pair, run] as const] : [];
    });
}

/** `other − base` of a number over their common seeds; pairs where one has it not are left out. */
export function pairedEstimate(base: Variant, other: Variant, of: Metric["of"]): Estimate | undefined {
  const values = pairRuns(base, other).flatMap(([one, two]) => {
    const [before, after] = [of(one.report), of(two.report)];
    return before === undefined || after === undefined ? [] : [[before, after] as const];
  });
  return estimateDifference(
    values.map(([before]) => before),
    values.map(([, after]) => after),
  );
}

/** Mean of a number over the variant's runs that have it. */
export function estimateOver(
  variant: Variant,
  of: (report: ReadableReport) => number | undefined,
): Estimate | undefined {
  return estimateMean(variant.runs.map(({ report }) => of(report)).filter((value) => value !== undefined));
}

/** What all runs of a variant agree about; undefined otherwise. */
export function isCoordinated({ runs }: Variant): boolean | undefined {
  const said = new Set(runs.map(({ report }) => coordinationOf(report)));
  return said.size === 1 ? [...said][0] : undefined;
}

export function hasLoans({ runs }: Variant): boolean {
  return runs.some(({ report }) => (loansOf(report) ?? 0) > 0);
}

/**
 * Whether teams, practices and stories are the same, so that a difference may be coordination's doing. Reports that do
 * not say are taken by their teams.
 */
export function isSameSetup(one: Variant, other: Variant): boolean {
  const reports = [...one.runs, ...other.runs].map(({ report }) => report);
  const isTold = reports.every(({ setup }) => setup !== undefined);
  const hasSizes = reports.every(({ teams }) => Object.values(teams).every(({ agents }) => agents !== undefined));
  const setups = reports.map(({ setup, teams }) =>
    isTold
      ? setup
      : Object.entries(teams)
          .map(([id, { agents }]) => (hasSizes ? `${id} ${agents}` : id))
          .sort()
          .join("\n"),
  );
  return new Set(setups).size === 1;
}

/** What a reader must know about the pairs before the numbers. */
export function pairingNotes(variants: readonly Variant[]): string[] {
  const [base, ...others] = variants;
  if (!base) return [];
  return [
    ...variants.flatMap(unseededNote),
    ...others.flatMap((other) => commonNote(base, other)),
    ...setupNote(base, others),
    ...lengthNote(variants),
  ];
}

function bySeed({ runs }: Variant): Map<number, Run> {
  const found = new Map<number, Run>();
  for (const run of runs) if (run.seed !== undefined && !found.has(run.seed)) found.set(run.seed, run);
  return found;
}

function unseededNote(variant: Variant): string[] {
  const without = variant.runs.filter(({ seed }) => seed === undefined).length;
  const seeded = variant.runs.length - without;
  const twice = seeded - bySeed(variant).size;
  return [
    ...(without > 0
      ? [`${variant.label}: ${countOf(without, "run")} without a seed ${without === 1 ? "has" : "have"} no pair.`]
      : []),
    ...(twice > 0
      ? [`${variant.label}: of runs with the same seed the first alone is paired (${twice} left out).`]
      : []),
  ];
}

function commonNote(base: Variant, other: Variant): string[] {
  const common = pairRuns(base, other).length;
  const most = Math.max(bySeed(base).size, bySeed(other).size);
  if (common === most && common > 0) return [];
  if (common === 0) return [`${other.label} and ${base.label} have no seed in common: their runs are not compared.`];
  return [
    `${other.label} and ${base.label} have ${countOf(common, "seed")} in common of ${most}; differences rest on ${common === 1 ? "that one" : "those"}.`,
  ];
}

function setupNote(base: Variant, others: readonly Variant[]): string[] {
  const apart = others.filter((other) => !isSameSetup(base, other)).map(({ label }) => label);
  if (apart.length === 0) return [];
  return [
    `${apart.join(", ")}: other teams, practices or stories than ${base.label}, so that what differs is not coordination's doing alone.`,
  ];
}

function lengthNote(variants: readonly Variant[]): string[] {
  const lengths = new Set(variants.flatMap(({ runs }) => runs.map(({ report }) => report.portfolio.total_sprints)));
  if (lengths.size < 2) return [];
  const sorted = [...lengths].sort((one, two) => one - two);
  return [
    `The runs have ${sorted[0]} to ${sorted.at(-1)} sprints: totals of different length are not alike, per-sprint numbers are.`,
  ];
}

function countOf(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
