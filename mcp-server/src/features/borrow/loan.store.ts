import { type Kysely, sql } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getByCutKey } from "../../store/cut-key.ts";
import type { Database } from "../../store/database.ts";
import { homeOf } from "../agent/placement.rules.ts";
import { activeLoans, type LoanRow, lockPlaces } from "../agent/placement.store.ts";
import { lastSprint, sprintForLoans } from "../sprint/sprint.store.ts";
import * as rules from "./borrow.rules.ts";
import { mayConsent } from "./consent.store.ts";
import { askLender, type Moved, tellOfLoan, tellOfRefusal, tellOfReturn } from "./loan-message.store.ts";
import { meantFor, moveAgent, rolesPlayed } from "./move.store.ts";

export interface LoanAsked extends rules.LoanRequest {
  readonly reason: string;
}

/**
 * Asks for a loan, judges it, and grants it where consent is by rule or the caller's own to give; the answer's status
 * says what came of it. A refusal is a row of the ledger too, and changes nothing else. `sprint` is the first sprint of
 * the loan, by default the running one; a round before sprint n gives n, and one that speaks too late lends from then
 * on. To the agent's own home it is a return.
 */
export async function requestLoan(ctx: OperationContext, asked: LoanAsked, sprint?: number): Promise<LoanRow> {
  await lockPlaces(ctx);
  const from = Math.max(sprint ?? 0, await sprintForLoans(ctx.db));
  const judgement = rules.judgeLoan(asked, await staffFor(ctx, asked, from));
  if (!judgement.ok) return insertLoan(ctx, asked, from, { refusal: judgement });
  const current = await activeLoanOf(ctx.db, asked.agent);
  if (judgement.kind === "home" && current) return returnLoan(ctx, current, asked.reason);
  const row = await insertLoan(ctx, asked, from);
  if (ctx.config.coordination.consent === "rule" || (await mayConsent(ctx, row))) return grant(ctx, row, from);
  return setLoan(ctx, row, { question: await askLender(ctx, row) });
}

/** Says yes to a request that waits; it is judged again, as things are now. */
export async function consent(ctx: OperationContext, key: string): Promise<LoanRow> {
  const row = await lockedRequest(ctx, key);
  const from = Math.max(row.sprint_from, await sprintForLoans(ctx.db));
  const asked = { agent: row.agent, from: row.from_team, to: row.to_team };
  const judgement = rules.judgeLoan(asked, await staffFor(ctx, asked, from, row));
  return judgement.ok ? grant(ctx, row, from) : setRefused(ctx, row, judgement);
}

/** Says no to a request that waits. */
export async function refuseLoan(ctx: OperationContext, key: string, why: string): Promise<LoanRow> {
  return setRefused(ctx, await lockedRequest(ctx, key), { code: "no_consent", why });
}

/** Sends an agent home before its time. Throws RULE_VIOLATED for a loan that is not in force. */
export async function endLoan(ctx: OperationContext, key: string, why: string): Promise<LoanRow> {
  await lockPlaces(ctx);
  const row = await getLoan(ctx.db, key);
  if (row.status !== "active") throw notThat(row, "in force");
  return returnLoan(ctx, row, why);
}

/**
 * Sends everybody home whose loan is due when sprint `n` starts, whether they are alive or not, and lets requests lapse
 * that nobody has answered (requirements BO-04, C-17). Called again it finds nothing to do.
 */
export async function returnDueLoans(ctx: OperationContext, n: number): Promise<LoanRow[]> {
  await lockPlaces(ctx);
  const returned: LoanRow[] = [];
  for (const row of await withStatus(ctx.db, "active")) {
    if (row.due_sprint <= n) returned.push(await returnLoan(ctx, row, `sprint ${n} starts`, n - 1));
  }
  for (const row of await withStatus(ctx.db, "requested")) {
    if (row.sprint_from < n)
      await setRefused(ctx, row, { code: "no_consent", why: "nobody had consented when the next sprint started" });
  }
  return returned;
}

