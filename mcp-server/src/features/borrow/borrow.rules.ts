import { homeOf, membersOf, type Placement, placeOf, type Staffed } from "../agent/placement.rules.ts";

/** Why a loan is refused; the closed list that messages, reports and the trail use (requirements BO-05, BO-06, BO-10). */
const refusalCodes = [
  "unknown_team",
  "same_team",
  "duplicate",
  "already_lent",
  "not_in_team",
  "protected_role",
  "minimum_staffing",
  "cap",
  "no_consent",
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export interface LoanRequest {
  readonly agent: string;
  readonly from: string;
  readonly to: string;
}

/** A loan that is asked for or in force. */
export interface OpenLoan extends Placement {
  readonly home: string;
  readonly isActive: boolean;
  /** True when the agent is to be at home by the sprint that is asked for. */
  readonly isDue?: boolean;
}

/** What a request is judged by. */
export interface Staff {
  readonly teams: readonly Staffed[];
  readonly loans: readonly OpenLoan[];
  /** Loans granted for the sprint so far, ended ones too; what was refused is none. */
  readonly grantedInSprint: number;
  /** Roles of the agent that is asked for. */
  readonly roles: readonly string[];
  readonly maxPerSprint: number;
  readonly minTeamSize: number;
  readonly protectedRoles: readonly string[];
}

/** `lend`: leaves its home. `onward`: goes from its host to another team. `home`: its host gives it back. */
export type Judgement =
  | { readonly ok: true; readonly kind: "lend" | "onward" | "home" }
  | { readonly ok: false; readonly code: RefusalCode; readonly why: string };

/**
 * Whether an agent may work for another team. Says nothing about consent. A refused request uses no slot of the
 * sprint; going home needs none and is never refused for want of people.
 */
export function judgeLoan({ agent, from, to }: LoanRequest, staff: Staff): Judgement {
  const active = staff.loans.filter((loan) => loan.isActive);
  const current = active.find((loan) => loan.agent === agent);
  const place = placeOf(staff.teams, active, agent);
  if (!staff.teams.some((team) => team.id === to)) return refuse("unknown_team", `there is no team ${to}`);
  if (from === to) return refuse("same_team", `${agent} would stay in ${to}`);
  if (staff.loans.some((loan) => loan.agent === agent && loan.to === to))
    return refuse("duplicate", `${agent} is lent to ${to} or asked for already`);
  if (place !== from)
    return current && current.home === from
      ? refuse("already_lent", `${from} has lent ${agent} to ${current.to}`)
      : refuse("not_in_team", place === undefined ? `no team lists ${agent}` : `${agent} works in ${place}`);
  const home = homeOf(staff.teams, agent);
  if (home === to) return { ok: true, kind: "home" };
  // else hosts would hand an agent round, and its home would never see it again
  if (current?.isDue && place !== home)
    return refuse("already_lent", `${agent} is due in ${home} by then, and is lent on from there`);
  const kept = staff.protectedRoles.map(spelt);
  const role = staff.roles.find((one) => kept.includes(spelt(one)));
  if (role !== undefined) return refuse("protected_role", `${agent} is ${role} of its team, which nobody lends`);
  const left = ownAtHome(staff.teams, active, from).filter((one) => one !== agent).length;
  if (left < staff.minTeamSize)
    return refuse(
      "minimum_staffing",
      `${from} would be left with ${left} of its own agents, at least ${staff.minTeamSize} stay`,
    );
  if (staff.maxPerSprint === 0) return refuse("cap", "coordination only observes: max_borrows_per_sprint is 0");
  if (staff.grantedInSprint >= staff.maxPerSprint)
    return refuse("cap", `the ${staff.maxPerSprint} loans of this sprint are used up`);
  return { ok: true, kind: current ? "onward" : "lend" };
}

/**
 * The agents of a team that work in it. Guests are no staffing: each may be called home on any day, and then the team
 * would be left with fewer than it keeps (requirement BO-10).
 */
function ownAtHome(teams: readonly Staffed[], active: readonly Placement[], team: string): string[] {
  return membersOf(teams, active, team).filter((agent) => homeOf(teams, agent) === team);
}

/** `Dev Lead` and the definition `dev-lead` are the role dev_lead. */
function spelt(role: string): string {
  return role
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}

function refuse(code: RefusalCode, why: string): Judgement {
  return { ok: false, code, why };
}

/** Home again when this sprint starts. A loan that goes on from a host keeps the promise made to the home (C-17). */
export function dueSprint(from: number, duration: number, earlier?: number): number {
  const due = from + duration;
  return earlier === undefined ? due : Math.min(due, Math.max(earlier, from + 1));
}

/** A loan as the debt is counted from it. */
export interface Served {
  readonly home: string;
  readonly to: string;
  readonly sprintFrom: number;
  /** Undefined while it lasts. */
  readonly lastSprint: number | undefined;
}

/** In how many sprints the host had the agent, the running one too. */
export function sprintsServed(loan: Served, current: number): number {
  return Math.max(0, (loan.lastSprint ?? current) - loan.sprintFrom + 1);
}

/**
 * Sprints lent less sprints borrowed per team; those above 0 have lent more and are helped first (requirement BO-07).
 * The sum over all teams is 0.
 */
export function debts(teams: readonly string[], loans: readonly Served[], current: number): Map<string, number> {
  const found = new Map(teams.map((team) => [team, 0]));
  for (const loan of loans) {
    const n = sprintsServed(loan, current);
    found.set(loan.home, (found.get(loan.home) ?? 0) + n);
    found.set(loan.to, (found.get(loan.to) ?? 0) - n);
  }
  return found;
}

/** Requests in the order in which the sprint's slots are given out: whoever has lent most is helped first. */
export function inOrderOfDebt<T extends LoanRequest>(requests: readonly T[], debt: ReadonlyMap<string, number>): T[] {
  return [...requests].sort((a, b) => (debt.get(b.to) ?? 0) - (debt.get(a.to) ?? 0));
}
