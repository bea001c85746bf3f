import type { ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { nearest } from "../../kernel/nearest.ts";
import { coordinatorRoles, directsWork, type Principal } from "../../kernel/principal.ts";
import { isRecord, textOf } from "../../kernel/records.ts";
import { type MessageKind, messageKinds } from "./message.schema.ts";

/** Who judges work from the outside hears nobody and speaks through the verdict alone (seed 002). */
export const reviewerRole = "adversarial-reviewer";

export type Address =
  | { readonly kind: "lead" }
  | { readonly kind: "channel"; readonly channel: string; readonly team?: string }
  | { readonly kind: "agent"; readonly name: string };

/** The names the client and people have for the lead. */
const leadNames = new Set(["lead", "main", "team-lead"]);

/** `lead`, `team:<id>`, `portfolio`, `coordination`, else an agent's name or id. */
export function parseAddress(to: string): Address {
  const word = to.trim();
  if (leadNames.has(word.toLowerCase())) return { kind: "lead" };
  if (word === "portfolio" || word === "coordination") return { kind: "channel", channel: word };
  const team = /^team:(.+)$/.exec(word)?.[1];
  if (team !== undefined) return { kind: "channel", channel: `team:${team}`, team };
  return { kind: "agent", name: word.replace(/^agent:/, "") };
}

/** Roles beside the leads that speak for several teams. */
const speakers = new Set(["orchestrator", ...coordinatorRoles]);

function speaksForTeams(sender: Principal): boolean {
  return directsWork(sender) || (sender.role !== undefined && speakers.has(sender.role));
}

/** The same, or named as a coordinator by the configuration: acts for all teams and belongs to none (C-22). */
export function coordinates(principal: Principal, config: Pick<ProjectConfig, "coordination">): boolean {
  return speaksForTeams(principal) || config.coordination.coordinators.includes(principal.name);
}

/** What an agent may tell all teams at once: a change that binds them, or what stops them (requirements MB-07, TZ-03). */
const broadcastKinds: readonly MessageKind[] = ["INTERFACE-CHANGE", "BLOCKER"];

export interface Sending {
  readonly sender: Principal;
  readonly kind: MessageKind;
  readonly channel: string;
  readonly teamCount: number;
  /** The message it replies to was on the same channel. */
  readonly repliesThere: boolean;
  /** The project's teams are coordinated. */
  readonly isCoordinated: boolean;
}

/** Throws when the sender has no business on the channel, or nobody has (requirements MB-01, CO-05, TZ-03). */
export function checkChannel({ sender, kind, channel, teamCount, repliesThere, isCoordinated }: Sending): void {
  const speaks = speaksForTeams(sender);
  if (speaks && channel === "coordination" && !isCoordinated) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      "Teams are not coordinated here (coordination.enabled, and more than one team), so coordination has no readers.",
      hint("message_send", "to portfolio reaches every team, to team:<id> one"),
    );
  }
  if (speaks) return;
  if (channel === "coordination") {
    throw new TeamwrightError(
      "FORBIDDEN",
      "Only leads and coordinators write to coordination; you read it.",
      hint("message_send", "to lead, or to your team's channel"),
    );
  }
  if (channel === "portfolio") {
    if (teamCount <= 1 || broadcastKinds.includes(kind) || (kind === "RESOLVED" && repliesThere)) return;
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `Every team reads portfolio, so an agent sends only INTERFACE-CHANGE and BLOCKER there, not ${kind}.`,
      hint("message_send", "to your team's channel, to one agent or to lead"),
    );
  }
  if (sender.team === undefined || channel === `team:${sender.team}`) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `You are in team ${sender.team}; ${channel} is another team's.`,
    hint("dependency_declare", "asks another team for something; message_send to lead or portfolio tells of a change"),
  );
}

/** Throws for a reviewer who would speak: the verdict is all that may leave its review. */
export function checkSender(sender: Principal): void {
  if (sender.role !== reviewerRole) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    "An adversarial reviewer sends and receives no messages; what you found belongs into your verdict.",
  );
}

/** Somebody with a name that messages can be sent to. */
export interface Correspondent {
  /** Undefined for a name that is declared and not alive yet. */
  readonly key: string | undefined;
  readonly name: string;
  readonly agentId?: string;
  readonly role: string | null;
  readonly isAlive: boolean;
}

