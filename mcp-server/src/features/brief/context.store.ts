import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { plainView } from "../../kernel/view.ts";
import type { Database } from "../../store/database.ts";
import type { AgentRow } from "../agent/agent.store.ts";
import { liveAgents } from "../agent/agent.store.ts";
import { dependenciesOf } from "../dependency/dependency.store.ts";
import { countUse, factsFor } from "../knowledge/knowledge-read.store.ts";
import { byHeading, factLine, LEARNINGS_FILE } from "../knowledge/learnings.rules.ts";
import { learningsStart } from "../knowledge/learnings.store.ts";
import type { Task } from "../task/task.schema.ts";
import { getTask } from "../task/task.store.ts";
import { renderFull, toFull } from "../task/task.view.ts";
import type { Section } from "./context.rules.ts";
import { earlierReport } from "./earlier.store.ts";

const longFields = ["acceptance", "description", "design", "notes"] as const;
/** What nobody needs to do the work. */
const record = ["created_at", "created_by", "updated_at", "lease_expires_at", "external_ref"];

/** The task in full, then what it waits for and what those that it waited for left behind (CX-01, CX-05). */
export async function taskSections(ctx: OperationContext, task: Task): Promise<Section[]> {
  const how = `task_show ${task.key}`;
  const full = await toFull(ctx.db, task, ctx.now);
  const short = Object.fromEntries(
    Object.entries(full).filter(([name]) => ![...longFields, ...record].includes(name)),
  ) as typeof full;
  const sections: Section[] = [
    { name: "task", head: "Your task:", body: renderFull(short, plainView(ctx.now)), whole: true, how },
  ];
  for (const name of longFields) {
    const value = task[name];
    if (value) sections.push({ name, head: `${name}:`, body: value, fenced: true, how });
  }
  const links = await linkLines(ctx, task);
  if (links.length > 0)
    sections.push({ name: "links", head: "What it hangs on:", body: links.join("\n"), fenced: true, how });
  return [...sections, ...(await earlierReport(ctx, task))];
}

const MAX_LINKS = 40;

async function linkLines(ctx: OperationContext, task: Task): Promise<string[]> {
  const rows = await ctx.db
    .selectFrom("link")
    .leftJoin("task", "task.id", "link.target_id")
    .select(["link.type", "link.target_key", "link.blocking", "task.title", "task.status", "task.outcome"])
    .select("task.close_reason")
    .where("link.task_id", "=", task.id)
    .orderBy("link.blocking", "desc")
    .orderBy("link.id")
    .limit(MAX_LINKS)
    .execute();
  const lines = rows.map((row) => {
    const state = row.status === "closed" ? `closed, ${row.outcome ?? "done"}` : (row.status ?? "not here");
    const waits = row.blocking === 1 ? ", waited for" : "";
    const left = row.close_reason ? `; left: ${plainLine(row.close_reason, 400)}` : "";
    return `${row.type} ${row.target_key} (${state}${waits}) ${plainLine(row.title ?? "", 100)}${left}`;
  });
  for (const need of await dependenciesOf(ctx.db, task.id))
    lines.push(
      `team ${need.team} needs team ${need.needs_team}: ${need.type}, ${need.status}${need.needed_key ? `, ${need.needed_key}` : ""}`,
    );
  return lines;
}

/** What earlier agents learned about this work, under the headings of LP-04; counts as use. */
export async function knowledgeSections(
  ctx: OperationContext,
  viewer: Principal,
  work: { words: string; files: readonly string[] },
): Promise<Section[]> {
  const facts = await factsFor(ctx, viewer, { ...work, most: ctx.config.context.facts });
  await countUse(
    ctx,
    facts.map(({ id }) => id),
  );
  return byHeading(facts).map(([heading, group]) => ({
    name: heading,
    head: `${heading}:`,
    body: group.map(factLine).join("\n"),
    fenced: true,
    how: "knowledge_search",
  }));
}

/** Words and files that the facts for a task are chosen by. */
export function workOf(task: Task): { words: string; files: readonly string[] } {
  return { words: `${task.title} ${task.acceptance ?? ""}`.slice(0, 2000), files: task.scope };
}

export async function learningsSection(ctx: OperationContext): Promise<Section[]> {
  const most = ctx.config.context.learnings_lines;
  const start = most === 0 ? undefined : await learningsStart(ctx, most);
  if (!start || start.lines.length === 0) return [];
  const rest = start.total > start.lines.length ? `, the first ${start.lines.length} of ${start.total} lines` : "";
  const how = `read ${LEARNINGS_FILE}`;
  return [{ name: LEARNINGS_FILE, head: `${LEARNINGS_FILE}${rest}:`, body: start.lines.join("\n"), fenced: true, how }];
}

export async function peopleSection(ctx: OperationContext, agent: AgentRow): Promise<Section[]> {
  const others = (await liveAgents(ctx.db, agent.team ?? undefined)).filter(
    (row) => row.agent_id !== agent.agent_id && row.session === agent.session && row.name !== null,
  );
  if (others.length === 0) return [];
  const body = `Also on the team: ${others
    .slice(0, 12)
    .map((row) => `${row.name}${row.role ? ` (${row.role})` : ""}${row.task_key ? ` on ${row.task_key}` : ""}`)
    .join(", ")}.`;
  return [{ name: "who else is there", head: "", body, whole: true, how: "brief_show" }];
}

export async function taskOf(ctx: OperationContext, key: string | null): Promise<Task | undefined> {
  return key === null ? undefined : getTask(ctx, key);
}

/** Sections that the agent has not been told yet, or that have changed since (C-11: no second load). */
export async function notYetTold(
  ctx: OperationContext,
  agentId: string,
  sections: readonly Section[],
): Promise<Section[]> {
  const rows = await ctx.db
    .selectFrom("context_load")
    .select(["section", "digest"])
    .where("agent_id", "=", agentId)
    .execute();
  const told = new Map(rows.map((row) => [row.section, row.digest]));
  return sections.filter((section) => section.must || told.get(section.name) !== digest(section));
}

/** Writes down what the agent was told in full. */
export async function noteTold(ctx: OperationContext, agentId: string, sections: readonly Section[]): Promise<void> {
  for (const section of sections) {
    const row = { agent_id: agentId, section: section.name, digest: digest(section), at: ctx.now };
    await ctx.db
      .insertInto("context_load")
      .values(row)
      .onConflict((conflict) => conflict.columns(["agent_id", "section"]).doUpdateSet(row))
      .execute();
  }
}

function digest({ head, body }: Section): string {
  return createHash("sha256").update(`${head}\n${body}`).digest("hex").slice(0, 16);
}

/** True when the prompt that started this agent carried the brief of its task. */
export async function wasBriefed(db: Kysely<Database>, agentId: string): Promise<boolean> {
  const row = await db
    .selectFrom("spawn")
    .innerJoin("run_spawn", "run_spawn.tool_use_id", "spawn.tool_use_id")
    .select("run_spawn.briefed")
    .where("spawn.agent_id", "=", agentId)
    .executeTakeFirst();
  return row?.briefed === 1;
}
