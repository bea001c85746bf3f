import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Database } from "../../store/database.ts";
import { finishedCounts } from "./flow.store.ts";
import type { LoanSprints, TeamFacts } from "./portfolio.rules.ts";
import type { TimeWindow } from "./window.rules.ts";

type Db = Kysely<Database>;

/** What each team did in the sprints that ended in the window (requirement ME-05). */
export async function teamFacts(db: Db, config: ProjectConfig, window: TimeWindow): Promise<TeamFacts[]> {
  const rows = await db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select(["sprint.n", "sprint_team.team", "sprint_team.velocity", "sprint_team.agents", "sprint_team.blocked_ms"])
    .where("sprint.ended_at", ">", window.from)
    .where("sprint.ended_at", "<=", window.to)
    .orderBy("sprint.n")
    .execute();
  const done = await finishedCounts(db, window);
  const needs = await db
    .selectFrom("dependency")
    .select((e) => ["team", e.fn.countAll<number>().as("n")])
    .where("declared_at", ">=", window.from)
    .where("declared_at", "<=", window.to)
    .groupBy("team")
    .execute();
  return config.teams.map(({ id, team_type }) => {
    const own = rows.filter((row) => row.team === id);
    return {
      team: id,
      type: team_type ?? null,
      sprints: own.map(({ n, velocity, agents }) => ({ n, velocity: Number(velocity), agents: Number(agents) })),
      done: done.find((row) => row.team === id)?.n ?? 0,
      blockedSeconds: own.reduce((sum, row) => sum + Number(row.blocked_ms), 0) / 1000,
      needs: Number(needs.find((row) => row.team === id)?.n ?? 0),
    };
  });
}

/** Sprints of the loans that were granted; those that never reached one are left out by the comparison. */
export async function loanSprints(db: Db): Promise<LoanSprints[]> {
  const rows = await db
    .selectFrom("loan")
    .select(["home_team", "to_team", "sprint_from", "last_sprint"])
    .where("status", "in", ["active", "returned"])
    .execute();
  return rows.map((row) => ({
    home: row.home_team,
    to: row.to_team,
    from: row.sprint_from,
    last: row.last_sprint ?? undefined,
  }));
}

/** Time of coordination, and of sprints, of those that ended in the window; iteration 0 belongs to the first. */
export async function coordinationTime(
  db: Db,
  { from, to }: TimeWindow,
): Promise<{ spentMs: number; sprintMs: number }> {
  const sprints = await db
    .selectFrom("sprint")
    .select((e) => [
      e.fn.min<number>("n").as("first"),
      e.fn.max<number>("n").as("last"),
      e.fn.sum<number>("ended_at").as("ended"),
      e.fn.sum<number>("started_at").as("started"),
    ])
    .where("ended_at", ">", from)
    .where("ended_at", "<=", to)
    .executeTakeFirstOrThrow();
  if (sprints.first === null) return { spentMs: 0, sprintMs: 0 };
  const first = Number(sprints.first);
  const { ms } = await db
    .selectFrom("overhead_step")
    .select((e) => e.fn.sum<number>("elapsed_ms").as("ms"))
    .where("elapsed_ms", "is not", null)
    .where("sprint", ">=", first === 1 ? 0 : first)
    .where("sprint", "<=", Number(sprints.last))
    .executeTakeFirstOrThrow();
  return { spentMs: Number(ms ?? 0), sprintMs: Number(sprints.ended) - Number(sprints.started) };
}
