import { type Kysely, sql } from "kysely";
import { limitsOf, type ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared, preparedByShape } from "../../store/prepared.ts";
import { type Column, limitedColumn } from "./board.rules.ts";

const SEPARATOR = "\u0000";

/** Notes a change of a column's counter; applied once, sorted, at the end of the transaction. */
export function count(ctx: OperationContext, team: string, column: Column, change: number): void {
  const key = `${team}${SEPARATOR}${column}`;
  ctx.effects.counts.set(key, (ctx.effects.counts.get(key) ?? 0) + change);
}

/**
 * Applies the counters and checks work in progress limits on the result, under the row's lock: two moves cannot both
 * pass (requirements KB-04). Sorted, so that two transactions take the locks in the same order.
 */
export async function applyCounts(ctx: OperationContext): Promise<void> {
  const changes = [...ctx.effects.counts].filter(([, change]) => change !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  for (let start = 0; start < changes.length; start += MOST_AT_ONCE)
    await addCounts(ctx, changes.slice(start, start + MOST_AT_ONCE));
}

/** A move touches two columns; a statement for each of them would be two. */
const MOST_AT_ONCE = 4;

async function addCounts(ctx: OperationContext, changes: readonly (readonly [string, number])[]): Promise<void> {
  const values: Record<string, string | number> = {};
  for (const [index, [key, change]] of changes.entries()) {
    const [team = "", column = ""] = key.split(SEPARATOR);
    Object.assign(values, { [`team${index}`]: team, [`col${index}`]: column, [`n${index}`]: change });
  }
  const rows = await addToCounts(String(changes.length)).all(ctx.db, values);
  if (ctx.effects.ignoreLimits) return;
  for (const { team, col, n } of rows) {
    if ((ctx.effects.counts.get(`${team}${SEPARATOR}${col}`) ?? 0) > 0)
      checkLimit(ctx.config, team, col as Column, Number(n));
  }
}

/** So many counters at once, in the order given: both stores take the rows one by one. */
const addToCounts = preparedByShape((length) =>
  prepared((db, p: Record<string, string | number>) =>
    db
      .insertInto("board_count")
      .values(
        // the names are those that addCounts gives
        Array.from({ length: Number(length) }, (_, n) => ({
          team: p[`team${n}`] as string,
          col: p[`col${n}`] as string,
          n: p[`n${n}`] as number,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(["team", "col"]).doUpdateSet({ n: sql<number>`board_count.n + excluded.n` }),
      )
      .returning(["team", "col", "n"]),
  ),
);

function checkLimit(config: ProjectConfig, team: string, column: Column, n: number): void {
  const limit = limitedColumn(column, limitsOf(config, team));
  if (limit !== undefined && n > limit) {
    throw new TeamwrightError(
      "OVER_LIMIT",
      `Team ${team} has a work in progress limit of ${limit} in ${column}; finish or release something first.`,
      hint("board_show", "shows what is in the way"),
    );
  }
}

/** Teams that have as much in progress as they may. */
export async function fullTeams(ctx: OperationContext): Promise<string[]> {
  const limits = ctx.config.teams.flatMap(({ id }) => {
    const limit = limitsOf(ctx.config, id).in_progress;
    return limit === undefined ? [] : [{ id, limit }];
  });
  if (limits.length === 0) return [];
  const counts = await readCounts(ctx.db);
  return limits.filter(({ id, limit }) => (counts.get(id)?.in_progress ?? 0) >= limit).map(({ id }) => id);
}

/** The same as this transaction leaves them: what it has moved is counted at its end only. */
export async function countsSoFar(ctx: OperationContext): Promise<Map<string, Record<string, number>>> {
  const counts = await readCounts(ctx.db);
  for (const [key, change] of ctx.effects.counts) {
    const [team = "", column = ""] = key.split(SEPARATOR);
    const columns = counts.get(team) ?? {};
    columns[column] = (columns[column] ?? 0) + change;
    counts.set(team, columns);
  }
  return counts;
}

export async function readCounts(db: Kysely<Database>, team?: string): Promise<Map<string, Record<string, number>>> {
  const rows = team === undefined ? await allCounts.all(db, {}) : await countsOf.all(db, { team });
  const counts = new Map<string, Record<string, number>>();
  for (const row of rows) {
    const columns = counts.get(row.team) ?? {};
    columns[row.col] = Number(row.n);
    counts.set(row.team, columns);
  }
  return counts;
}

const allCounts = prepared((db) => db.selectFrom("board_count").select(["team", "col", "n"]));

const countsOf = prepared((db, p: { team: string }) =>
  db.selectFrom("board_count").select(["team", "col", "n"]).where("team", "=", p.team),
);
