import type { OperationContext } from "../../kernel/operation.ts";
import { prolongBusy, type UnitRow } from "./unit.store.ts";

/** How long a unit stays reserved after the last sign of life of whoever runs its gates. */
export const BUSY_MS = 30_000;
const BEAT_MS = 10_000;

/** Keeps the unit reserved while `work` lasts: a process that is killed lets go of it within half a minute. */
export async function whileBusy<T>(ctx: OperationContext, unit: UnitRow, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const beat = setInterval(() => {
    const until = ctx.now + (Date.now() - started) + BUSY_MS;
    ctx.transaction((trx) => prolongBusy(trx, unit.id, until)).catch(() => {}); // the next beat tries again
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
