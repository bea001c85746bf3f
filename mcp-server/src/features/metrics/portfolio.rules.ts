/** A team as it is compared with the others. */
export interface TeamFacts {
  readonly team: string;
  readonly type: string | null;
  /** Points and agents of each sprint that ended, oldest first. */
  readonly sprints: readonly { readonly n: number; readonly velocity: number; readonly agents: number }[];
  readonly done: number;
  readonly blockedSeconds: number;
  readonly needs: number;
}

export interface GroupResult {
  readonly group: string;
  readonly teams: number;
  readonly agent_sprints: number;
  readonly velocity_per_capita: number | null;
}

/** Points per sprint; null before the first has ended. */
export function meanVelocity({ sprints }: Pick<TeamFacts, "sprints">): number | null {
  return ratio(
    total(sprints, ({ velocity }) => velocity),
    sprints.length,
  );
}

/** Points per agent and sprint: who was lent counts where the work was done (requirement ME-05). */
export function perCapita(teams: readonly Pick<TeamFacts, "sprints">[]): number | null {
  const sprints = teams.flatMap((team) => team.sprints);
  return ratio(
    total(sprints, ({ velocity }) => velocity),
    total(sprints, ({ agents }) => agents),
  );
}

/** Agents per sprint, rounded: teams of that size are compared. */
export function sizeOf({ sprints }: Pick<TeamFacts, "sprints">): number | null {
  const mean = ratio(
    total(sprints, ({ agents }) => agents),
    sprints.length,
  );
  return mean === null ? null : Math.round(mean);
}

/** Velocity per capita of all teams that have the same word; those without one are left out. */
export function grouped(teams: readonly TeamFacts[], wordOf: (team: TeamFacts) => string | null): GroupResult[] {
  const groups = new Map<string, TeamFacts[]>();
  for (const team of teams) {
    const word = wordOf(team);
    if (word !== null) groups.set(word, [...(groups.get(word) ?? []), team]);
  }
  return [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([group, members]) => ({
      group,
      teams: members.length,
      agent_sprints: members.reduce((sum, team) => sum + total(team.sprints, ({ agents }) => agents), 0),
      velocity_per_capita: perCapita(members),
    }));
}

export interface LoanSprints {
  readonly home: string;
  readonly to: string;
  readonly from: number;
  /** The last sprint of the loan; undefined while it lasts. */
  readonly last: number | undefined;
}

export interface LoanEffect {
  readonly team: string;
  readonly role: "lender" | "borrower";
  readonly sprints: number;
  readonly velocity: number;
  /** In the team's sprints without a loan of that kind; null when there is none. */
  readonly otherwise: number | null;
}

/**
 * Mean velocity of a team in the sprints in which it lent, or borrowed, beside that in its other sprints (requirement
 * BO-08). A comparison of what was, and no proof of a cause: who needs help is slow without it.
 */
export function loanEffects(teams: readonly TeamFacts[], loans: readonly LoanSprints[]): LoanEffect[] {
  return (["lender", "borrower"] as const).flatMap((role) =>
    teams.flatMap((team) => {
      const own = loans.filter((loan) => (role === "lender" ? loan.home : loan.to) === team.team);
      const isLoan = ({ n }: { n: number }) => own.some((loan) => n >= loan.from && n <= (loan.last ?? n));
      const sprints = team.sprints.filter(isLoan);
      const velocity = meanVelocity({ sprints });
      if (velocity === null) return [];
      const otherwise = meanVelocity({ sprints: team.sprints.filter((sprint) => !isLoan(sprint)) });
      return [{ team: team.team, role, sprints: sprints.length, velocity, otherwise }];
    }),
  );
}

/** Share of sprint time that went into coordination; null without sprint time. */
export function overheadShare(spentMs: number, sprintMs: number): number | null {
  return ratio(spentMs, sprintMs);
}

function total<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
