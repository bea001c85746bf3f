import { shellGuard, storeGuard } from "../../features/agent/shell.guard.ts";
import { killGuard, spawnGuard } from "../../features/agent/spawn.guard.ts";
import { loanGuard } from "../../features/borrow/borrow.guard.ts";
import { completionGuard } from "../../features/bridge/bridge.guard.ts";
import { mirrorGuard } from "../../features/bridge/mirror.guard.ts";
import { briefGuard } from "../../features/brief/brief.guard.ts";
import { spawnLimitsGuard } from "../../features/brief/spawn.guard.ts";
import { decisionGuard } from "../../features/checkpoint/checkpoint.guard.ts";
import { coordinatorPacketGuard, coordinatorWordsGuard } from "../../features/coordination/coordination.guard.ts";
import { configurationGuard, fileGuard } from "../../features/file/file.guard.ts";
import {
  broadcastGuard,
  messageDeliveryGuard,
  messageMirrorGuard,
  reviewerMessageGuard,
} from "../../features/message/message.guard.ts";
import { designGuard } from "../../features/review/design.guard.ts";
import { reviewerSpawnGuard, reviewerToolsGuard, verdictGuard } from "../../features/review/review.guard.ts";
import { backlogGuard, reportGuard } from "../../features/tag/report.guard.ts";
import { claimGuard } from "../../features/task/claim.guard.ts";
import { movedHistoryGuard } from "../../features/unit/history.guard.ts";
import { historyGuard, mergeGuard } from "../../features/unit/unit.guard.ts";
import type { GuardRule } from "../../kernel/guard-rule.ts";

/** Every rule the hooks enforce, in the order in which they are asked: refusals first, what changes a call behind them. */
export const guardRules: readonly (() => GuardRule)[] = [
  reviewerToolsGuard,
  shellGuard,
  historyGuard,
  mergeGuard,
  movedHistoryGuard, // before all that may send an agent back from its stop
  configurationGuard,
  storeGuard,
  fileGuard,
  reviewerMessageGuard,
  broadcastGuard,
  reviewerSpawnGuard,
  coordinatorPacketGuard,
  spawnLimitsGuard, // before the records: what it refuses was never a spawn
  spawnGuard,
  killGuard,
  completionGuard,
  verdictGuard,
  designGuard,
  coordinatorWordsGuard,
  reportGuard,
  claimGuard,
  briefGuard,
  mirrorGuard,
  decisionGuard,
  backlogGuard,
  messageMirrorGuard,
  loanGuard, // behind the refusals: what it says is said once
  messageDeliveryGuard, // last: what it hands out is read, and a later refusal would drop it
];
