import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { plainView } from "../../kernel/view.ts";
import type { AgentRow } from "../agent/agent.store.ts";
import { agentPrincipal, liveAgents } from "../agent/agent.store.ts";
import { activeRun } from "../run/run.store.ts";
import { edgesFrom } from "../task/graph.store.ts";
import { getTask } from "../task/task.store.ts";
import { renderFull, toFull } from "../task/task.view.ts";
import { runBrief } from "./run-brief.store.ts";
import { isReviewer } from "./spawn-plan.store.ts";

const MAX_CHARS = 9000; // the client cuts a hook's text at 10,000

/**
 * What a spawned agent is told about its task, links and team; undefined for an agent that has nothing to do with
 * Teamwright, so that ordinary use of agents costs nothing (design §7).
 */
export async function spawnBrief(ctx: OperationContext, agent: AgentRow): Promise<string | undefined> {
  if (isReviewer(agent.role)) return undefined; // a reviewer is told what its packet says, and nothing else
  if (await activeRun(ctx.db, agent.session)) return runBrief(ctx, agent);
  const isMember = agent.name !== null && ctx.config.teams.some((team) => team.agents.includes(agent.name ?? ""));
  if (agent.task_key === null && !isMember) return undefined;
  const principal = agentPrincipal(agent);
  const generation = agent.generation > 1 ? `, generation ${agent.generation} of that name` : "";
  const team = agent.team === null ? "" : ` of team ${agent.team}`;
  const lines = [
    `Teamwright knows you as ${principal.name}${team}${agent.role ? ` (${agent.role})` : ""}${generation}.`,
  ];
  if (agent.task_key !== null) lines.push(...(await aboutTask(ctx, agent.task_key)));
  const others = (await liveAgents(ctx.db, agent.team ?? undefined)).filter(
    (row) => row.agent_id !== agent.agent_id && row.session === agent.session && row.name !== null,
  );
  if (others.length > 0) {
    lines.push(
      `Also on the team: ${others
        .slice(0, 12)
        .map((row) => `${row.name}${row.role ? ` (${row.role})` : ""}${row.task_key ? ` on ${row.task_key}` : ""}`)
        .join(", ")}.`,
    );
  }
  lines.push("task_claim takes a task, brief_show says where you stand, task_close or board_move hands in.");
  const text = lines.join("\n");
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n… (cut; task_show has the rest)` : text;
}

async function aboutTask(ctx: OperationContext, key: string): Promise<string[]> {
  const task = await getTask(ctx, key);
  const lines = ["Your task:", renderFull(await toFull(ctx.db, task, ctx.now), plainView(ctx.now))];
  const edges = (await edgesFrom(ctx.db, task.id)).slice(0, 20);
  for (const edge of edges)
    lines.push(
      `${plainLine(edge.type, 60)} → ${plainLine(edge.target_key, 60)}${edge.blocking === 1 ? " (waiting for it)" : ""}`,
    );
  return lines;
}
