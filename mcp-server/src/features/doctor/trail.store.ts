import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import type { EventRow } from "../event/event.store.ts";

/** The newest event; undefined in an empty store. */
export async function newestEvent(db: Kysely<Database>): Promise<EventRow | undefined> {
  return db.selectFrom("event").selectAll().orderBy("seq", "desc").limit(1).executeTakeFirst();
}
