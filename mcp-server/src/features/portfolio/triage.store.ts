import type { OperationContext } from "../../kernel/operation.ts";
import { portfolioTeams, teamPlaces } from "./distribute.store.ts";
import type { TeamPlace } from "./portfolio.rules.ts";
import { PORTFOLIO, pendingStories, toPending } from "./story.store.ts";
import type { TriageStory } from "./triage.rules.ts";

/** Stories a coordinator is shown at most: more than fit are of no use to it. */
const MAX_SHOWN = 40;

/** The teams that draw from the portfolio, with their room, and the stories that wait for them in this sprint. */
export async function triageFacts(
  ctx: OperationContext,
  sprint: number,
): Promise<{ teams: TeamPlace[]; stories: TriageStory[] }> {
  const places = await teamPlaces(ctx);
  const teams = portfolioTeams(ctx.config).flatMap(({ id }) => places.get(id) ?? []);
  const rows = await pendingStories(ctx.db, PORTFOLIO, Math.max(1, sprint), MAX_SHOWN);
  return { teams, stories: rows.map((row) => ({ ...toPending(row), priority: row.priority, points: row.points })) };
}
