import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { familyOf, labelled } from "./catalogue.rules.ts";
import type { MetricFamily } from "./prometheus.rules.ts";

/** Units, their gates and reviews, and what waits for a person. */
export async function loopMetrics(db: Kysely<Database>, teams: readonly string[]): Promise<MetricFamily[]> {
  const ofUnits = db.selectFrom("unit").innerJoin("task", "task.id", "unit.task_id");
  const units = await ofUnits
    .select((e) => ["task.team", "unit.phase", e.fn.countAll<number>().as("n")])
    .groupBy(["task.team", "unit.phase"])
    .orderBy("task.team")
    .orderBy("unit.phase")
    .execute();
  const reviews = await ofUnits
    .innerJoin("review", "review.unit_id", "unit.id")
    .select((e) => [
      teamAt(sql.ref("review.opened_at")).as("of_team"),
      "review.verdict",
      "review.status",
      e.fn.countAll<number>().as("n"),
    ])
    .where("review.status", "in", ["answered", "void"])
    .groupBy([ofTeam, "review.verdict", "review.status"])
    .orderBy("review.verdict")
    .execute();
  const gates = await ofUnits
    .innerJoin("gate_run", "gate_run.unit_id", "unit.id")
    .select((e) => [
      teamAt(sql.ref("gate_run.started_at")).as("of_team"),
      "gate_run.gate",
      "gate_run.result",
      e.fn.countAll<number>().as("n"),
      e.fn.sum<number>("gate_run.duration_ms").as("ms"),
    ])
    .groupBy([ofTeam, "gate_run.gate", "gate_run.result"])
    .orderBy(ofTeam)
    .orderBy("gate_run.gate")
    .orderBy("gate_run.result")
    .execute();
  const ofGate = (row: (typeof gates)[number]) => ({ team_id: row.of_team, gate: row.gate, result: row.result });
  return [
    familyOf(
      "teamwright_units",
      units.map((row) => ({ labels: { team_id: row.team, phase: row.phase }, value: Number(row.n) })),
    ),
    familyOf(
      "teamwright_reviews_total",
      [...new Set([...teams, ...reviews.map((row) => row.of_team)])].sort().flatMap((team) =>
        verdicts.map((verdict) => {
          const own = reviews.filter((row) => row.of_team === team && verdictOf(row) === verdict);
          return { labels: { team_id: team, verdict }, value: own.reduce((sum, row) => sum + Number(row.n), 0) };
        }),
      ),
    ),
    familyOf(
      "teamwright_gate_runs_total",
      gates.map((row) => ({ labels: ofGate(row), value: Number(row.n) })),
    ),
    familyOf(
      "teamwright_gate_seconds_total",
      gates.map((row) => ({ labels: ofGate(row), value: Number(row.ms) / 1000 })),
    ),
    await escalations(db),
  ];
}

/** The task's team at that time: the one it left first since, or its own. A count must not go along, and fall. */
function teamAt(time: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`coalesce((select event.team from event where event.subject = task.key
    and event.type = 'task.transferred' and event.at >= ${time} order by event.seq limit 1), task.team)`;
}

/** By the name in the result, which no table has. */
const ofTeam = sql<string>`of_team`;

const verdicts = ["pass", "fail", "void"] as const;

function verdictOf({ status, verdict }: { readonly status: string; readonly verdict: string | null }): string {
  return status === "void" ? "void" : (verdict ?? "").toLowerCase();
}

async function escalations(db: Kysely<Database>): Promise<MetricFamily> {
  const rows = await db
    .selectFrom("escalation")
    .leftJoin("task", "task.key", "escalation.task_key")
    .select((e) => ["task.team", "escalation.level", e.fn.countAll<number>().as("n")])
    .where("escalation.status", "=", "open")
    .groupBy(["task.team", "escalation.level"])
    .orderBy("task.team")
    .orderBy("escalation.level")
    .execute();
  return familyOf(
    "teamwright_escalations_open",
    rows.map((row) => ({ labels: labelled({ team_id: row.team, level: row.level }), value: Number(row.n) })),
  );
}
