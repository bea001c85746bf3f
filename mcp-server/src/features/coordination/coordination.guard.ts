import { fenceText } from "../../kernel/fence.ts";
import type { GuardContext, GuardRule, Verdict } from "../../kernel/guard-rule.ts";
import { textOf } from "../../kernel/records.ts";
import { rivalOf } from "../agent/definitions.ts";
import { timeContext } from "../overhead/overhead.rules.ts";
import { coordinatorsOf, definitions, type Part, partOfDefinition, rolesOfParts } from "./coordination.rules.ts";
import { awaited, toShownRound } from "./coordination.view.ts";
import { parseDirectives } from "./directives.rules.ts";
import { consoleLines } from "./outcome.rules.ts";
import { checkinPrompt, evaluationPrompt, orientationPrompt, planPrompt } from "./prompt.rules.ts";
import * as store from "./round.store.ts";
import { endOverdueRounds, fallBack, recordPart } from "./round-end.store.ts";

const SPAWN = /^(Agent|Task)$/;
/** A round's id, of this one or of an earlier. */
const ROUND = /\bco-[0-9a-z]{8}\b/;
const MOST_ASKS = 1;
const SHOWN = 12;

/**
 * A coordinator of a round hears the server's question and nothing else, so that its word is its own (requirements
 * CA-03, CO-07, CO-08). Without an open round its definitions are agents like any other.
 */
export function coordinatorPacketGuard(): GuardRule {
  const rivals = { evaluation: rivalOf(definitions.evaluation), plan: rivalOf(definitions.plan) };
  return {
    name: "coordinator-packet",
    promise:
      "While a round is open, its coordinators start from the server's question, each in its turn, with its time.",
    failsClosed: true,
    beforeTool: {
      tools: SPAWN,
      async decide(ctx) {
        const part = partOfDefinition(textOf(ctx.call.toolInput.subagent_type));
        if (part === undefined) return undefined;
        const isFree = !ROUND.test(askedIn(ctx.call)) && (await store.openRounds(ctx.runtime.store.db)).length === 0;
        if (isFree) return undefined;
        if (ctx.call.agentId !== "")
          return { refusal: "COORDINATOR_NOT_BY_LEAD: only the lead of a session starts a coordinator of a round." };
        const other = rivals[part](ctx);
        if (other !== undefined)
          return {
            refusal: `COORDINATOR_NOT_SHIPPED: ${other} takes the name ${definitions[part]}, and the client may start that one; a person removes it and begins the session anew.`,
          };
        return takeQuestion(ctx, part);
      },
    },
    async agentStarts({ call, runtime }) {
      if (partOfDefinition(call.agentType) === undefined) return undefined;
      const found = await store.roundOfAgent(runtime.store.db, call.agentId);
      if (!found || found.row.ended_at !== null || found.row.deadline === null) return undefined;
      return { context: timeContext(Number(found.row.deadline), runtime.now()) };
    },
  };
}

function askedIn({ toolInput }: GuardContext["call"]): string {
  return `${textOf(toolInput.prompt)} ${textOf(toolInput.description)}`;
}

async function takeQuestion({ call, write }: GuardContext, part: Part): Promise<Verdict> {
  return write("guard_coordination", async (trx): Promise<Verdict> => {
    await store.lockRounds(trx);
    await endOverdueRounds(trx);
    const open = await store.openRounds(trx.db);
    const asked = askedIn(call);
    const row = open.find(({ key }) => new RegExp(`\\b${key}\\b`).test(asked));
    const [first] = open;
    if (!first)
      return ROUND.test(asked)
        ? { refusal: "ROUND_OVER: its time is over; coordination_begin shows what it ended with." }
        : {};
    if (!row)
      return {
        refusal: `COORDINATOR_PACKET: ${first.key} is open; its ${rolesOfParts[awaited(first) ?? part]} starts with the prompt ${first.key}, and the server puts the question there.`,
      };
    if (awaited(row) !== part)
      return { refusal: `COORDINATOR_NOT_DUE: ${row.key} waits for its ${rolesOfParts[awaited(row) ?? part]}.` };
    await store.changeRound(trx, row, { [`${part}_call`]: call.toolUseId });
    trx.record({ type: "coordination.asked", subject: row.key, after: { part, tool_use_id: call.toolUseId } });
    const background = call.toolInput.run_in_background;
    const model = textOf(call.toolInput.model);
    return {
      input: {
        description: `${part === "plan" ? "Plan" : "Evaluate"} ${row.key}`,
        prompt: questionOf(row, part),
        subagent_type: textOf(call.toolInput.subagent_type),
        ...(model === "" ? {} : { model }),
        ...(background === undefined ? {} : { run_in_background: background }),
      },
    };
  });
}