async function staffFor(
  ctx: OperationContext,
  { agent, from }: rules.LoanRequest,
  sprint: number,
  without?: LoanRow,
): Promise<rules.Staff> {
  const { teams, coordination, models } = ctx.config;
  const open = [...(await activeLoans(ctx.db, ctx.config)), ...(await withStatus(ctx.db, "requested"))];
  const archetype = models.agents?.[agent]?.role_archetype;
  return {
    teams,
    loans: open
      .filter((row) => row.key !== without?.key)
      .map((row) => ({
        agent: row.agent,
        home: row.home_team,
        to: row.to_team,
        isActive: row.status === "active",
        isDue: row.due_sprint <= sprint,
      })),
    grantedInSprint: await grantedIn(ctx.db, sprint),
    roles: [...(archetype === undefined ? [] : [archetype]), ...(await rolesPlayed(ctx.db, agent, from))],
    maxPerSprint: coordination.max_borrows_per_sprint,
    minTeamSize: coordination.min_team_size,
    protectedRoles: coordination.protected_roles,
  };
}

type Refusal = { readonly code: rules.RefusalCode; readonly why: string };

/** A row of the ledger, asked for or refused at once. */
export async function insertLoan(
  ctx: OperationContext,
  asked: LoanAsked,
  sprint: number,
  { refusal }: { readonly refusal?: Refusal } = {},
): Promise<LoanRow> {
  const row = await ctx.db
    .insertInto("loan")
    .values({
      key: ctx.newKey("loan"),
      agent: asked.agent,
      home_team: homeOf(ctx.config.teams, asked.agent) ?? asked.from,
      from_team: asked.from,
      to_team: asked.to,
      reason: asked.reason,
      status: refusal ? "refused" : "requested",
      requested_by: ctx.principal.key,
      requested_by_name: ctx.principal.name,
      requested_at: ctx.now,
      decided_by: refusal ? "rules" : null,
      decided_at: refusal ? ctx.now : null,
      refusal: refusal?.code ?? null,
      refusal_why: refusal?.why ?? null,
      sprint_from: sprint,
      due_sprint: rules.dueSprint(sprint, ctx.config.coordination.borrow_duration_sprints),
      returned_at: null,
      last_sprint: null,
      returned_why: null,
      question: null,
      told_at: null,
      told_home_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const what = { agent: row.agent, from: row.from_team, to: row.to_team, reason: row.reason };
  ctx.record({ type: "loan.requested", subject: row.key, team: row.from_team, after: what });
  if (refusal) ctx.record({ type: "loan.refused", subject: row.key, team: row.from_team, after: refusal });
  return row;
}

/** The rules allow it and the lender agrees. An agent that is lent on leaves its first host for the second. */
export async function grant(ctx: OperationContext, row: LoanRow, sprint: number): Promise<LoanRow> {
  const current = await activeLoanOf(ctx.db, row.agent);
  if (current) {
    const over = { status: "returned", returned_at: ctx.now, returned_why: `lent on as ${row.key}` };
    await setLoan(ctx, current, { ...over, last_sprint: sprint - 1, told_home_at: ctx.now });
    ctx.record({ type: "loan.returned", subject: current.key, team: current.to_team, after: over });
  }
  const due = rules.dueSprint(sprint, ctx.config.coordination.borrow_duration_sprints, current?.due_sprint);
  const granted = await setLoan(ctx, row, {
    status: "active",
    decided_by: ctx.principal.key,
    decided_at: ctx.now,
    sprint_from: sprint,
    due_sprint: due,
  });
  const what = { agent: row.agent, home: row.home_team, to: row.to_team, from_sprint: sprint, due_sprint: due };
  ctx.record({ type: "loan.granted", subject: row.key, team: row.to_team, after: what });
  const why = `${row.agent} works for team ${row.to_team} until sprint ${due} starts`;
  const left = await moveAgent(ctx, { agent: row.agent, from: row.from_team, to: row.to_team, why });
  const moved: Moved = { ...left, meantFor: await meantFor(ctx.db, row.agent, row.from_team) };
  await tellOfLoan(ctx, granted, moved);
  return granted;
}

/** Ends a loan in force, for a reason that both teams are told; the lock of places is held. */
export async function returnLoan(
  ctx: OperationContext,
  row: LoanRow,
  why: string,
  servedTo?: number,
): Promise<LoanRow> {
  const home = homeOf(ctx.config.teams, row.agent) ?? row.home_team;
  const returned = await setLoan(ctx, row, {
    status: "returned",
    returned_at: ctx.now,
    returned_why: why,
    last_sprint: servedTo ?? (await lastSprintOf(ctx, row)),
    // whoever was not there while it was lent has nothing to unlearn
    told_home_at: row.told_at === null ? ctx.now : null,
  });
  ctx.record({
    type: "loan.returned",
    subject: row.key,
    team: row.to_team,
    after: { agent: row.agent, home, why },
  });
  const move = { agent: row.agent, from: row.to_team, to: home, why: `${row.agent} is back in team ${home}` };
  // the configuration may have given it another home since
  await tellOfReturn(ctx, { ...returned, home_team: home }, await moveAgent(ctx, move));
  return returned;
}

/** The running sprint, or the last; a loan for one that has not begun was for none. */
async function lastSprintOf(ctx: OperationContext, row: LoanRow): Promise<number> {
  const last = await lastSprint(ctx.db);
  return last && last.n >= row.sprint_from ? last.n : row.sprint_from - 1;
}

async function setRefused(ctx: OperationContext, row: LoanRow, { code, why }: Refusal): Promise<LoanRow> {
  ctx.record({ type: "loan.refused", subject: row.key, team: row.from_team, after: { code, why } });
  const refused = await setLoan(ctx, row, {
    status: "refused",
    refusal: code,
    refusal_why: why,
    decided_by: code === "no_consent" ? ctx.principal.key : "rules",
    decided_at: ctx.now,
  });
  await tellOfRefusal(ctx, refused);
  return refused;
}

async function setLoan(
  ctx: OperationContext,
  row: LoanRow,
  change: Partial<Omit<LoanRow, "id" | "key">>,
): Promise<LoanRow> {
  await ctx.db.updateTable("loan").set(change).where("id", "=", row.id).execute();
  return { ...row, ...change };
}

async function lockedRequest(ctx: OperationContext, key: string): Promise<LoanRow> {
  await lockPlaces(ctx);
  const row = await getLoan(ctx.db, key);
  if (row.status !== "requested") throw notThat(row, "waiting for consent");
  return row;
}

/** A loan by its id or a start of it. Throws NOT_FOUND with where loans are listed. */
export async function getLoan(db: Kysely<Database>, ref: string): Promise<LoanRow> {
  const list = hint("borrow_list", "shows loans and their ids");
  return getByCutKey(db, "loan", { ref, noun: "loan", list }, (key) =>
    db.selectFrom("loan").selectAll().where("key", "=", key).executeTakeFirst(),
  );
}

function notThat(row: LoanRow, wanted: string): TeamwrightError {
  const text = `${row.key} is ${row.status} and not ${wanted}.`;
  return new TeamwrightError("RULE_VIOLATED", text, hint("borrow_list", "shows how each loan stands"));
}

export async function activeLoanOf(db: Kysely<Database>, agent: string): Promise<LoanRow | undefined> {
  return db.selectFrom("loan").selectAll().where("agent", "=", agent).where("status", "=", "active").executeTakeFirst();
}

/** Granted for the sprint, whatever has become of them; a refused try uses no slot (requirement BO-06). */
async function grantedIn(db: Kysely<Database>, sprint: number): Promise<number> {
  const row = await db
    .selectFrom("loan")
    .select(sql<number>`count(*)`.as("n"))
    .where("sprint_from", "=", sprint)
    .where("status", "in", ["active", "returned"])
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function withStatus(db: Kysely<Database>, status: string): Promise<LoanRow[]> {
  return db.selectFrom("loan").selectAll().where("status", "=", status).orderBy("id").execute();
}
