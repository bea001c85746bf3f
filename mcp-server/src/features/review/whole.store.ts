import type { Kysely } from "kysely";
import type { Git } from "../../kernel/git.ts";
import type { Database } from "../../store/database.ts";
import { isOpen } from "../unit/unit.rules.ts";
import { type UnitRow, unitsOfRun } from "../unit/unit.store.ts";

/**
 * What all units of the run have changed together, for the reviewer of the one that comes last (requirements FP-12,
 * DC-02): parts that each do what they say may still not fit. Undefined for every other unit, and for one alone.
 */
export async function wholeChange(
  db: Kysely<Database>,
  git: Git,
  unit: UnitRow,
  tree: string,
): Promise<string | undefined> {
  const others = (await unitsOfRun(db, unit.run_id)).filter(({ id }) => id !== unit.id);
  const done = others.filter(({ phase }) => phase === "done");
  if (done.length === 0 || others.some(({ phase }) => isOpen(phase))) return undefined;
  let first = unit.base;
  for (const { base } of done) if (first === null || (base && (await git.isReachable(base, first)))) first = base;
  return first === null ? undefined : git.diffBetween(first, tree);
}
