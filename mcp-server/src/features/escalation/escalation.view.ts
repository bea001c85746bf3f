import type { ProjectConfig } from "../../config/config.schema.ts";
import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { compact } from "../task/task.view.ts";
import { isCounted, readHistory } from "./escalation.rules.ts";
import type { ShownEscalation } from "./escalation.schema.ts";
import type { EscalationRow } from "./escalation.store.ts";

/** `detail` adds the history. Of a counted operation both numbers are shown: retries, and attempts in all (C-05). */
export function toShownEscalation(row: EscalationRow, config: ProjectConfig, detail: boolean): ShownEscalation {
  const history = readHistory(row.history);
  const retries = isCounted(row.operation) ? config.retries[row.operation] : undefined;
  return compact({
    id: row.key,
    level: row.level,
    status: row.status,
    operation: row.operation,
    about: row.scope,
    task: row.task_key ?? undefined,
    unit: row.unit_key ?? undefined,
    text: row.reason,
    by: row.raised_by_name,
    since: new Date(Number(row.created_at)).toISOString(),
    attempts: retries === undefined ? undefined : history.filter((entry) => entry.result === "failed").length,
    max_attempts: retries === undefined ? undefined : retries + 1,
    retries,
    decision: row.decision ?? undefined,
    resolution: row.resolution ?? undefined,
    resolved_by: row.resolved_by_name ?? undefined,
    history: detail ? history.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })) : undefined,
  }) as ShownEscalation;
}

/** What a person types to decide. */
export function howToDecide(key: string): string {
  return `A person decides in a terminal of their own: teamwright escalation resolve ${key} --decision override|defer|revise|cancel|retry --note "why".`;
}

/** A line, what was said, and every attempt where the history is there. */
export function renderEscalation(escalation: ShownEscalation, view: RenderView): string {
  const { id, level, status, operation, about, by, text, retries, max_attempts, history = [] } = escalation;
  const numbers = retries === undefined ? "" : ` (${retries} retries, ${max_attempts} attempts at most)`;
  const isOpen = status === "open";
  const lines = [
    `${isOpen ? view.paint("yellow", `open at ${level}`) : view.paint("green", status)} ${view.paint("cyan", id)} ${operation}${numbers}: about ${plainLine(about, 80)}, raised by ${plainLine(by, 60)}`,
    fenceText("reason", text),
  ];
  if (!isOpen)
    lines.push(
      `${escalation.decision === undefined ? "Settled" : `Decided: ${escalation.decision}`}, by ${plainLine(escalation.resolved_by ?? "", 60)}: ${plainLine(escalation.resolution ?? "", 300)}`,
    );
  for (const entry of history) {
    lines.push(`${entry.at} ${plainLine(entry.by, 40)} ${plainLine(entry.what, 60)}: ${plainLine(entry.result, 80)}`);
    if (entry.text !== undefined) lines.push(fenceText("excerpt", entry.text));
  }
  if (isOpen && level === "human") lines.push(howToDecide(id));
  return lines.join("\n");
}
