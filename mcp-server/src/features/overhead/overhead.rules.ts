import type { OverheadSettings } from "../../config/coordination.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OverheadReport, OverheadStep } from "./overhead.schema.ts";

/** The time that overhead may take, in whole ms: parts of parts add up to the total exactly. */
export interface Budget {
  readonly sprints: number;
  readonly totalMs: number;
  readonly iterationZeroMs: number;
  /** What a sprint has for its three steps, and each of them, on the average. */
  readonly perSprintMs: number;
  readonly stepMs: Readonly<Record<Exclude<OverheadStep, "iteration_zero">, number>>;
  readonly settings: OverheadSettings;
}

/** requirements OH-01, OH-02: total = sprints × minutes × share; minutes are those of one sprint. */
export function budgetOf(settings: OverheadSettings, sprints: number, minutes: number): Budget {
  const totalMs = Math.round(sprints * minutes * 60_000 * settings.overhead_budget_pct);
  const iterationZeroMs = Math.round(totalMs * settings.iteration_zero_share);
  const perSprintMs = sprints > 0 ? (totalMs - iterationZeroMs) / sprints : 0;
  return {
    sprints,
    totalMs,
    iterationZeroMs,
    perSprintMs,
    stepMs: {
      coordination: perSprintMs * settings.coordination_step_weight,
      distribution: perSprintMs * settings.distribution_step_weight,
      checkin: perSprintMs * settings.checkin_step_weight,
    },
    settings,
  };
}

/** What one step of one sprint has, in whole ms; over all sprints and steps these sum to the total. */
export function shareOf(budget: Budget, step: OverheadStep, sprint: number): number {
  if (step === "iteration_zero") return budget.iterationZeroMs;
  if (sprint < 1 || sprint > budget.sprints) return 0;
  const { settings, totalMs, iterationZeroMs, sprints } = budget;
  // differences of rounded running sums: no ms is lost or counted twice
  const until = (n: number) => Math.round(((totalMs - iterationZeroMs) * n) / sprints);
  const ofSprint = until(sprint) - until(sprint - 1);
  const coordination = Math.round(ofSprint * settings.coordination_step_weight);
  const before = Math.round(ofSprint * (settings.coordination_step_weight + settings.distribution_step_weight));
  const beforeCheckin = Math.min(before, ofSprint); // weights sum to 1 but for what floating point leaves over
  if (step === "coordination") return coordination;
  return step === "distribution" ? beforeCheckin - coordination : ofSprint - beforeCheckin;
}

/** A step as it was or is; while it runs, the time it was granted counts as spent. */
export interface StepFacts {
  readonly step: OverheadStep;
  readonly sprint: number;
  readonly timeoutMs: number;
  /** Undefined while it runs. */
  readonly elapsedMs: number | undefined;
}

export interface Grant {
  readonly timeoutMs: number;
  /** Part of the timeout that the budget has no more, and the floor grants all the same. */
  readonly overrunMs: number;
}

/**
 * How long a step may take: max(min(its share and what was carried over, what remains), floor) (requirements OH-03,
 * OH-09). Steps that run beside it have taken theirs out of what remains. Throws INVALID_INPUT for an unknown step.
 */
export function stepTimeout(budget: Budget, step: string, sprint: number, past: readonly StepFacts[]): Grant {
  const known = asStep(step);
  const carriedMs = budget.settings.carry_over ? carriedOver(budget, known, sprint, past) : 0;
  const remaining = remainingMs(budget, past);
  const floor = Math.round(budget.settings.min_step_timeout_seconds * 1000);
  const timeoutMs = Math.max(Math.min(shareOf(budget, known, sprint) + carriedMs, remaining), floor);
  return { timeoutMs, overrunMs: Math.max(0, timeoutMs - remaining) };
}

/** Never negative: what goes beyond is overrun. */
export function remainingMs(budget: Budget, past: readonly StepFacts[]): number {
  return Math.max(0, budget.totalMs - spentMs(past));
}

