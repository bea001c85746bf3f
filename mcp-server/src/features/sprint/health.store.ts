import { type Kysely, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { membersOf } from "../agent/placement.rules.ts";
import { activeLoans } from "../agent/placement.store.ts";
import { taskStatuses } from "../task/task.schema.ts";

/** A team at a glance: what coordinators judge by (requirement CO-06). Times are ms. */
export interface Health {
  readonly team: string;
  /** Points of the last sprint that has ended; 0 before. */
  readonly velocity: number;
  /** The same of the last sprints, oldest first. */
  readonly velocity_trend: readonly number[];
  /** Points and cards done in the running sprint so far. */
  readonly sprint_points: number;
  readonly sprint_done: number;
  /** Cards in progress and in review. */
  readonly wip: number;
  /** Since when the oldest of them has been worked on; 0 without any. */
  readonly oldest_wip_ms: number;
  readonly blocked: number;
  /** How long the cards that are blocked now have been so, in all. */
  readonly blocked_ms: number;
  /** Who works in the team now, those on loan counted where they are. */
  readonly agents: number;
  /** Names of agents of other teams that work here, and of its own that work elsewhere. */
  readonly borrowed_in: readonly string[];
  readonly borrowed_out: readonly string[];
}

const TREND = 5;

/** A snapshot of a team's health, loans included (requirements CO-06, BO-10). */
export async function healthOf(ctx: OperationContext, team: string): Promise<Health> {
  const { db } = ctx;
  const trend = (await lastVelocities.all(db, { team })).map(({ velocity }) => velocity).reverse();
  const state = await teamState(ctx, team);
  const sprint = await running.first(db, {});
  const soFar = sprint ? await finishedSince(db, team, sprint) : { points: 0, done: 0 };
  return {
    team,
    velocity: trend.at(-1) ?? 0,
    velocity_trend: trend,
    sprint_points: soFar.points,
    sprint_done: soFar.done,
    wip: state.wip,
    oldest_wip_ms: state.oldestWipMs,
    blocked: state.blocked,
    blocked_ms: state.blockedMs,
    agents: state.agents,
    borrowed_in: state.borrowedIn,
    borrowed_out: state.borrowedOut,
  };
}

const running = prepared((db) => db.selectFrom("sprint").select("from_seq").where("ended_at", "is", null));

const lastVelocities = prepared((db, p: { team: string }) =>
  db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select("sprint_team.velocity")
    .where("sprint_team.team", "=", p.team)
    .where("sprint.ended_at", "is not", null)
    .orderBy("sprint_team.sprint_id", "desc") // as sprints were opened, and in the order of the index
    .limit(sql.lit(TREND)),
);

/** Counted from the tasks: the board's counters do not have yet what this transaction has moved. */
const inWork = prepared((db, p: { team: string }) =>
  db
    .selectFrom("task")
    .select((e) => [e.fn.countAll().as("n"), e.fn.min("started_at").as("since")])
    .where("team", "=", p.team)
    .where("status", "in", [sql.lit("in_progress"), sql.lit("in_review")]),
);

export interface TeamState {
  readonly wip: number;
  readonly oldestWipMs: number;
  readonly blocked: number;
  readonly blockedMs: number;
  readonly agents: number;
  readonly borrowedIn: readonly string[];
  readonly borrowedOut: readonly string[];
}

/** How a team stands this moment. */
export async function teamState(ctx: OperationContext, team: string): Promise<TeamState> {
  const { db, now, config } = ctx;
  const work = await inWork.first(db, { team });
  const blocked = await blockedNow.first(db, { team });
  const loans = await activeLoans(db, config);
  const places = loans.map((loan) => ({ agent: loan.agent, to: loan.to_team }));
  return {
    wip: Number(work?.n ?? 0),
    oldestWipMs: work?.since == null ? 0 : Math.max(0, now - Number(work.since)),
    blocked: Number(blocked?.n ?? 0),
    blockedMs: Math.max(0, Number(blocked?.n ?? 0) * now - Number(blocked?.since ?? 0)),
    agents: membersOf(config.teams, places, team).length,
    borrowedIn: loans.filter((loan) => loan.to_team === team).map((loan) => loan.agent),
    borrowedOut: loans.filter((loan) => loan.home_team === team).map((loan) => loan.agent),
  };
}

const openStatuses = taskStatuses.filter((status) => status !== "closed");

const blockedNow = prepared((db, p: { team: string }) =>
  db
    .selectFrom("task")
    .select((e) => [e.fn.countAll().as("n"), e.fn.sum("blocked_since").as("since")])
    .where("team", "=", p.team)
    .where("blocked_since", "is not", null)
    // named one by one, they are found in the index; "not closed" would look at all the team has ever done
    .where(
      "status",
      "in",
      openStatuses.map((status) => sql.lit(status)),
    ),
);

/** How long the team's cards have been blocked since its beginning, those blocked now up to now. */
export async function blockedTime(db: Kysely<Database>, team: string, now: number): Promise<number> {
  const past = await blockedBefore.first(db, { team });
  const present = await blockedNow.first(db, { team });
  const open = Number(present?.n ?? 0) * now - Number(present?.since ?? 0);
  const moved = await blockedElsewhere.first(db, { team });
  return Number(past?.ms ?? 0) + Math.max(0, open) + Number(moved?.ms ?? 0);
}

/** Of tasks that have come or gone. */
const blockedElsewhere = prepared((db, p: { team: string }) =>
  db.selectFrom("blocked_moved").select("ms").where("team", "=", p.team),
);

const blockedBefore = prepared((db, p: { team: string }) =>
  db
    .selectFrom("task")
    .select((e) => e.fn.sum("blocked_ms").as("ms"))
    .where("team", "=", p.team)
    .where("blocked_ms", ">", sql.lit(0)),
);

/**
 * Points and number of the cards a team has closed as done since a sprint began. Which were closed before it began is
 * told by the order of the trail, which is one for all machines and whatever their clocks say. Epics count by their parts; a card
 * without points is one of `done` and has no points (C-23).
 */
export async function finishedSince(
  db: Kysely<Database>,
  team: string,
  sprint: { readonly from_seq: number },
): Promise<{ points: number; done: number }> {
  const row = await finished.first(db, { team, seq: Number(sprint.from_seq) });
  return { points: Number(row?.points ?? 0), done: Number(row?.n ?? 0) };
}

const finished = prepared((db, p: { team: string; seq: number }) =>
  db
    .selectFrom("task")
    .select((e) => [e.fn.countAll().as("n"), e.fn.sum("points").as("points")])
    // no plain column: all that the team has ever closed would be looked at, instead of what was closed in the sprint
    .where((e) => e(e.fn.coalesce("team", sql.lit("")), "=", p.team))
    .where("closed_at", "is not", null)
    .where("outcome", "=", sql.lit("done"))
    .where("kind", "!=", sql.lit("epic"))
    .where((e) =>
      e(
        "key",
        "in",
        // the literal is the condition of the index event_closed
        e
          .selectFrom("event")
          .select("event.subject")
          .where("event.type", "=", sql.lit("task.closed"))
          .where("event.seq", ">", p.seq),
      ),
    ),
);
