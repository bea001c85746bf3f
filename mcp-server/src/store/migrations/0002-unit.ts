import { columnsOf, type DialectName } from "./migration.ts";

export function unitTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table unit (
      ${id}, key text not null unique, run_id ${big} not null references run (id),
      task_id ${big} not null references task (id), title text not null, phase text not null, stage integer not null,
      scope text not null, items text not null, spec text, spec_at ${big},
      worktree text, base text, start_tree text, home_tree text, left_behind text, attempt integer not null default 1,
      diff_hash text, tree text, files text, commit_sha text, busy_until ${big}, busy_owner text,
      version integer not null default 1,
      created_at ${big} not null, updated_at ${big} not null)`,
    `create index unit_run on unit (run_id, stage, id)`,
    `create index unit_task on unit (task_id)`,
    `create table unit_attempt (
      ${id}, unit_id ${big} not null references unit (id), n integer not null, started_at ${big} not null,
      submitted_at ${big}, submitted_by text, validated_at ${big}, validation text, review text, failure text,
      diff_hash text, unique (unit_id, n))`,
    `create table gate_run (
      ${id}, unit_id ${big} not null references unit (id), attempt integer not null, gate text not null,
      command text not null, started_at ${big} not null, duration_ms integer not null, exit_code integer, signal text,
      result text not null, output_digest text not null, output_tail text not null, output_bytes ${big} not null,
      merged integer not null)`,
    `create index gate_run_unit on gate_run (unit_id, attempt)`,
    `create table unit_override (
      ${id}, unit_id ${big} not null references unit (id), escalation text not null, diff_hash text not null,
      tree text not null, files text not null, decided_by text not null, at ${big} not null)`,
    `create index unit_override_unit on unit_override (unit_id, id)`,
    `create table unit_instance (
      unit_id ${big} not null references unit (id), agent_id text not null, role text not null, at ${big} not null,
      primary key (unit_id, agent_id, role))`,
    `create index unit_instance_agent on unit_instance (agent_id)`,
  ];
}
