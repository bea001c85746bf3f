import { inTransaction } from "../../kernel/execute.ts";
import type { GuardContext } from "../../kernel/guard-rule.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { lockBridge } from "./bridge.store.ts";

export function isOn({ runtime }: GuardContext): boolean {
  return runtime.config.bridge === "on" && !runtime.store.readOnly;
}

/** A write of the one whose call it is, one at a time: the trail names who created and completed (C-01). */
export function writeAs<T>(
  { runtime }: GuardContext,
  principal: Principal,
  operation: string,
  work: (ctx: OperationContext) => Promise<T>,
): Promise<T> {
  return inTransaction(runtime, { principal }, operation, async (ctx) => {
    await lockBridge(ctx);
    return work(ctx);
  });
}
