import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { portfolioFormulas } from "./formulas.rules.ts";
import { explain, formulas, from, shownWindow, to, windowShape } from "./metrics.schema.ts";
import { grouped, loanEffects, meanVelocity, overheadShare, perCapita, sizeOf } from "./portfolio.rules.ts";
import { coordinationTime, loanSprints, teamFacts } from "./portfolio.store.ts";
import { renderPortfolio } from "./portfolio.view.ts";
import { windowOf } from "./window.rules.ts";

const number = z.number().nullable();
const group = z.object({
  group: z.string(),
  teams: z.number(),
  agent_sprints: z.number(),
  velocity_per_capita: number,
});

const portfolioOutput = z.object({
  ...windowShape,
  teams: z.array(
    z.object({
      team: z.string(),
      team_type: z.string().nullable(),
      size: number.describe("Agents per sprint, rounded."),
      sprints: z.number(),
      velocity: number.describe("Story points per sprint."),
      velocity_per_capita: number.describe("Story points per agent and sprint."),
      velocity_trend: z.array(z.number()),
      done: z.number().describe("Tasks done in the window."),
      blocked_seconds: z.number(),
      depends_on_teams: z.number().describe("Needs of other teams declared in the window."),
      blocked_seconds_per_need: number,
    }),
  ),
  by_size: z.array(group),
  by_type: z.array(group),
  overhead_share: number.describe("Coordination's part of sprint time."),
  overhead_seconds: z.number(),
  sprint_seconds: z.number(),
  formulas,
  loans: z.array(
    z.object({
      team: z.string(),
      role: z.enum(["lender", "borrower"]),
      sprints: z.number(),
      velocity: z.number(),
      otherwise: number.describe("In sprints without such a loan."),
    }),
  ),
});

export const metricsPortfolio = defineOperation({
  name: "metrics_portfolio",
  description:
    "All teams beside each other: velocity and velocity per capita by team, size and type, time blocked against needs of other teams, coordination's share, velocity in sprints with loans.",
  details: "Sprints count that ended in the window; a number without data is null.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({ from, to, explain }),
  output: portfolioOutput,
  async run(ctx, input) {
    const window = windowOf(input, ctx.now);
    const facts = await teamFacts(ctx.db, ctx.config, window);
    const { spentMs, sprintMs } = await coordinationTime(ctx.db, window);
    return {
      ...shownWindow(window),
      teams: facts.map((team) => ({
        team: team.team,
        team_type: team.type,
        size: sizeOf(team),
        sprints: team.sprints.length,
        velocity: meanVelocity(team),
        velocity_per_capita: perCapita([team]),
        velocity_trend: team.sprints.map(({ velocity }) => velocity),
        done: team.done,
        blocked_seconds: team.blockedSeconds,
        depends_on_teams: team.needs,
        blocked_seconds_per_need: team.needs === 0 ? null : team.blockedSeconds / team.needs,
      })),
      by_size: grouped(facts, (team) => sizeOf(team)?.toString() ?? null),
      by_type: grouped(facts, ({ type }) => type),
      overhead_share: overheadShare(spentMs, sprintMs),
      overhead_seconds: spentMs / 1000,
      sprint_seconds: sprintMs / 1000,
      loans: loanEffects(facts, await loanSprints(ctx.db)),
      ...(input.explain ? { formulas: [...portfolioFormulas] } : {}),
    };
  },
  render: renderPortfolio,
});
