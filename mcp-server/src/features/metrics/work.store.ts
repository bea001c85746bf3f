import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { columns } from "../board/board.rules.ts";
import { familyOf } from "./catalogue.rules.ts";
import { measuredEvent } from "./measured.store.ts";
import { bounds, histogram, type MetricFamily, type Sample } from "./prometheus.rules.ts";

const seconds = (ms: unknown) => Number(ms) / 1000;

/**
 * Cards by column, those that are blocked and for how long, and what was closed how fast (requirements ME-04, DE-05).
 * Counters of the teams begin at 0: the first increase of one that is not there yet is not seen.
 */
export async function workMetrics(
  db: Kysely<Database>,
  teams: readonly string[],
  now: number,
): Promise<MetricFamily[]> {
  const counts = await db.selectFrom("board_count").selectAll().orderBy("team").orderBy("col").execute();
  const all = [...new Set([...teams, ...counts.map((row) => row.team)])];
  const events = await eventCounts(db);
  const ofType = (type: string, labels: Record<string, string> = {}): Sample[] =>
    union(all, events).map((team) => ({
      labels: { team_id: team, ...labels },
      value: events.find((row) => row.type === type && row.team === team)?.n ?? 0,
    }));
  const { cycle, lead } = await durations(db, all);
  return [
    familyOf(
      "teamwright_tasks",
      all.flatMap((team) =>
        columns.map((column) => ({
          labels: { team_id: team, column },
          value: Number(counts.find((row) => row.team === team && row.col === column)?.n ?? 0),
        })),
      ),
    ),
    familyOf("teamwright_work_in_progress_age_seconds", await oldestWork(db, now)),
    ...(await blocked(db, now, all)),
    familyOf("teamwright_tasks_closed_total", ofType("task.closed")),
    familyOf("teamwright_tasks_reopened_total", ofType("task.reopened")),
    familyOf("teamwright_tasks_returned_total", ofType("task.returned")),
    familyOf("teamwright_task_cycle_time_seconds", cycle),
    familyOf("teamwright_task_lead_time_seconds", lead),
    familyOf("teamwright_conflicts_total", [
      ...ofType("file.refused", { kind: "write" }),
      ...ofType("unit.conflict", { kind: "merge" }),
    ]),
    familyOf("teamwright_dependencies", await dependencies(db)),
    familyOf("teamwright_agents", await agents(db)),
  ];
}

function union(teams: readonly string[], rows: readonly { readonly team: string }[]): string[] {
  return [...new Set([...teams, ...rows.map((row) => row.team)])].sort();
}

/** Facts of the trail by kind and team, counted in the index. */
async function eventCounts(db: Kysely<Database>): Promise<{ type: string; team: string; n: number }[]> {
  const rows = await db
    .selectFrom("event")
    .select((e) => ["type", "team", e.fn.countAll<number>().as("n")])
    .where(measuredEvent)
    .groupBy(["type", "team"])
    .orderBy("type")
    .orderBy("team")
    .execute();
  return rows.flatMap(({ type, team, n }) => (team === null ? [] : [{ type, team, n: Number(n) }]));
}

async function oldestWork(db: Kysely<Database>, now: number): Promise<Sample[]> {
  const rows = await db
    .selectFrom("task")
    .select((e) => ["team", e.fn.min<number>("started_at").as("since")])
    .where("status", "in", ["in_progress", "in_review"])
    .where("started_at", "is not", null)
    .groupBy("team")
    .orderBy("team")
    .execute();
  return rows.map((row) => ({ labels: { team_id: row.team }, value: seconds(Math.max(0, now - Number(row.since))) }));
}

