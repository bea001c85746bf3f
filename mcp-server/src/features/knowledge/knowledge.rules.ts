import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import { findSecrets } from "../report/secrets.rules.ts";
import { globsMeet } from "../task/quality.rules.ts";
import { type Confidence, type Knowledge, type KnowledgeKind, knowledgeKinds, MAX_FACT } from "./knowledge.schema.ts";

/** Above it two facts are one, and the second is one more source of the first (requirements LP-04). */
export const SAME_FACT = 0.8;
const STALE_DAYS = 90;
const DAY_MS = 86_400_000;
const SOURCES_FOR_HIGH = 3;

/** `GOTCHA: x` names its kind itself (requirements LP-02). */
export function readFact(text: string, kind?: KnowledgeKind): { fact: string; kind: KnowledgeKind } {
  const [, word, rest] = /^\s*([A-Z]{2,10}):\s+(\S.*)$/s.exec(text) ?? [];
  const named = knowledgeKinds.find((candidate) => candidate.toUpperCase() === word);
  const fact = (named === undefined ? text : (rest ?? text)).trim().replace(/\s+/g, " ");
  return { fact, kind: kind ?? named ?? "fact" };
}

/** Words that are in every report and teach nothing. */
const filler = new Set(
  (
    "a about again all an and any are as at be been but by day did do does done end ended entry everything fine finished " +
    "fixed for from good had has have here i in is it its just later learned lot made many monday more much nothing no " +
    "none now of off ok okay on out passed report see session so some started start task tasks team test tests that the " +
    "then there these this time times to today tomorrow up updated update was we well went were what when which with " +
    "work worked works yesterday you complete completed issues issue problem problems agent run runs log logged note notes " +
    "utc am pm january february march april may june july august september october november december"
  ).split(" "),
);

