import { columnsOf, type Migration } from "./migration.ts";

/** Runs of two levels: an initiative, and the issues that are part of it (requirement CA-05). */
export const levelsSchema: Migration = {
  name: "0007-levels",
  statements: (dialect) => [
    `alter table run add column parent_id ${columnsOf(dialect).big}`,
    `create index run_parent on run (parent_id) where parent_id is not null`,
  ],
};
