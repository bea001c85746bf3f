import { columnsOf, type DialectName } from "./migration.ts";

export function sprintTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table sprint (
      ${id}, n integer not null unique, phase text not null, started_at ${big} not null, planned_ms ${big} not null,
      from_seq ${big} not null, ended_at ${big}, opened_by text not null, opened_by_name text not null)`,
    // one sprint at a time, whatever is raced
    `create unique index sprint_running on sprint ((1)) where ended_at is null`,
    `create table sprint_team (
      sprint_id ${big} not null references sprint (id), team text not null, blocked_before_ms ${big} not null,
      velocity integer not null default 0, done integer not null default 0, blocked integer not null default 0,
      blocked_ms ${big} not null default 0, wip integer not null default 0, agents integer not null default 0,
      borrowed_in integer not null default 0, borrowed_out integer not null default 0,
      primary key (sprint_id, team))`,
    // what was closed since a sprint began is found by the order of the trail, whatever the clocks say
    `create index event_closed on event (seq) where type = 'task.closed'`,
    `create index sprint_team_team on sprint_team (team, sprint_id)`,
    `create index task_blocked_time on task (team, blocked_ms) where blocked_ms > 0`,
  ];
}
