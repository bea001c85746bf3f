import { activeRun, changeRun } from "../../features/run/run.store.ts";
import { needsRenewal, renewLeases } from "../../features/task/claim.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

/** A sign of life prolongs the holder's leases; one cheap look, and a write only when a lease is past half. */
export async function keepLeases(runtime: Runtime, holder: string): Promise<void> {
  const leaseMs = runtime.config.claims.lease_seconds * 1000;
  if (runtime.store.readOnly) return;
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