/** What is left of a text without dates, times, ids, numbers and filler. */
function contentWords(text: string): Set<string> {
  const bare = text
    .toLowerCase()
    .replace(/\d{4}-\d{2}-\d{2}(?:t[\d:.]+z?)?|\d{1,2}:\d{2}(?::\d{2})?|\b[a-z]{1,12}-[0-9a-z]*\d[0-9a-z]*\b/g, " ");
  return new Set((bare.match(/\p{L}[\p{L}\p{N}_'’]+|\p{Script=Han}/gu) ?? []).filter((word) => !filler.has(word)));
}

/** A learning of a report as a fact: its start where it is too long, and the whole as detail (C-24). */
export function readLearning(text: string): { fact: string; kind: KnowledgeKind; detail?: string } {
  const { fact, kind } = readFact(text);
  if (fact.length <= MAX_FACT) return { fact, kind };
  const start = fact.slice(0, MAX_FACT - 1);
  const words = start.includes(" ") ? start.slice(0, start.lastIndexOf(" ")) : start;
  return { fact: `${words.toWellFormed()}…`, kind, detail: fact };
}

/** Words worth searching for, at most 12: without dates and filler, unless there is nothing else. */
export function searchTerms(text: string): string[] {
  const words = [...contentWords(text)];
  return (words.length > 0 ? words : (text.match(/[\p{L}\p{N}_]+/gu) ?? [])).slice(0, 12);
}

/** True for a text that teaches something; a date or "all good" does not (requirements LP-02, LP-02b). */
export function hasSubstance(text: string): boolean {
  const words = contentWords(text);
  // scripts without blanks make one long word of a sentence
  return words.size >= 3 || [...words].some((word) => /^[^\p{Script=Latin}]{8,}$/u.test(word));
}

/** Throws when the entry says nothing, or something that must not be written down. */
export function checkFact(fact: string, rest: readonly (string | undefined)[]): void {
  if (!hasSubstance(fact)) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      "That teaches nothing: say what holds here that the next agent would not expect, not when or that something was done.",
      hint("knowledge_add", "takes one such fact, for example `GOTCHA: raw text makes MATCH throw; quote each token`"),
    );
  }
  if ([fact, ...rest].some((text) => text !== undefined && findSecrets(text).length > 0)) {
    throw new TeamwrightError(
      "RULE_VIOLATED",
      "That holds something that looks like a credential; facts are shown to every agent and written to LEARNINGS.md.",
      hint("knowledge_add", "takes the fact without it"),
    );
  }
}

const negation = /\b(?:not|never|no|without|cannot|avoid|don['’]?t|isn['’]?t|doesn['’]?t|can['’]?t|won['’]?t)\b/g;

/**
 * 0 to 1: Dice's coefficient over pairs of letters. Texts that differ in a number or in a negation say different
 * things, however alike they look.
 */
export function similarity(a: string, b: string): number {
  const [left, right] = [normal(a), normal(b)];
  if (left === right) return 1;
  if (parity(left) !== parity(right) || numbers(left) !== numbers(right)) return 0;
  const pairs = new Map<string, number>();
  let size = 0;
  for (const pair of letterPairs(left)) {
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    size += 1;
  }
  let common = 0;
  for (const pair of letterPairs(right)) {
    size += 1;
    const rest = pairs.get(pair) ?? 0;
    if (rest > 0) {
      pairs.set(pair, rest - 1);
      common += 1;
    }
  }
  return size === 0 ? 0 : (2 * common) / size;
}

function normal(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}'’]+/gu, " ")
    .trim();
}

function parity(text: string): number {
  return (text.match(negation) ?? []).length % 2;
}

function numbers(text: string): string {
  return (text.match(/\d+/g) ?? []).sort().join(" ");
}

function* letterPairs(text: string): Generator<string> {
  for (const word of text.split(" ")) {
    const letters = [...` ${word} `];
    for (let index = 1; index < letters.length; index += 1) yield `${letters[index - 1]}${letters[index]}`;
  }
}

/** One source is somebody's word, three are an experience (requirements LP-04). */
export function confidenceOf(sources: number): Confidence {
  return sources >= SOURCES_FOR_HIGH ? "high" : sources === 2 ? "medium" : "low";
}

/** An agent sees what holds for all, for its team and for itself; those who lead see everything. */
export function isVisible(fact: Pick<Knowledge, "scope" | "owner">, viewer: Principal, team = viewer.team): boolean {
  if (fact.scope === "org") return true;
  if (fact.scope === "team") return team === undefined || fact.owner === team;
  return viewer.kind !== "agent" ? team === undefined : fact.owner === viewer.name;
}

/** What a fact is wanted for. `matched` are the ids that the search found, best first. */
export interface Wanted {
  readonly files: readonly string[];
  readonly matched: readonly number[];
}

const weight: Readonly<Record<Confidence, number>> = { low: 0, medium: 1, high: 2 };

/** How much a fact matters: its files first, then words, then how sure it is and how often it has helped. */
export function relevance(fact: Knowledge, { files, matched }: Wanted): number {
  const touches = fact.files.some((own) => files.some((other) => globsMeet(own, other)));
  const place = matched.indexOf(fact.id);
  const words = place < 0 ? 0 : 1 + 1 / (1 + place);
  const worth = weight[fact.confidence] + Math.max(-2, Math.min(2, fact.helpful - fact.outdated)) / 2;
  return (touches ? 5 : 0) + 2 * words + (fact.kind === "rule" ? 3 : 0) + worth / 4;
}

/** Most relevant first. */
export function rankFacts(facts: readonly Knowledge[], wanted: Wanted): Knowledge[] {
  return facts
    .map((fact) => ({ fact, rank: relevance(fact, wanted) }))
    .sort((a, b) => b.rank - a.rank || b.fact.updatedAt - a.fact.updatedAt || a.fact.id - b.fact.id)
    .map(({ fact }) => fact);
}

/** True when the fact was found by its words or is about one of the files. */
export function isAbout(fact: Knowledge, { files, matched }: Wanted): boolean {
  return matched.includes(fact.id) || fact.files.some((own) => files.some((other) => globsMeet(own, other)));
}

/** Why a fact should go, or undefined (requirements LP-04: stale after 90 days). */
export function whyPrune(fact: Knowledge, now: number): string | undefined {
  if (fact.outdated >= 3 && fact.outdated > fact.helpful) return `reported outdated ${fact.outdated} times`;
  const last = Math.max(fact.updatedAt, fact.usedAt ?? 0);
  const days = Math.floor((now - last) / DAY_MS);
  return days >= STALE_DAYS ? `neither used nor confirmed for ${days} days` : undefined;
}

/** Confirmed so often that it belongs into the project's instructions (requirements LP-07). */
export function isRipe(fact: Knowledge): boolean {
  return fact.sources >= SOURCES_FOR_HIGH && fact.outdated === 0;
}
