import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import type { MetricFamily } from "./prometheus.rules.ts";

/** Units, their gates and reviews, and what waits for a person. */
export async function loopMetrics(db: Kysely<Database>): Promise<MetricFamily[]> {
  const ofUnits = db.selectFrom("unit").innerJoin("task", "task.id", "unit.task_id");
  const units = await ofUnits
    .select((e) => ["task.team", "unit.phase", e.fn.countAll<number>().as("n")])
    .groupBy(["task.team", "unit.phase"])
    .orderBy("task.team")
    .orderBy("unit.phase")
    .execute();
  const reviews = await ofUnits
    .innerJoin("review", "review.unit_id", "unit.id")
    .select((e) => ["task.team", "review.verdict", "review.status", e.fn.countAll<number>().as("n")])
    .where("review.status", "in", ["answered", "void"])
    .groupBy(["task.team", "review.verdict", "review.status"])
    .orderBy("task.team")
    .orderBy("review.verdict")
    .execute();
  const gates = await ofUnits
    .innerJoin("gate_run", "gate_run.unit_id", "unit.id")
    .select((e) => [
      "task.team",
      "gate_run.gate",
      "gate_run.result",
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>("gate_run.duration_ms").as("ms"),
    ])
    .groupBy(["task.team", "gate_run.gate", "gate_run.result"])
    .orderBy("task.team")
    .orderBy("gate_run.gate")
    .orderBy("gate_run.result")
    .execute();
  const escalations = await db
    .selectFrom("escalation")
    .select((e) => ["level", e.fn.countAll<number>().as("n")])
    .where("status", "=", "open")
    .groupBy("level")
    .orderBy("level")
    .execute();
  return [
    {
      name: "teamwright_units",
      type: "gauge",
      help: "Work units by phase of their loop.",
      samples: units.map((row) => ({ labels: { team_id: row.team, phase: row.phase }, value: Number(row.n) })),
    },
    {
      name: "teamwright_reviews_total",
      type: "counter",
      help: "Adversarial reviews that ended, by verdict; void means without one.",
      samples: reviews.map((row) => ({
        labels: { team_id: row.team, verdict: row.status === "void" ? "void" : (row.verdict ?? "").toLowerCase() },
        value: Number(row.n),
      })),
    },
    {
      name: "teamwright_gate_runs_total",
      type: "counter",
      help: "Gates the server has run, by result.",
      samples: gates.map((row) => ({
        labels: { team_id: row.team, gate: row.gate, result: row.result },
        value: Number(row.n),
      })),
    },
    {
      name: "teamwright_gate_seconds_total",
      type: "counter",
      help: "Time those gates took.",
      samples: gates.map((row) => ({
        labels: { team_id: row.team, gate: row.gate, result: row.result },
        value: Number(row.ms) / 1000,
      })),
    },
    {
      name: "teamwright_escalations_open",
      type: "gauge",
      help: "Escalations nobody has resolved, by who they wait for.",
      samples: escalations.map((row) => ({ labels: { level: row.level }, value: Number(row.n) })),
    },
  ];
}
