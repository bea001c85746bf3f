import { hint, TeamwrightError } from "../kernel/errors.ts";
import type { ExecutorHooks } from "../kernel/execute.ts";
import type { Operation } from "../kernel/operation.ts";
import { boardLimits, boardMove, boardShow } from "./board/board.operations.ts";
import { applyCounts } from "./board/board.store.ts";
import { borrowDecide, borrowList, borrowRequest } from "./borrow/borrow.operations.ts";
import { bridgeList } from "./bridge/bridge.operations.ts";
import { briefShow } from "./brief/brief.operations.ts";
import { briefSpawn } from "./brief/spawn.operations.ts";
import {
  checkpointApprove,
  checkpointList,
  checkpointReject,
  checkpointRequest,
} from "./checkpoint/checkpoint.operations.ts";
import { coordinationBegin, coordinationRecord, coordinationShow } from "./coordination/coordination.operations.ts";
import { dependencyDeclare } from "./dependency/declare.operations.ts";
import { dependencyList, dependencyResolve } from "./dependency/dependency.operations.ts";
import { doctorCheck } from "./doctor/doctor.operations.ts";
import { escalationList, escalationRaise, escalationResolve } from "./escalation/escalation.operations.ts";
import { blockedBefore, settleByDeed, watchBlocks } from "./escalation/watch.store.ts";
import { findAnswer, saveAnswer } from "./event/answer.store.ts";
import { eventList } from "./event/event.operations.ts";
import { appendEvents } from "./event/event.store.ts";
import { experimentCompare } from "./experiment/compare.operations.ts";
import { experimentRun } from "./experiment/experiment.operations.ts";
import { bindTable } from "./experiment/table.ts";
import { fileCheckDiff } from "./file/check-diff.operations.ts";
import { fileLease, fileOwner, fileRelease } from "./file/file.operations.ts";
import { settleLeases } from "./file/file.store.ts";
import { knowledgeAdd, knowledgePrune, knowledgeSearch } from "./knowledge/knowledge.operations.ts";
import { tellBlocked } from "./message/blocked-message.store.ts";
import { messageInbox, messageSend } from "./message/message.operations.ts";
import { coordinates } from "./message/message.rules.ts";
import { messageList } from "./message/message-list.operations.ts";
import { tellResolvedNeeds } from "./message/need-message.store.ts";
import { metricsFlow } from "./metrics/flow.operations.ts";
import { metricsExport } from "./metrics/metrics.operations.ts";
import { metricsTeam } from "./metrics/performance.operations.ts";
import { metricsPortfolio } from "./metrics/portfolio.operations.ts";
import { metricsServe } from "./metrics/serve.operations.ts";
import { overheadShow } from "./overhead/overhead.operations.ts";
import { portfolioDistribute, portfolioShow } from "./portfolio/portfolio.operations.ts";
import { portfolioLoad } from "./portfolio/portfolio-load.operations.ts";
import { reportLint } from "./report/report.operations.ts";
import { reviewList, reviewOpen } from "./review/review.operations.ts";
import { runLog } from "./run/run-log.operations.ts";
import { sprintEnd, sprintPhase, sprintShow, sprintStart } from "./sprint/sprint.operations.ts";
import { freeByDeed } from "./tag/deed.store.ts";
import { tagList, tagResolve } from "./tag/tag.operations.ts";
import { sweepTasks, whatIsDue } from "./task/claim.store.ts";
import { taskClose, taskReopen } from "./task/task-close.operations.ts";
import { taskCreate } from "./task/task-create.operations.ts";
import { taskExport, taskImport } from "./task/task-interchange.operations.ts";
import { taskLink, taskUnlink } from "./task/task-link.operations.ts";
import { taskList, taskReady, taskStale } from "./task/task-read.operations.ts";
import { taskShow } from "./task/task-show.operations.ts";
import { taskUpdate } from "./task/task-update.operations.ts";
import { taskClaim } from "./task/task-work.operations.ts";
import { teamList, teamStatus } from "./team/team.operations.ts";
import { teamCheck } from "./team/team-check.operations.ts";
import { unitCommit } from "./unit/commit.operations.ts";
import { unitStart } from "./unit/loop.operations.ts";
import { tellGates } from "./unit/news.store.ts";
import { unitPlan } from "./unit/plan.operations.ts";
import { unitEnd, unitShow } from "./unit/show.operations.ts";
import { unitSubmit } from "./unit/submit.operations.ts";
import { unitValidate } from "./unit/validate.operations.ts";