export function spentMs(past: readonly StepFacts[]): number {
  return past.reduce((sum, { elapsedMs, timeoutMs }) => sum + (elapsedMs ?? timeoutMs), 0);
}

/** What the steps of this kind have left unused so far, those that were never taken included. */
function carriedOver(budget: Budget, step: OverheadStep, sprint: number, past: readonly StepFacts[]): number {
  if (step === "iteration_zero") return 0;
  let granted = 0;
  for (let n = 1; n < sprint; n += 1) granted += shareOf(budget, step, n);
  return Math.max(0, granted - spentMs(past.filter((fact) => fact.step === step && fact.sprint < sprint)));
}

const knownSteps: Readonly<Record<OverheadStep, true>> = {
  iteration_zero: true,
  coordination: true,
  distribution: true,
  checkin: true,
};

/** Throws INVALID_INPUT: a misspelt step would have the floor's time for nothing. */
export function asStep(step: string): OverheadStep {
  if (Object.hasOwn(knownSteps, step)) return step as OverheadStep;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `There is no overhead step of that name; the steps are ${Object.keys(knownSteps).join(", ")}.`,
    hint("overhead_show", "shows the steps and their time"),
  );
}

export interface Fallback {
  readonly mode: "heuristic" | "no_borrows" | "skip";
  readonly text: string;
}

/** What happens instead when a step runs out of time (requirement OH-06). */
export const fallbacks: Readonly<Record<OverheadStep, Fallback>> = {
  iteration_zero: { mode: "heuristic", text: "Out of time: stories go to teams by type, domain and specialisation." },
  coordination: { mode: "no_borrows", text: "Out of time: nobody is borrowed, and the sprint starts without a plan." },
  distribution: { mode: "heuristic", text: "Out of time: stories go to teams by type, domain and specialisation." },
  checkin: { mode: "skip", text: "Out of time: the check-in is skipped." },
};

/** The section an agent that coordinates is told at its start; empty without a deadline (requirement OH-05). */
export function timeContext(deadline: number | undefined, now: number): string {
  if (deadline === undefined) return "";
  const minutes = (Math.max(0, deadline - now) / 60_000).toFixed(1);
  return [
    "## Time Context",
    `- Remaining overhead budget: ~${minutes} minutes`,
    "- Be concise. Focus on the most critical issues.",
  ].join("\n");
}

export interface ReportedStep extends StepFacts {
  readonly timedOut: boolean;
  readonly startedAt: number;
  readonly team: string | undefined;
}

/** requirement OH-07; seconds, rounded to hundredths. A step that runs counts with its time so far. */
export function reportOf(budget: Budget, steps: readonly ReportedStep[], now: number): OverheadReport {
  const shown = steps.map((fact) => ({
    ...fact,
    elapsed: fact.elapsedMs ?? Math.min(Math.max(0, now - fact.startedAt), fact.timeoutMs),
  }));
  const spent = shown.reduce((sum, { elapsed }) => sum + elapsed, 0);
  return {
    total_budget_seconds: inSeconds(budget.totalMs),
    spent_seconds: inSeconds(spent),
    remaining_seconds: inSeconds(Math.max(0, budget.totalMs - spent)),
    overrun_seconds: inSeconds(Math.max(0, spent - budget.totalMs)),
    num_steps: shown.length,
    timeouts: shown.filter(({ timedOut }) => timedOut).length,
    steps: shown.map(({ step, sprint, elapsed, timedOut, timeoutMs, team, elapsedMs }) => ({
      step,
      sprint,
      elapsed: inSeconds(elapsed),
      timed_out: timedOut,
      timeout: inSeconds(timeoutMs),
      ...(team === undefined ? {} : { team }),
      ...(elapsedMs === undefined ? { running: true } : {}),
      ...(timedOut ? { fallback: fallbacks[step].text } : {}),
    })),
  };
}

function inSeconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}