/** Two small indexes know all cards that are blocked, or were; a team without any has a zero. */
async function blocked(db: Kysely<Database>, now: number, teams: readonly string[]): Promise<MetricFamily[]> {
  const running = await db
    .selectFrom("task")
    .select((e) => ["team", e.fn.countAll<number>().as("n"), e.fn.sum<number>("blocked_since").as("since")])
    .where("blocked_since", "is not", null)
    .groupBy("team")
    .execute();
  const past = await db
    .selectFrom("task")
    .select((e) => ["team", e.fn.sum<number>("blocked_ms").as("ms")])
    .where("blocked_ms", ">", sql.lit(0))
    .groupBy("team")
    .execute();
  const moved = await db.selectFrom("blocked_moved").selectAll().execute();
  const rows = union(teams, [...past, ...running, ...moved]).map((team) => {
    const open_ = running.find((row) => row.team === team);
    const n = Number(open_?.n ?? 0);
    const open = Math.max(0, n * now - Number(open_?.since ?? 0));
    const ended = Number(past.find((row) => row.team === team)?.ms ?? 0);
    const left = Number(moved.find((row) => row.team === team)?.ms ?? 0);
    return { team, n, ms: Math.max(0, open + ended + left) };
  });
  return [
    familyOf(
      "teamwright_blocked_tasks",
      rows.map((row) => ({ labels: { team_id: row.team }, value: row.n })),
    ),
    familyOf(
      "teamwright_blocked_seconds_total",
      rows.map((row) => ({ labels: { team_id: row.team }, value: seconds(row.ms) })),
    ),
  ];
}

/** Both histograms in one pass over rows that only ever become more. */
async function durations(db: Kysely<Database>, all: readonly string[]): Promise<{ cycle: Sample[]; lead: Sample[] }> {
  const [cycle, lead] = [sql<number>`cycle_ms`, sql<number>`lead_ms`];
  const rows = await db
    .selectFrom("task_closure")
    .select((e) => [
      "team",
      bucketOf(cycle).as("cycle"),
      bucketOf(lead).as("lead"),
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>(cycle).as("cycle_ms"),
      e.fn.sum<number>(lead).as("lead_ms"),
    ])
    .groupBy(["team", bucketOf(cycle), bucketOf(lead)])
    .orderBy("team")
    .execute();
  const samples = (bucket: "cycle" | "lead") =>
    union(all, rows).flatMap((team) => {
      const counts = Array.from({ length: bounds.length + 1 }, () => 0);
      let sum = 0;
      for (const row of rows) {
        const at = row[bucket];
        if (row.team !== team || at === null) continue; // nobody ever claimed it
        counts[Number(at)] = (counts[Number(at)] ?? 0) + Number(row.n);
        sum += seconds(row[`${bucket}_ms`]);
      }
      return histogram({ team_id: team }, bounds, counts, sum);
    });
  return { cycle: samples("cycle"), lead: samples("lead") };
}

/** The number of a duration's bucket; NULL for none. Literals, because both places of a query must be the same text. */
function bucketOf(took: RawBuilder<number>): RawBuilder<number | null> {
  const steps = bounds.map((bound, index) => sql`when ${took} <= ${sql.lit(bound * 1000)} then ${sql.lit(index)}`);
  return sql`case when ${took} is null then null ${sql.join(steps, sql` `)} else ${sql.lit(bounds.length)} end`;
}

async function dependencies(db: Kysely<Database>): Promise<Sample[]> {
  const rows = await db
    .selectFrom("dependency")
    .select((e) => ["team", "needs_team", "status", e.fn.countAll<number>().as("n")])
    .groupBy(["team", "needs_team", "status"])
    .orderBy("team")
    .orderBy("needs_team")
    .orderBy("status")
    .execute();
  return rows.map((row) => ({
    labels: { team_id: row.team, needs_team_id: row.needs_team, status: row.status },
    value: Number(row.n),
  }));
}

async function agents(db: Kysely<Database>): Promise<Sample[]> {
  return (await agentsByTeam(db)).flatMap(({ team, live, busy }) => [
    { labels: { team_id: team, state: "busy" }, value: busy },
    { labels: { team_id: team, state: "idle" }, value: live - busy },
  ]);
}

/** Agents that have started and not ended, and those of them that hold a task in progress (requirement ME-04). */
export async function agentsByTeam(db: Kysely<Database>): Promise<{ team: string; live: number; busy: number }[]> {
  const holding = (holder: RawBuilder<string>) =>
    sql<number>`case when exists (select 1 from task where task.holder = ${holder} and task.status = 'in_progress') then 1 else 0 end`;
  const rows = await db
    .selectFrom("agent")
    .select((e) => [
      "team",
      e.fn.countAll<number>().as("live"),
      e.fn.sum<number>(holding(sql`'agent:' || agent.agent_id`)).as("busy"),
    ])
    .where("ended_at", "is", null)
    .where("team", "is not", null)
    .groupBy("team")
    .orderBy("team")
    .execute();
  return rows.map((row) => ({ team: row.team ?? "", live: Number(row.live), busy: Number(row.busy) }));
}
