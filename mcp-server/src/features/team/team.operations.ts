import * as z from "zod";
import { teamTypes } from "../../config/config.schema.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { liveAgents } from "../agent/agent.store.ts";
import { readCounts } from "../board/board.store.ts";
import { compact } from "../task/task.view.ts";

export const teamList = defineOperation({
  name: "team_list",
  description: "Teams of the project with their agents, types and board totals, as declared in teamwright.yaml.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({}),
  output: z.object({
    teams: z.array(
      z.object({
        id: z.string(),
        name: z.string().optional(),
        team_type: z.enum(teamTypes).optional(),
        agents: z.array(z.string()),
        live: z.array(z.string()),
        columns: z.record(z.string(), z.number()),
      }),
    ),
  }),
  async run(ctx) {
    const counts = await readCounts(ctx.db);
    const teams = [];
    for (const team of ctx.config.teams) {
      if (ctx.principal.team !== undefined && ctx.principal.team !== team.id) continue;
      const live = (await liveAgents(ctx.db, team.id)).map((row) => row.name ?? row.agent_id);
      teams.push(
        compact({
          id: team.id,
          name: team.name,
          team_type: team.team_type,
          agents: team.agents,
          live,
          columns: counts.get(team.id) ?? {},
        }),
      );
    }
    return { teams };
  },
  render: (output, view) =>
    view.table(
      ["team", "type", "agents", "live", "ready", "in progress", "done"],
      output.teams.map((team) => [
        view.paint("cyan", team.id),
        team.team_type ?? "",
        team.agents.join(", "),
        team.live.join(", "),
        String(team.columns.ready ?? 0),
        String(team.columns.in_progress ?? 0),
        String(team.columns.done ?? 0),
      ]),
    ),
});