function questionOf(row: store.RoundRow, part: Part): string {
  const seen = store.seenOf(row);
  const setting = { round: row.key };
  if (seen.setup) return orientationPrompt(seen, seen.setup, setting);
  if (part === "evaluation") return (row.kind === "checkin" ? checkinPrompt : evaluationPrompt)(seen, setting);
  return planPrompt(seen, { text: row.evaluation ?? "", fenced: fenceText }, setting);
}

/** A coordinator's last words are its part of the round; the lead hears what came of it. */
export function coordinatorWordsGuard(): GuardRule {
  return {
    name: "coordinator-words",
    promise: "Evaluation and plan are taken from the coordinators' own last words; nobody else can write one.",
    failsClosed: true,
    async agentStops(ctx) {
      const { call, runtime } = ctx;
      const found = await store.roundOfAgent(runtime.store.db, call.agentId);
      if (!found || awaited(found.row) !== found.part) return undefined;
      const { part } = found;
      const fault = faultIn(part, found.row.kind, call.lastMessage);
      return ctx.write("guard_coordination", async (trx): Promise<Verdict | undefined> => {
        await store.lockRounds(trx);
        await endOverdueRounds(trx);
        const row = await store.getRound(trx.db, found.row.key);
        if (awaited(row) !== part) return undefined; // recorded with the tool, or over
        const isCurrent = (await store.roundOfAgent(trx.db, call.agentId))?.row.key === row.key;
        if (!isCurrent) return undefined; // another was started in its place
        if (fault !== undefined && row.asked_again < MOST_ASKS) {
          await store.changeRound(trx, row, { asked_again: row.asked_again + 1 });
          trx.record({ type: "coordination.asked_again", subject: row.key, after: { part, fault } });
          return { refusal: fault };
        }
        if (call.lastMessage.trim() === "") {
          await fallBack(trx, row, `The ${rolesOfParts[part]} has said nothing.`);
          return undefined;
        }
        const { evaluator, planner } = coordinatorsOf(trx.config);
        const name = (part === "plan" ? planner : evaluator) ?? ctx.principal.name;
        await recordPart(trx, row, part, call.lastMessage, { principal: ctx.principal, name });
        return undefined;
      });
    },
    afterTool: { tools: SPAWN, decide: tellLead },
    prompt: tellLead,
  };
}

/** Why an answer is sent back once: silence, or lines of a plan that cannot be read. */
function faultIn(part: Part, kind: string, text: string): string | undefined {
  const named: Readonly<Record<string, string>> = { checkin: "check-in", orientation: "orientation" };
  if (text.trim() === "") return `Your last message is the ${named[kind] ?? part}, and it is empty.`;
  if (part === "evaluation") return undefined;
  const { unread, isProse } = parseDirectives(text);
  if (isProse)
    return "Your plan has no line BORROW: … or RECOMMEND: …; send it again, one action per line, or RECOMMEND: none.";
  if (unread.length === 0) return undefined;
  const lines = unread.slice(0, SHOWN).map((one) => `- line ${one.line}: ${one.why}`);
  return `Some lines of your plan cannot be read as actions; send the whole plan again:\n${lines.join("\n")}`;
}

/** The outcome reaches the lead once: after the Agent call, or with its next prompt. */
async function tellLead({ call, runtime, write }: GuardContext): Promise<Verdict | undefined> {
  if (call.agentId !== "" || runtime.store.readOnly) return undefined;
  if ((await store.untoldRounds(runtime.store.db, call.session)).length === 0) return undefined;
  const context = await write("guard_coordination", async (trx) => {
    await store.lockRounds(trx);
    const rows = await store.untoldRounds(trx.db, call.session);
    for (const row of rows) await store.changeRound(trx, row, { told_at: trx.now });
    return rows.map(newsOf).join("\n");
  });
  return context === "" ? undefined : { context };
}

function newsOf(row: store.RoundRow): string {
  const { round, kind, sprint, status } = toShownRound(row);
  const outcome = store.outcomeOf(row);
  const lines = outcome ? consoleLines(kind, outcome).slice(0, SHOWN) : [];
  const head = `Round ${round} (${kind}, sprint ${sprint}) is ${status === "done" ? "done" : "over"}; its outcome is on the channel coordination.`;
  const next = kind === "checkin" ? "" : "Next: sprint_start.";
  return [head, lines.length > 0 ? fenceText(`outcome of ${round}`, lines.join("\n")) : "", next]
    .filter(Boolean)
    .join("\n");
}
