import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { aboutWords } from "../checkpoint/checkpoint.rules.ts";
import { howToAnswer } from "../checkpoint/checkpoint.view.ts";
import { howToDecide } from "../escalation/escalation.view.ts";
import type { Waiting } from "./waiting.store.ts";

export function renderWaiting(waiting: Waiting | undefined, view: RenderView): string[] {
  if (!waiting) return [];
  const { checkpoints, escalations } = waiting;
  const lines: string[] = [];
  const [first] = checkpoints;
  if (first) {
    lines.push(view.paint("bold", `Waiting for a person's approval (${waiting.checkpoints_total}):`));
    for (const { id, kind, title, about } of checkpoints)
      lines.push(`${view.paint("yellow", id)} (${kind}) ${plainLine(title, 160)}${aboutWords(about)}`);
    lines.push(howToAnswer(first.id));
  }
  if (escalations.length > 0) lines.push(view.paint("bold", `Escalated (${waiting.escalations_total}):`));
  for (const { id, level, operation, about, text, by } of escalations)
    lines.push(
      `${view.paint(level === "human" ? "red" : "yellow", id)} for ${level}: ${operation} on ${plainLine(about, 80)}, by ${plainLine(by, 40)}: ${plainLine(text, 160)}`,
    );
  const person = escalations.find(({ level }) => level === "human");
  if (person) lines.push(howToDecide(person.id));
  return lines;
}
