import type { Kysely } from "kysely";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
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
  const rows = await db.selectFrom("loan").selectAll().where("status", "in", ["active", "returned"]).execute();
  const current = (await lastSprint(db))?.n ?? 0;
  const served = rows.map(toServed);
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

function toServed(row: LoanRow): Served {
  const lastSprint = row.last_sprint ?? undefined;
  return { home: row.home_team, to: row.to_team, sprintFrom: row.sprint_from, lastSprint };
}

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
