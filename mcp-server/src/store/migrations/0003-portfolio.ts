import { columnsOf, type DialectName } from "./migration.ts";

export function portfolioTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table story (
      ${id}, key text not null, owner text not null, title text not null, description text, priority integer not null,
      points integer, acceptance text not null, tags text not null, domain text, hint text, depends_on_team text,
      dependency_type text, sprint integer, metadata text not null, status text not null, team text,
      task_id ${big} references task (id), assigned_sprint integer, assigned_why text, assigned_at ${big},
      created_at ${big} not null, updated_at ${big} not null, unique (owner, key))`,
    `create index story_pending on story (owner, priority, id) where status = 'pending'`,
    `create index story_team on story (team) where status = 'assigned'`,
    `create unique index story_task on story (task_id) where task_id is not null`,
    `create table backlog (owner text primary key, file text not null, product text, loaded_at ${big} not null)`,
  ];
}
