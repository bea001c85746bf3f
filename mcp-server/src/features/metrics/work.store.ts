import { type Kysely, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { cycleBuckets, histogram, type MetricFamily, type Sample } from "./prometheus.rules.ts";

const seconds = (ms: unknown) => Number(ms) / 1000;

/** Cards by column, those that are blocked and for how long, and what was closed how fast (requirements KB-06, DE-05). */
export async function workMetrics(db: Kysely<Database>, now: number): Promise<MetricFamily[]> {
  return [
    {
      name: "teamwright_tasks",
      type: "gauge",
      help: "Tasks of a team by board column; in_progress and review are its work in progress.",
      samples: (await db.selectFrom("board_count").selectAll().orderBy("team").orderBy("col").execute()).map((row) => ({
        labels: { team_id: row.team, column: row.col },
        value: Number(row.n),
      })),
    },
    ...(await blocked(db, now)),
    {
      name: "teamwright_tasks_closed_total",
      type: "counter",
      help: "How often a task was closed, whatever its outcome; one that is opened again and closed again counts twice.",
      samples: await closures(db),
    },
    {
      name: "teamwright_task_cycle_time_seconds",
      type: "histogram",
      help: "Time from the first claim to the end of tasks closed as done.",
      samples: await cycleTimes(db),
    },
    {
      name: "teamwright_dependencies",
      type: "gauge",
      help: "What a team needs of another, by state.",
      samples: await dependencies(db),
    },
  ];
}

async function blocked(db: Kysely<Database>, now: number): Promise<MetricFamily[]> {
  const rows = await db
    .selectFrom("task")
    .select((e) => [
      "team",
      e.fn.count<number>("blocked_since").as("n"),
      e.fn.sum<number>("blocked_ms").as("past"),
      e.fn
        .sum<number>(sql<number>`case when blocked_since is null then 0 else ${now} - blocked_since end`)
        .as("running"),
    ])
    .groupBy("team")
    .orderBy("team")
    .execute();
  return [
    {
      name: "teamwright_blocked_tasks",
      type: "gauge",
      help: "Tasks that carry the blocked flag now.",
      samples: rows.map((row) => ({ labels: { team_id: row.team }, value: Number(row.n) })),
    },
    {
      name: "teamwright_blocked_seconds_total",
      type: "counter",
      help: "Time that tasks have been blocked, that of those still blocked included.",
      samples: rows.map((row) => ({
        labels: { team_id: row.team },
        value: seconds(Number(row.past) + Math.max(0, Number(row.running))),
      })),
    },
  ];
}

async function closures(db: Kysely<Database>): Promise<Sample[]> {
  const rows = await db
    .selectFrom("event")
    .select((e) => ["team", e.fn.countAll<number>().as("n")])
    .where("type", "=", "task.closed")
    .where("team", "is not", null)
    .groupBy("team")
    .orderBy("team")
    .execute();
  return rows.map((row) => ({ labels: { team_id: row.team ?? "" }, value: Number(row.n) }));
}

async function cycleTimes(db: Kysely<Database>): Promise<Sample[]> {
  const took = sql<number>`(closed_at - started_at)`;
  // the bucket's number, so that one pass over the closed tasks is enough
  const bucket = sql<number>`case ${sql.join(
    cycleBuckets.map((bound, index) => sql`when ${took} <= ${sql.lit(bound * 1000)} then ${sql.lit(index)}`),
    sql` `,
  )} else ${sql.lit(cycleBuckets.length)} end`;
  const rows = await db
    .selectFrom("task")
    .select((e) => ["team", bucket.as("bucket"), e.fn.countAll<number>().as("n"), e.fn.sum<number>(took).as("ms")])
    .where("status", "=", "closed")
    .where("outcome", "=", "done")
    .where("started_at", "is not", null)
    .where("closed_at", "is not", null)
    .groupBy(["team", bucket])
    .orderBy("team")
    .execute();
  return [...Map.groupBy(rows, (row) => row.team)].flatMap(([team, ofTeam]) => {
    const counts = Array.from({ length: cycleBuckets.length + 1 }, () => 0);
    for (const row of ofTeam) counts[Number(row.bucket)] = Number(row.n);
    const sum = ofTeam.reduce((all, row) => all + seconds(row.ms), 0);
    return histogram({ team_id: team }, cycleBuckets, counts, sum);
  });
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
