import * as z from "zod";
import { plainLine } from "../../kernel/fence.ts";
import type { RenderView } from "../../kernel/operation.ts";
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

export function renderUnit(unit: z.infer<typeof unitBrief>, view: Pick<RenderView, "next">): string {
  const hash = unit.diff_hash === undefined ? "" : `, diff ${unit.diff_hash}`;
  const [operation = "", ...what] = unit.next.split(" ");
  return `${unit.id} ${plainLine(unit.title, 80)}: ${unit.phase}, attempt ${unit.attempt}${hash}\n${view.next([operation])} ${what.join(" ")}`;
}

/** What an earlier attempt has changed in another working tree, and what still lies there. */
export const leftBehind = z.object({ folder: z.string(), files: z.array(z.string()) });

/** The unit of a task, as its holder sees it. */
export const heldUnit = z.object({
  id: z.string(),
  phase: z.string(),
  attempt: z.number(),
  /** The attempt before, and why it failed. */
  failed: z.object({ attempt: z.number(), text: z.string() }).optional(),
  /** What a person has decided over it, where its retries were used up. */
  decided: z.object({ decision: z.string(), by: z.string(), note: z.string() }).optional(),
});
export type HeldUnit = z.infer<typeof heldUnit>;

export const unitRef = z.string().trim().min(1).max(120).describe("Id of the unit or of its task.");

export const runBrief = z.object({
  id: z.string(),
  name: z.string(),
  mode: z.string(),
  verdict: z.string(),
  /** Session that leads it; absent when it waits for a lead. */
  session: z.string().optional(),
  open_tags: z.number().optional(),
  /** Name of the swarm it is part of. */
  part_of: z.string().optional(),
  units: z.array(unitBrief),
});
export type RunBrief = z.infer<typeof runBrief>;

export function renderRun(run: RunBrief, view: { paint(style: "bold" | "cyan", text: string): string }): string {
  const units = run.units.map(
    (unit) =>
      `  ${view.paint("cyan", unit.id)} stage ${unit.stage} ${unit.phase}, attempt ${unit.attempt}: ${plainLine(unit.title, 70)}; ${unit.next}`,
  );
  const tags = run.open_tags ? `, ${run.open_tags} tags open` : "";
  const above = run.part_of === undefined ? "" : `, part of ${run.part_of}`;
  const lead = run.session === undefined ? ", waits for a lead" : "";
  return [
    `${view.paint("bold", run.name)} (${run.id}), ${run.mode} mode, ${run.verdict}${above}${lead}${tags}`,
    ...units,
  ].join("\n");
}
