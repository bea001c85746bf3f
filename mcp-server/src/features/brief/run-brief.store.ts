import type { OperationContext } from "../../kernel/operation.ts";
import { type AgentRow, agentPrincipal } from "../agent/agent.store.ts";
import { heldUnit } from "../unit/overview.store.ts";
import type { HeldUnit } from "../unit/unit.view.ts";
import { fitSections, type Section } from "./context.rules.ts";
import {
  knowledgeSections,
  learningsSection,
  noteTold,
  notYetTold,
  peopleSection,
  taskOf,
  taskSections,
  wasBriefed,
  workOf,
} from "./context.store.ts";

/**
 * What an agent of a run is told at its start, chosen by its task and within the budget (requirements CX-01 to CX-06,
 * C-11): task, what it hangs on, what was learned about it, LEARNINGS.md, who else is there. At a later start only
 * what is new.
 */
export async function runBrief(ctx: OperationContext, agent: AgentRow): Promise<string> {
  const principal = agentPrincipal(agent);
  const task = await taskOf(ctx, agent.task_key);
  const isBriefed = task !== undefined && (await wasBriefed(ctx.db, agent.agent_id));
  const unit = task && (await heldUnit(ctx.db, task.id));
  const sections: Section[] = [head(agent, principal.name, unit !== undefined), ...unitSections(unit)];
  if (task && isBriefed) sections.push({ ...plain("Your prompt holds the brief of your task."), must: true });
  else if (task) sections.push(...(await taskSections(ctx, task)));
  if (!isBriefed && task) sections.push(...(await knowledgeSections(ctx, principal, workOf(task))));
  sections.push(...(await learningsSection(ctx)), ...(await peopleSection(ctx, agent)));
  const open = await notYetTold(ctx, agent.agent_id, sections);
  const fitted = fitSections(open, ctx.config.context.budget_tokens);
  const cut = new Set(fitted.leftOut);
  await noteTold(
    ctx,
    agent.agent_id,
    fitted.told.filter((section) => !section.must && !cut.has(section.name)),
  );
  return fitted.text;
}

/** What a unit asks beyond its task, and what the attempt before has shown: nobody else would tell it. */
function unitSections(unit: HeldUnit | undefined): Section[] {
  if (unit === undefined) return [];
  const { id, attempt, failed, decided } = unit;
  const about = `Your task is work unit ${id}, attempt ${attempt}: commit nothing, unit_submit hands it in.`;
  if (!failed) return [{ ...plain(about), must: true }];
  const told = { fenced: true, must: true, how: "brief_show" };
  const why = { ...told, name: "failure", head: `Why attempt ${failed.attempt} failed:`, body: failed.text };
  const word = decided && {
    ...told,
    name: "decision",
    head: `A person decided, ${decided.decision}:`,
    body: decided.note,
  };
  return [{ ...plain(about), must: true }, why, ...(word ? [word] : [])];
}

function head(agent: AgentRow, name: string, isInUnit: boolean): Section {
  const team = agent.team === null ? "" : ` of team ${agent.team}`;
  const role = agent.role ? ` (${agent.role})` : "";
  const generation = agent.generation > 1 ? `, generation ${agent.generation} of that name` : "";
  return {
    ...plain(
      `Teamwright knows you as ${name}${team}${role}${generation}. task_claim takes a task, brief_show says where you stand, knowledge_search finds what was learned${isInUnit ? "" : ", task_close or board_move hands in"}.`,
    ),
    must: true,
  };
}

function plain(body: string): Section {
  return { name: "head", head: "", body, how: "brief_show" };
}
