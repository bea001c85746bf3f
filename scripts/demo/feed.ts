/** Events as lines for people. */
import { plainLine } from "../../mcp-server/src/kernel/fence.ts";
import type { RenderView } from "../../mcp-server/src/kernel/operation.ts";
import { afterOf, type EventRow } from "./watch.ts";

type Colour = Parameters<RenderView["paint"]>[0];

export interface Note {
  readonly at: number;
  readonly team: string;
  readonly who: string;
  readonly what: string;
  readonly about: string;
  readonly colour: Colour;
}

const words: Readonly<Record<string, readonly [string, Colour]>> = {
  "task.claimed": ["claims", "blue"],
  "task.submitted": ["hands in", "yellow"],
  "task.closed": ["closes", "green"],
  "task.created": ["creates", "cyan"],
  "task.blocked": ["blocks", "red"],
  "task.unblocked": ["unblocks", "green"],
  "task.woke": ["wakes", "cyan"],
  "task.ready": ["frees", "dim"],
  "claim.expired": ["takes back", "red"],
  "dependency.declared": ["declares", "cyan"],
  "dependency.resolved": ["resolves", "green"],
};

/** undefined for events that tell a watcher nothing, such as comments. */
export function noteOf(event: EventRow, titles: ReadonlyMap<string, string>): Note | undefined {
  const word = words[event.type];
  if (!word) return undefined;
  const [what, colour] = word;
  const note = { at: Number(event.at), team: event.team ?? "", who: event.actor_name, what, colour };
  return { ...note, about: aboutOf(event, titles) };
}

function aboutOf(event: EventRow, titles: ReadonlyMap<string, string>): string {
  const after = afterOf(event);
  const id = event.subject ?? "";
  const title = titles.get(id) ?? "";
  if (event.type === "task.blocked") return `${id}: ${after.blockedReason}`;
  if (event.type === "claim.expired") return `${id}: the lease ran out`;
  if (event.type === "dependency.declared")
    return `${after.task} needs ${after.needed_task} of team ${after.needs_team}`;
  if (event.type === "dependency.resolved") return `${after.by_task} of team ${after.needs_team} is there`;
  return `${id} ${title}`;
}

export function renderNote(note: Note, since: number, view: RenderView): string {
  const time = ((note.at - since) / 1000).toFixed(1).padStart(5);
  const head = `${time} s  ${note.team.padEnd(5)}  `;
  const who = plainLine(note.who, 10).padEnd(10);
  const what = note.what.padEnd(10);
  const room = view.width - head.length - who.length - what.length - 2;
  return `${view.paint("dim", head)}${view.paint("cyan", who)} ${view.paint(note.colour, what)} ${plainLine(note.about, room)}`;
}
