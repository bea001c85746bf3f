import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { aboutWords } from "./checkpoint.rules.ts";
import type { CheckpointReport, ShownCheckpoint } from "./checkpoint.schema.ts";
import { type CheckpointRow, statusOf } from "./checkpoint.store.ts";

export function reportOf(row: Pick<CheckpointRow, "report">): CheckpointReport {
  return JSON.parse(row.report) as CheckpointReport; // written by this slice only
}

/** `detail` adds what the person decides on. */
export function toShownCheckpoint(row: CheckpointRow, detail: boolean): ShownCheckpoint {
  const report = reportOf(row);
  return compact({
    id: row.key,
    status: statusOf(row),
    kind: row.kind,
    title: row.title,
    about: row.about,
    by: row.requested_by_name,
    since: new Date(Number(row.created_at)).toISOString(),
    report: detail && Object.keys(report).length > 0 ? report : undefined,
    decided_by: row.decided_by_name ?? undefined,
    decided_at: isoTime(row.decided_at === null ? null : Number(row.decided_at)),
    note: row.note ?? undefined,
  }) as ShownCheckpoint;
}

const heads = { done: "Done", decisions: "Decisions", plan: "Next", questions: "Questions" } as const;
const colours = { pending: "yellow", approved: "green", rejected: "red" } as const;

/** One line, then the report and the note where they are there. */
export function renderCheckpoint(checkpoint: ShownCheckpoint, view: RenderView): string {
  const { id, status, kind, title, about, by, decided_by, note, report = {} } = checkpoint;
  const who = decided_by === undefined ? `asked by ${plainLine(by, 60)}` : `by ${plainLine(decided_by, 60)}`;
  const lines = [
    `${view.paint(colours[status], status)} ${view.paint("cyan", id)} (${kind}) ${plainLine(title, 200)}:${aboutWords(about)} ${who}`,
  ];
  for (const [part, head] of Object.entries(heads)) {
    const text = report[part as keyof typeof heads];
    if (text !== undefined) lines.push(`${head}:`, fenceText(part, text));
  }
  if (note !== undefined) lines.push("Note:", fenceText("note", note));
  return lines.join("\n");
}

/** What a person types to answer. */
export function answerCommand(key: string): string {
  return `teamwright checkpoint approve ${key}, or checkpoint reject ${key} --note "why"`;
}

export function howToAnswer(key: string): string {
  return `A person answers in a terminal of their own: ${answerCommand(key)}. Tell them; until then that work does not go on.`;
}
