import type { Kysely, Selectable } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { prepared } from "../../store/prepared.ts";
import { homeOf, type Placement, placeOf } from "./placement.rules.ts";

export type LoanRow = Selectable<Database["loan"]>;

type Teams = Pick<ProjectConfig, "teams">;

/**
 * Taken before it is changed, or written down for good, where an agent works: caps and places hold for whoever comes
 * second, and an agent that starts while its name is lent starts where the loan takes it.
 */
export async function lockPlaces(ctx: OperationContext): Promise<void> {
  await ctx.dialect.lockName(ctx.db, "loan");
}

/** Loans in force, oldest first. A single team has nobody to lend to, and asks for nothing. */
export async function activeLoans(db: Kysely<Database>, config: Teams): Promise<LoanRow[]> {
  return config.teams.length < 2 ? [] : active.all(db, {});
}

const active = prepared((db) => db.selectFrom("loan").selectAll().where("status", "=", "active").orderBy("id"));

/** The same, as the rules about places read them. */
export async function placements(db: Kysely<Database>, config: Teams): Promise<Placement[]> {
  return (await activeLoans(db, config)).map((loan) => ({ agent: loan.agent, to: loan.to_team }));
}

/**
 * The team an agent works in now: that of the loan in force, else the one that lists its name; undefined for a name
 * that no team lists (requirements BO-03, BO-10).
 */
export async function teamOf(db: Kysely<Database>, config: Teams, name: string): Promise<string | undefined> {
  const home = homeOf(config.teams, name);
  if (home === undefined || config.teams.length < 2) return home;
  const loan = await activeOf.first(db, { name });
  return placeOf(config.teams, loan ? [{ agent: name, to: loan.to_team }] : [], name);
}

const activeOf = prepared((db, p: { name: string }) =>
  db.selectFrom("loan").select("to_team").where("agent", "=", p.name).where("status", "=", "active"),
);
