import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { homeOf } from "../agent/placement.rules.ts";
import { checkLendsByPlan } from "../coordination/coordination.rules.ts";
import { openRounds, roundOfAgent } from "../coordination/round.store.ts";
import * as fields from "../task/task.schema.ts";
import { checkTeam, teamInView } from "../team/team.rules.ts";
import { agentName, loanRef, loanStatuses, shownLoan, teamRef } from "./borrow.schema.ts";
import { renderLoan, toShownLoan } from "./borrow.view.ts";
import { checkMayAsk, checkMayConsent, checkMayReturn } from "./consent.store.ts";
import { type Debt, debtOfTeams, listLoans, loanVelocities } from "./debt.store.ts";
import { activeLoanOf, consent, endLoan, getLoan, refuseLoan, requestLoan } from "./loan.store.ts";

const changed = z.object({ loan: shownLoan, next: z.array(z.string()) });

export const borrowRequest = defineOperation({
  name: "borrow_request",
  description: "Borrow: lend an agent to another team for the sprint, or send it home; status tells the outcome.",
  kind: "write",
  mcp: "all",
  positional: ["agent"],
  input: z.strictObject({
    agent: agentName.describe("Who."),
    from: teamRef.describe("Its team now."),
    to: teamRef,
    reason: fields.reason,
  }),
  output: changed,
  async run(ctx, input) {
    await checkMayAsk(ctx);
    const { agentId } = ctx.principal;
    if (agentId !== undefined)
      checkLendsByPlan(ctx.principal, {
        isOpen: (await openRounds(ctx.db)).length > 0,
        isOwn: (await roundOfAgent(ctx.db, agentId)) !== undefined,
      });
    const current = await activeLoanOf(ctx.db, input.agent);
    if (current && homeOf(ctx.config.teams, input.agent) === input.to) await checkMayReturn(ctx, current);
    const loan = toShownLoan(await requestLoan(ctx, input));
    return { loan, next: nextFor(loan.status) };
  },
  render: ({ loan, next }, view) => [renderLoan(loan, view), view.next(next)].join("\n"),
});

export const borrowDecide = defineOperation({
  name: "borrow_decide",
  description: "Decide about a loan: the lender's lead consents or refuses; return sends the agent home early.",
  kind: "write",
  mcp: "all",
  positional: ["loan", "decision"],
  input: z.strictObject({
    loan: loanRef,
    decision: z.enum(["consent", "refuse", "return"]),
    reason: fields.reason.optional(),
  }),
  output: changed,
  async run(ctx, { loan: key, decision, reason }) {
    if (decision === "return") {
      await checkMayReturn(ctx, await getLoan(ctx.db, key));
      const ended = toShownLoan(await endLoan(ctx, key, reason ?? "no longer needed"));
      return { loan: ended, next: nextFor(ended.status) };
    }
    await checkMayConsent(ctx, await getLoan(ctx.db, key));
    const row =
      decision === "consent" ? await consent(ctx, key) : await refuseLoan(ctx, key, reason ?? "the lender said no");
    const loan = toShownLoan(row);
    return { loan, next: nextFor(loan.status) };
  },
  render: ({ loan, next }, view) => [renderLoan(loan, view), view.next(next)].join("\n"),
});

/** What is legal, or sensible, after a loan stands so. */
function nextFor(status: (typeof loanStatuses)[number]): string[] {
  if (status === "requested") return ["borrow_decide", "borrow_list"];
  return status === "active" ? ["borrow_decide", "board_show"] : ["borrow_list", "board_show"];
}

const points = z.array(z.number());

export const borrowList = defineOperation({
  name: "borrow_list",
  description:
    "Loans of agents between teams, newest first, with what came of each and the velocity of lender and borrower meanwhile; debt per team: sprints lent less sprints borrowed.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    team: fields.teamId.optional(),
    status: z.enum(loanStatuses).optional(),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  output: z.object({
    loans: z.array(
      shownLoan.extend({
        /** Points per sprint of the loan that has ended; absent before the first. */
        velocity: z.object({ sprints: points, lender: points, borrower: points }).optional(),
      }),
    ),
    total: z.number(),
    debt: z.array(z.object({ team: z.string(), lent: z.number(), borrowed: z.number(), debt: z.number() })),
  }),
  async run(ctx, { team, status, limit = 50 }) {
    if (team !== undefined) checkTeam(ctx.config, team);
    const { rows, total } = await listLoans(ctx.db, {
      team: teamInView(ctx.config, ctx.principal, team),
      status,
      limit,
    });
    const loans = [];
    for (const row of rows) {
      const velocity = await loanVelocities(ctx.db, row);
      loans.push({ ...toShownLoan(row), ...(velocity ? { velocity } : {}) });
    }
    return { loans, total, debt: await debtOfTeams(ctx) };
  },
  render({ loans, total, debt }, view) {
    const lines = loans.flatMap((loan) => [
      renderLoan(loan, view),
      ...(loan.velocity === undefined ? [] : [`  ${velocityWords(loan.velocity)}`]),
    ]);
    const colour = ({ debt: n }: Debt) => view.paint(n > 0 ? "green" : n < 0 ? "yellow" : "dim", String(n));
    return [
      ...(lines.length === 0 ? ["No loans."] : lines),
      ...(loans.length < total ? [`${loans.length} of ${total} shown`] : []),
      "",
      view.table(
        ["team", "lent", "borrowed", "debt"],
        debt.map((row) => [view.paint("cyan", row.team), String(row.lent), String(row.borrowed), colour(row)]),
      ),
    ].join("\n");
  },
});

function velocityWords(velocity: { sprints: number[]; lender: number[]; borrower: number[] }): string {
  const sprints = velocity.sprints.join(", ");
  return `velocity in sprint ${sprints}: lender ${velocity.lender.join(", ")}, borrower ${velocity.borrower.join(", ")}`;
}
