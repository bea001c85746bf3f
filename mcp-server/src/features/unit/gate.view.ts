import * as z from "zod";
import { fenceText } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
import { compact } from "../task/task.view.ts";
import type { GateOutcome } from "./gate-run.ts";

/** What one gate said; of one that has not passed, the end of its output. */
export const gateAnswer = z.object({
  gate: z.string(),
  result: z.string(),
  seconds: z.number(),
  exit_code: z.number().optional(),
  text: z.string().optional(),
});
type GateAnswer = z.infer<typeof gateAnswer>;

const MOST_SHOWN = 3000;

export function toGateAnswer(outcome: GateOutcome): GateAnswer {
  const text = outcome.result === "passed" ? "" : outcome.outputTail.slice(-MOST_SHOWN).trim();
  return compact({
    gate: outcome.gate,
    result: outcome.result,
    seconds: Math.round(outcome.durationMs / 100) / 10,
    exit_code: outcome.exitCode ?? undefined,
    text: text || undefined,
  }) as GateAnswer;
}

export function renderGates(gates: readonly GateAnswer[], view: Pick<RenderView, "paint">): string[] {
  return gates.flatMap(({ gate, result, seconds, text }) => {
    const mark = result === "passed" ? view.paint("green", "ok") : view.paint("red", result);
    return [`${gate}: ${mark} in ${seconds} s`, ...(text ? [fenceText(`end of ${gate}`, text)] : [])];
  });
}
