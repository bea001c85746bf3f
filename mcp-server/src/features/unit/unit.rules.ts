import { hint, TeamwrightError } from "../../kernel/errors.ts";

export const phases = [
  "planned",
  "implement",
  "validate",
  "review",
  "commit",
  "done",
  "escalated",
  "abandoned",
] as const;
export type Phase = (typeof phases)[number];

/** Whoever moves a unit does it for one of these reasons; nothing else changes a phase (requirements FP-01). */
export type UnitEvent =
  | "start"
  | "submit"
  | "pass"
  | "fail"
  | "exhaust"
  | "approve"
  | "reject"
  | "commit"
  | "changed"
  | "resume"
  | "override"
  | "abandon";

const moves: Readonly<Record<Phase, Partial<Record<UnitEvent, Phase>>>> = {
  planned: { start: "implement", abandon: "abandoned" },
  implement: { submit: "validate", override: "commit", abandon: "abandoned" },
  validate: { pass: "review", fail: "implement", exhaust: "escalated", override: "commit", abandon: "abandoned" },
  review: {
    approve: "commit",
    reject: "implement",
    changed: "validate",
    exhaust: "escalated",
    override: "commit",
    abandon: "abandoned",
  },
  commit: { commit: "done", changed: "validate", fail: "implement", exhaust: "escalated", abandon: "abandoned" },
  escalated: { resume: "implement", override: "commit", abandon: "abandoned" },
  done: {},
  abandoned: {},
};

/** The phase after; throws RULE_VIOLATED with what is open instead. */
export function nextPhase(unit: { key: string; phase: string }, event: UnitEvent): Phase {
  const next = moves[unit.phase as Phase][event];
  if (next !== undefined) return next;
  const step = nextStep(unit.phase as Phase);
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${unit.key} is in phase ${unit.phase}: ${reasons[event]}.`,
    hint(step.operation, step.text),
  );
}

const reasons: Readonly<Record<UnitEvent, string>> = {
  start: "it cannot be started",
  submit: "there is nothing to hand in",
  pass: "there is nothing to validate",
  fail: "there is nothing to validate",
  exhaust: "it cannot be given up",
  approve: "there is nothing to review",
  reject: "there is nothing to review",
  commit: "it cannot be committed before a fresh reviewer has passed exactly this diff",
  changed: "there is no frozen diff",
  resume: "it is not escalated",
  override: "no person has decided to take what is there",
  abandon: "it is over",
};

/** The one obvious next step of a unit. */
export function nextStep(phase: Phase): { operation: string; text: string } {
  switch (phase) {
    case "planned":
      return { operation: "unit_start", text: "begins it" };
    case "implement":
      return { operation: "unit_submit", text: "hands the change in" };
    case "validate":
      return { operation: "unit_validate", text: "runs the gates and freezes the diff" };
    case "review":
      return { operation: "review_open", text: "gives the packet for a fresh reviewer" };
    case "commit":
      return { operation: "unit_commit", text: "commits what was reviewed" };
    case "escalated":
      return { operation: "brief_show", text: "shows what a person is asked" };
    default:
      return { operation: "brief_show", text: "says what is next in the run" };
  }
}

/** Phases in which an agent may still change the unit's files. */
export function isOpen(phase: string): boolean {
  return phase !== "done" && phase !== "abandoned";
}

/** Fields of a commit that carries a unit (requirements FP-05). */
export function commitMessage(unit: {
  key: string;
  title: string;
  items: readonly string[];
  taskKey: string;
  /** Key of the review, or undefined where a person has overridden it. */
  review: string | undefined;
  overriddenBy?: string | undefined;
  attempts: number;
  /** `tests failed`, for each that a person has overridden. */
  failedGates?: readonly string[];
  summary?: string | undefined;
}): string {
  const subject = `feat(${unit.key}): ${unit.title}`.slice(0, 100);
  const lines = [subject, ""];
  if (unit.summary) lines.push(withoutTrailers(unit.summary), "");
  for (const item of unit.items) lines.push(`- [${unit.review === undefined ? " " : "x"}] ${item}`);
  lines.push(
    "",
    unit.review === undefined
      ? `Overridden-by: ${unit.overriddenBy ?? "a person"}`
      : "Reviewed-by: adversarial-review (PASS)",
    `Teamwright-Unit: ${unit.key}`,
    `Teamwright-Review: ${unit.review ?? "none"}`,
    `Teamwright-Task: ${unit.taskKey}`,
    `Teamwright-Attempts: ${unit.attempts}`,
  );
  if (unit.failedGates?.length) lines.push(gatesTrailer(unit.failedGates));
  return lines.join("\n");
}

/** What is written freely claims neither a unit nor a review: such a line is quoted. */
function withoutTrailers(text: string): string {
  const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/);
  return lines
    .map((line) => (/^\s*(Teamwright-|Reviewed-by:|Overridden-by:)/i.test(line) ? `> ${line}` : line))
    .join("\n");
}

/** Says in history what was committed though gates had failed: `Teamwright-Gates: failed lint, tests (timeout)`. */
export function gatesTrailer(failed: readonly string[]): string {
  const names = failed.map((each) => each.replace(/ failed$/, "").replace(/ (missing|timeout|killed)$/, " ($1)"));
  return `Teamwright-Gates: failed ${names.join(", ")}`.replace(/\s+/g, " ");
}

/** True for a commit that says it carries this unit. */
export function isCommitOf(key: string, message: string): boolean {
  return message.split("\n").some((line) => line.trimEnd() === `Teamwright-Unit: ${key}`);
}
