import { columnsOf, type DialectName } from "./migration.ts";

export function borrowTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table loan (
      ${id}, key text not null unique, agent text not null, home_team text not null, from_team text not null,
      to_team text not null, reason text not null, status text not null,
      requested_by text not null, requested_by_name text not null, requested_at ${big} not null, question text,
      decided_by text, decided_at ${big}, refusal text, refusal_why text,
      sprint_from integer not null, due_sprint integer not null,
      returned_at ${big}, last_sprint integer, returned_why text, told_at ${big}, told_home_at ${big})`,
    // an agent is lent to one team at a time, whatever is raced
    `create unique index loan_active on loan (agent) where status = 'active'`,
    `create index loan_status on loan (status, id)`,
    `create index loan_agent on loan (agent, id)`,
    `create index loan_sprint on loan (sprint_from)`,
    // a loan moves the rows of a name
    `create index agent_name on agent (name) where name is not null`,
  ];
}
