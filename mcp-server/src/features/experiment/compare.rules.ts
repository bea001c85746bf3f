import type { ComparedMetric, ComparedVariant, Comparison, MetricKey } from "./compare.schema.ts";
import { contradictionNotes } from "./compare-checks.rules.ts";
import { type Metric, metrics, type Variant } from "./compare-metrics.rules.ts";
import { estimateOver, isCoordinated, pairedEstimate, pairingNotes } from "./compare-pairs.rules.ts";
import { answerQuestions } from "./compare-questions.rules.ts";
import { seriesOf, sizePoints } from "./compare-series.rules.ts";
import { contrastVerdict } from "./compare-words.rules.ts";
import { CONFIDENCE, directionOf } from "./stats.rules.ts";

/** Drawn whatever numbers are asked for. */
const overheadMetric = metrics.filter(({ key }) => key === "overhead_share");

/** Compares each variant with the first; of metrics only those asked for, all of them when none is. */
export function compareVariants(
  variants: readonly [Variant, ...Variant[]],
  asked: readonly MetricKey[] = [],
): Omit<Comparison, "ok" | "problems"> {
  const chosen = metrics.filter(({ key }) => asked.length === 0 || asked.includes(key));
  return {
    baseline: variants[0].label,
    confidence: CONFIDENCE,
    variants: variants.map(describeVariant),
    metrics: chosen.map((metric) => compareMetric(metric, variants)),
    questions: answerQuestions(variants),
    series: seriesOf(variants),
    overhead: variants.flatMap((variant) => overheadMetric.map((metric) => meanOf(metric, variant))),
    team_sizes: sizePoints(variants),
    notes: [...pairingNotes(variants), ...contradictionNotes(variants)],
  };
}

function compareMetric(metric: Metric, [base, ...others]: readonly [Variant, ...Variant[]]): ComparedMetric {
  const { key, title, unit, better } = metric;
  return {
    metric: key,
    title,
    unit,
    ...(better ? { better } : {}),
    means: [base, ...others].map((variant) => meanOf(metric, variant)),
    differences: others.map((other) => {
      const estimate = pairedEstimate(base, other, metric.of);
      const words = { what: title, one: other.label, other: base.label, unit };
      return {
        variant: other.label,
        baseline: base.label,
        ...(estimate ? { estimate } : {}),
        direction: directionOf(estimate),
        verdict: contrastVerdict(words, estimate),
      };
    }),
  };
}

function meanOf(metric: Metric, variant: Variant) {
  const estimate = estimateOver(variant, metric.of);
  return { variant: variant.label, ...(estimate ? { estimate } : {}) };
}

function describeVariant(variant: Variant): ComparedVariant {
  const { label, runs } = variant;
  const coordination = isCoordinated(variant);
  return {
    label,
    paths: runs.map(({ path }) => path),
    runs: runs.length,
    seeds: runs.flatMap(({ seed }) => (seed === undefined ? [] : [seed])).sort((one, two) => one - two),
    ...(coordination === undefined ? {} : { coordination }),
    teams: Math.max(...runs.map(({ report }) => report.portfolio.num_teams)),
    sprints: Math.max(...runs.map(({ report }) => report.portfolio.total_sprints)),
  };
}
