import { type Kysely, sql } from "kysely";
import { limitsOf, type ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
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
  for (const [key, change] of changes) {
    const [team = "", column = ""] = key.split(SEPARATOR);
    const row = await addToCount.first(ctx.db, { team, column, change });
    if (change > 0 && !ctx.effects.ignoreLimits) checkLimit(ctx.config, team, column as Column, Number(row?.n));
  }
}

const addToCount = prepared((db, p: { team: string; column: string; change: number }) =>
  db
    .insertInto("board_count")
    .values({ team: p.team, col: p.column, n: p.change })
    .onConflict((conflict) =>
      conflict.columns(["team", "col"]).doUpdateSet({ n: sql<number>`board_count.n + excluded.n` }),
    )
    .returning("n"),
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
