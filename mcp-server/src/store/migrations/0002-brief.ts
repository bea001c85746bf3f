import { columnsOf, type DialectName } from "./migration.ts";

export function briefTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table spawn_plan (
      ${id}, key text not null unique, task_id ${big} not null references task (id) on delete cascade,
      run_id ${big} references run (id), score integer not null, scores text not null, always text not null,
      model text not null, profile text not null, reason text not null, cost_micro_usd ${big} not null,
      prices_as_of text not null, created_at ${big} not null, created_by text not null)`,
    `create index spawn_plan_task on spawn_plan (task_id, id)`,
    `create table run_spawn (
      ${id}, run_id ${big} not null references run (id), tool_use_id text not null unique,
      plan_id ${big} references spawn_plan (id), task_key text, exception text, model text,
      briefed integer not null default 0, at ${big} not null)`,
    `create index run_spawn_run on run_spawn (run_id)`,
    `create table context_load (
      agent_id text not null, section text not null, digest text not null, at ${big} not null,
      primary key (agent_id, section))`,
  ];
}
