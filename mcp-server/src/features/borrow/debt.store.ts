import { type Kysely, sql } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import type { LoanRow } from "../agent/placement.store.ts";
import { lastSprint, velocities } from "../sprint/sprint.store.ts";
import { debts, type Served, sprintsServed } from "./borrow.rules.ts";

export interface Debt {
  readonly team: string;
  /** Sprints in which the team was without one of its own, and with one of another's; each agent counts. */
  readonly lent: number;
  readonly borrowed: number;
  readonly debt: number;
}

/** What each team has given and taken so far; whoever has lent most is to be helped first (requirement BO-07). */
export async function debtOfTeams({ db, config }: OperationContext): Promise<Debt[]> {
  const current = (await lastSprint(db))?.n ?? 0;
  const served = await servedByTeams(db, current);
  const found = debts(
    config.teams.map(({ id }) => id),
    served,
    current,
  );
  const sum = (loans: readonly Served[]) => loans.reduce((n, loan) => n + sprintsServed(loan, current), 0);
  return config.teams.map(({ id }) => ({
    team: id,
    lent: sum(served.filter(({ home }) => home === id)),
    borrowed: sum(served.filter(({ to }) => to === id)),
    debt: found.get(id) ?? 0,
  }));
}

/** All loans between two teams as one of as many sprints: there are few pairs of teams, however long it has gone on. */
async function servedByTeams(db: Kysely<Database>, current: number): Promise<Served[]> {
  const rows = await served.all(db, { current });
  return rows.map(({ home, to, n }) => ({ home, to, sprintFrom: 1, lastSprint: Number(n) }));
}

const served = prepared((db, p: { current: number }) => {
  const sprints = sql<number>`coalesce(last_sprint, ${p.current}) - sprint_from + 1`;
  return db
    .selectFrom("loan")
    .select([
      "home_team as home",
      "to_team as to",
      sql<number>`sum(case when ${sprints} > 0 then ${sprints} else 0 end)`.as("n"),
    ])
    .where("status", "in", [sql.lit("active"), sql.lit("returned")])
    .groupBy(["home_team", "to_team"])
    .orderBy("home_team")
    .orderBy("to_team");
});

export interface LoanVelocities {
  /** Numbers of the sprints, and the points of both teams in each. */
  readonly sprints: number[];
  readonly lender: number[];
  readonly borrower: number[];
}

/** How lender and borrower fared in the sprints of a loan that have ended (requirement BO-08). */
export async function loanVelocities(db: Kysely<Database>, row: LoanRow): Promise<LoanVelocities | undefined> {
  if (row.status !== "active" && row.status !== "returned") return undefined;
  const rows = await velocities(db, row.sprint_from, row.last_sprint ?? undefined);
  const sprints = [...new Set(rows.map(({ n }) => n))];
  if (sprints.length === 0) return undefined;
  const of = (team: string) => sprints.map((n) => rows.find((one) => one.n === n && one.team === team)?.velocity ?? 0);
  return { sprints, lender: of(row.home_team), borrower: of(row.to_team) };
}

/** Loans, newest first; those of one team, on either side, or all. */
export async function listLoans(
  db: Kysely<Database>,
  filter: { readonly team?: string | undefined; readonly status?: string | undefined; readonly limit: number },
): Promise<{ rows: LoanRow[]; total: number }> {
  let query = db.selectFrom("loan");
  const { team, status, limit } = filter;
  if (team !== undefined)
    query = query.where((e) => e.or([e("home_team", "=", team), e("from_team", "=", team), e("to_team", "=", team)]));
  if (status !== undefined) query = query.where("status", "=", status);
  const { n } = await query.select((e) => e.fn.countAll().as("n")).executeTakeFirstOrThrow();
  const rows = await query.selectAll().orderBy("id", "desc").limit(limit).execute();
  return { rows, total: Number(n) };
}