/** The table: every surface, document and permission is a projection of it. */
export const operations: readonly Operation[] = [
  taskCreate,
  taskReady,
  taskClaim,
  taskUpdate,
  taskClose,
  taskShow,
  taskList,
  taskLink,
  taskUnlink,
  taskReopen,
  taskStale,
  taskImport,
  taskExport,
  boardShow,
  boardMove,
  boardLimits,
  dependencyDeclare,
  dependencyResolve,
  dependencyList,
  teamList,
  teamStatus,
  teamCheck,
  sprintStart,
  sprintPhase,
  sprintEnd,
  sprintShow,
  borrowRequest,
  borrowDecide,
  borrowList,
  coordinationBegin,
  coordinationRecord,
  coordinationShow,
  portfolioLoad,
  portfolioDistribute,
  portfolioShow,
  overheadShow,
  metricsTeam,
  metricsPortfolio,
  metricsFlow,
  metricsExport,
  metricsServe,
  experimentRun,
  experimentCompare,
  reportLint,
  messageSend,
  messageInbox,
  messageList,
  tagList,
  tagResolve,
  unitPlan,
  unitStart,
  unitSubmit,
  unitValidate,
  unitCommit,
  unitShow,
  unitEnd,
  reviewOpen,
  reviewList,
  knowledgeAdd,
  knowledgeSearch,
  knowledgePrune,
  runLog,
  fileLease,
  fileRelease,
  fileOwner,
  fileCheckDiff,
  escalationRaise,
  escalationResolve,
  escalationList,
  checkpointRequest,
  checkpointApprove,
  checkpointReject,
  checkpointList,
  bridgeList,
  briefShow,
  briefSpawn,
  eventList,
  doctorCheck,
];

export function findOperation(name: string): Operation | undefined {
  return operations.find((operation) => operation.name === name);
}

/** What coordinators do who belong to no team (requirement C-22). */
const aboveTeams = new Set(["borrow_request", "borrow_decide", "coordination_record", "message_send", "message_inbox"]);

/**
 * What the kernel asks of the features. `identity` holds where the file says nothing: `strict` refuses writes of callers
 * the guard has not bound (design §3). An agent that belongs to none of several teams writes on no board (KB-01).
 */
export function executorHooks(replica: string, identity: "strict" | "advisory"): ExecutorHooks {
  return {
    authorize(operation, principal, config) {
      if (
        operation.kind !== "read" &&
        principal.kind === "agent" &&
        principal.team === undefined &&
        config.teams.length > 1 &&
        !(aboveTeams.has(operation.name) && coordinates(principal, config))
      ) {
        throw new TeamwrightError(
          "FORBIDDEN",
          "You belong to no team: your spawn named neither an agent of one nor a task.",
          hint("brief_show", "shows who you are; the lead starts you with the id of a task"),
        );
      }
      if (operation.kind === "read" || principal.kind !== "unverified") return;
      if ((config.identity ?? identity) === "advisory") return; // the file's word as it is now
      throw new TeamwrightError(
        "FORBIDDEN",
        "Nobody vouches for this caller and the project's identity setting is strict; a person uses a terminal of their own, an agent the tools of its session.",
        hint("doctor_check", "shows whether the guard is at work"),
      );
    },
    async beforeWrite(ctx) {
      const due = await whatIsDue(ctx.db, ctx.now, blockedBefore(ctx.now, ctx.config));
      if (due.tasks) await sweepTasks(ctx);
      if (due.blocks) await watchBlocks(ctx);
    },
    async isSweepDue(db, now, config) {
      const due = await whatIsDue(db, now, blockedBefore(now, config));
      return due.tasks || due.blocks;
    },
    async flush(ctx, operation) {
      await freeByDeed(ctx); // before what a lifted block settles
      await settleByDeed(ctx);
      await tellResolvedNeeds(ctx);
      await tellBlocked(ctx);
      await tellGates(ctx);
      await settleLeases(ctx);
      await applyCounts(ctx);
      await appendEvents(ctx, operation, replica);
    },
    findAnswer,
    saveAnswer,
  };
}

bindTable({ find: findOperation, hooks: executorHooks });
