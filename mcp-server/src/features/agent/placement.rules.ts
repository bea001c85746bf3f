/** A team as far as it matters who is in it. */
export interface Staffed {
  readonly id: string;
  /** Names of the agents whose home it is. */
  readonly agents: readonly string[];
}

/** A loan in force: the agent works for `to` until it goes home. */
export interface Placement {
  readonly agent: string;
  readonly to: string;
}

/** The team whose own agent this is; undefined for a name that no team lists. */
export function homeOf(teams: readonly Staffed[], agent: string): string | undefined {
  return teams.find((team) => team.agents.includes(agent))?.id;
}

/**
 * The one team an agent works in now: that of its loan, else its home. A loan to a team that the configuration names
 * no longer counts for nothing (requirements BO-10, TC-03).
 */
export function placeOf(teams: readonly Staffed[], loans: readonly Placement[], agent: string): string | undefined {
  const home = homeOf(teams, agent);
  if (home === undefined) return undefined;
  const loan = loans.find((one) => one.agent === agent && teams.some((team) => team.id === one.to));
  return loan?.to ?? home;
}

/** Who works in a team now: its own agents but those lent, then those it has borrowed. */
export function membersOf(teams: readonly Staffed[], loans: readonly Placement[], team: string): string[] {
  const own = teams.find((one) => one.id === team)?.agents ?? [];
  const guests = loans.filter((loan) => loan.to === team).map((loan) => loan.agent);
  const named = [...new Set([...own, ...guests])];
  return named.filter((agent) => placeOf(teams, loans, agent) === team);
}