/**
 * Who is meant: by agent id, else the newest of that name, the living first. Throws NOT_FOUND with the nearest name,
 * FORBIDDEN for a reviewer, RULE_VIOLATED for oneself.
 */
export function chooseRecipient(sender: Principal, name: string, known: readonly Correspondent[]): Correspondent {
  const named = known.filter((one) => one.agentId === name || one.name === name);
  if (named.some((one) => one.role === reviewerRole)) {
    throw new TeamwrightError(
      "FORBIDDEN",
      "Nobody writes to an adversarial reviewer: it judges from its packet alone.",
      hint("brief_show", "shows who else is there"),
    );
  }
  const chosen = named.find((one) => one.agentId === name) ?? named.findLast((one) => one.isAlive) ?? named.at(-1);
  if (!chosen) {
    const open = known.filter((one) => one.role !== reviewerRole).map((one) => one.name);
    const close = nearest(name, [...new Set([...open, "lead", "portfolio", "coordination"])]);
    throw new TeamwrightError(
      "NOT_FOUND",
      `You can reach nobody named ${JSON.stringify(name.slice(0, 60))}${close ? `; did you mean ${close}?` : "."}`,
      hint("brief_show", "shows who else is there; message_send also takes lead, team:<id> and portfolio"),
    );
  }
  if (chosen.key === sender.key || (chosen.key === undefined && chosen.name === sender.name)) throw toYourself();
  return chosen;
}

export function toYourself(): TeamwrightError {
  return new TeamwrightError(
    "RULE_VIOLATED",
    "That message would go to yourself.",
    hint("task_update", "with comment keeps a note for later"),
  );
}

/** A message of the client's own tool; both spellings of its fields (requirement MB-05). */
export interface ClientMessage {
  readonly to: string;
  readonly text: string;
  readonly kind: MessageKind;
  /** To everybody at once. */
  readonly isBroadcast: boolean;
}

/**
 * Reads the input of SendMessage: `{to, message, summary}` of today, `{type, recipient, content, summary}` of before,
 * or both at once. A structured message, such as a request to shut down, becomes its type.
 */
export function readClientMessage(input: Readonly<Record<string, unknown>>): ClientMessage {
  const to = (textOf(input.to) || textOf(input.recipient)).trim();
  const inner = structured(input.message) ?? structured(input.content);
  const type = textOf(input.type) || textOf(inner?.type);
  const body = textOf(inner?.reason) || textOf(inner?.content);
  const plain = inner ? [type, body].filter((part) => part !== "").join(": ") : textOf(input.message);
  const text = plain || textOf(input.content) || textOf(input.summary) || type;
  return { to, text, kind: kindOf(text), isBroadcast: type === "broadcast" || to === "*" || to === "all" };
}

/** The client shows a structured message as an object, or as its JSON text. */
function structured(value: unknown): Record<string, unknown> | undefined {
  if (isRecord(value)) return value;
  const text = textOf(value);
  if (!text.startsWith("{")) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) && typeof parsed.type === "string" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `BLOCKER: …`, `[QUESTION] …`, `**INTERFACE-CHANGE** …`; everything else is INFO. */
export function kindOf(text: string): MessageKind {
  const word = /^[\s[(*#_`]*([A-Z]+(?:-[A-Z]+)?)\b/.exec(text.slice(0, 80))?.[1];
  return messageKinds.find((kind) => kind === word) ?? "INFO";
}

/** What a `to` of the client may mean: a name, a teammate's address `name@session`, an agent id. */
export function addressWords(to: string): string[] {
  const word = to.trim().toLowerCase();
  const bare = word.replace(/^@/, "").replace(/@.*$/, "");
  return [...new Set([word, bare, bare.replace(/^agent[-:]/, "")])].filter((part) => part !== "");
}

/** Reply `kind` settles a question by any word of another, a blocker by RESOLVED alone. */
export function settles(asked: MessageKind, reply: MessageKind, isSameSender: boolean): boolean {
  if (asked === "QUESTION") return reply === "RESOLVED" || (!isSameSender && reply !== "QUESTION");
  return asked === "BLOCKER" && reply === "RESOLVED";
}
