import { plainLine } from "../../kernel/fence.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { holdsTaskBack } from "../dependency/dependency.rules.ts";
import { findDependency } from "../dependency/dependency.store.ts";
import { insertMessage } from "./message.store.ts";

/** A need of one team of another, as its messages tell it. */
export interface ToldNeed {
  readonly id: string;
  readonly task: string;
  readonly team: string;
  readonly needs_team: string;
  readonly type: string;
  readonly needed_task?: string | undefined;
  readonly note?: string | undefined;
}

const MAX_NOTE = 300;

/** The team that is needed hears so on its channel, with what ends the wait (requirements DE-06, MB-07). */
export async function tellNeeded(ctx: OperationContext, need: ToldNeed): Promise<void> {
  const { id, task, team, needs_team: needed, type, needed_task: delivery, note } = need;
  const action =
    delivery === undefined
      ? `Make or find the task that delivers it, and name it: dependency_declare with task ${task}, needs_team ${needed} and needed_task; ${team} goes on when that closes.`
      : `${delivery} delivers it: ${team} goes on when that closes.`;
  const text = [
    `[WHAT] Team ${team} needs something of you (${id}, ${type}).`,
    `[DETAIL] ${task} of team ${team} ${holdsTaskBack(type) ? "waits for it" : "shares it with you"}${note === undefined ? "." : `: ${plainLine(note, MAX_NOTE)}`}`,
    `[ACTION] ${action}`,
  ].join("\n");
  await say(ctx, needed, text);
}

/** The team that waits hears which task it waits for, or that it waits no longer. */
export async function tellWaiting(ctx: OperationContext, need: ToldNeed, resolution?: string): Promise<void> {
  const what =
    resolution === undefined
      ? `${need.task} goes on when ${need.needed_task ?? ""} of team ${need.needs_team} closes (${need.id}).`
      : `${need.task} waits for team ${need.needs_team} no longer (${need.id}): ${plainLine(resolution, MAX_NOTE)}`;
  await say(ctx, need.team, what);
}

/** Whoever waits hears of every need that this transaction has resolved, whichever way; before the events are written. */
export async function tellResolvedNeeds(ctx: OperationContext): Promise<void> {
  const keys = ctx.effects.events.flatMap(({ type, subject }) =>
    type === "dependency.resolved" && subject ? [subject] : [],
  );
  for (const key of keys) {
    const row = await findDependency(ctx.db, key);
    if (row?.status !== "resolved" || ctx.principal.team === row.team) continue;
    const need = { ...row, id: row.key, task: row.task_key, needed_task: row.needed_key ?? undefined, note: undefined };
    await tellWaiting(ctx, need, row.resolution ?? "");
  }
}

/** From the server itself, so that whoever declared it reads it with the others. */
async function say(ctx: OperationContext, team: string, text: string): Promise<void> {
  const { session } = ctx.principal;
  const sender = session === undefined ? systemPrincipal : { ...systemPrincipal, session };
  await insertMessage(ctx, { kind: "INFO", sender, channel: `team:${team}`, text });
}
