import { existsSync } from "node:fs";
import { join } from "node:path";
import { limitsOf } from "../../config/config.schema.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Task } from "../task/task.schema.ts";
import { fitSections, type Section } from "./context.rules.ts";
import { knowledgeSections, learningsSection } from "./context.store.ts";

const MOST_IN_HAND = 20;

/**
 * What a lead reads before it starts a run (requirement LP-01), within the budget of what an agent is told: what
 * LEARNINGS.md and the knowledge base say about these tasks, what is in hand already, and the teams that are to do them.
 */
export async function leadBrief(ctx: OperationContext, tasks: readonly Task[]): Promise<string> {
  const teams = [...new Set(tasks.map((task) => task.team))];
  const words = tasks.map((task) => task.title).join(" ");
  const work = { words: words.slice(0, 2000), files: [...new Set(tasks.flatMap((task) => task.scope))].slice(0, 50) };
  const sections: Section[] = [
    ...(await knowledgeSections(ctx, ctx.principal, work)),
    ...(await inHand(ctx, tasks, teams)),
    ...teamsSection(ctx, teams),
    ...(await learningsSection(ctx)),
  ];
  return fitSections(sections, ctx.config.context.budget_tokens).text;
}

/** Work of an earlier session that nobody has finished. */
async function inHand(ctx: OperationContext, planned: readonly Task[], teams: readonly string[]): Promise<Section[]> {
  const rows = await ctx.db
    .selectFrom("task")
    .select(["key", "title", "status", "holder_name", "blocked_since"])
    .where("status", "in", ["in_progress", "in_review"])
    .where("team", "in", [...teams])
    .where(
      "id",
      "not in",
      planned.map((task) => task.id),
    )
    .orderBy("id")
    .limit(MOST_IN_HAND)
    .execute();
  if (rows.length === 0) return [];
  const lines = rows.map((row) => {
    const who = row.holder_name === null ? "" : `, ${plainLine(row.holder_name, 60)}`;
    const blocked = row.blocked_since === null ? "" : ", blocked";
    return `${row.key} (${row.status}${who}${blocked}) ${plainLine(row.title, 100)}`;
  });
  return [{ name: "in hand", head: "In hand already:", body: lines.join("\n"), fenced: true, how: "task_list" }];
}

/** Who is on the teams, and the project's own document of each where there is one (requirement TC-11). */
function teamsSection(ctx: OperationContext, teams: readonly string[]): Section[] {
  const lines = ctx.config.teams.flatMap((team) => {
    if (!teams.includes(team.id)) return [];
    const document = `team-registry/teams/${team.id}.md`;
    const limits = Object.entries(limitsOf(ctx.config, team.id)).map(([name, most]) => `${name} ${most}`);
    const facts = [
      team.agents.length > 0 ? team.agents.join(", ") : "",
      limits.length > 0 ? `limits: ${limits.join(", ")}` : "",
      existsSync(join(ctx.config.root, document)) ? `definition: ${document}` : "",
    ].filter((fact) => fact !== "");
    return facts.length === 0 ? [] : [`${team.id}${team.team_type ? ` (${team.team_type})` : ""}: ${facts.join("; ")}`];
  });
  return lines.length === 0
    ? []
    : [{ name: "teams", head: "Teams:", body: lines.join("\n"), whole: true, how: "teamwright team list" }];
}
