import type { ProjectConfig } from "../../config/config.schema.ts";
import { practiceNames } from "../../config/experiment.schema.ts";
import { isCoordinated, practiceOn } from "../../config/practices.rules.ts";
import type { OverheadReport } from "../overhead/overhead.schema.ts";
import type { FinalReport } from "./report.schema.ts";
import type { RunState, SprintRecord, TeamRecord } from "./state.rules.ts";
import { round } from "./work.rules.ts";

/** What the report of a run of real sessions says besides. */
export interface LiveFacts {
  readonly agents: "claude";
  /** Version of the client. */
  readonly client: string;
}

export interface ReportFacts {
  readonly live?: LiveFacts | undefined;
  readonly config: ProjectConfig;
  /** Of what the run was given besides coordination, where that is known. */
  readonly setup?: string | undefined;
  readonly state: Pick<RunState, "seed" | "variant" | "members">;
  readonly sprints: readonly SprintRecord[];
  readonly overhead: OverheadReport;
  readonly loans: readonly {
    readonly agent: string;
    readonly from_team: string;
    readonly to_team: string;
    readonly reason: string;
    readonly sprint_from: number;
    readonly due_sprint: number;
    readonly last_sprint: number | null;
    readonly status: string;
  }[];
}

type TeamReport = FinalReport["teams"][string];

/** The portfolio's report (requirement OU-02): the document's fields, and ours beside them. */
export function portfolioReport(facts: ReportFacts): FinalReport & Record<string, unknown> {
  const { config, state, overhead, loans } = facts;
  const played = facts.sprints.filter(({ sprint }) => sprint > 0);
  const teams = Object.fromEntries(config.teams.map(({ id }) => [id, teamReport(facts, id)]));
  const totals = Object.values(teams);
  const coordination = {
    enabled: isCoordinated(config),
    rounds: played.filter((one) => one.coordination?.loop).length,
    outcomes: played.flatMap((one) => (one.coordination ? [{ sprint: one.sprint, ...one.coordination }] : [])),
  };
  return {
    experiment: config.experiment.name,
    mode: "multi_team",
    ...facts.live,
    seed: state.seed,
    variant: state.variant,
    ...(facts.setup === undefined ? {} : { setup: facts.setup }),
    sprint_minutes: config.sprint.minutes,
    teams,
    portfolio: {
      total_sprints: played.length,
      total_velocity: sum(totals.flatMap((team) => team.sprints.map(({ velocity }) => velocity))),
      total_features: sum(totals.map((team) => team.total_features)),
      num_teams: totals.length,
    },
    overhead_budget: overhead,
    borrows: loans.map((loan) => ({
      agent: loan.agent,
      from: loan.from_team,
      to: loan.to_team,
      sprint: loan.sprint_from,
      due: Math.max(loan.sprint_from, loan.due_sprint - 1),
      returned: loan.status === "returned" ? loan.last_sprint : null,
      reason: loan.reason,
    })),
    coordination,
    stakeholder_reviews: played.flatMap(({ sprint, review }) => (review ? [{ sprint, ...review }] : [])),
    quality_gates: config.experiment.quality,
  };
}

/** One team's totals and sprints; as the report's shape says. */
function teamReport({ config, sprints }: Pick<ReportFacts, "config" | "sprints">, id: string): TeamReport {
  const team = config.teams.find((one) => one.id === id);
  const records = sprints.flatMap((record) => (record.sprint > 0 && record.teams[id] ? [record.teams[id]] : []));
  const velocities = records.map(({ velocity }) => velocity);
  return {
    total_sprints: records.length,
    avg_velocity: average(velocities),
    total_features: sum(records.map(({ features_completed }) => features_completed)),
    team_type: team?.team_type ?? "stream_aligned",
    agents: team?.agents.length ?? 0,
    sprints: records.map(sprintEntry),
  };
}

/** To one decimal, as the document's example has it: 5, 8 and 8 points are 7.0 (requirement OU-02). */
export function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : round(sum(values) / values.length, 1);
}

/** Our own numbers stand beside those of the report's shape. */
function sprintEntry(record: TeamRecord): TeamReport["sprints"][number] {
  const { dependency_cards, ...rest } = record;
  const entry = {
    ...rest,
    borrowed_in: [...record.borrowed_in],
    borrowed_out: [...record.borrowed_out],
    cross_team_dependencies: dependency_cards,
    disturbances: [...record.disturbances],
    departure_events: [...record.departure_events],
    backfill_events: [...record.backfill_events],
  };
  return entry;
}

/** A team's own report: what it did, who is in it now, and which practices it had. */
export function teamFile(facts: ReportFacts, id: string): Record<string, unknown> {
  const { config, state } = facts;
  const zero = facts.sprints.find(({ sprint }) => sprint === 0)?.teams[id];
  return {
    experiment: config.experiment.name,
    team_id: id,
    ...teamReport(facts, id),
    members: state.members
      .filter(({ home }) => home === id)
      .map(({ id: agent, name, role, seniority, primary, auxiliary, joined }) => ({
        agent,
        name,
        role,
        seniority,
        primary_specialization: primary,
        auxiliary_specializations: auxiliary,
        joined_in_sprint: joined,
      })),
    practices: Object.fromEntries(practiceNames.map((name) => [name, practiceOn(config, id, name)])),
    ...(zero && practiceOn(config, id, "sprint_zero")
      ? { sprint_zero: { features_completed: zero.features_completed, velocity: zero.velocity } }
      : {}),
  };
}

/** One line per learning, in the order they were written down (requirement AG-06). */
export function learningLines(sprints: readonly SprintRecord[]): string {
  return sprints.flatMap(({ learnings }) => learnings.map((one) => `${JSON.stringify(one)}\n`)).join("");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
