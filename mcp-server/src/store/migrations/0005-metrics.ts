import { columnsOf, type Migration } from "./migration.ts";

/** What metrics add up over all tasks and events is answered by indexes alone, or by rows of a few numbers. */
export const metricsSchema: Migration = {
  name: "0005-metrics",
  statements: (dialect) => [
    // never changed: a histogram that falls when a task is opened again is read as a restart, and counted twice
    `create table task_closure (
      ${columnsOf(dialect).id}, task_id ${columnsOf(dialect).big} not null references task (id) on delete cascade,
      team text not null, at ${columnsOf(dialect).big} not null, lead_ms ${columnsOf(dialect).big} not null,
      cycle_ms ${columnsOf(dialect).big})`,
    `insert into task_closure (task_id, team, at, lead_ms, cycle_ms)
      select id, team, closed_at, closed_at - created_at, closed_at - started_at from task
      where closed_at is not null and outcome = 'done' and kind <> 'epic'`,
    // the first two columns are those it had; with the others no row of a closed task is read
    `drop index task_done`,
    `create index task_done on task (team, closed_at, outcome, kind, started_at, created_at, points)
      where closed_at is not null`,
    `create index event_measured on event (type, team, at, subject)
      where type in ('task.closed', 'task.submitted', 'task.returned', 'task.reopened', 'file.refused', 'unit.conflict')`,
    `create index message_asked on message (recipient_name, created_at) where kind in ('QUESTION', 'BLOCKER')`,
  ],
};
