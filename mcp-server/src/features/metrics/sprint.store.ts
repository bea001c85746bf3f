import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { Database } from "../../store/database.ts";
import { overheadReport } from "../overhead/overhead.store.ts";
import type { MetricFamily } from "./prometheus.rules.ts";

/** Sprints, loans and the overhead of coordination (requirements ME-01, BO-08, OH-07). */
export async function sprintMetrics(db: Kysely<Database>, config: ProjectConfig, now: number): Promise<MetricFamily[]> {
  return [...(await sprints(db, now)), await loans(db), ...(await overhead(db, config, now))];
}

async function sprints(db: Kysely<Database>, now: number): Promise<MetricFamily[]> {
  const current = await db.selectFrom("sprint").selectAll().orderBy("n", "desc").executeTakeFirst();
  const ended = await db
    .selectFrom("sprint")
    .select("id")
    .where("ended_at", "is not", null)
    .orderBy("n", "desc")
    .executeTakeFirst();
  const results = ended
    ? await db.selectFrom("sprint_team").selectAll().where("sprint_id", "=", ended.id).orderBy("team").execute()
    : [];
  const done = await db
    .selectFrom("sprint_team")
    .innerJoin("sprint", "sprint.id", "sprint_team.sprint_id")
    .select((e) => ["team", e.fn.sum<number>("velocity").as("points")])
    .where("sprint.ended_at", "is not", null)
    .groupBy("team")
    .orderBy("team")
    .execute();
  const isRunning = current !== undefined && current.ended_at === null;
  return [
    {
      name: "sprint_velocity",
      type: "gauge",
      help: "Story points of the cards a team closed as done in the sprint that ended last.",
      samples: results.map((row) => ({ labels: { team_id: row.team }, value: Number(row.velocity) })),
    },
    {
      name: "teamwright_velocity_points_total",
      type: "counter",
      help: "Story points of the cards a team closed as done in all sprints that have ended.",
      samples: done.map((row) => ({ labels: { team_id: row.team }, value: Number(row.points) })),
    },
    {
      name: "teamwright_sprint_number",
      type: "gauge",
      help: "The sprint that runs, or ran last.",
      samples: current ? [{ labels: {}, value: current.n }] : [],
    },
    {
      name: "teamwright_sprint_remaining_seconds",
      type: "gauge",
      help: "Time left of the sprint that runs; 0 past its end.",
      samples: isRunning
        ? [{ labels: {}, value: Math.max(0, Number(current.started_at) + Number(current.planned_ms) - now) / 1000 }]
        : [],
    },
  ];
}

async function loans(db: Kysely<Database>): Promise<MetricFamily> {
  const rows = await db
    .selectFrom("loan")
    .select((e) => ["from_team", "to_team", "status", e.fn.countAll<number>().as("n")])
    .groupBy(["from_team", "to_team", "status"])
    .orderBy("from_team")
    .orderBy("to_team")
    .orderBy("status")
    .execute();
  return {
    name: "teamwright_loans",
    type: "gauge",
    help: "Loans of agents from a team to another, by state.",
    samples: rows.map((row) => ({
      labels: { team_id: row.from_team, to_team_id: row.to_team, status: row.status },
      value: Number(row.n),
    })),
  };
}

async function overhead(db: Kysely<Database>, config: ProjectConfig, now: number): Promise<MetricFamily[]> {
  const rows = await db
    .selectFrom("overhead_step")
    .select((e) => [
      "step",
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>("elapsed_ms").as("ms"),
      e.fn.sum<number>("timed_out").as("late"),
    ])
    .where("elapsed_ms", "is not", null)
    .groupBy("step")
    .orderBy("step")
    .execute();
  if (rows.length === 0) return [];
  const report = await overheadReport(db, config, now);
  const perStep = (name: string, help: string, value: (row: (typeof rows)[number]) => number): MetricFamily => ({
    name,
    type: "counter",
    help,
    samples: rows.map((row) => ({ labels: { step: row.step }, value: value(row) })),
  });
  return [
    perStep(
      "teamwright_overhead_seconds_total",
      "Time spent on coordination, by step.",
      (row) => Number(row.ms) / 1000,
    ),
    perStep("teamwright_overhead_steps_total", "Steps of coordination that have ended.", (row) => Number(row.n)),
    perStep("teamwright_overhead_timeouts_total", "Steps that ran into their deadline.", (row) => Number(row.late)),
    {
      name: "teamwright_overhead_budget_seconds",
      type: "gauge",
      help: "Time that may go into coordination in all sprints together.",
      samples: [{ labels: {}, value: report.total_budget_seconds }],
    },
  ];
}
