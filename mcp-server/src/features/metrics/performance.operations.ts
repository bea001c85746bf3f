import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { teamInView } from "../team/team.rules.ts";
import * as fields from "./metrics.schema.ts";
import { measureNames, measures } from "./performance.rules.ts";
import { performanceFacts } from "./performance.store.ts";
import { renderPerformance } from "./performance.view.ts";
import { performanceRows } from "./performance-rows.store.ts";
import { windowOf } from "./window.rules.ts";

export const metricsTeam = defineOperation({
  name: "metrics_team",
  description:
    "Performance of a team in a window of time: velocity in tasks and in points, quality, cost efficiency, collaboration, innovation, each with the counts it comes from.",
  details: "A score that has too little data is null, and says what is missing.",
  kind: "read",
  mcp: "none",
  positional: ["team"],
  input: z.strictObject({
    team: z.string().min(1).describe("Team id."),
    from: fields.from,
    to: fields.to,
    explain: z.boolean().optional().describe("Also formulas, where their counts come from, and ids behind them."),
  }),
  output: z.object({
    team: z.string(),
    ...fields.windowShape,
    ...Object.fromEntries(measureNames.map((name) => [name, z.number().nullable()])),
    measures: z.array(fields.shownMeasure),
    rows: z.record(z.string(), z.array(z.string())).optional().describe("Ids behind some of the counts."),
  }),
  async run(ctx, input) {
    const team = teamInView(ctx.config, ctx.principal, input.team) ?? input.team;
    const window = windowOf(input, ctx.now);
    const facts = await performanceFacts(ctx, team, window);
    const shown = measures.map(({ name, unit, range, formula, source, least, basis, of }) => {
      const value = of(facts) ?? null;
      return {
        name,
        value,
        unit,
        range,
        basis: { ...basis(facts) },
        ...(value === null ? { missing: least } : {}),
        ...(input.explain ? { formula, source } : {}),
      };
    });
    return {
      team,
      ...fields.shownWindow(window),
      ...Object.fromEntries(shown.map(({ name, value }) => [name, value])),
      measures: shown,
      ...(input.explain ? { rows: await performanceRows(ctx, team, window) } : {}),
    };
  },
  render: renderPerformance,
});
