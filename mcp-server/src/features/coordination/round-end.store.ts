import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { type Principal, systemPrincipal } from "../../kernel/principal.ts";
import { inOrderOfDebt } from "../borrow/borrow.rules.ts";
import { requestLoan } from "../borrow/loan.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { fallbacks } from "../overhead/overhead.rules.ts";
import { endStep } from "../overhead/overhead.store.ts";
import { currentSprint } from "../sprint/sprint.store.ts";
import { coordinatorsOf, type Part } from "./coordination.rules.ts";
import { type Directives, meantId, parseDirectives } from "./directives.rules.ts";
import { plainCheckin, plainEvaluation, plainOrientation } from "./facts.rules.ts";
import { giveOutAfter } from "./orientation.store.ts";
import { broadcastText, type LoanOutcome, nothing, type Outcome } from "./outcome.rules.ts";
import { changeRound, openRounds, type RoundRow, type Seen, seenOf } from "./round.store.ts";

/** Longer answers are kept up to here. */
const MAX_ANSWER = 200_000;
/** Of a reason or a recommendation. */
const MAX_LINE = 500;

/** Whose word it is: the principal that loans are asked for by, and the name that stands in the round. */
export interface Speaker {
  readonly principal: Principal;
  readonly name: string;
}

/** A round is over when everybody who is to be heard has been; the lock of rounds is held. */
export async function recordPart(
  ctx: OperationContext,
  row: RoundRow,
  part: Part,
  text: string,
  by: Speaker,
): Promise<RoundRow> {
  const kept = text.slice(0, MAX_ANSWER);
  ctx.record({ type: `coordination.${part}`, subject: row.key, after: { by: by.name, characters: text.length } });
  if (part === "plan") {
    const said = { plan: kept, plan_by: by.name, planned_at: ctx.now };
    return conclude(ctx, await changeRound(ctx, row, said), await carryOut(ctx, row, parseDirectives(kept), by));
  }
  const said = { status: "evaluated", evaluation: kept, evaluation_by: by.name, evaluated_at: ctx.now };
  const evaluated = await changeRound(ctx, row, { ...said, asked_again: 0 });
  if (evaluated.kind === "orientation")
    return conclude(ctx, evaluated, await giveOutAfter(ctx, { text: kept, read: parseDirectives(kept) }));
  if (evaluated.kind === "full" && coordinatorsOf(ctx.config).planner !== undefined) return evaluated;
  return conclude(ctx, evaluated, heard(seenOf(row), parseDirectives(kept)));
}

/** Where nobody is there to be asked, the server says what it sees (requirement CO-09). */
export async function speakForNobody(ctx: OperationContext, row: RoundRow): Promise<RoundRow> {
  const seen = seenOf(row);
  const text = plainWords(row.kind, seen);
  const said = { evaluation: text, evaluation_by: "teamwright", evaluated_at: ctx.now };
  const read = parseDirectives(text);
  const outcome = row.kind === "orientation" ? await giveOutAfter(ctx, { text, read }) : heard(seen, read);
  return conclude(ctx, await changeRound(ctx, row, said), outcome);
}

function plainWords(kind: string, seen: Seen): string {
  if (kind === "orientation") return plainOrientation(seen);
  return kind === "checkin" ? plainCheckin(seen) : plainEvaluation(seen);
}

/** What an evaluation comes to alone: recommendations; whom to lend is a plan's to say. */
function heard(seen: Seen, { directives, unread }: Directives): Outcome {
  const why = "only a plan lends agents, and this round has none";
  return {
    ...nothing,
    returned: seen.returned,
    dependency_updates: seen.needs ?? [],
    unread: [...unread, ...assignmentsIn(directives)],
    recommendations: directives.flatMap((one) => (one.kind === "recommend" ? [plainLine(one.text, MAX_LINE)] : [])),
    refused: borrowsIn(directives).map((one) => ({ ...one, code: "no_plan", why })),
  };
}

function borrowsIn(directives: Directives["directives"]) {
  return directives.flatMap((one) =>
    one.kind === "borrow"
      ? [{ agent: one.agent, from: one.from, to: one.to, reason: plainLine(one.reason, MAX_LINE) }]
      : [],
  );
}

function assignmentsIn(directives: Directives["directives"]) {
  return directives.flatMap((one) =>
    one.kind === "assign"
      ? [{ line: 0, text: `ASSIGN: ${one.story} to ${one.to}`, why: "stories are given out by portfolio_distribute" }]
      : [],
  );
}

