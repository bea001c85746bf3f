import { columnsOf, type DialectName } from "./migration.ts";

export function escalationTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  // the start of an id is looked up as a range, which the order of a language would tear apart
  const exact = dialect === "sqlite" ? "" : 'collate "C"';
  return [
    `create table escalation (
      ${id}, key text ${exact} not null unique, scope text not null, task_key text, run_id ${big}, unit_key text,
      operation text not null, level text not null, reason text not null, history text not null,
      raised_by text not null, raised_by_name text not null, session text,
      created_at ${big} not null, updated_at ${big} not null, status text not null, decision text, resolution text,
      resolved_by text, resolved_by_name text, resolved_at ${big}, told_at ${big})`,
    `create unique index escalation_scope on escalation (scope, operation) where status = 'open'`,
    `create index escalation_task on escalation (task_key) where status = 'open'`,
    `create index escalation_unit on escalation (unit_key, id)`,
    `create index escalation_untold on escalation (id) where told_at is null and level = 'human'`,
    `create table attempt (
      scope text not null, operation text not null, failures integer not null, granted integer not null default 0,
      last_reason text, history text not null, updated_at ${big} not null, primary key (scope, operation))`,
    // the value of blocked_since that was escalated: whoever blocks a task need not know that somebody watches
    `alter table task add column watched_since ${big}`,
    `create index task_unwatched on task (blocked_since)
      where blocked_since is not null and (watched_since is null or watched_since <> blocked_since)`,
  ];
}
