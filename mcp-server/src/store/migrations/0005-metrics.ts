import type { Migration } from "./migration.ts";

/** What metrics add up over all tasks and events is answered by indexes alone. */
export const metricsSchema: Migration = {
  name: "0005-metrics",
  statements: () => [
    // the first two columns are those it had; with the others no row of a closed task is read
    `drop index task_done`,
    `create index task_done on task (team, closed_at, outcome, kind, started_at, created_at, points)
      where closed_at is not null`,
    `create index event_measured on event (type, team, at, subject)
      where type in ('task.closed', 'task.submitted', 'task.returned', 'task.reopened', 'file.refused', 'unit.conflict')`,
    `create index message_asked on message (recipient_name, created_at) where kind in ('QUESTION', 'BLOCKER')`,
  ],
};
