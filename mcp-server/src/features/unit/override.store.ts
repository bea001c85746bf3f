import type { Kysely, Selectable } from "kysely";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Database } from "../../store/database.ts";
import { findUnitRef, type UnitRow } from "./unit.store.ts";
import type { UnitOverrideTable } from "./unit.table.ts";
import { othersIn } from "./unit-gates.ts";
import { changesOf, freezeUnit, treeOf } from "./unit-tree.ts";

export type OverrideRow = Selectable<UnitOverrideTable>;

/** What a person takes as it is. */
export type Taken = Pick<OverrideRow, "unit_id" | "diff_hash" | "tree" | "files">;

/** Phases in which there is a change that no commit holds yet. */
const inWork = ["implement", "validate", "review", "escalated"];

/**
 * Freezes what a unit's tree holds at this moment, for a person who is about to take it as it is; undefined for a unit
 * that is not in work. Throws RULE_VIOLATED when there is nothing to take.
 */
export async function freezeForOverride(ctx: OperationContext, unitKey: string): Promise<Taken | undefined> {
  const unit = await findUnitRef(ctx.db, unitKey);
  if (!unit || unit.base === null || !inWork.includes(unit.phase)) return undefined;
  const frozen = await frozenNow(ctx, unit);
  if (frozen.files.length === 0)
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${unit.key} has changed nothing that could be taken as it is.`,
      hint("escalation_resolve", "with retry, revise or cancel"),
    );
  const files = JSON.stringify(frozen.files.map((file) => file.path));
  return { unit_id: Number(unit.id), diff_hash: frozen.hash, tree: frozen.tree, files };
}

/** The unit's files as they are on disk now. */
export async function frozenNow(ctx: Pick<OperationContext, "db" | "config">, unit: UnitRow) {
  const git = await treeOf(unit, ctx.config.root);
  return freezeUnit(git, unit, (await changesOf(git, unit, await othersIn(ctx.db, unit))).own);
}

/** Notes a person's decision with what it was about: nothing else is covered by it. */
export async function insertOverride(ctx: OperationContext, escalation: string, taken: Taken): Promise<void> {
  const row = { ...taken, escalation, decided_by: ctx.principal.name, at: ctx.now };
  await ctx.db.insertInto("unit_override").values(row).execute();
  ctx.record({ type: "unit.taken_as_is", subject: escalation, after: { diff_hash: taken.diff_hash } });
}

/** The decision that covers exactly this diff. */
export async function overrideOf(db: Kysely<Database>, unitId: number, hash: string): Promise<OverrideRow | undefined> {
  return ofUnit(db, unitId).where("diff_hash", "=", hash).executeTakeFirst();
}

/** The last decision, whatever is there now. */
export async function lastOverride(db: Kysely<Database>, unitId: number): Promise<OverrideRow | undefined> {
  return ofUnit(db, unitId).executeTakeFirst();
}

function ofUnit(db: Kysely<Database>, unitId: number) {
  return db.selectFrom("unit_override").selectAll().where("unit_id", "=", unitId).orderBy("id", "desc");
}
