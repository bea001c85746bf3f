import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { prepared, preparedByShape } from "../../store/prepared.ts";
import type { Column } from "../board/board.rules.ts";
import type { TaskBrief } from "./task.schema.ts";
import { briefColumns, briefOfRow } from "./task.view.ts";

/** The first cards of a column, in the order of the board. */
export async function cards(db: Kysely<Database>, team: string, name: Column, limit: number): Promise<TaskBrief[]> {
  if (name === "backlog") {
    const open = await backlogCards(db, team, "open", limit);
    return open.length < limit ? [...open, ...(await backlogCards(db, team, "deferred", limit - open.length))] : open;
  }
  return (await cardsOfColumn(name).all(db, { team, limit })).map(briefOfRow);
}

const cardsOfColumn = preparedByShape((name) =>
  prepared((db, p: { team: string; limit: number }) => {
    const query = db.selectFrom("task").select(briefColumns).where("team", "=", p.team);
    const sorted =
      name === "ready"
        ? query.where("ready_prio", "is not", null).orderBy("ready_prio").orderBy("created_at")
        : name === "done"
          ? query.where("closed_at", "is not", null).orderBy("closed_at", "desc")
          : query
              .where("status", "=", name === "review" ? "in_review" : "in_progress")
              .orderBy("priority")
              .orderBy("created_at");
    return sorted.orderBy("id").limit(p.limit);
  }),
);

/** One state at a time, in the order of the index: sorting the whole backlog for ten cards is what made boards slow. */
async function backlogCards(db: Kysely<Database>, team: string, status: "open" | "deferred", limit: number) {
  return (await backlog.all(db, { team, status, limit })).map(briefOfRow);
}

const backlog = prepared((db, p: { team: string; status: string; limit: number }) =>
  db
    .selectFrom("task")
    .select(briefColumns)
    .where("team", "=", p.team)
    .where("status", "=", p.status)
    .where("ready_prio", "is", null)
    .where("holder", "is", null) // as the index says; nobody holds what is not in progress
    .orderBy("priority")
    .orderBy("created_at")
    .orderBy("id")
    .limit(p.limit),
);
