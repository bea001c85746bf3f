import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { homeNotice, lentNotice } from "./loan-message.store.ts";
import { loanToTell, noteLoanTold } from "./told.store.ts";

/** What an agent is allowed changes when it is lent: it hears so before it goes on (requirement BO-11). */
export function loanGuard(): GuardRule {
  return {
    name: "loans-told",
    promise: "A lent agent is told at its start, or at its next call, where it works, and when it is home again.",
    failsClosed: false,
    agentStarts: (ctx) => tell(ctx, true),
    // behind every refusal, and in front of the messages: what it says comes from the server, not from others
    beforeTool: { tools: /^/, decide: (ctx) => tell(ctx, false) },
  };
}

async function tell({ runtime, principal, write }: GuardContext, isStart: boolean): Promise<Verdict | undefined> {
  const { store, config } = runtime;
  if (principal.kind !== "agent" || store.readOnly || config.teams.length < 2) return undefined;
  const loan = await loanToTell(store.db, principal, isStart);
  if (!loan) return undefined;
  const isFirst = await write("guard_loan", (ctx) => noteLoanTold(ctx, loan));
  if (!isFirst && !(isStart && loan.status === "active")) return undefined;
  return { context: loan.status === "active" ? lentNotice(loan) : homeNotice(loan) };
}
