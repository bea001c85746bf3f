import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { finishedTask, measuredEvent } from "./measured.store.ts";
import { type Period, periodOf, type TimeWindow } from "./window.rules.ts";

type Db = Kysely<Database>;

/** Median and 85th percentile of a duration in ms: the value at that rank, so that it is one that occurred. */
export interface Quantiles {
  readonly n: number;
  readonly median: number;
  readonly p85: number;
  readonly most: number;
}

export interface Group {
  readonly team: string;
  /** When the period began; 0 for the whole window. */
  readonly start: number;
}

/** The start of the period that a column's time is in; literals, for the text must be the same wherever it stands. */
function startOf(column: RawBuilder<number>, period: Period | undefined): RawBuilder<number> {
  if (period === undefined) return sql<number>`0`;
  const { ms, offsetMs } = periodOf(period);
  const [length, offset] = [sql.lit(ms), sql.lit(offsetMs)];
  return sql<number>`((${column} + ${offset}) / ${length}) * ${length} - ${offset}`;
}

const durations = {
  lead: sql<number>`closed_at - created_at`,
  cycle: sql<number>`closed_at - started_at`,
} as const;

/** Lead or cycle times of the tasks done in the window, by team and period, or by team alone (requirement ME-04). */
export async function finishedDurations(
  db: Db,
  which: keyof typeof durations,
  { from, to }: TimeWindow,
  period?: Period,
): Promise<(Group & Quantiles)[]> {
  const start = startOf(sql<number>`closed_at`, period);
  const rows = sql`select team, ${start} as start, ${durations[which]} as took from task
    where ${finishedTask} and closed_at >= ${from} and closed_at <= ${to}`;
  return quantiles(db, rows);
}

/** How long ago the work that is not finished was begun, by team. */
export async function workAges(db: Db, now: number): Promise<(Group & Quantiles)[]> {
  const at = sql.lit(Math.round(now)); // PostgreSQL cannot tell the type of a bound one here
  return quantiles(
    db,
    sql`select team, 0 as start, ${at} - started_at as took from task
      where status in ('in_progress', 'in_review') and started_at is not null`,
  );
}

/** Ranks are counted from 1; ⌈n · p⌉ in whole numbers. */
async function quantiles(db: Db, rows: RawBuilder<unknown>): Promise<(Group & Quantiles)[]> {
  const { rows: found } = await sql<{
    team: string;
    start: number;
    n: number;
    median: number;
    p85: number;
    most: number;
  }>`
    with measured as (${rows}),
    ranked as (
      select team, start, took,
        row_number() over (partition by team, start order by took) as rank,
        count(*) over (partition by team, start) as n
      from measured where took is not null)
    select team, start, max(n) as n, max(took) as most,
      max(case when rank = (n * 50 + 99) / 100 then took end) as median,
      max(case when rank = (n * 85 + 99) / 100 then took end) as p85
    from ranked group by team, start order by team, start`.execute(db);
  const time = (ms: number) => Math.max(0, Number(ms)); // an imported task may end before it begins
  return found.map((row) => ({
    team: row.team,
    start: Number(row.start),
    n: Number(row.n),
    median: time(row.median),
    p85: time(row.p85),
    most: time(row.most),
  }));
}

/** PostgreSQL answers counts as texts. */
function counted({ team, start, n }: Group & { n: number }): Group & { n: number } {
  return { team, start: Number(start), n: Number(n) };
}

/** Tasks done in the window, by team and period, or by team alone. */
export async function finishedCounts(
  db: Db,
  { from, to }: TimeWindow,
  period?: Period,
): Promise<(Group & { n: number })[]> {
  const { rows } = await sql<{ team: string; start: number; n: number }>`
    select team, start, count(*) as n from (
      select team, ${startOf(sql<number>`closed_at`, period)} as start from task
      where ${finishedTask} and closed_at >= ${from} and closed_at <= ${to}) as done
    group by team, start`.execute(db);
  return rows.map(counted);
}

/** Writes that were refused because the file is another's, and merges that met a conflict. */
export async function conflictCounts(
  db: Db,
  { from, to }: TimeWindow,
  period?: Period,
): Promise<(Group & { n: number })[]> {
  const { rows } = await sql<{ team: string; start: number; n: number }>`
    select team, start, count(*) as n from (
      select team, ${startOf(sql<number>`at`, period)} as start from event
      where ${measuredEvent} and type in ('file.refused', 'unit.conflict') and team is not null
        and at >= ${from} and at <= ${to}) as met
    group by team, start`.execute(db);
  return rows.map(counted);
}
