import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { fallbacks } from "../overhead/overhead.rules.ts";
import { distribute } from "../portfolio/distribute.store.ts";
import { portfolioSections } from "../portfolio/triage.rules.ts";
import { triageFacts } from "../portfolio/triage.store.ts";
import type { Directive, Directives } from "./directives.rules.ts";
import { nothing, type Outcome } from "./outcome.rules.ts";

const MAX_TOLD = 2000;
const MAX_LINE = 500;

/** Teams and stories as the orientation is asked about them (requirement OH-04). */
export async function setUp(ctx: OperationContext): Promise<{ text: string; assigns: boolean }> {
  const { teams, stories } = await triageFacts(ctx, 0);
  const text = portfolioSections(teams, stories).join("\n");
  return { text, assigns: ctx.config.portfolio.strategy === "coordinator" };
}

/**
 * The second half of iteration 0: the portfolio is given out, as the configuration says, by the orientation's ASSIGN
 * lines where a coordinator triages; by the heuristic when its time is over, or nobody is waited for (OH-04, OH-06,
 * PF-05, PF-06). The distribution closes the time box.
 */
export async function giveOutAfter(
  ctx: OperationContext,
  said: { readonly text: string; readonly read: Directives; readonly forced?: string },
): Promise<Outcome> {
  const { strategy } = ctx.config.portfolio;
  const assigns = said.read.directives.flatMap((one) => (one.kind === "assign" ? [one] : []));
  const isTriage = strategy === "coordinator" && said.forced === undefined;
  const given = await distribute(ctx, {
    sprint: 0,
    strategy: said.forced === undefined ? strategy : "heuristic",
    assignments: isTriage
      ? assigns.map(({ story, to, reason }) => ({ story, to, reason: plainLine(reason, MAX_LINE) }))
      : [],
  });
  const isLate = given.timed_out ?? false;
  const borrows = said.read.directives.flatMap((one) => (one.kind === "borrow" ? [one] : []));
  const fallback = isLate ? fallbacks.iteration_zero.text : said.forced;
  return {
    ...nothing,
    recommendations: said.read.directives.flatMap((one) =>
      one.kind === "recommend" ? [plainLine(one.text, MAX_LINE)] : [],
    ),
    refused: borrows.map(({ agent, from, to, reason }) => ({ ...{ agent, from, to, reason }, ...NOT_YET })),
    unread: [...said.read.unread, ...(isTriage ? [] : assigns.map(unusedAssign))],
    orientation: proseOf(said.text),
    given: { assigned: given.assigned.length, pending: given.pending },
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/** What is told as it was said; lines that are actions are told by what came of them. */
function proseOf(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !ACTION.test(line));
  return lines.join("\n").slice(0, MAX_TOLD);
}

const ACTION = /^[\s>*_`#-]*(?:RECOMMEND|ASSIGN|BORROW)\b/i;
const NOT_YET = { code: "no_plan", why: "nobody is lent before the first sprint" };

function unusedAssign({ story, to }: Extract<Directive, { kind: "assign" }>) {
  return { line: 0, text: `ASSIGN: ${story} to ${to}`, why: "here stories are not given out as a coordinator assigns" };
}
