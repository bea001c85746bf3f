import type { Member } from "./people.rules.ts";

/** What a coordinator is told of a team; the same snapshot live ones get (requirement CO-06). */
export interface Snapshot {
  readonly team: string;
  readonly velocity: number;
  readonly velocity_trend: readonly number[];
  readonly wip: number;
  readonly blocked: number;
  readonly agents: number;
}

export interface OpenNeed {
  readonly id: string;
  readonly team: string;
  readonly needs_team: string;
  readonly type: string;
}

/** What is left to do on a team's board, and who could be lent. */
export interface Load {
  readonly team: string;
  /** Points of cards that are ready or in work. */
  readonly open: number;
  readonly developers: number;
  /** Sprints lent less sprints borrowed: who has lent is lent to first (requirement CA-02). */
  readonly debt: number;
  readonly lendable: readonly Member[];
  /** Fields of the cards that are open, the most frequent first. */
  readonly domains: readonly string[];
  /** Those of them that nobody in the team knows. */
  readonly missing: readonly string[];
}

/** Above the mean by this factor a team is struggling. */
const STRUGGLING = 1.2;
const KEEN = 1.05;
/** Points per developer that a team gets done anyway. */
const EASY = 1.5;

/** What the staff engineer says before anything has been done: who there is, and who is for what (requirement OH-04). */
export function orientationText(
  teams: readonly Snapshot[],
  declared: readonly { readonly id: string; readonly team_type?: string | undefined }[],
): string {
  const types = new Map(declared.map(({ id, team_type }) => [id, team_type]));
  const serving = declared.filter(({ team_type }) => team_type === "platform").map(({ id }) => id);
  return [
    ...teams.map(({ team, agents }) => `- ${team}: ${types.get(team) ?? "no type"}, ${agents} agents.`),
    ...serving.map((team) => `RECOMMEND: who needs something of ${team} says so at the start of a sprint.`),
  ].join("\n");
}

/** What the staff engineer says: numbers first, then who struggles and what blocks (requirement CA-01). */
export function evaluationText(teams: readonly Snapshot[], needs: readonly OpenNeed[], loads: readonly Load[]): string {
  const struggling = strugglingTeams(loads);
  return [
    ...teams.map(
      (one) =>
        `- ${one.team}: velocity ${one.velocity} (${one.velocity_trend.join(", ") || "none yet"}), WIP ${one.wip}, blocked ${one.blocked}, ${one.agents} agents, ${loadOf(loads, one.team)} points open per developer.`,
    ),
    struggling.length > 0
      ? `Struggling: ${struggling.map(({ team }) => team).join(", ")}; more is waiting there than the team gets done.`
      : "No team is struggling.",
    needs.length > 0
      ? `Blocking: ${needs.map((need) => `${need.id} (${need.team} needs ${need.needs_team}, ${need.type})`).join("; ")}.`
      : "No team waits for another.",
  ].join("\n");
}

function loadOf(loads: readonly Load[], team: string): number {
  const load = loads.find((one) => one.team === team);
  return load ? Math.round(perDeveloper(load) * 10) / 10 : 0;
}

function perDeveloper(load: Load): number {
  return load.open / Math.max(1, load.developers);
}

function strugglingTeams(loads: readonly Load[], factor = STRUGGLING): Load[] {
  const mean = loads.reduce((sum, load) => sum + perDeveloper(load), 0) / Math.max(1, loads.length);
  return loads
    .filter((load) => perDeveloper(load) > mean * factor && perDeveloper(load) > EASY)
    .sort((a, b) => perDeveloper(b) - perDeveloper(a) || b.debt - a.debt || (a.team < b.team ? -1 : 1));
}

/**
 * What the enablement lead plans, one action a line (requirement CA-02): dependencies first, then loans of somebody who
 * fits: to teams that struggle, from those with the least waiting, and to teams that lack a field.
 */
export function planText(needs: readonly OpenNeed[], loads: readonly Load[], mostBorrows: number): string {
  const lines = needs.map((need) => `RECOMMEND: ${need.needs_team} does ${need.id} first, ${need.team} waits for it.`);
  const lent = new Set<string>();
  const ask = (agent: Member, from: Load, to: Load, reason: string) => {
    lent.add(agent.id);
    lines.push(`BORROW: ${agent.id} from ${from.team} to ${to.team} because ${reason}`);
  };
  // where loans are off the lead still says whom it would move: it is the rules that refuse
  const most = Math.max(1, mostBorrows);
  // a plan that may move many moves them sooner, and two to one team
  const isKeen = mostBorrows > 2;
  for (const needy of strugglingTeams(loads, isKeen ? KEEN : STRUGGLING)) {
    const reason = `${needy.team} has ${Math.round(needy.open)} points waiting for ${needy.developers} developers`;
    for (let helper = 0; helper < (isKeen ? 2 : 1) && lent.size < most; helper += 1) {
      const found = firstOf(lendersFor(needy, loads, isKeen ? 1 : 1 / STRUGGLING), (lender) =>
        bestFor(needy.domains, lender, lent),
      );
      if (found) ask(found.agent, found.lender, needy, reason);
    }
  }
  for (const needy of loads)
    for (const field of needy.missing) {
      const found = firstOf(lendersFor(needy, loads, STRUGGLING), (lender) => expertIn(field, lender, lent));
      if (found && lent.size < most) ask(found.agent, found.lender, needy, `nobody in ${needy.team} knows ${field}`);
    }
  return lines.length > 0 ? lines.join("\n") : "RECOMMEND: Continue monitoring team health.";
}

/** Teams with at most `share` of the load, the least loaded first; who has lent much is spared (requirement CA-02). */
function lendersFor(needy: Load, loads: readonly Load[], share: number): Load[] {
  return loads
    .filter((load) => load.team !== needy.team && perDeveloper(load) <= perDeveloper(needy) * share)
    .sort((a, b) => perDeveloper(a) - perDeveloper(b) || a.debt - b.debt || (a.team < b.team ? -1 : 1));
}

function firstOf(lenders: readonly Load[], pick: (lender: Load) => Member | undefined) {
  for (const lender of lenders) {
    const agent = pick(lender);
    if (agent) return { agent, lender };
  }
  return undefined;
}

/** Whoever knows a field that is waited for, else the first who can be spared. */
function bestFor(domains: readonly string[], lender: Load, lent: ReadonlySet<string>): Member | undefined {
  for (const domain of domains) {
    const expert = expertIn(domain, lender, lent);
    if (expert) return expert;
  }
  return lender.lendable.find(({ id }) => !lent.has(id));
}

function expertIn(domain: string, lender: Load, lent: ReadonlySet<string>): Member | undefined {
  return lender.lendable.find(
    ({ id, primary, auxiliary }) => !lent.has(id) && (primary === domain || auxiliary.includes(domain)),
  );
}

/** The look in the middle of a sprint: what is blocked, and nothing is moved (requirement CO-04). */
export function checkinText(teams: readonly Snapshot[], needs: readonly OpenNeed[]): string {
  const blocked = teams.filter((one) => one.blocked > 0);
  const lines = [
    ...blocked.map(
      (one) => `RECOMMEND: Team ${one.team} has ${one.blocked} blocked items, look into what blocks them.`,
    ),
    ...needs.map((need) => `RECOMMEND: ${need.needs_team} does ${need.id} first, ${need.team} waits for it.`),
  ];
  return lines.length > 0 ? lines.join("\n") : "RECOMMEND: All teams healthy, no action needed.";
}
