import { columnsOf, type DialectName } from "./migration.ts";

export function messageTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table message (
      ${id}, key text not null unique, kind text not null, channel text, recipient_name text, recipient_key text,
      sender_key text not null, sender_name text not null, sender_generation integer, session text, run_id ${big},
      task_key text, team text, text text not null, urgent integer not null default 0, reply_to ${big},
      answered_by ${big}, source text not null, created_at ${big} not null, read_at ${big}, read_by text)`,
    `create index message_channel on message (channel, id) where channel is not null`,
    `create index message_waiting on message (recipient_name, id) where read_at is null and channel is null`,
    `create index message_pair on message (sender_key, recipient_key, id)`,
    `create table message_cursor (
      reader text primary key, last_read_id ${big} not null, urgent_read_id ${big} not null, updated_at ${big} not null)`,
  ];
}
