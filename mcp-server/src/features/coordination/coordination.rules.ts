import { coordinatorRoles } from "../../config/people.schema.ts";
import { isLoopDue } from "../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";

export const roundKinds = ["full", "checkin", "orientation"] as const;
export type RoundKind = (typeof roundKinds)[number];

/** The two things a coordinator says in a round. */
export type Part = "evaluation" | "plan";

/** The shipped definitions that say them (requirements CA-01, CA-02). */
export const definitions: Readonly<Record<Part, string>> = {
  evaluation: "teamwright:staff-engineer",
  plan: "teamwright:enablement-lead",
};

/** Their roles, as a principal has them. */
export const rolesOfParts: Readonly<Record<Part, string>> = {
  evaluation: "staff-engineer",
  plan: "enablement-lead",
};

/** Which part an agent of this definition says; undefined for one that coordinates nothing. */
export function partOfDefinition(subagentType: string): Part | undefined {
  return (["evaluation", "plan"] as const).find((part) => definitions[part] === subagentType);
}

export interface Coordinators {
  /** Ids of the configuration. */
  readonly evaluator: string | undefined;
  readonly planner: string | undefined;
  readonly count: number;
}

interface CoordinatorSettings {
  readonly coordination: { readonly coordinators: readonly string[] };
  readonly models: {
    readonly agents?: Readonly<Record<string, { readonly role_archetype?: string | undefined }>> | undefined;
  };
}

/**
 * Who evaluates and who plans: by the archetype of the ids in `coordination.coordinators`, wherever they stand
 * (requirement CA-03). Ids that nothing is known of take the vacant parts as they are listed.
 */
export function coordinatorsOf({ coordination, models }: CoordinatorSettings): Coordinators {
  const archetype = (id: string) => models.agents?.[id]?.role_archetype?.replaceAll("-", "_");
  const ids = coordination.coordinators;
  const unknown = ids.filter((id) => archetype(id) === undefined);
  const take = (role: string) =>
    ids.find((id) => archetype(id) === role) ??
    pull(unknown, (id) => id.replaceAll("-", "_").includes(role)) ??
    pull(unknown, (id) => !namesRole(id));
  const evaluator = take(coordinatorRoles.evaluate);
  const planner = take(coordinatorRoles.plan);
  return { evaluator, planner, count: [evaluator, planner].filter((id) => id !== undefined).length };
}

function namesRole(id: string): boolean {
  return Object.values(coordinatorRoles).some((role) => id.replaceAll("-", "_").includes(role));
}

function pull(ids: string[], fits: (id: string) => boolean): string | undefined {
  const index = ids.findIndex(fits);
  return index === -1 ? undefined : ids.splice(index, 1)[0];
}

/** What a round may be begun on. */
export interface Moment {
  readonly enabled: boolean;
  readonly teams: number;
  readonly cadence: number;
  readonly midSprint: boolean;
  /** The running sprint; undefined between sprints. */
  readonly running: { readonly n: number; readonly phase: string; readonly isHalfOver: boolean } | undefined;
  /** Number of the newest sprint, 0 before the first. */
  readonly last: number;
}

/** Throws RULE_VIOLATED when no round of the kind is due; gives the sprint it is for (CO-02, CO-04, CO-05, OH-04). */
export function sprintOfRound(kind: RoundKind, at: Moment): number {
  if (!at.enabled)
    throw absent("Coordination is off in this project (coordination.enabled): teams go on by themselves.");
  if (at.teams < 2) throw absent("There is one team only, so there is nothing to coordinate.");
  if (kind === "orientation") {
    if (at.last === 0) return 1;
    throw absent("The orientation comes before the first sprint, and that has been started.");
  }
  if (kind === "full") {
    const n = at.last + 1;
    if (isLoopDue(n, at.cadence)) return n;
    if (n === 1)
      throw new TeamwrightError(
        "RULE_VIOLATED",
        "Before the first sprint there is an orientation, and no full loop.",
        hint("coordination_begin", "with kind orientation holds it; sprint_start goes on without it"),
      );
    const next = nextDue(n, at.cadence);
    throw absent(`The full loop is next due before sprint ${next}, and this one would be before sprint ${n}.`);
  }
  if (!at.midSprint) throw absent("Check-ins are off in this project (coordination.mid_sprint_checkin).");
  if (!at.running) throw absent("No sprint is running, so there is no middle of one.");
  const { n, phase, isHalfOver } = at.running;
  // phases are a person's to set, and need not be: then the clock says where the middle is
  if (phase === "development" || phase === "qa" || (phase === "planning" && isHalfOver)) return n;
  throw absent(`A check-in stands between development and QA, and sprint ${n} is in ${phase}.`);
}

function nextDue(n: number, cadence: number): number {
  let due = n;
  while (!isLoopDue(due, cadence)) due += 1;
  return due;
}

function absent(message: string): TeamwrightError {
  return new TeamwrightError("RULE_VIOLATED", message, hint("sprint_start", "goes on without it"));
}

/** Who asks to record a part of a round. */
export interface Recorder {
  readonly principal: Principal;
  /** True when the agent was started from the packet of this round and part. */
  readonly isBound: boolean;
  /** True when the client has started it at all: then its packet counts, and not its name. */
  readonly isSpawned: boolean;
}

/**
 * Throws FORBIDDEN for everybody but the coordinator whose part it is, and people (requirements CA-03, C-22): not the
 * lead, who would certify itself, and not an agent that was started on other words.
 */
export function checkRecords(
  part: Part,
  { principal, isBound, isSpawned }: Recorder,
  coordinators: Coordinators,
): void {
  if (principal.kind === "human") return;
  const role = rolesOfParts[part];
  const id = part === "evaluation" ? coordinators.evaluator : coordinators.planner;
  const isOne = principal.kind === "agent" && principal.role === role;
  if (isOne && (isBound || (!isSpawned && id !== undefined && principal.name === id))) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    isOne
      ? `This ${role} was not started for this round, so its words do not count in it.`
      : `The ${part} is the ${role}'s own: nobody else can write it.`,
    hint("coordination_begin", "says which agent to start"),
  );
}

/**
 * Throws FORBIDDEN for a coordinator that would lend agents beside its round: who evaluates or checks in lends nobody,
 * and who plans does so by its plan, whose outcome is told (requirements CO-03, CO-04).
 */
export function checkLendsByPlan(
  principal: Principal,
  round: { readonly isOpen: boolean; readonly isOwn: boolean },
): void {
  if (principal.kind !== "agent") return;
  if (principal.role === rolesOfParts.evaluation)
    throw new TeamwrightError(
      "FORBIDDEN",
      `A ${rolesOfParts.evaluation} says how teams stand, and lends nobody.`,
      hint("coordination_record", "takes what it recommends"),
    );
  if (principal.role === rolesOfParts.plan && (round.isOpen || round.isOwn))
    throw new TeamwrightError(
      "FORBIDDEN",
      "In a round agents are lent by its plan alone.",
      hint("coordination_record", "takes the plan, as its last message does"),
    );
}
