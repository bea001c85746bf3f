import { columnsOf, type DialectName } from "./migration.ts";

export function overheadTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table overhead_step (
      ${id}, sprint integer not null, step text not null, team text, started_at ${big} not null,
      timeout_ms ${big} not null, deadline ${big} not null, elapsed_ms ${big}, timed_out integer not null default 0,
      used integer not null default 0)`,
    `create index overhead_step_running on overhead_step (deadline) where elapsed_ms is null`,
  ];
}
