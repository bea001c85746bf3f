import { columnsOf, type DialectName } from "./migration.ts";

export function fileTables(dialect: DialectName): string[] {
  const { id, big } = columnsOf(dialect);
  return [
    `create table file_lease (
      ${id}, task_id ${big} not null references task (id) on delete cascade, glob text not null, origin text not null,
      holder text not null, holder_name text not null, since ${big} not null, released_at ${big})`,
    `create index file_lease_active on file_lease (task_id) where released_at is null`,
  ];
}
