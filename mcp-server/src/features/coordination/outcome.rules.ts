import type { UnreadLine } from "./directives.rules.ts";
import type { Need } from "./facts.rules.ts";

/** A loan a plan asked for, and what came of it. */
export interface LoanOutcome {
  readonly agent: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** Of the ledger. */
  readonly loan?: string | undefined;
  /** Why it was refused: a code, and a sentence. */
  readonly code?: string | undefined;
  readonly why?: string | undefined;
}

/** An agent that went home in step 1. */
export interface Homecoming {
  readonly agent: string;
  readonly from: string;
  readonly to: string;
}

/** What a round came to (requirement CO-10): all of it is broadcast, accepted and refused alike. */
export interface Outcome {
  readonly lent: readonly LoanOutcome[];
  /** Asked for, and waiting for the lender's lead (`consent: lead`). */
  readonly waiting: readonly LoanOutcome[];
  readonly refused: readonly LoanOutcome[];
  /** Lines that looked like actions and could not be read. */
  readonly unread: readonly UnreadLine[];
  readonly recommendations: readonly string[];
  readonly dependency_updates: readonly Need[];
  readonly returned: readonly Homecoming[];
  /** Of iteration 0: the coordinator's words, and how many stories were given out and stay (requirement OH-04). */
  readonly orientation?: string | undefined;
  readonly given?: { readonly assigned: number; readonly pending: number } | undefined;
  /** Why the round ended without a coordinator's word (requirement OH-06). */
  readonly fallback?: string | undefined;
}

export const nothing: Outcome = {
  lent: [],
  waiting: [],
  refused: [],
  unread: [],
  recommendations: [],
  dependency_updates: [],
  returned: [],
};

const MOST_TOLD = 5;
/** A plan may ask for two hundred. */
const MOST_REFUSED = 20;

/** The broadcast of a round: what was done, in the three parts a message has (requirements CO-03, MB-07). */
export function broadcastText(round: { key: string; kind: string; sprint: number }, outcome: Outcome): string {
  const { lent, waiting, refused, recommendations, dependency_updates: needs, returned, given } = outcome;
  const counts = [
    ...(round.kind === "full" ? [`${lent.length} lent`, `${refused.length} refused`] : []),
    ...(given ? [`${given.assigned} stories given out`, `${given.pending} wait`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting for consent`] : []),
    `${recommendations.length} ${recommendations.length === 1 ? "recommendation" : "recommendations"}`,
  ];
  const news = needs.filter((need) => need.change !== "open");
  const details = [
    ...(outcome.fallback === undefined ? [] : [outcome.fallback]),
    ...(outcome.orientation === undefined ? [] : [outcome.orientation]),
    ...returned.map((one) => `HOME: ${one.agent} from ${one.from} to ${one.to}`),
    ...lent.map((one) => `LENT: ${route(one)} because ${one.reason}`),
    ...waiting.map((one) => `ASKED FOR: ${route(one)} because ${one.reason}`),
    ...refused
      .slice(0, MOST_REFUSED)
      .map((one) => `REFUSED: ${route(one)} (${one.code ?? "refused"}: ${one.why ?? "no reason given"})`),
    ...(refused.length > MOST_REFUSED ? [`and ${refused.length - MOST_REFUSED} more, by coordination show`] : []),
    ...outcome.unread.slice(0, MOST_TOLD).map((one) => `NOT READ: line ${one.line}, ${one.why}: ${one.text}`),
    ...news.map(
      (need) =>
        `NEED ${need.change}: ${need.task} of ${need.team} needs ${need.needs_team} (${need.type}, ${need.status})`,
    ),
    ...recommendations.slice(0, MOST_TOLD).map((text) => `RECOMMEND: ${text}`),
    ...(recommendations.length > MOST_TOLD ? [`and ${recommendations.length - MOST_TOLD} more`] : []),
  ];
  const moved = [...returned, ...lent].length > 0;
  return [
    `[WHAT] ${titleOf(round)}: ${counts.join(", ")}.`,
    ...(details.length > 0 ? ["[DETAIL]", ...details] : []),
    `[ACTION] ${moved ? "Whoever has moved looks at the new board with brief_show. " : ""}Leads weigh what is recommended for their team (${round.key}).`,
  ].join("\n");
}

/** `Check-in in sprint 2`, `Coordination before sprint 3`, `Orientation before sprint 1` */
export function titleOf({ kind, sprint }: { kind: string; sprint: number }): string {
  if (kind === "checkin") return `Check-in in sprint ${sprint}`;
  return `${kind === "orientation" ? "Orientation" : "Coordination"} before sprint ${sprint}`;
}

function route({ agent, from, to }: LoanOutcome): string {
  return `${agent} from ${from} to ${to}`;
}

/** Lines for a console (requirement CO-11). */
export function consoleLines(kind: string, outcome: Outcome): string[] {
  const label = kind === "checkin" ? "MID-SPRINT" : "COORD";
  const { given } = outcome;
  return [
    ...outcome.returned.map((one) => `[HOME] ${one.agent}: ${one.from} → ${one.to}`),
    ...outcome.lent.map((one) => `[BORROW] ${one.agent}: ${one.from} → ${one.to}`),
    ...outcome.waiting.map((one) => `[ASKED] ${one.agent}: ${one.from} → ${one.to}, waits for the lender's lead`),
    ...outcome.refused.map((one) => `[REFUSED] ${one.agent}: ${one.from} → ${one.to}: ${one.why ?? one.code ?? ""}`),
    ...outcome.unread.map((one) => `[NOT READ] line ${one.line}: ${one.why}`),
    ...outcome.recommendations.map((text) => `[${label}] ${text}`),
    ...(given ? [`[PORTFOLIO] ${given.assigned} stories given out, ${given.pending} wait`] : []),
    ...(outcome.fallback === undefined ? [] : [`[${label}] ${outcome.fallback}`]),
  ];
}
