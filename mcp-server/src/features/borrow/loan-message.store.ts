import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import type { LoanRow } from "../agent/placement.store.ts";
import type { MessageKind } from "../message/message.schema.ts";
import { findMessage, insertMessage, type MessageRow } from "../message/message.store.ts";
import { type Left, sessionOf } from "./move.store.ts";

export interface Moved extends Left {
  /** Tasks at home that are meant for the agent and wait for it. */
  readonly meantFor: readonly string[];
}

const MAX_REASON = 300;

/**
 * Asks the lender's lead, urgently enough to reach it at its next prompt or call, or the lender's channel while nobody
 * leads it; gives the message's id.
 */
export async function askLender(ctx: OperationContext, row: LoanRow): Promise<string> {
  const { kind, session: own } = ctx.principal;
  const session = await sessionOf(ctx, row.from_team, kind === "lead" ? own : undefined);
  const to = session === undefined ? undefined : { name: "lead", key: `lead:${session}` };
  const message = await insertMessage(ctx, {
    kind: "QUESTION",
    sender: systemPrincipal,
    ...(to ? { recipient: to } : { channel: `team:${row.from_team}` }),
    text: `Team ${row.to_team} asks to borrow ${row.agent} until sprint ${row.due_sprint} starts: ${plainLine(row.reason, MAX_REASON)} Whoever leads team ${row.from_team} answers with borrow_decide, loan ${row.key}, decision consent or refuse.`,
  });
  return message.key;
}

/** Both teams hear of a loan, on their own channels (requirement BO-10). */
export async function tellOfLoan(ctx: OperationContext, row: LoanRow, moved: Moved): Promise<void> {
  const until = `until sprint ${row.due_sprint} starts`;
  const reason = plainLine(row.reason, MAX_REASON);
  const lines = [
    `${row.agent} works for team ${row.to_team} ${until}: ${reason}`,
    ...listed("Free again", moved.released),
    ...listed("In review under its name", moved.inReview),
    ...listed("Meant for it, and waiting", moved.meantFor),
  ];
  await answer(ctx, row, lines.join("\n"));
  const home = row.home_team === row.from_team ? "" : `, whose home is ${row.home_team},`;
  await say(
    ctx,
    row.to_team,
    `${row.agent} of team ${row.from_team}${home} works with you ${until}: ${reason}\nGive it work, and say what it has to know of your files and ways.`,
  );
}

/** Both teams hear that a request they have heard of came to nothing. */
export async function tellOfRefusal(ctx: OperationContext, row: LoanRow): Promise<void> {
  if (row.question === null) return;
  const text = `${row.agent} is not lent to team ${row.to_team}: ${plainLine(row.refusal_why ?? "", MAX_REASON)}`;
  await answer(ctx, row, text);
  await say(ctx, row.to_team, text);
}

/** Both teams hear of the end of a loan. */
export async function tellOfReturn(ctx: OperationContext, row: LoanRow, left: Left): Promise<void> {
  const why = plainLine(row.returned_why ?? "", MAX_REASON);
  const lines = [
    `${row.agent} is back in team ${row.home_team}: ${why}`,
    ...listed("Free again", left.released),
    ...listed("In review under its name", left.inReview),
  ];
  await say(ctx, row.to_team, lines.join("\n"));
  await say(ctx, row.home_team, `${row.agent} is back from team ${row.to_team}: ${why}`);
}

/** Both teams, and the agent itself, hear that the configuration has moved it. */
export async function tellOfMove(
  ctx: OperationContext,
  { agent, from, to }: { readonly agent: string; readonly from: string | null; readonly to: string },
  left: Left,
): Promise<void> {
  const lines = [
    `${agent} works in team ${to} now: teamwright.yaml says so.`,
    ...listed("Free again", left.released),
    ...listed("In review under its name", left.inReview),
  ];
  if (from !== null && ctx.config.teams.some(({ id }) => id === from)) await say(ctx, from, lines.join("\n"));
  await say(ctx, to, `${agent} works with you now: teamwright.yaml says so.`);
  const back = left.released.length > 0 ? ` Back on its board: ${left.released.join(", ")}.` : "";
  const was = from === null || from === to ? "" : `, and those of ${from} are not`;
  await insertMessage(ctx, {
    kind: "INFO",
    sender: systemPrincipal,
    recipient: { name: agent, key: undefined },
    text: `teamwright.yaml has you in team ${to} now: its board, channel and files are yours${was}.${back}`,
  });
}

/** What the agent itself is told when it is lent (requirement BO-11). */
export function lentNotice(row: LoanRow): string {
  return [
    `You are lent to team ${row.to_team} until sprint ${row.due_sprint} starts; your home is team ${row.home_team}.`,
    `Its board, channel and files are yours now, and those of ${row.from_team} are not; what you held there is back on its board.`,
    `Before you take work: read the conventions of team ${row.to_team} (board_show, knowledge_search, file_owner for the files you mean to touch) and introduce yourself with message_send to team:${row.to_team}.`,
    "Leave what you begin in a state that others can go on with: say in comments of the task how far it is.",
  ].join("\n");
}

/** What the agent itself is told when it is home again. */
export function homeNotice(row: LoanRow): string {
  return `Your loan to team ${row.to_team} is over: you work in team ${row.home_team} again. What you held there is back on its board; task_ready lists what there is to do here.`;
}

function listed(head: string, keys: readonly string[]): string[] {
  return keys.length === 0 ? [] : [`${head}: ${keys.join(", ")}.`];
}

/** Tells the lender; what it was asked is settled by it. */
async function answer(ctx: OperationContext, row: LoanRow, text: string): Promise<void> {
  const asked = row.question === null ? undefined : await findMessage(ctx.db, row.question);
  await say(ctx, row.from_team, text, asked ? "RESOLVED" : "INFO", asked);
}

/** From the server itself, so that whoever moved the agent reads it, too. */
function say(
  ctx: OperationContext,
  team: string,
  text: string,
  kind: MessageKind = "INFO",
  replyTo?: MessageRow,
): Promise<MessageRow> {
  return insertMessage(ctx, { kind, sender: systemPrincipal, channel: `team:${team}`, text, replyTo });
}
