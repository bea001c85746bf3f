import { columnsOf, type Migration } from "./migration.ts";

/**
 * Blocked time is kept with the task, and a task may come to another team: what it had been blocked by then stays with
 * the team it was blocked in. Added to the sum over a team's tasks; below zero for a team that has got more than given.
 */
export const movedSchema: Migration = {
  name: "0008-moved",
  statements: (dialect) => [
    `create table blocked_moved (team text primary key, ms ${columnsOf(dialect).big} not null)`,
  ],
};
