import type { DisturbanceKind } from "../../config/experiment.schema.ts";
import type { Ballot, Matter, Tier, Urgency } from "./consensus.rules.ts";
import type { Member } from "./people.rules.ts";
import type { Question } from "./planning.rules.ts";
import type { Card, TechTask } from "./work.rules.ts";

/** All that a run carries from one sprint to the next; kept in the run's own store. */
export interface RunState {
  readonly version: 1;
  readonly seed: number;
  readonly variant: string;
  /** The last sprint that is complete. */
  sprint: number;
  /** Simulated time, UTC ms. */
  clock: number;
  members: Member[];
  /** By task id, open ones only. */
  cards: Record<string, Card>;
  /** How often two agents have paired, by their ids in order. */
  pairs: Record<string, number>;
  /** Learnings that an agent applies, by its id. */
  learned: Record<string, number>;
  swaps: Swap[];
  vacancies: Vacancy[];
  /** Ids of those who have left. */
  left: string[];
  /** How often a backlog has been begun, by the team whose own it is; empty for the portfolio. */
  rounds: Record<string, number>;
  /** Set when a stakeholder's word is waited for (AG-04, `block`). */
  waitsFor?: { readonly sprint: number; readonly file: string };
}

/** A run that has not begun. */
export function newRunState(start: Pick<RunState, "seed" | "variant" | "clock" | "members">): RunState {
  return {
    version: 1,
    ...start,
    sprint: 0,
    cards: {},
    pairs: {},
    learned: {},
    swaps: [],
    vacancies: [],
    left: [],
    rounds: {},
  };
}

/** A profile taken on for a while (requirement AG-03). */
export interface Swap {
  readonly agent: string;
  readonly team: string;
  readonly from: string;
  readonly to: string;
  readonly scenario: string;
  readonly since: number;
  readonly proficiency: number;
}

/** A place that is empty since somebody has left (requirement AG-09). */
export interface Vacancy {
  readonly team: string;
  readonly like: Member;
  /** The sprint a newcomer starts in. */
  readonly due: number;
}

/** One pairing session (requirement AG-07). Times are ISO 8601. */
export interface PairSession {
  readonly sprint: number;
  readonly driver_id: string;
  readonly navigator_id: string;
  readonly task_id: string;
  readonly start: string;
  readonly end: string;
  readonly outcome: "completed" | "escalated";
  readonly decisions: readonly string[];
  readonly decision_ids: readonly string[];
  /** Of the brainstorm, until both were for the same or somebody else was asked (requirement AG-08). */
  readonly exchanges: number;
  readonly approved_by: readonly string[];
  readonly brainstorm_rounds: number;
  readonly checkpoints: number;
  readonly coverage_estimate: number;
  readonly files_changed: readonly string[];
  readonly test_results: { readonly passed: number; readonly failed: number };
  readonly commit_sha: string;
  readonly pr_url: null;
}

/** A story as planning has seen it; `id` is its card's. */
export interface PlannedStory {
  readonly id: string;
  readonly title: string;
  readonly domain: string;
  readonly points: number;
  /** Whether its points are the lead's estimate. */
  readonly estimated: boolean;
  /** Begun before, or presented in an earlier sprint. */
  readonly carried_over: boolean;
  readonly questions: readonly Question[];
  readonly planned: boolean;
}

/** A team's planning of one sprint, as `planning.json` has it (requirement AG-01). */
export interface PlanningRecord {
  readonly sprint: number;
  readonly team_id: string;
  readonly presented_by: string;
  readonly estimated_by: string;
  readonly scale: readonly number[];
  readonly developers: number;
  /** Points. */
  readonly capacity: number;
  readonly candidates: readonly PlannedStory[];
  readonly planned_points: number;
  /** The first story beyond the capacity. */
  readonly stopped_at: string | null;
  readonly tasks: (TechTask & { readonly story: string })[];
}

/** One morning's meeting; `day` counts from 1 (requirement AG-01). */
export interface StandupRecord {
  readonly day: number;
  readonly at: string;
  readonly present: readonly string[];
  readonly working_on: readonly { readonly agent: string; readonly card: string }[];
  readonly blocked: readonly { readonly card: string; readonly because: string }[];
  readonly decisions: readonly string[];
}

