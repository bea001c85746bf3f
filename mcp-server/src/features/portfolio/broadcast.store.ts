import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { getDependency } from "../dependency/dependency.store.ts";
import { toShownNeed } from "../dependency/dependency.view.ts";
import { insertMessage } from "../message/message.store.ts";
import { tellNeeded } from "../message/need-message.store.ts";
import { distributionText, type Waiting } from "./broadcast.rules.ts";
import type { Distribution } from "./portfolio.schema.ts";
import { countPending, PORTFOLIO, pendingStories } from "./story.store.ts";

const MOST_NAMED = 5;
/** Later than any sprint that a story may be for. */
const ANY_SPRINT = 1_000_000;

/**
 * Tells all teams what a distribution has come to, in its transaction, and those that are needed what is asked of them
 * (requirements MB-01, MB-03, DE-06). `needs`: keys of the needs it has brought; `drawing`: teams that draw from the
 * portfolio. Of nothing there is no news, but at the start of a sprint what stays is some.
 */
export async function tellDistribution(
  ctx: OperationContext,
  outcome: Distribution,
  { needs: keys, drawing, isStart }: { needs: readonly string[]; drawing: readonly string[]; isStart: boolean },
): Promise<void> {
  const waiting = await stillWaiting(ctx, Math.max(1, outcome.sprint), drawing);
  const isNews = outcome.assigned.length > 0 || outcome.ignored.length > 0 || (isStart && waiting.length > 0);
  if (!isNews) return;
  const needs = [];
  for (const key of keys) {
    const need = toShownNeed(await getDependency(ctx, key));
    if (need.status === "open") needs.push(need);
  }
  const { sprint, assigned, ignored } = outcome;
  const text = distributionText({ sprint, assigned, ignored, waiting, needs, timedOut: outcome.timed_out ?? false });
  // in the lead's session, so that it reaches a lead without a run, too
  const { session } = ctx.principal;
  const sender = session === undefined ? systemPrincipal : { ...systemPrincipal, session };
  await insertMessage(ctx, { kind: "INFO", sender, channel: "portfolio", text });
  for (const need of needs) await tellNeeded(ctx, need);
}

async function stillWaiting(ctx: OperationContext, horizon: number, drawing: readonly string[]): Promise<Waiting[]> {
  const owners = [PORTFOLIO, ...ctx.config.teams.map(({ id }) => id).filter((id) => !drawing.includes(id))];
  const nobody = drawing.length === 0 ? "no team draws from the portfolio" : "no team has room";
  const found: Waiting[] = [];
  for (const owner of owners) {
    const rows = await pendingStories(ctx.db, owner, ANY_SPRINT, MOST_NAMED);
    if (rows.length === 0) continue;
    const count = rows.length < MOST_NAMED ? rows.length : await countPending(ctx.db, owner);
    const full = owner === PORTFOLIO ? nobody : `${owner} has no room`;
    const first = rows.map(({ key, sprint }) => ({
      story: key,
      why: sprint !== null && sprint > horizon ? `it is for sprint ${sprint}` : full,
    }));
    found.push({ ...(owner === PORTFOLIO ? {} : { team: owner }), count, first });
  }
  return found;
}
