import type { Answer, AnsweredQuestion } from "./compare.schema.ts";
import {
  agentSprints,
  blockedMinutes,
  metrics,
  ratio,
  sum,
  teamVelocity,
  type Variant,
} from "./compare-metrics.rules.ts";
import { estimateOver, hasLoans, isCoordinated, isSameSetup, pairedEstimate } from "./compare-pairs.rules.ts";
import { type Contrast, contrastVerdict, correlationVerdict } from "./compare-words.rules.ts";
import type { ReadableReport, ReadableSprint, ReadableTeam } from "./report.schema.ts";
import { directionOf, type Estimate, estimateCorrelation } from "./stats.rules.ts";

const MORE = "Velocity per agent and sprint";

/** The six research questions of seed 000 §10, answered from the reports alone (requirement EX-04). */
export function answerQuestions(variants: readonly Variant[]): AnsweredQuestion[] {
  return [
    coordinationQuestion(variants),
    borrowingCostQuestion(variants),
    teamTypeQuestion(variants),
    dependencyQuestion(variants),
    coordinatedBorrowingQuestion(variants),
    teamSizeQuestion(variants),
  ];
}

function coordinationQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const without = variants.filter((variant) => isCoordinated(variant) === false);
  const coordinated = variants.filter((variant) => isCoordinated(variant) === true);
  const alone = coordinated.filter((variant) => !without.some((control) => isSameSetup(control, variant)));
  return {
    id: "coordination",
    question: "Does cross-team coordination improve total portfolio velocity?",
    measure:
      "Total portfolio velocity with coordination minus without, paired by seed, of variants that differ in nothing else.",
    answers: coordinated.flatMap((variant) =>
      controlsOf(variant, without).map((control) => metricAnswer("total_velocity", control, variant)),
    ),
    ...unanswered(
      without.length === 0 && "no variant has coordination off",
      coordinated.length === 0 && "none has it on",
      without.length > 0 && withoutControl(alone),
    ),
  };
}

function coordinatedBorrowingQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const borrowing = variants.filter((variant) => isCoordinated(variant) === true && hasLoans(variant));
  const without = variants.filter((variant) => isCoordinated(variant) === false);
  const watching = variants.filter((variant) => isCoordinated(variant) === true && !hasLoans(variant));
  const alone = borrowing.filter((variant) => !without.some((control) => isSameSetup(control, variant)));
  return {
    id: "coordinated_borrowing",
    question: "Is coordinator-driven borrowing better than no coordination?",
    measure:
      "Velocity per sprint and time blocked, variants with loans minus the one without coordination and minus the one that only observes, paired by seed, of variants that differ in nothing else.",
    answers: borrowing.flatMap((variant) =>
      [...controlsOf(variant, without), ...controlsOf(variant, watching)].flatMap((control) => [
        metricAnswer("velocity_per_sprint", control, variant),
        metricAnswer("blocked_minutes", control, variant),
      ]),
    ),
    ...unanswered(
      borrowing.length === 0 && "no coordinated variant has lent anybody",
      without.length === 0 && "no variant has coordination off",
      without.length > 0 && withoutControl(alone),
    ),
  };
}

/** The first of them that has the same teams, practices and stories; none where all have others. */
function controlsOf(variant: Variant, candidates: readonly Variant[]): Variant[] {
  return candidates.filter((candidate) => isSameSetup(candidate, variant)).slice(0, 1);
}

function withoutControl(variants: readonly Variant[]): string | false {
  const labels = variants.map(({ label }) => label).join(", ");
  return labels !== "" && `without coordination nothing was run with the teams, practices and stories of ${labels}`;
}

function borrowingCostQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const lending = variants.filter((variant) => variant.runs.some(({ report }) => hasLoanSprints(report)));
  const sides = [
    ["Velocity of lending teams", (sprint: ReadableSprint) => sprint.borrowed_out ?? 0],
    ["Velocity of receiving teams", (sprint: ReadableSprint) => sprint.borrowed_in ?? 0],
  ] as const;
  return {
    id: "borrowing_cost",
    question: "What is the cost of agent borrowing (context-switch overhead)?",
    measure: "A team's mean velocity in sprints with a loan minus in its sprints without any, mean per run.",
    answers: lending.flatMap((variant) =>
      sides.map(([what, lent]) =>
        contrast(
          variant.label,
          {
            what: `${what} (${variant.label})`,
            one: "sprints with a loan",
            other: "their other sprints",
            unit: "points",
          },
          estimateOver(variant, (report) => loanEffect(report, lent)),
        ),
      ),
    ),
    ...unanswered(lending.length === 0 && "no team has lent or borrowed in any sprint"),
  };
}

function teamTypeQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const measures = [
    [MORE, "points", teamVelocity],
    ["Time blocked per agent and sprint", "minutes", blockedMinutes],
  ] as const;
  const answers = variants.flatMap((variant) =>
    measures.flatMap(([what, unit, of]) => {
      const estimate = estimateOver(variant, (report) => typeContrast(report, of));
      const words = { one: "stream-aligned teams", other: "platform teams", unit };
      return estimate ? [contrast(variant.label, { what: `${what} (${variant.label})`, ...words }, estimate)] : [];
    }),
  );
  return {
    id: "team_types",
    question: "Do stream-aligned teams outperform platform teams?",
    measure: "Per agent and sprint, stream-aligned teams minus platform teams of the same run.",
    answers,
    ...unanswered(answers.length === 0 && "no run has teams of both types and says how many agents they have"),
  };
}

function dependencyQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const answers = variants.flatMap((variant): Answer[] => {
    const estimate = estimateCorrelation(variant.runs.map(({ report }) => dependencyPoints(report)));
    const words = { one: "the number of cross-team dependencies", other: "the time blocked" };
    return estimate
      ? [correlation(variant.label, { what: `Teams and sprints of ${variant.label}`, ...words }, estimate)]
      : [];
  });
  return {
    id: "dependencies",
    question: "How do cross-team dependencies affect delivery?",
    measure: "Correlation of cards with depends_on_team with minutes blocked, over teams and sprints, mean per run.",
    answers,
    ...unanswered(answers.length === 0 && "in no run do both dependencies and time blocked vary"),
  };
}

/**
 * Within the runs of each variant that has teams of several sizes. Where sizes vary across experiments alone, the runs of
 * all variants under one seed are one group.
 */
function teamSizeQuestion(variants: readonly Variant[]): AnsweredQuestion {
  const within = variants.flatMap(({ label, runs }) =>
    sizeAnswer(
      label,
      runs.map(({ report }) => sizePoints(report)),
    ),
  );
  const answers = within.length > 0 ? within : sizeAnswer("all variants", pooledSizes(variants));
  return {
    id: "team_size",
    question: "How does team size affect velocity per capita?",
    measure:
      "Correlation of a team's agents, as configured, with its story points per agent and sprint: over the teams of a run, mean per run; over all variants of a seed only where no variant has three sizes, with all else that they differ in.",
    answers,
    ...unanswered(answers.length === 0 && "it takes teams of three sizes at least, whose agents are known"),
  };
}

type SizePoint = readonly [agents: number, perCapita: number];

function sizeAnswer(about: string, groups: readonly (readonly SizePoint[])[]): Answer[] {
  const sizes = new Set(groups.flatMap((points) => points.map(([agents]) => agents)));
  // between two sizes any other difference of the two teams would pass for their size
  const estimate = sizes.size < 3 ? undefined : estimateCorrelation(groups);
  const words = { what: `Teams of ${about}`, one: "team size", other: "velocity per agent" };
  return estimate ? [correlation(about, words, estimate)] : [];
}

function pooledSizes(variants: readonly Variant[]): SizePoint[][] {
  const groups = new Map<number | string, SizePoint[]>();
  for (const { seed, path, report } of variants.flatMap(({ runs }) => runs))
    groups.set(seed ?? path, [...(groups.get(seed ?? path) ?? []), ...sizePoints(report)]);
  return [...groups.values()];
}

function sizePoints({ teams }: ReadableReport): SizePoint[] {
  return Object.values(teams).flatMap((team) => {
    const perCapita = ratio(teamVelocity(team), agentSprints(team));
    return team.agents === undefined || perCapita === undefined ? [] : [[team.agents, perCapita] as const];
  });
}

function metricAnswer(
  key: "total_velocity" | "velocity_per_sprint" | "blocked_minutes",
  base: Variant,
  other: Variant,
) {
  const metric = metrics.find((candidate) => candidate.key === key);
  const words = { what: metric?.title ?? key, one: other.label, other: base.label, unit: metric?.unit ?? "" };
  const estimate = metric && pairedEstimate(base, other, metric.of);
  return contrast(`${other.label} − ${base.label}`, words, estimate);
}

function contrast(about: string, words: Contrast, estimate: Estimate | undefined): Answer {
  const verdict = contrastVerdict(words, estimate);
  return { about, unit: words.unit, ...(estimate ? { estimate } : {}), direction: directionOf(estimate), verdict };
}

function correlation(about: string, words: Omit<Contrast, "unit">, estimate: Estimate): Answer {
  const verdict = correlationVerdict(words, estimate);
  return { about, unit: "r", estimate, direction: directionOf(estimate), verdict };
}

function unanswered(...reasons: (string | false)[]): { unanswered?: string } {
  const said = reasons.filter((reason) => reason !== false);
  return said.length > 0 ? { unanswered: `Not answered in full: ${said.join("; ")}.` } : {};
}

function hasLoanSprints({ teams }: ReadableReport): boolean {
  return Object.values(teams).some((team) => (team.sprints ?? []).some((sprint) => !isQuiet(sprint)));
}

function isQuiet({ borrowed_in, borrowed_out }: ReadableSprint): boolean {
  return (borrowed_in ?? 0) === 0 && (borrowed_out ?? 0) === 0;
}

/** Mean over the run's teams that have sprints of both kinds; undefined when none has. */
function loanEffect({ teams }: ReadableReport, lent: (sprint: ReadableSprint) => number): number | undefined {
  const effects = Object.values(teams).flatMap(({ sprints = [] }) => {
    const during = meanOf(sprints.filter((sprint) => lent(sprint) > 0).map(({ velocity }) => velocity));
    const otherwise = meanOf(sprints.filter(isQuiet).map(({ velocity }) => velocity));
    return during === undefined || otherwise === undefined ? [] : [during - otherwise];
  });
  return meanOf(effects);
}

function typeContrast({ teams }: ReadableReport, of: (team: ReadableTeam) => number | undefined): number | undefined {
  const perAgent = (type: string) => {
    const chosen = Object.values(teams).filter((team) => team.team_type === type);
    return ratio(sum(chosen.map(of)), sum(chosen.map(agentSprints)));
  };
  const [stream, platform] = [perAgent("stream_aligned"), perAgent("platform")];
  return stream === undefined || platform === undefined ? undefined : stream - platform;
}

function dependencyPoints({ teams }: ReadableReport): (readonly [number, number])[] {
  return Object.values(teams).flatMap(({ sprints = [] }) =>
    sprints.flatMap(({ cross_team_dependencies: dependencies, blocked_minutes: minutes }) =>
      dependencies === undefined || minutes === undefined ? [] : [[dependencies, minutes] as const],
    ),
  );
}

function meanOf(values: readonly number[]): number | undefined {
  return ratio(sum(values), values.length);
}
