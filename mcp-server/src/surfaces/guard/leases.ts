import { activeRun, changeRun } from "../../features/run/run.store.ts";
import { needsRenewal, renewLeases } from "../../features/task/claim.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

const LOOK_EVERY_MS = 10_000;

/** Any sign of life prolongs its holder's leases: looked at every few seconds, written when one is past half. */
export class LeaseKeeper {
  readonly #lookedAt = new Map<string, number>();

  async keep(runtime: Runtime, holder: string): Promise<void> {
    if (runtime.store.readOnly) return;
    const now = runtime.now();
    const leaseMs = runtime.config.claims.lease_seconds * 1000;
    const last = this.#lookedAt.get(holder);
    if (last !== undefined && now - last < Math.min(LOOK_EVERY_MS, leaseMs / 4)) return;
    this.#lookedAt.set(holder, now);
    await keepLeases(runtime, holder, leaseMs);
  }
}

async function keepLeases(runtime: Runtime, holder: string, leaseMs: number): Promise<void> {
  if (holder.startsWith(LEAD)) await keepRun(runtime, holder.slice(LEAD.length), leaseMs);
  if (!(await needsRenewal(runtime.store.db, holder, runtime.now(), leaseMs))) return;
  await inTransaction(runtime, { principal: systemPrincipal, patienceMs: 5000 }, "lease_renew", (ctx) =>
    renewLeases(ctx, holder),
  );
}

const LEAD = "lead:";

/** A lead that is alive keeps its run: another session takes over only what nobody leads. */
async function keepRun(runtime: Runtime, session: string, leaseMs: number): Promise<void> {
  const run = await activeRun(runtime.store.db, session);
  if (!run || runtime.now() - Number(run.seen_at) < leaseMs / 2) return;
  await inTransaction(runtime, { principal: systemPrincipal, patienceMs: 5000 }, "run_seen", (ctx) =>
    changeRun(ctx, run.id, { seen_at: ctx.now }),
  );
}
