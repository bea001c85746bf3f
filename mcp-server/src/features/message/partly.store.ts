import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import type { Reader } from "./reader.store.ts";

/** Looked back over; who has left more than these lie has more to read than their beginnings. */
const MOST_NOTES = 500;

/** Ids of messages that count as read and of which this reader was shown the beginning only, oldest first. */
export async function shownInPart(db: Kysely<Database>, reader: Pick<Reader, "key">): Promise<string[]> {
  const rows = await db
    .selectFrom("event")
    .select(["type", "after"])
    .where("subject", "=", reader.key)
    .where("type", "in", ["message.cut", "message.opened"])
    .orderBy("seq", "desc")
    .limit(MOST_NOTES)
    .execute();
  const open = new Set<string>();
  for (const { type, after } of rows.reverse()) {
    const { ids } = JSON.parse(after ?? "{}") as { ids?: string[] }; // written by this file only
    for (const id of ids ?? []) type === "message.cut" ? open.add(id) : open.delete(id);
  }
  return [...open];
}

/** Notes which messages the reader was given in part, and which it has now seen whole. */
export async function notePartly(
  ctx: OperationContext,
  reader: Pick<Reader, "key">,
  shown: { readonly cut?: readonly string[]; readonly whole?: readonly string[] },
): Promise<void> {
  const { cut = [], whole = [] } = shown;
  if (cut.length > 0) ctx.record({ type: "message.cut", subject: reader.key, after: { ids: cut } });
  if (whole.length === 0) return;
  const open = await shownInPart(ctx.db, reader);
  const ids = whole.filter((id) => open.includes(id));
  if (ids.length > 0) ctx.record({ type: "message.opened", subject: reader.key, after: { ids } });
}
