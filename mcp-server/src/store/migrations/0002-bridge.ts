import { columnsOf, type DialectName } from "./migration.ts";

export function bridgeTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table client_task (
      ${id}, session text not null, client_id text not null, subject text not null, description text, wanted text,
      task_key text, origin text, state text not null, created_by text not null, creator_name text not null,
      creator_team text, completed_by text, told_at ${big}, created_at ${big} not null, updated_at ${big} not null,
      unique (session, client_id))`,
    `create index client_task_key on client_task (task_key)`,
    `create index client_task_unlinked on client_task (created_at) where task_key is null`,
  ];
}