/** Step 6: every loan that is asked for is judged on its own, those first whose team has lent most (BO-06, BO-07). */
async function carryOut(ctx: OperationContext, row: RoundRow, read: Directives, by: Speaker): Promise<Outcome> {
  const seen = seenOf(row);
  const own: OperationContext = { ...ctx, principal: by.principal };
  const teamIds = ctx.config.teams.map(({ id }) => id);
  const agentIds = ctx.config.teams.flatMap(({ agents }) => agents);
  const asked = borrowsIn(read.directives).map(({ agent, from, to, reason }) => ({
    agent: meantId(agentIds, agent),
    from: meantId(teamIds, from),
    to: meantId(teamIds, to),
    reason,
  }));
  const lent: LoanOutcome[] = [];
  const waiting: LoanOutcome[] = [];
  const refused: LoanOutcome[] = [];
  const returned = [...seen.returned];
  for (const one of inOrderOfDebt(asked, new Map(seen.teams.map(({ team, debt }) => [team, debt])))) {
    const loan = await requestLoan(own, one, row.sprint);
    if (loan.status === "refused")
      refused.push({ ...one, loan: loan.key, code: loan.refusal ?? "refused", why: loan.refusal_why ?? undefined });
    else if (loan.status === "returned")
      returned.push({ agent: one.agent, from: one.from, to: one.to }); // to its own home, before its time
    else (loan.status === "requested" ? waiting : lent).push({ ...one, loan: loan.key });
  }
  const directives = read.directives.filter(({ kind }) => kind !== "borrow");
  return { ...heard(seen, { ...read, directives }), lent, waiting, refused, returned };
}

/** Step 7, after everything else: the outcome is kept, the time box closed, and all are told. */
async function conclude(ctx: OperationContext, row: RoundRow, outcome: Outcome): Promise<RoundRow> {
  if (row.step_id !== null) await endStep(ctx, Number(row.step_id));
  const status = outcome.fallback === undefined ? "done" : "fell_back";
  const { lent, waiting, refused, recommendations } = outcome;
  ctx.record({
    type: status === "done" ? "coordination.done" : "coordination.fell_back",
    subject: row.key,
    after: {
      kind: row.kind,
      sprint: row.sprint,
      lent: lent.length,
      waiting: waiting.length,
      refused: refused.length,
      recommendations: recommendations.length,
      ...(outcome.fallback === undefined ? {} : { why: outcome.fallback }),
    },
  });
  // in the lead's session, so that it reaches a lead without a run, too
  const sender: Principal = row.session === null ? systemPrincipal : { ...systemPrincipal, session: row.session };
  const text = broadcastText(row, outcome);
  const message = await insertMessage(ctx, { kind: "INFO", sender, channel: "coordination", text });
  const change = { status, outcome: JSON.stringify(outcome), message: message.key, ended_at: ctx.now };
  return changeRound(ctx, row, change);
}

/**
 * Ends every round whose time is over, and a check-in whose sprint is, without loans and with what has been said so
 * far (requirement OH-06). Asked by whoever comes next, so that nobody waits for a coordinator that is gone. The lock of
 * rounds is held.
 */
export async function endOverdueRounds(ctx: OperationContext): Promise<RoundRow[]> {
  const ended: RoundRow[] = [];
  for (const row of await openRounds(ctx.db)) {
    if (row.deadline !== null && Number(row.deadline) < ctx.now)
      ended.push(await fallBack(ctx, row, fallbacks[stepOf(row.kind)].text));
    else if (row.kind === "checkin" && (await currentSprint(ctx.db))?.n !== row.sprint)
      ended.push(await fallBack(ctx, row, "The sprint was over before the check-in was."));
  }
  return ended;
}

/** The step of overhead that a round of this kind is. */
export function stepOf(kind: string): "iteration_zero" | "coordination" | "checkin" {
  if (kind === "orientation") return "iteration_zero";
  return kind === "checkin" ? "checkin" : "coordination";
}

/**
 * The first sprint starts and waits for no orientation that is still open (requirement OH-04: best effort). True when
 * one was: the sprint's start then gives the stories out, by the heuristic (OH-06).
 */
export async function endOrientation(ctx: OperationContext): Promise<boolean> {
  const row = (await openRounds(ctx.db)).find(({ kind }) => kind === "orientation");
  if (!row) return false;
  await conclude(ctx, row, { ...nothing, fallback: "The first sprint starts without an orientation." });
  return true;
}

/** Ends one round without a coordinator's word, or with the evaluation alone. */
export async function fallBack(ctx: OperationContext, row: RoundRow, why: string): Promise<RoundRow> {
  const seen = seenOf(row);
  const text = row.evaluation ?? plainWords(row.kind, seen);
  const read = parseDirectives(text);
  if (row.kind === "orientation") return conclude(ctx, row, await giveOutAfter(ctx, { text, read, forced: why }));
  const outcome = heard(seen, read);
  return conclude(ctx, row, { ...outcome, refused: [], fallback: why });
}
