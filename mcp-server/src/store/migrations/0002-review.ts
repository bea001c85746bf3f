import { columnsOf, type DialectName } from "./migration.ts";

export function reviewTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table review (
      ${id}, key text not null unique, unit_id ${big} not null references unit (id), attempt integer not null,
      diff_hash text not null, packet text not null, status text not null, opened_by text not null,
      opened_at ${big} not null, tool_use_id text, agent_id text, verdict text, items text, issues text, answer text,
      fault text, asked_again integer not null default 0, answered_at ${big})`,
    `create index review_unit on review (unit_id, id)`,
    `create unique index review_call on review (tool_use_id) where tool_use_id is not null`,
    `create index review_agent on review (agent_id) where agent_id is not null`,
    `create table design_review (
      ${id}, task_id ${big} not null references task (id), round integer not null, reviewer text not null,
      agent_id text not null, verdict text not null, blockers text not null, suggestions text not null,
      questions text not null, at ${big} not null)`,
    `create index design_review_task on design_review (task_id, round)`,
  ];
}
