import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { loadMarkdown } from "../report/markdown.rules.ts";
import { parseReport } from "../report/parse.rules.ts";
import { reportOfTask } from "../tag/tag.store.ts";
import type { Task } from "../task/task.schema.ts";
import type { Section } from "./context.rules.ts";

const MOST_FINDINGS = 8;

/**
 * What the agent before reported on this task, in short: whoever goes on starts cold (requirements C-30, CX-01). Status,
 * findings with their places, and what was tried; never the report as it stands (C-11).
 */
export async function earlierReport(ctx: OperationContext, task: Task): Promise<Section[]> {
  const row = await reportOfTask(ctx.db, task.key);
  if (!row) return [];
  await loadMarkdown();
  const { findings, fields, tags } = parseReport(row.text);
  const told = findings.slice(0, MOST_FINDINGS).map(({ title, evidence, details }) => {
    const places = evidence.map(({ path, fromLine }) => (fromLine === undefined ? path : `${path}:${fromLine}`));
    return `- ${[title, places.join(", "), ...details.slice(0, 3)].filter(Boolean).join("; ")}`;
  });
  const tried = fields.flatMap(({ name, value }) =>
    /^(files touched|attempted|cause)$/.test(name) && value !== "" ? [`${name}: ${value}`] : [],
  );
  const asked = tags.slice(0, MOST_FINDINGS).map(({ kind, target, text }) => `${kind}:${target ?? ""} ${text}`);
  const body = [`${row.agent_name}, ${row.status ?? "no status"}`, ...told, ...tried, ...asked]
    .map((line) => plainLine(line, 400))
    .join("\n");
  const how = `task_show ${task.key}`;
  return [{ name: "earlier report", head: "Who was on it before reported:", body, fenced: true, how }];
}
