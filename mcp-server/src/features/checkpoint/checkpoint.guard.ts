import { fenceText, plainLine } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import type { EscalationRow } from "../escalation/escalation.store.ts";
import { howToDecide } from "../escalation/escalation.view.ts";
import { activeRun } from "../run/run.store.ts";
import { aboutWords } from "./checkpoint.rules.ts";
import type { CheckpointRow } from "./checkpoint.store.ts";
import { hasNews, takeNews } from "./told.store.ts";

/** What was told is noted in the store: once for all processes, and still once after a restart. */
export function decisionGuard(): GuardRule {
  return {
    name: "decisions-reach-the-lead",
    promise:
      "The lead hears once, together, what people have decided and what waits for them, and does not stop over it.",
    failsClosed: false,
    async prompt(ctx) {
      const news = await tell(ctx);
      return news === undefined ? undefined : { context: news };
    },
    async leadStops(ctx) {
      const news = await tell(ctx);
      return news === undefined ? undefined : { refusal: `Before you stop:\n${news}` };
    },
  };
}

async function tell({ runtime, call, principal, write }: GuardContext): Promise<string | undefined> {
  if (principal.kind !== "lead" || runtime.store.readOnly) return undefined;
  const run = await activeRun(runtime.store.db, call.session);
  const listener = { session: call.session, runId: run ? Number(run.id) : null };
  if (!(await hasNews(runtime.store.db, listener))) return undefined;
  const { checkpoints, escalations } = await write("guard_tell", (ctx) => takeNews(ctx, listener));
  const lines = [...checkpoints.flatMap(aboutCheckpoint), ...escalations.flatMap(aboutEscalation)];
  return lines.length === 0 ? undefined : lines.join("\n");
}

function aboutCheckpoint(row: CheckpointRow): string[] {
  const line = `Checkpoint ${row.key} (${row.kind}, ${plainLine(row.title, 120)})${aboutWords(row.about)} was ${row.status} by ${plainLine(row.decided_by_name ?? "a person", 60)}.`;
  return row.note === null ? [line] : [line, fenceText("note", row.note)];
}

function aboutEscalation(row: EscalationRow): string[] {
  const about = `Escalation ${row.key} (${row.operation})${aboutWords(row.scope)}`;
  if (row.status === "open")
    return [
      `${about} waits for a person; tell them what is asked. ${howToDecide(row.key)}`,
      fenceText("reason", row.reason),
    ];
  const decision = row.decision === null ? "settled" : `decided: ${row.decision}`;
  return [
    `${about} was ${decision}, by ${plainLine(row.resolved_by_name ?? "a person", 60)}.`,
    ...(row.resolution === null ? [] : [fenceText("note", row.resolution)]),
  ];
}
