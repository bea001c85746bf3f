import { columnsOf, type DialectName } from "./migration.ts";

export function runTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table run (
      ${id}, key text not null unique, name text not null, level text not null, session text, lead text not null,
      mode text not null, mode_reason text not null, verdict text not null, verdict_reason text not null,
      pairs integer not null default 0, phase_gate text not null, spawns integer not null default 0, spawn_ack text,
      status text not null, started_at ${big} not null, seen_at ${big} not null, ended_at ${big}, end_note text)`,
    `create index run_open on run (session) where ended_at is null`,
  ];
}