/** What a pair could not agree on, and who decided it (requirement AG-08). */
export interface EscalationRecord {
  readonly id: string;
  readonly decision_id: string;
  readonly sprint: number;
  readonly task_id: string;
  readonly at: string;
  readonly raised_by: string;
  /** Where it was decided, and where it was before. */
  readonly tier: Tier;
  readonly path: readonly Tier[];
  readonly exchanges: number;
  readonly matter: Matter;
  readonly context: string;
  readonly options: readonly { readonly option: string; readonly favoured_by: readonly string[] }[];
  readonly recommendation: string;
  readonly urgency: Urgency;
  /** Of every tier that was asked; `voter` is an agent's id or `stakeholder`. */
  readonly votes: readonly (Omit<Ballot, "voter"> & { readonly voter: string })[];
  readonly share: number;
  readonly decision: string;
  readonly cost_points: number;
}

export interface Learning {
  readonly sprint: number;
  readonly agent_id: string;
  readonly learning_type: "keep" | "drop" | "puzzle";
  readonly content: { readonly text: string };
  readonly applied: boolean;
}

/** What one team did in one sprint: the numbers of the reports. */
export interface TeamRecord {
  readonly sprint: number;
  readonly velocity: number;
  readonly features_completed: number;
  readonly agents: number;
  readonly capacity: number;
  readonly planned_points: number;
  readonly test_coverage: number | null;
  readonly branch_coverage: number | null;
  readonly pairing_sessions: number;
  /** Working days from the first claim to the close. */
  readonly cycle_time_avg: number | null;
  /** Cards that were blocked when the sprint ended, and those that were at some time of it. */
  readonly blocked_count: number;
  readonly cards_blocked: number;
  /** Within the sprint, summed over cards. */
  readonly blocked_minutes: number;
  /** Cards in progress and in review at the end. */
  readonly wip: number;
  readonly dependency_cards: number;
  readonly wip_refusals: number;
  readonly reviews: number;
  readonly rejections: number;
  readonly gate_failures: number;
  /** Decisions that pairs did not come to by themselves. */
  readonly escalations: number;
  readonly idle_days: number;
  readonly borrowed_in: readonly string[];
  readonly borrowed_out: readonly string[];
  readonly disturbances: readonly { readonly kind: DisturbanceKind; readonly day: number }[];
  readonly swaps: readonly Swap[];
  readonly specialists: readonly {
    readonly domain: string;
    readonly trainee: string | null;
    readonly points: number;
  }[];
  readonly departure_events: readonly { readonly agent: string; readonly reason: string }[];
  readonly backfill_events: readonly { readonly agent: string; readonly replaces: string }[];
}

/** Somebody who has come in the place of one who left. */
export interface Backfill {
  readonly team: string;
  readonly agent: string;
  readonly replaces: string;
}

export interface BorrowRecord {
  readonly agent: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** What the coordinators did for one sprint. */
export interface CoordinationRecord {
  readonly loop: boolean;
  readonly borrows: readonly BorrowRecord[];
  readonly refused: readonly (BorrowRecord & { readonly code: string })[];
  readonly recommendations: readonly string[];
  readonly checkin: readonly string[];
  /** Why nobody was heard (requirement OH-06). */
  readonly fallback?: string;
  readonly evaluation?: string;
  readonly plan?: string;
}

export interface SprintRecord {
  readonly sprint: number;
  /** ISO 8601, simulated. */
  readonly started_at: string;
  readonly ended_at: string;
  readonly teams: Readonly<Record<string, TeamRecord>>;
  readonly coordination: CoordinationRecord | null;
  readonly learnings: readonly Learning[];
  readonly review: ReviewRecord | null;
}

export interface ReviewRecord {
  readonly decision: "approved" | "rejected" | "approved_with_changes" | "waiting";
  readonly by: "stakeholder" | "auto_approve" | "po_proxy" | "block";
  readonly note: string;
}
