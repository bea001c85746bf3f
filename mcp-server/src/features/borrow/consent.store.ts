import type { Kysely } from "kysely";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Database } from "../../store/database.ts";
import { agentPrincipal } from "../agent/agent.store.ts";
import type { LoanRow } from "../agent/placement.store.ts";
import { coordinates } from "../message/message.rules.ts";
import { firstAgentOf, isLedBefore, sessionOf } from "./move.store.ts";

/**
 * Throws FORBIDDEN for agents that coordinate nothing: who is lent is decided above the teams (requirement C-22). An
 * agent that works in one of several teams speaks for that team, whatever it was started as or is called, and so does
 * whoever it has started; one that coordinates nothing makes no coordinator either.
 */
export async function checkMayAsk({ principal, config, db }: OperationContext): Promise<void> {
  if (coordinates(principal, config) && (config.teams.length < 2 || (await isAboveTeams(db, config, principal))))
    return;
  throw new TeamwrightError(
    "FORBIDDEN",
    "Agents are lent by leads, coordinators and people.",
    hint("message_send", "to lead says whom you need and why"),
  );
}

/** Of agents that start each other. */
const MOST_GENERATIONS = 10;

async function isAboveTeams(db: Kysely<Database>, config: ProjectConfig, principal: Principal): Promise<boolean> {
  let above = [principal];
  for (let generation = 0; generation < MOST_GENERATIONS; generation += 1) {
    if (above.some((one) => one.kind === "agent" && (one.team !== undefined || !coordinates(one, config))))
      return false;
    const ids = above.flatMap(({ agentId }) => (agentId === undefined ? [] : [agentId]));
    above = await startersOf(db, ids);
    if (above.length === 0) return true;
  }
  return false;
}

/** The agents that have started these; none for those that a lead has. */
async function startersOf(db: Kysely<Database>, ids: readonly string[]): Promise<Principal[]> {
  if (ids.length === 0) return [];
  const starts = await db
    .selectFrom("spawn")
    .innerJoin("agent", "agent.agent_id", "spawn.parent_agent_id")
    .selectAll("agent")
    .distinct()
    .where("spawn.agent_id", "in", [...ids])
    .execute();
  return starts.map(agentPrincipal);
}

/**
 * Whether the caller may agree for the lender: a person, or the lead of a session that has agents of the team the agent
 * works in, or of its home (requirement C-22: who leads a team follows from what it does, not from its name). A lead
 * that would lend to agents of its own does not become the lender's, too, by starting somebody under one of its names
 * while another session has such agents.
 */
export async function mayConsent(
  ctx: OperationContext,
  loan: Pick<LoanRow, "from_team" | "home_team" | "to_team">,
): Promise<boolean> {
  const { principal } = ctx;
  if (principal.kind === "human" || principal.kind === "service") return true;
  if (principal.kind !== "lead" || principal.session === undefined) return false;
  const gains = (await firstAgentOf(ctx, principal.session, loan.to_team)) !== undefined;
  for (const team of new Set([loan.from_team, loan.home_team])) {
    const own = await firstAgentOf(ctx, principal.session, team);
    if (own && !(gains && (await isLedBefore(ctx, team, own)))) return true;
  }
  return false;
}

/**
 * Throws FORBIDDEN for everybody but whoever leads the lender or the borrower, and people (requirement C-22): neither
 * team is to lose an agent, or get it back, by the word of a third. A lead is no third where it has asked for the loan,
 * or where no other session has agents of the two.
 */
export async function checkMayReturn(ctx: OperationContext, loan: LoanRow): Promise<void> {
  const { principal } = ctx;
  if (principal.kind === "human" || principal.kind === "service") return;
  if (principal.kind === "lead" && principal.session !== undefined) {
    if (loan.requested_by === principal.key) return;
    let isLed = false;
    for (const team of new Set([loan.home_team, loan.from_team, loan.to_team])) {
      const own = await firstAgentOf(ctx, principal.session, team);
      if (own && !(await isLedBefore(ctx, team, own))) return;
      isLed ||= (await sessionOf(ctx, team, principal.session)) !== undefined;
    }
    if (!isLed) return;
  }
  throw new TeamwrightError(
    "FORBIDDEN",
    `Only whoever leads team ${loan.home_team} or ${loan.to_team}, or a person, sends ${loan.agent} home before the loan is due.`,
    hint("message_send", `to team:${loan.to_team} asks for it`),
  );
}

/** Throws FORBIDDEN for everybody but those who may agree for the lender. */
export async function checkMayConsent(ctx: OperationContext, loan: LoanRow): Promise<void> {
  if (await mayConsent(ctx, loan)) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `Only whoever leads team ${loan.from_team}, or a person, agrees to lend its agents or not.`,
    hint("message_send", `to team:${loan.from_team} asks its lead`),
  );
}
