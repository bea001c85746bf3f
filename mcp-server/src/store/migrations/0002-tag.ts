import { columnsOf, type DialectName } from "./migration.ts";

export function tagTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table report (
      ${id}, key text not null unique, agent_id text not null, agent_name text not null, run_id ${big}, task_key text,
      status text, text text not null, findings text not null, malformed integer not null, at ${big} not null)`,
    `create index report_run on report (run_id, id)`,
    `create index report_agent on report (agent_id, id)`,
    `create table tag (
      ${id}, key text not null unique, report_id ${big} not null references report (id), run_id ${big}, task_key text,
      agent_name text not null, kind text not null, target text, text text not null, status text not null,
      routed_to text, resolution text, resolved_by text, at ${big} not null, settled_at ${big})`,
    `create index tag_open on tag (run_id, id) where settled_at is null`,
    `create index tag_report on tag (report_id)`,
    `create table report_ask (agent_id text primary key, asked integer not null, at ${big} not null)`,
  ];
}
