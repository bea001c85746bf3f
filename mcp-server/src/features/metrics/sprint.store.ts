import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { isCoordinated } from "../../config/practices.rules.ts";
import type { Database } from "../../store/database.ts";
import { overheadSteps } from "../overhead/overhead.schema.ts";
import { overheadReport } from "../overhead/overhead.store.ts";
import { familyOf, labelled, type MetricName } from "./catalogue.rules.ts";
import type { MetricFamily } from "./prometheus.rules.ts";

/** Sprints, loans and the overhead of coordination (requirements ME-01, ME-03, BO-08, OH-07). */
export async function sprintMetrics(db: Kysely<Database>, config: ProjectConfig, now: number): Promise<MetricFamily[]> {
  return [...(await sprints(db, config, now)), await loans(db), ...(await overhead(db, config, now))];
}

async function sprints(db: Kysely<Database>, config: ProjectConfig, now: number): Promise<MetricFamily[]> {
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
    .select((e) => ["team", e.fn.sum<number>("velocity").as("points"), e.fn.sum<number>("done").as("tasks")])
    .where("sprint.ended_at", "is not", null)
    .groupBy("team")
    .orderBy("team")
    .execute();
  const missing = config.teams.filter(({ id }) => !done.some((row) => row.team === id));
  // counters of teams begin with the first sprint, so that what it adds is seen as an increase
  const totals = [...done, ...(current ? missing.map(({ id }) => ({ team: id, points: 0, tasks: 0 })) : [])];
  const isRunning = current !== undefined && current.ended_at === null;
  const left = isRunning ? Math.max(0, Number(current.started_at) + Number(current.planned_ms) - now) / 1000 : 0;
  return [
    familyOf(
      "sprint_velocity",
      results.map((row) => ({ labels: { team_id: row.team }, value: Number(row.velocity) })),
    ),
    familyOf(
      "teamwright_velocity_points_total",
      totals.map((row) => ({ labels: { team_id: row.team }, value: Number(row.points) })),
    ),
    familyOf(
      "teamwright_velocity_tasks_total",
      totals.map((row) => ({ labels: { team_id: row.team }, value: Number(row.tasks) })),
    ),
    familyOf("teamwright_sprint_number", current ? [{ labels: {}, value: current.n }] : []),
    familyOf("teamwright_sprint_remaining_seconds", isRunning ? [{ labels: {}, value: left }] : []),
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
  return familyOf(
    "teamwright_loans",
    rows.map((row) => ({
      labels: { team_id: row.from_team, to_team_id: row.to_team, status: row.status },
      value: Number(row.n),
    })),
  );
}

async function overhead(db: Kysely<Database>, config: ProjectConfig, now: number): Promise<MetricFamily[]> {
  const rows = await db
    .selectFrom("overhead_step")
    .select((e) => [
      "step",
      "team",
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>("elapsed_ms").as("ms"),
      e.fn.sum<number>("timed_out").as("late"),
    ])
    .where("elapsed_ms", "is not", null)
    .groupBy(["step", "team"])
    .orderBy("step")
    .orderBy("team")
    .execute();
  if (rows.length === 0 && !isCoordinated(config)) return [];
  // like those of the teams they begin at 0
  const begun = overheadSteps.flatMap((step) =>
    rows.some((row) => row.step === step) ? [] : [{ step, team: null, n: 0, ms: 0, late: 0 }],
  );
  const report = await overheadReport(db, config, now);
  const perStep = (
    name: MetricName,
    value: (row: (typeof rows)[number] | (typeof begun)[number]) => number,
  ): MetricFamily =>
    familyOf(
      name,
      [...rows, ...begun].map((row) => ({
        labels: labelled({ step: row.step, team_id: row.team }),
        value: value(row),
      })),
    );
  return [
    perStep("teamwright_overhead_seconds_total", (row) => Number(row.ms) / 1000),
    perStep("teamwright_overhead_steps_total", (row) => Number(row.n)),
    perStep("teamwright_overhead_timeouts_total", (row) => Number(row.late)),
    familyOf("teamwright_overhead_budget_seconds", [{ labels: {}, value: report.total_budget_seconds }]),
  ];
}
