import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { LoanRow } from "../agent/placement.store.ts";
import { coordinates } from "../message/message.rules.ts";
import { firstAgentOf, isLedBefore } from "./move.store.ts";

/** Throws FORBIDDEN for agents that coordinate nothing: who is lent is decided above the teams (requirement C-22). */
export function checkMayAsk({ principal, config }: OperationContext): void {
  if (coordinates(principal, config)) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    "Agents are lent by leads, coordinators and people.",
    hint("message_send", "to lead says whom you need and why"),
  );
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

/** Throws FORBIDDEN for everybody but those who may agree for the lender. */
export async function checkMayConsent(ctx: OperationContext, loan: LoanRow): Promise<void> {
  if (await mayConsent(ctx, loan)) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `Only whoever leads team ${loan.from_team}, or a person, agrees to lend its agents or not.`,
    hint("message_send", `to team:${loan.from_team} asks its lead`),
  );
}
