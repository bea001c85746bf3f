import { randomUUID } from "node:crypto";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { getUnit, prolongBusy, saveUnit, type UnitRow } from "./unit.store.ts";

/** How long a unit stays reserved after the last sign of life of whoever runs its gates. */
const BUSY_MS = 30_000;
const BEAT_MS = 10_000;

/** True while somebody runs the unit's gates or its commit. */
export function isBusy(unit: Pick<UnitRow, "busy_until">, now: number): boolean {
  return unit.busy_until !== null && unit.busy_until > now;
}

/** Reserves the unit for the caller alone: each reservation has an owner of its own, also within one process. */
export async function reserve(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  return saveUnit(ctx, unit, undefined, { busy_until: ctx.now + BUSY_MS, busy_owner: randomUUID() });
}

/**
 * Asked right before whatever changes the repository: the unit is still reserved for this caller, and from now for half
 * a minute more. Throws CONFLICT when it was lost meanwhile: what another has done since is not touched.
 */
export type Hold = () => Promise<void>;

/**
 * Keeps the unit reserved while `work` lasts: a process that is killed lets go of it within half a minute. What goes
 * wrong frees it at once. A reservation that was lost meanwhile is neither prolonged nor ended: it is another's.
 */
export async function whileBusy<T>(ctx: OperationContext, unit: UnitRow, work: (hold: Hold) => Promise<T>): Promise<T> {
  const started = Date.now();
  const prolong = () => {
    const until = ctx.now + (Date.now() - started) + BUSY_MS;
    return ctx.transaction((trx) => prolongBusy(trx, unit, until));
  };
  const beat = setInterval(() => {
    prolong().catch(() => {}); // the next beat tries again
  }, BEAT_MS);
  beat.unref();
  try {
    return await work(async () => {
      if (!(await prolong())) throw takenOver(unit);
    });
  } catch (error) {
    await ctx.transaction(async (trx) => {
      const current = await getUnit(trx.db, unit.key);
      if (current.busy_owner === unit.busy_owner) await saveUnit(trx, current, undefined, free);
    });
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/** What ends a reservation, together with whatever the work has come to. */
export const free = { busy_until: null, busy_owner: null } as const;

/** The unit as it is now, for whoever has reserved it. Throws CONFLICT when the reservation was lost meanwhile. */
export async function stillReserved(ctx: OperationContext, unit: UnitRow): Promise<UnitRow> {
  const current = await getUnit(ctx.db, unit.key);
  if (current.busy_owner === unit.busy_owner) return current;
  throw takenOver(unit);
}

function takenOver(unit: Pick<UnitRow, "key">): TeamwrightError {
  return new TeamwrightError(
    "CONFLICT",
    `${unit.key} was taken over by another while this call stood still.`,
    hint("unit_show", "shows how far it is"),
  );
}
