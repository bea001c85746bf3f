import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import { compact } from "../task/task.view.ts";
import { nextStep, type Phase } from "./unit.rules.ts";
import type { UnitRow } from "./unit.store.ts";

export const unitBrief = z.object({
  id: z.string(),
  title: z.string(),
  phase: z.string(),
  stage: z.number(),
  attempt: z.number(),
  diff_hash: z.string().optional(),
  commit: z.string().optional(),
  next: z.string(),
});

export function toUnitBrief(unit: UnitRow) {
  const step = nextStep(unit.phase as Phase);
  return compact({
    id: unit.key,
    title: unit.title,
    phase: unit.phase,
    stage: unit.stage,
    attempt: unit.attempt,
    diff_hash: unit.diff_hash?.slice(0, 16),
    commit: unit.commit_sha ?? undefined,
    next: `${step.operation} ${step.text}`,
  }) as z.infer<typeof unitBrief>;
}

export function renderUnit(unit: z.infer<typeof unitBrief>): string {
  const hash = unit.diff_hash === undefined ? "" : `, diff ${unit.diff_hash}`;
  return `${unit.id} ${plainLine(unit.title, 80)}: ${unit.phase}, attempt ${unit.attempt}${hash}\nnext: ${unit.next}`;
}

export const unitRef = z.string().trim().min(1).max(120).describe("Id of the unit or of its task.");
