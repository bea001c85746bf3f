import { columnsOf, type DialectName } from "./migration.ts";

export function coordinationTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table coordination_round (
      ${id}, key text not null unique, kind text not null, sprint integer not null, status text not null,
      session text, opened_by text not null, opened_at ${big} not null, step_id ${big}, deadline ${big},
      facts text not null, evaluation text, evaluation_by text, evaluated_at ${big}, evaluation_call text,
      plan text, plan_by text, planned_at ${big}, plan_call text, asked_again integer not null default 0,
      outcome text, message text, ended_at ${big}, told_at ${big})`,
    // once per sprint and kind, whatever is raced
    `create unique index coordination_round_sprint on coordination_round (kind, sprint)`,
    `create index coordination_round_open on coordination_round (id) where ended_at is null`,
    `create index coordination_round_untold on coordination_round (session) where told_at is null`,
    `create index coordination_round_evaluation on coordination_round (evaluation_call)
      where evaluation_call is not null`,
    `create index coordination_round_plan on coordination_round (plan_call) where plan_call is not null`,
  ];
}
