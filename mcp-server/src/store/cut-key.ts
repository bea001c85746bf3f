import { type Kysely, sql } from "kysely";
import { type Hint, TeamwrightError } from "../kernel/errors.ts";
import { plainLine } from "../kernel/fence.ts";
import type { Database } from "./database.ts";

/** Tables whose rows answers name by `key`. Tasks have a way of their own, and units where they may be meant by a task. */
type KeyedTable =
  | "checkpoint"
  | "coordination_round"
  | "dependency"
  | "escalation"
  | "knowledge"
  | "loan"
  | "message"
  | "run"
  | "tag"
  | "unit";

/**
 * The row that `find` has for a key, or for the only key of the table that starts so; undefined when there is none.
 * Throws INVALID_INPUT for the start of several, with `list` as the way to see them.
 */
export async function findByCutKey<Row>(
  db: Kysely<Database>,
  table: KeyedTable,
  ref: string,
  list: Hint,
  find: (key: string) => Promise<Row | undefined>,
): Promise<Row | undefined> {
  const exact = await find(ref);
  if (exact || ref === "") return exact;
  // not a range of keys: what lies between two texts is another in each collation of PostgreSQL
  const [first, second] = await db
    .selectFrom(table)
    .select("key")
    .where(sql`substr(key, 1, ${sql.lit([...ref].length)})`, "=", ref)
    .limit(2)
    .execute();
  if (second) throw new TeamwrightError("INVALID_INPUT", `${plainLine(ref, 60)} is the start of several ids.`, list);
  return first && find(first.key);
}

/** As `findByCutKey`, for a row that must be there. Throws NOT_FOUND that calls it `noun`, with `list` as the way to see them. */
export async function getByCutKey<Row>(
  db: Kysely<Database>,
  table: KeyedTable,
  { ref, noun, list }: { readonly ref: string; readonly noun: string; readonly list: Hint },
  find: (key: string) => Promise<Row | undefined>,
): Promise<Row> {
  const row = await findByCutKey(db, table, ref, list, find);
  if (row !== undefined) return row;
  throw new TeamwrightError("NOT_FOUND", `No ${noun} has this id.`, list);
}
