import type { Answer } from "./stage.ts";
import type { BorrowRecord, CoordinationRecord } from "./state.rules.ts";

/** What the reports say of a full round; one that is not over says nothing yet. */
export function roundRecord(round: Answer): Omit<CoordinationRecord, "checkin"> {
  const { outcome } = round;
  return {
    loop: true,
    borrows: (outcome?.lent ?? []).map(toBorrow),
    refused: (outcome?.refused ?? []).map((one: BorrowRecord & { code?: string }) => ({
      ...toBorrow(one),
      code: one.code ?? "refused",
    })),
    recommendations: outcome?.recommendations ?? [],
    ...(outcome?.fallback === undefined ? {} : { fallback: outcome.fallback }),
    ...(round.evaluation === undefined ? {} : { evaluation: round.evaluation }),
    ...(round.plan === undefined ? {} : { plan: round.plan }),
  };
}

function toBorrow({ agent, from, to, reason }: BorrowRecord): BorrowRecord {
  return { agent, from, to, reason };
}
