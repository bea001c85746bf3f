import { needsRenewal, renewLeases } from "../../features/task/claim.store.ts";
import { inTransaction, type Runtime } from "../../kernel/execute.ts";
import { systemPrincipal } from "../../kernel/principal.ts";

/** A sign of life prolongs the holder's leases; one cheap look, and a write only when a lease is past half. */
export async function keepLeases(runtime: Runtime, holder: string): Promise<void> {
  const leaseMs = runtime.config.claims.lease_seconds * 1000;
  if (runtime.store.readOnly || !(await needsRenewal(runtime.store.db, holder, runtime.now(), leaseMs))) return;
  await inTransaction(runtime, { principal: systemPrincipal }, "lease_renew", (ctx) => renewLeases(ctx, holder));
}
