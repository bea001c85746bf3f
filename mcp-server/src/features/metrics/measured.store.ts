import { sql } from "kysely";

/** Kinds of facts in the trail that metrics count; the condition of the index `event_measured`, in its words. */
export const measuredEvent = sql<boolean>`type in ('task.closed', 'task.submitted', 'task.returned', 'task.reopened', 'file.refused', 'unit.conflict')`;

/** Epics count by their parts (C-23); the other conditions let the index `task_done` answer alone. */
export const finishedTask = sql<boolean>`closed_at is not null and outcome = 'done' and kind <> 'epic'`;

/** Messages that wait for an answer; the condition of the index `message_asked`, in its words. */
export const askingMessage = sql<boolean>`kind in ('QUESTION', 'BLOCKER')`;
