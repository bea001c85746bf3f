import { type SprintPhase, sprintPhases } from "../../config/coordination.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { directsWork, type Principal } from "../../kernel/principal.ts";

export const MINUTE_MS = 60_000;

/** Throws FORBIDDEN for agents: the time of all teams is the lead's, or a person's. */
export function checkKeepsTime(principal: Principal): void {
  if (directsWork(principal)) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    "Sprints are started and ended by a lead or a person.",
    hint("message_send", "to lead says why it should be"),
  );
}

/** Throws RULE_VIOLATED for a phase that is behind or is the present one; phases may be left out (requirement AG-01). */
export function checkPhase(from: SprintPhase, to: SprintPhase): void {
  const at = sprintPhases.indexOf(from);
  if (sprintPhases.indexOf(to) > at) return;
  const ahead = sprintPhases.slice(at + 1);
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `The sprint is in ${from}; ahead ${ahead.length === 0 ? "is only its end" : `are ${ahead.join(", ")}`}.`,
    hint(ahead.length === 0 ? "sprint_end" : "sprint_phase", "goes on from there"),
  );
}

export interface TimeBox {
  readonly n: number;
  readonly phase: string;
  readonly startedAt: number;
  readonly plannedMs: number;
}

/** Time left of a sprint, never below 0. */
export function remainingMs({ startedAt, plannedMs }: TimeBox, now: number): number {
  return Math.max(0, startedAt + plannedMs - now);
}

/** What an agent is told of the time it has (in the form of requirement OH-05): minutes with one decimal. */
export function sprintTime(box: TimeBox, now: number): string {
  const left = remainingMs(box, now);
  const advice =
    left === 0
      ? "The time box is over: hand in what is finished, and say in your report what is not."
      : "Take what can be finished in it first; say early what will not be.";
  return [
    "## Time Context",
    `Sprint ${box.n}, in ${box.phase}: ~${(left / MINUTE_MS).toFixed(1)} minutes remain.`,
    advice,
  ].join("\n");
}

/** What a call to start a sprint comes to: the next is opened, or the running one is what was meant. */
export type StartWish = { readonly kind: "open"; readonly n: number } | { readonly kind: "running" };

/** Of its time box; in the first of it a sprint counts as just begun. */
const JUST_BEGUN = 0.1;

/** Still being planned, and hardly any of its time is over. */
export function isJustBegun({ phase, startedAt, plannedMs }: TimeBox, now: number): boolean {
  return phase === "planning" && now - startedAt < plannedMs * JUST_BEGUN;
}

/**
 * Which sprint a caller means (requirement AG-01). With a number exactly that one. Without one the next, unless the
 * running one has only just begun: it is still planned, and a tenth of its time has not passed. Two leads who start a
 * sprint at the same moment, or one who asks again, mean one sprint. Throws RULE_VIOLATED for a number that is neither
 * the running sprint's nor the next one's.
 */
export function startWish(
  at: { readonly now: number; readonly last: number; readonly running: TimeBox | undefined },
  wanted?: number,
): StartWish {
  const { now, last, running } = at;
  if (wanted === undefined) {
    return running !== undefined && isJustBegun(running, now) ? { kind: "running" } : { kind: "open", n: last + 1 };
  }
  if (wanted === last + 1) return { kind: "open", n: wanted };
  if (wanted === running?.n) return { kind: "running" };
  throw new TeamwrightError(
    "RULE_VIOLATED",
    wanted <= last ? `Sprint ${wanted} is over; the next is ${last + 1}.` : `The next sprint is ${last + 1}.`,
    hint("sprint_start", `with sprint ${last + 1} starts it`),
  );
}
