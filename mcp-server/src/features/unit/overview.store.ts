import type { Kysely } from "kysely";
import type { Database } from "../../store/database.ts";
import { openRuns } from "../run/run.store.ts";
import { openTagCount } from "../tag/tag.store.ts";
import { compact } from "../task/task.view.ts";
import { decisionFor } from "./people.store.ts";
import { attemptsOf, openUnitOf, unitsOfRun } from "./unit.store.ts";
import { type HeldUnit, type RunBrief, toUnitBrief } from "./unit.view.ts";

/** The open runs with their units and what is next for each: enough to go on after a crash (requirements FP-11, MD-05). */
export async function openRunBriefs(db: Kysely<Database>): Promise<RunBrief[]> {
  const briefs: RunBrief[] = [];
  const open = await openRuns(db);
  for (const run of open) {
    const units = (await unitsOfRun(db, run.id)).map(toUnitBrief);
    const tags = await openTagCount(db, Number(run.id));
    briefs.push(
      compact({
        id: run.key,
        name: run.name,
        mode: run.mode,
        verdict: run.verdict,
        part_of: open.find(({ id }) => Number(id) === Number(run.parent_id))?.name,
        session: run.session ?? undefined,
        open_tags: tags > 0 ? tags : undefined,
        units,
      }) as RunBrief,
    );
  }
  return briefs;
}

/**
 * The open unit that a task is done in, for whoever does it: after a restart nothing else says why the attempt before
 * has failed (requirements FP-11, RE-05).
 */
export async function heldUnit(db: Kysely<Database>, taskId: number): Promise<HeldUnit | undefined> {
  const unit = await openUnitOf(db, taskId);
  if (!unit) return undefined;
  const last = (await attemptsOf(db, unit.id)).findLast(({ n }) => n < unit.attempt);
  const about = { id: unit.key, phase: unit.phase, attempt: unit.attempt };
  if (unit.phase !== "implement" || !last?.failure) return about;
  const said = await decisionFor(db, unit.key);
  const isSince = said !== undefined && said.at >= Number(last.started_at);
  return {
    ...about,
    failed: { attempt: last.n, text: last.failure },
    ...(isSince ? { decided: { decision: said.decision, by: said.by, note: said.note } } : {}),
  };
}
