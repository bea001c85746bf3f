import { columnsOf, type DialectName } from "./migration.ts";

export function checkpointTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  // the start of an id is looked up as a range, which the order of a language would tear apart
  const exact = dialect === "sqlite" ? "" : 'collate "C"';
  return [
    `create table checkpoint (
      ${id}, key text ${exact} not null unique, run_id ${big}, about text not null, kind text not null, title text not null,
      report text not null, session text, requested_by text not null, requested_by_name text not null,
      created_at ${big} not null, status text not null, decided_by text, decided_by_name text, decided_at ${big},
      note text, told_at ${big})`,
    `create index checkpoint_about on checkpoint (about, id)`,
    `create index checkpoint_pending on checkpoint (id) where status = 'pending'`,
    `create index checkpoint_untold on checkpoint (id) where told_at is null and status <> 'pending'`,
  ];
}
