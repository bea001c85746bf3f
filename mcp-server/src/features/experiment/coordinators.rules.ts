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
  /** Domains of the cards that are ready, the most frequent first. */
  readonly domains: readonly string[];
}

/** Above the mean of the others by this factor a team is struggling. */
const STRUGGLING = 1.35;

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

function strugglingTeams(loads: readonly Load[]): Load[] {
  const mean = loads.reduce((sum, load) => sum + perDeveloper(load), 0) / Math.max(1, loads.length);
  return loads
    .filter((load) => perDeveloper(load) > mean * STRUGGLING && perDeveloper(load) > 2)
    .sort((a, b) => perDeveloper(b) - perDeveloper(a) || b.debt - a.debt || (a.team < b.team ? -1 : 1));
}

/**
 * What the enablement lead plans, one action a line (requirement CA-02): dependencies first, then loans from the team
 * with the least waiting to those that struggle, of somebody who fits the work.
 */
export function planText(needs: readonly OpenNeed[], loads: readonly Load[], mostBorrows: number): string {
  const lines = needs.map((need) => `RECOMMEND: ${need.needs_team} does ${need.id} first, ${need.team} waits for it.`);
  const lent = new Set<string>();
  let borrows = 0;
  for (const needy of strugglingTeams(loads)) {
    const lenders = loads
      .filter((load) => load.team !== needy.team && perDeveloper(load) * STRUGGLING < perDeveloper(needy))
      .sort((a, b) => perDeveloper(a) - perDeveloper(b) || a.debt - b.debt || (a.team < b.team ? -1 : 1));
    for (const lender of lenders) {
      const agent = bestFor(needy, lender, lent);
      if (!agent || borrows >= Math.max(1, mostBorrows)) continue;
      lent.add(agent.id);
      borrows += 1;
      const reason = `${needy.team} has ${Math.round(needy.open)} points waiting for ${needy.developers} developers`;
      lines.push(`BORROW: ${agent.id} from ${lender.team} to ${needy.team} because ${reason}`);
      break;
    }
  }
  return lines.length > 0 ? lines.join("\n") : "RECOMMEND: Continue monitoring team health.";
}

/** Whoever knows a field that is waited for, else the first who can be spared. */
function bestFor(needy: Load, lender: Load, lent: ReadonlySet<string>): Member | undefined {
  const free = lender.lendable.filter(({ id }) => !lent.has(id));
  for (const domain of needy.domains) {
    const fits = free.find(({ primary, auxiliary }) => primary === domain || auxiliary.includes(domain));
    if (fits) return fits;
  }
  return free[0];
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
