import { existsSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { roleOf } from "../agent/agent.rules.ts";
import { rivalOf } from "../agent/definitions.ts";
import { reviewerRole } from "../message/message.rules.ts";
import { backToValidation } from "../unit/failure.store.ts";
import { getUnitById, rolesOf } from "../unit/unit.store.ts";
import { othersIn } from "../unit/unit-gates.ts";
import { changesOf, freezeUnit, treeOf } from "../unit/unit-tree.ts";
import { answerReview } from "./answer.store.ts";
import { REVIEWER } from "./packet.rules.ts";
import {
  callOfAgent,
  changeReview,
  findReview,
  onlyUnclaimed,
  type ReviewRow,
  reviewOfAgent,
  reviewOfCall,
} from "./review.store.ts";
import { confirmReviewer } from "./void.store.ts";

const READING = /^(Read|Grep|Glob|LS|NotebookRead)$/;
/** What an Agent call for a reviewer may carry; a name would make it a teammate that can be written to. */
const ALLOWED = ["description", "prompt", "subagent_type", "model", "run_in_background"];

/**
 * A reviewer is fresh, nameless and told by the server alone (requirements AR-01..06). Refusals begin with a code of
 * their own.
 */
export function reviewerSpawnGuard(): GuardRule {
  const rival = rivalOf(REVIEWER);
  let isPrompted = false;
  return {
    name: "fresh-reviewer",
    promise: "A reviewer starts from the server's packet and nothing else, once per packet, without a name.",
    failsClosed: true,
    beforeTool: {
      tools: /^(Agent|Task)$/,
      async decide(ctx): Promise<Verdict | undefined> {
        const { call } = ctx;
        const { toolInput } = call;
        if (roleOf(textOf(toolInput.subagent_type)) !== reviewerRole) return undefined;
        if (textOf(toolInput.subagent_type) !== REVIEWER)
          return { refusal: `REVIEWER_NOT_SHIPPED: a reviewer is started as ${REVIEWER}, not by another definition.` };
        const other = rival(ctx);
        if (other !== undefined)
          return {
            refusal: `REVIEWER_NOT_SHIPPED: ${other} takes the name ${REVIEWER}, and the client may start that one; a person removes it and begins the session anew.`,
          };
        if (call.agentId !== "")
          return { refusal: "REVIEWER_NOT_BY_LEAD: only the lead of the session starts a reviewer." };
        if (textOf(toolInput.name) !== "")
          return { refusal: "REVIEWER_NAMED: a reviewer has no name, so that nobody can write to it; leave name out." };
        const extra = Object.keys(toolInput).filter(
          (field) => !ALLOWED.includes(field) && toolInput[field] !== undefined,
        );
        if (extra.length > 0)
          return { refusal: `REVIEWER_NOT_FRESH: a reviewer is started without ${extra.join(", ")}.` };
        return takePacket(ctx);
      },
    },
    async prompt(ctx) {
      if (isPrompted) return undefined;
      isPrompted = true;
      rival(ctx);
      return undefined;
    },
    afterTool: {
      tools: /^(Agent|Task)$/,
      async decide({ call, write }) {
        const agentId = textOf(call.toolResponse.agentId) || textOf(call.toolResponse.agent_id);
        if (roleOf(textOf(call.toolInput.subagent_type)) !== reviewerRole || !/^[\w-]+$/.test(agentId))
          return undefined;
        await write("guard_reviewer", (trx) => confirmReviewer(trx, call.toolUseId, agentId));
        return undefined;
      },
    },
    async agentStarts({ call, write }) {
      // what joins an agent with its call lies in a file: the definition is the client's own word
      if (call.agentType !== REVIEWER) return undefined;
      await write("guard_reviewer", async (trx) => {
        const toolUseId = await callOfAgent(trx.db, call.agentId);
        const known = toolUseId === undefined ? undefined : await reviewOfCall(trx.db, toolUseId);
        const review = known ?? (await onlyUnclaimed(trx.db));
        if (review && review.agent_id === null) await changeReview(trx, review.id, { agent_id: call.agentId });
      });
      return undefined;
    },
  };
}

async function takePacket({ call, runtime, write }: GuardContext): Promise<Verdict> {
  const key = /\brv-[a-z0-9]+\b/.exec(`${textOf(call.toolInput.prompt)} ${textOf(call.toolInput.description)}`)?.[0];
  const found = key === undefined ? undefined : await findReview(runtime.store.db, key);
  if (!found) return { refusal: "REVIEW_UNKNOWN: the prompt is the id that review_open has returned." };
  const unit = await getUnitById(runtime.store.db, Number(found.unit_id));
  const git = await treeOf(unit, runtime.config.root);
  const own = (await changesOf(git, unit, await othersIn(runtime.store.db, unit))).own;
  const frozen = await freezeUnit(git, unit, own);
  return write("guard_review", async (trx): Promise<Verdict> => {
    const review = await findReview(trx.db, found.key);
    if (review?.status !== "open")
      return { refusal: `PACKET_REUSED: ${found.key} has been used; review_open gives another.` };
    const current = await getUnitById(trx.db, unit.id);
    if (current.phase !== "review") return { refusal: `REVIEW_NOT_DUE: ${unit.key} is in phase ${current.phase}.` };
    if (frozen.hash !== review.diff_hash) {
      await changeReview(trx, review.id, { status: "void", fault: "the diff had changed", answered_at: trx.now });
      await backToValidation(trx, current, "its files have changed since they were validated");
      return {
        refusal: "DIFF_CHANGED: the files have changed since they were validated; unit_validate is needed again.",
      };
    }
    await changeReview(trx, review.id, { status: "taken", tool_use_id: call.toolUseId });
    trx.record({ type: "review.taken", subject: review.key, after: { tool_use_id: call.toolUseId } });
    const background = call.toolInput.run_in_background;
    const model = textOf(call.toolInput.model);
    return {
      input: {
        description: `Review ${review.key}`,
        prompt: review.packet,
        subagent_type: textOf(call.toolInput.subagent_type),
        ...(model === "" ? {} : { model }),
        ...(background === undefined ? {} : { run_in_background: background }),
      },
    };
  });
}

/** What a reviewer may do: read the project, and nothing that could tell it of earlier rounds. */
export function reviewerToolsGuard(): GuardRule {
  return {
    name: "reviewer-reads-only",
    promise: "A reviewer reads the project's files; it changes nothing, runs nothing and sees no record of the run.",
    failsClosed: true,
    beforeTool: {
      tools: /./,
      async decide({ call, principal, runtime }) {
        // the client names the definition also while nobody knows which of two calls has started this agent
        if (principal.role !== reviewerRole && roleOf(call.agentType) !== reviewerRole) return undefined;
        if (!READING.test(call.toolName))
          return { refusal: `REVIEWER_READS_ONLY: a reviewer uses Read, Grep and Glob, not ${call.toolName}.` };
        const { root } = runtime.config;
        for (const field of ["file_path", "path", "notebook_path"]) {
          const asked = textOf(call.toolInput[field]);
          if (asked !== "" && !isReadable(root, call.cwd, asked))
            return { refusal: "REVIEWER_OUTSIDE: a reviewer reads the project's own files, not records of the run." };
        }
        const names = call.toolName === "Glob" ? textOf(call.toolInput.pattern) : "";
        if (isAbsolute(names) || names.split(/[\\/{},]/).includes(".."))
          return { refusal: "REVIEWER_OUTSIDE: name a folder of the project with path, and a pattern below it." };
        if (call.toolName === "Grep" && searchesRecords(root, call.cwd, textOf(call.toolInput.path)))
          return { refusal: "REVIEWER_OUTSIDE: name a folder with path, such as src: here lie records of runs, too." };
        return undefined;
      },
    },
  };
}

/** Inside the project, and no place where runs leave their records. */
function isReadable(root: string, cwd: string, asked: string): boolean {
  const path = realOf(resolve(cwd || root, asked));
  const base = realOf(root);
  if (path !== base && !path.startsWith(base + sep)) return false;
  const first = path.slice(base.length + 1).split(sep);
  return !records.has((first[0] ?? "").toLowerCase()); // some file systems know no case
}

/** What earlier rounds have left behind. */
const records = new Set([".teamwright", ".git", "reports", "team-registry", "learnings.md"]);

function searchesRecords(root: string, cwd: string, asked: string): boolean {
  if (realOf(resolve(cwd || root, asked)) !== realOf(root)) return false;
  return existsSync(join(root, "reports")) || existsSync(join(root, "team-registry", "run-logs"));
}

/** Follows links as far as the path exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : resolve(realOf(parent), path.slice(parent.length + 1));
  }
}

/** The verdict is taken from the reviewer itself, when it stops (requirements AR-06). */
export function verdictGuard(): GuardRule {
  return {
    name: "verdict-from-reviewer",
    promise: "A verdict comes from the fresh reviewer's own last words; nobody else can write or change one.",
    failsClosed: true,
    async agentStops(ctx) {
      if (ctx.call.agentType !== REVIEWER) return undefined;
      const review = await ownReview(ctx);
      if (review?.status !== "taken") return undefined;
      const seen = await rolesOf(ctx.runtime.store.db, Number(review.unit_id), ctx.call.agentId);
      const outcome = await answerReview(ctx.runtime, {
        review,
        agentId: ctx.call.agentId,
        answer: ctx.call.lastMessage,
        isSeenBefore: seen.length > 0,
        write: ctx.write,
      });
      return outcome === undefined ? undefined : { refusal: outcome };
    },
  };
}

async function ownReview({ call, runtime }: GuardContext): Promise<ReviewRow | undefined> {
  if (call.agentId === "") return undefined;
  const { db } = runtime.store;
  const toolUseId = await callOfAgent(db, call.agentId);
  return (toolUseId === undefined ? undefined : await reviewOfCall(db, toolUseId)) ?? reviewOfAgent(db, call.agentId);
}
