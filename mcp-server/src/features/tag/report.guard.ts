import { DEFAULT_TEAM } from "../../config/config.schema.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule } from "../../kernel/guard-rule.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { agentsOfSession, findAgent } from "../agent/agent.store.ts";
import { learnFromReport } from "../knowledge/knowledge.store.ts";
import { lintReport } from "../report/lint.rules.ts";
import { lintSettingOf } from "../report/lint-setting.rules.ts";
import { loadMarkdown } from "../report/markdown.rules.ts";
import { hasReportForm, parseReport } from "../report/parse.rules.ts";
import type { Tag } from "../report/report.schema.ts";
import { activeRun } from "../run/run.store.ts";
import { findTaskByKey } from "../task/task.store.ts";
import { type Origin, routeFailure, routeTag } from "./route.store.ts";
import {
  forgetAsks,
  hasWorked,
  insertReport,
  insertTag,
  lastReport,
  mayAskAgain,
  openTagCount,
  type ReportRow,
  wasRaised,
  workedSince,
} from "./tag.store.ts";

/** Times a report is sent back before it is accepted as malformed. */
const MOST_ASKS = 2;
const SHOWN = 12;
const MAX_TEXT = 200_000;
/** Of one report; what is beyond the first number waits for the lead, and beyond the second is in its text alone. */
const MOST_ROUTED = 20;
const MOST_TAGS = 200;
/** Their last words have a form of their own, unless they have taken a task: whoever builds reports. */
const OTHER_FORM = /reviewer$/;

/**
 * A worker's last words are its report: read, judged, stored, and its tags given to whom they are for (RP-03, RP-04).
 * Once the report on its work is in, only another report is judged: a teammate may be talked with. Tags count always.
 */
export function reportGuard(): GuardRule {
  return {
    name: "reports",
    promise: "In a run no agent stops without a report that can be read; its tags become tasks, blocks and messages.",
    failsClosed: false,
    async agentStops(ctx) {
      const facts = await reporting(ctx);
      if (!facts) return undefined;
      if ((await sortOf(ctx, facts)).sort !== "report") return undefined;
      const errors = await errorsIn(ctx, ctx.call.lastMessage);
      if (errors.length === 0) return undefined;
      const again = await ctx.write("guard_report", (trx) => mayAskAgain(trx, ctx.call.agentId, MOST_ASKS));
      if (!again) return undefined;
      const shown = errors.slice(0, SHOWN).map((each) => `- ${each.rule} line ${each.line}: ${each.message}`);
      if (errors.length > SHOWN) shown.push(`- and ${errors.length - SHOWN} more`);
      return {
        refusal: `Your last message is your report, and it cannot be read as one. Send the whole report again (the skill teamwright:reporting shows the form):\n${shown.join("\n")}`,
      };
    },
    async agentStopped(ctx) {
      const facts = await reporting(ctx);
      if (!facts || (await sortOf(ctx, facts)).sort === "again") return undefined;
      const errors = await errorsIn(ctx, ctx.call.lastMessage);
      const report = parseReport(ctx.call.lastMessage);
      await ctx.write("guard_report", async (trx) => {
        await trx.dialect.lockName(trx.db, `report:${ctx.call.agentId}`);
        const { sort, last } = await sortOf(ctx, facts, trx.db);
        if (sort === "again") return;
        const task = await findTaskByKey(trx.db, facts.taskKey);
        if (sort === "talk") return routeTags(trx, report.tags, { report: last, author: ctx.principal, task });
        await forgetAsks(trx, ctx.call.agentId);
        const row = await insertReport(trx, {
          agent_id: ctx.call.agentId,
          agent_name: ctx.principal.name,
          run_id: facts.runId,
          task_key: task?.key ?? null,
          status: report.status ?? null,
          text: ctx.call.lastMessage.slice(0, MAX_TEXT),
          findings: JSON.stringify(errors.slice(0, 50)),
          malformed: errors.length > 0 ? 1 : 0,
        });
        const origin = { report: row, author: ctx.principal, task };
        await routeTags(trx, report.tags, origin);
        await routeFailure(trx, origin);
        await learnFromReport(trx, {
          team: task?.team ?? ctx.principal.team ?? runtimeTeam(ctx),
          learnings: report.learnings.filter((learning) => learning.isBullet).map((learning) => learning.text),
          report: row.key,
          task: task?.key,
        });
      });
      return undefined;
    },
  };
}

