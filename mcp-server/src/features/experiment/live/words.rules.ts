import { plainLine } from "../../../kernel/fence.ts";
import type { Learning } from "../state.rules.ts";

const kinds = ["keep", "drop", "puzzle"] as const;
export type RetroWords = Readonly<Record<(typeof kinds)[number], readonly string[]>>;

const LINE = /^[\s>*_`#-]*(keep|drop|puzzle)[\s*_`]*:[\s*_`]*(.+?)[\s*_`]*$/i;
const MOST_OF_A_KIND = 10;

/** The lines KEEP, DROP and PUZZLE of a last message, with or without the marks of a list (requirement AG-06). */
export function retroWords(text: string): RetroWords {
  const words = { keep: [] as string[], drop: [] as string[], puzzle: [] as string[] };
  for (const line of text.split(/\r?\n/)) {
    const [, kind, said] = LINE.exec(line) ?? [];
    if (kind === undefined || said === undefined) continue;
    const list = words[kind.toLowerCase() as (typeof kinds)[number]]; // the pattern knows no other
    if (list.length < MOST_OF_A_KIND) list.push(plainLine(said, 500));
  }
  return words;
}

export interface RetroFacts {
  readonly team: string;
  readonly sprint: number;
  readonly velocity: number;
  readonly done: number;
  /** How the team's session ended, as a sentence. */
  readonly session: string;
}

/** requirement AG-06 */
export function renderLiveRetro(facts: RetroFacts, words: RetroWords): string {
  return [
    `# Retrospective of ${facts.team}, sprint ${facts.sprint}`,
    "",
    `Velocity ${facts.velocity} points, ${facts.done} done. ${facts.session}`,
    "",
    ...kinds.flatMap((kind) => [
      `## ${kind.toUpperCase()}`,
      "",
      ...(words[kind].length > 0 ? words[kind].map((text) => `- lead: ${text}`) : ["Nothing was said."]),
      "",
    ]),
  ].join("\n");
}

/** As simulated agents' are kept; a session's lead speaks for its team. */
export function liveLearnings(team: string, sprint: number, words: RetroWords, isApplied: boolean): Learning[] {
  return kinds.flatMap((kind) =>
    words[kind].map((text) => ({
      sprint,
      agent_id: `lead:${team}`,
      learning_type: kind,
      content: { text },
      applied: isApplied && kind !== "puzzle",
    })),
  );
}
