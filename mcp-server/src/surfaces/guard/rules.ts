import { shellGuard, storeGuard } from "../../features/agent/shell.guard.ts";
import { killGuard, spawnGuard } from "../../features/agent/spawn.guard.ts";
import { briefGuard } from "../../features/brief/brief.guard.ts";
import { claimGuard } from "../../features/task/claim.guard.ts";
import type { GuardRule } from "../../kernel/guard-rule.ts";

/** Every rule the hooks enforce, in the order in which they are asked: refusals first, what changes a call behind them. */
export const guardRules: readonly (() => GuardRule)[] = [
  shellGuard,
  storeGuard,
  spawnGuard,
  killGuard,
  claimGuard,
  briefGuard,
];
