import type { FinalReport } from "../../mcp-server/src/features/experiment/report.schema.ts";

/** What a synthetic run is to show; everything else is noise of its seed. */
export interface Synthesis {
  readonly seed: number;
  readonly variant: string;
  readonly coordination?: boolean;
  readonly sprints?: number;
  /** Agents and type by team id. */
  readonly teams?: Readonly<Record<string, { readonly agents: number; readonly type: string }>>;
  /** Points each team's sprint has more than it would have. */
  readonly gain?: number;
  /** Points that a sprint with a loan costs the lender. */
  readonly loanCost?: number;
  /** Chance of a loan in a sprint. */
  readonly loans?: number;
  /** Minutes blocked that each cross-team dependency brings. */
  readonly minutesPerDependency?: number;
  /** Points per agent that each further agent of a team costs. */
  readonly crowding?: number;
}

export const twoTeams = {
  "checkout-stream": { agents: 6, type: "stream_aligned" },
  "platform-team": { agents: 5, type: "platform" },
} as const;

/** Numbers in [0, 1) that follow from the seed alone (mulberry32). */
function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A whole report whose totals follow from its sprints; runs of one seed share the luck of that seed. */
export function syntheticReport(synthesis: Synthesis): FinalReport {
  const { seed, variant, sprints = 10, teams = twoTeams, coordination = true, loans = 0 } = synthesis;
  const shared = seededNumbers(seed * 7919 + 13);
  const own = seededNumbers(seed * 104_729 + [...variant].reduce((sum, c) => sum + (c.codePointAt(0) ?? 0), 0));
  const luck = 4 * (shared() - 0.5);
  const ids = Object.keys(teams);
  const [lender = "", receiver = ""] = ids;
  const borrows: FinalReport["borrows"] = [];
  for (let sprint = 2; sprint <= sprints; sprint += 1)
    if (own() < loans)
      borrows.push({ agent: "ada", from: lender, to: receiver, sprint, due: sprint, returned: sprint });
  const entries = Object.entries(teams).map(([id, { agents, type }]) => {
    const list = Array.from({ length: sprints }, (_, index) => {
      const loan = borrows.find(({ sprint }) => sprint === index + 1);
      return sprintOf(synthesis, { id, agents, luck, sprint: index + 1, loan, chance: own });
    });
    const velocity = list.reduce((sum, entry) => sum + entry.velocity, 0);
    const team = {
      total_sprints: sprints,
      avg_velocity: Math.round((velocity / sprints) * 10) / 10,
      total_features: list.reduce((sum, entry) => sum + entry.features_completed, 0),
      team_type: type,
      agents,
      sprints: list,
    };
    return [id, team] as const;
  });
  const all = entries.flatMap(([, team]) => team.sprints);
  const elapsed = coordination ? 150 + 20 * own() : 0;
  const steps = coordination
    ? Array.from({ length: sprints }, (_, n) => ({ step: "coordination", sprint: n + 1, elapsed, timed_out: false }))
    : [];
  const spent = steps.length * elapsed;
  const budget = sprints * 720;
  return {
    experiment: "synthetic",
    mode: "multi_team",
    seed,
    variant,
    sprint_minutes: 60,
    teams: Object.fromEntries(entries),
    portfolio: {
      total_sprints: sprints,
      total_velocity: all.reduce((sum, entry) => sum + entry.velocity, 0),
      total_features: all.reduce((sum, entry) => sum + entry.features_completed, 0),
      num_teams: ids.length,
    },
    overhead_budget: {
      total_budget_seconds: budget,
      spent_seconds: spent,
      remaining_seconds: budget - spent,
      num_steps: steps.length,
      timeouts: 0,
      steps,
    },
    borrows,
    coordination: { enabled: coordination, rounds: coordination ? Math.max(0, sprints - 1) : 0 },
  };
}

interface Moment {
  readonly id: string;
  readonly agents: number;
  readonly luck: number;
  readonly sprint: number;
  readonly loan: { readonly from: string; readonly to: string } | undefined;
  readonly chance: () => number;
}

function sprintOf(synthesis: Synthesis, { id, agents, luck, sprint, loan, chance }: Moment) {
  const { gain = 0, loanCost = 0, minutesPerDependency = 0, crowding = 0 } = synthesis;
  const lends = loan?.from === id;
  const receives = loan?.to === id;
  const perAgent = 2 - crowding * (agents - 2);
  const noise = 4 * (chance() - 0.5);
  const velocity = Math.max(0, Math.round(agents * perAgent + luck + gain + noise - (lends ? loanCost : 0)));
  const dependencies = Math.floor(chance() * 5);
  return {
    sprint,
    velocity,
    features_completed: Math.ceil(velocity / 3),
    wip: 2,
    blocked_count: dependencies,
    blocked_minutes: Math.round(20 * chance() + 20 + minutesPerDependency * dependencies),
    borrowed_in: receives ? ["ada"] : [],
    borrowed_out: lends ? ["ada"] : [],
    agents: agents + (receives ? 1 : 0) - (lends ? 1 : 0),
    test_coverage: 0.9,
    pairing_sessions: 1,
    cycle_time_avg: 1.5,
    disturbances: [],
    departure_events: [],
    backfill_events: [],
    cross_team_dependencies: dependencies,
  };
}