async function routeTags(trx: OperationContext, tags: readonly Tag[], origin: Origin): Promise<void> {
  let routed = 0;
  for (const tag of tags.slice(0, MOST_TAGS)) {
    const draft = { kind: tag.kind, target: tag.target ?? null, text: tag.text.slice(0, 4000) };
    if (await wasRaised(trx, origin.report, draft)) continue;
    const stored = await insertTag(trx, origin.report, draft);
    if (routed < MOST_ROUTED) await routeTag(trx, stored, origin);
    routed += 1;
  }
}

function runtimeTeam({ runtime }: GuardContext): string {
  return runtime.config.teams[0]?.id ?? DEFAULT_TEAM;
}

type Sorted =
  | { readonly sort: "report"; readonly last?: ReportRow }
  | { readonly sort: "again" | "talk"; readonly last: ReportRow };

/**
 * What a stop's text is: a report that is due, one that is in already (the client tells of a stop again after each
 * resume, and while a teammate is idle), or talk after it.
 */
async function sortOf({ call, runtime }: GuardContext, facts: Facts, db = runtime.store.db): Promise<Sorted> {
  const last = await lastReport(db, call.agentId);
  if (!last) return { sort: "report" };
  const isOther = Number(last.run_id) !== facts.runId || last.task_key !== facts.taskKey;
  if (isOther || (await workedSince(db, last))) return { sort: "report", last };
  if (last.text === call.lastMessage.slice(0, MAX_TEXT)) return { sort: "again", last };
  await loadMarkdown();
  return { sort: hasReportForm(parseReport(call.lastMessage)) ? "report" : "talk", last };
}

interface Facts {
  readonly runId: number;
  readonly taskKey: string;
}

/** The run and task of a worker that owes a report; undefined for everybody else. */
async function reporting({ call, runtime, principal }: GuardContext): Promise<Facts | undefined> {
  const { db } = runtime.store;
  if (call.agentId === "") return undefined;
  if (OTHER_FORM.test(principal.role ?? "") && !(await hasWorked(db, call.agentId))) return undefined;
  const run = await activeRun(db, call.session);
  const agent = run ? await findAgent(db, call.agentId) : undefined;
  return run && agent?.task_key ? { runId: Number(run.id), taskKey: agent.task_key } : undefined;
}

/** Errors of a report; its tags may name whoever is or was in the session, beside whom the configuration lists. */
async function errorsIn({ call, runtime }: GuardContext, text: string) {
  await loadMarkdown();
  const setting = lintSettingOf(runtime.config);
  const here = await agentsOfSession(runtime.store.db, call.session);
  const targets = [...setting.targets, ...here.flatMap(({ name }) => name ?? [])];
  const findings = lintReport(parseReport(text), { ...setting, targets });
  return findings
    .filter((finding) => finding.level === "error")
    .map(({ rule, line, message }) => ({ rule, line, message: plainLine(message, 200) }));
}

/** The lead is reminded of what nobody has dealt with, and does not stop over it silently. */
export function backlogGuard(): GuardRule {
  const reminded = new Map<string, number>();
  return {
    name: "no-silent-end",
    promise: "A lead hears of every tag that is not routed, and is sent back once before it stops over one.",
    failsClosed: false,
    async prompt(ctx) {
      const open = await openTags(ctx);
      if (open === 0 || reminded.get(`${ctx.call.session}:prompt`) === open) return undefined;
      reminded.set(`${ctx.call.session}:prompt`, open);
      return {
        context: `${open} tag${open === 1 ? "" : "s"} of reports wait for you: tag_list shows them, tag_resolve settles one.`,
      };
    },
    async leadStops(ctx) {
      const open = await openTags(ctx);
      if (open === 0 || reminded.get(ctx.call.session) === open) return undefined;
      reminded.set(ctx.call.session, open);
      return {
        refusal: `${open} tag${open === 1 ? " is" : "s are"} not routed: tag_list shows them; tag_resolve says what became of one. Stop again to leave them, they stay open.`,
      };
    },
  };
}

async function openTags({ call, runtime }: GuardContext): Promise<number> {
  const run = await activeRun(runtime.store.db, call.session);
  return run ? openTagCount(runtime.store.db, Number(run.id)) : 0;
}
