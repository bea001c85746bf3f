import { fenceText } from "../../kernel/fence.ts";

/** A piece of what an agent is told. Sections come in the order of their worth (requirements CX-01, C-11). */
export interface Section {
  /** What it is called where it is left out. */
  readonly name: string;
  readonly head: string;
  readonly body: string;
  /** What agents or people wrote: shown inside a fence. */
  readonly fenced?: boolean;
  /** Whole or not at all: an order of which half is missing misleads. */
  readonly whole?: boolean;
  /** Always told; the others share what it leaves. */
  readonly must?: boolean;
  /** How to get what was left out. */
  readonly how: string;
}

export interface Fitted {
  readonly text: string;
  readonly tokens: number;
  /** Names of sections that are missing or cut. */
  readonly leftOut: readonly string[];
  readonly told: readonly Section[];
}

/** Bytes ÷ 4: what the client's models take for English text and code, roughly. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

const FENCE_BYTES = 80;

/**
 * As much as the budget holds, in the given order: musts first in account, then each section whole, or cut at a line
 * where it may be, or named with how to get it. Never more than the budget, whatever the sections.
 */
export function fitSections(sections: readonly Section[], budgetTokens: number): Fitted {
  const budget = budgetTokens * 4;
  const notes = (names: readonly Section[]) =>
    names.length === 0 ? "" : `\nLeft out: ${names.map(({ name, how }) => `${name} (${how})`).join("; ")}.`;
  const shown = new Map<Section, string>();
  let used = 0;
  for (const section of sections.filter(({ must }) => must)) {
    shown.set(section, render(section, section.body));
    used += bytes(shown.get(section) ?? "");
  }
  const optional = sections.filter(({ must }) => !must);
  const missing: Section[] = [];
  for (const [index, section] of optional.entries()) {
    // what comes behind may have to be named, and this section too
    const reserve = bytes(notes([...missing, ...optional.slice(index)]));
    const room = budget - used - reserve;
    const text = place(section, room);
    if (text === undefined || text.cut) missing.push(section);
    if (text === undefined) continue;
    shown.set(section, text.text);
    used += bytes(text.text);
  }
  const told = sections.filter((section) => shown.has(section));
  const text = `${told.map((section) => shown.get(section)).join("")}${notes(missing)}`.trim();
  const short = bytes(text) <= budget ? text : cutBytes(text, budget);
  return { text: short, tokens: tokensOf(short), leftOut: missing.map(({ name }) => name), told };
}

function place(section: Section, room: number): { text: string; cut: boolean } | undefined {
  const whole = render(section, section.body);
  if (bytes(whole) <= room) return { text: whole, cut: false };
  if (section.whole) return undefined;
  const inner = room - bytes(render(section, "")) - 4;
  const body = cutLines(section.body, inner);
  return body === "" ? undefined : { text: render(section, `${body}\n…`), cut: true };
}

function render({ head, body, fenced, name }: Section, shown = body): string {
  const top = head === "" ? "" : `${head}\n`;
  return `${top}${fenced ? fenceText(name, shown) : shown}\n`;
}

/** Whole lines, as many as fit; of a first line that is too long its start. */
function cutLines(text: string, room: number): string {
  const kept: string[] = [];
  let used = 0;
  for (const line of text.split("\n")) {
    const size = bytes(line) + 1;
    if (used + size > room) break;
    kept.push(line);
    used += size;
  }
  if (kept.length > 0) return kept.join("\n");
  return room > FENCE_BYTES ? cutBytes(text, room) : "";
}

function cutBytes(text: string, most: number): string {
  return Buffer.from(text)
    .subarray(0, Math.max(0, most))
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
