import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import type { Heads } from "../../kernel/git-heads.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";

/** Where the repository stood at the last look of a run, by whichever process. */
export interface Look {
  readonly runId: number;
  /** Another after each change. */
  readonly stamp: string;
  readonly heads: Heads;
  /** Where branches began that were made meanwhile: what lies there, nobody has vouched for. */
  readonly strange: ReadonlySet<string>;
}

const stampOfRun = prepared((db, p: { runId: number }) =>
  db.selectFrom("history_look").select("stamp").where("run_id", "=", p.runId),
);

/** The last look; `known`, as it is, while nobody has looked since. Undefined before the first of the run. */
export async function lastLook(
  db: Kysely<Database>,
  runId: number,
  known: Look | undefined,
): Promise<Look | undefined> {
  const found = await stampOfRun.first(db, { runId });
  if (!found || (known?.runId === runId && known.stamp === found.stamp)) return found ? known : undefined;
  const row = await db.selectFrom("history_look").selectAll().where("run_id", "=", runId).executeTakeFirstOrThrow();
  const heads = new Map(JSON.parse(row.heads) as [string, string][]); // written by saveLook only
  return { runId, stamp: row.stamp, heads, strange: new Set(JSON.parse(row.strange) as string[]) };
}

/** Writes what was seen. `before`: what it takes the place of; undefined when another process was faster. */
export async function saveLook(
  ctx: OperationContext,
  runId: number,
  before: Look | undefined,
  { heads, strange }: Pick<Look, "heads" | "strange">,
): Promise<Look | undefined> {
  const stamp = randomUUID();
  const row = { stamp, heads: JSON.stringify([...heads]), strange: JSON.stringify([...strange]), at: ctx.now };
  if (before === undefined) {
    const made = await ctx.db
      .insertInto("history_look")
      .values({ run_id: runId, ...row })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return Number(made.numInsertedOrUpdatedRows) === 1 ? { runId, stamp, heads, strange } : undefined;
  }
  const changed = await ctx.db
    .updateTable("history_look")
    .set(row)
    .where("run_id", "=", runId)
    .where("stamp", "=", before.stamp)
    .executeTakeFirst();
  return Number(changed.numUpdatedRows) === 1 ? { runId, stamp, heads, strange } : undefined;
}
