import type { ModelName, Price } from "../../config/models.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";

/** The five parts of a score, 0 to 2 each (requirements MO-01). */
export const dimensions = ["ambiguity", "integration", "novelty", "risk", "scale"] as const;
export type Dimension = (typeof dimensions)[number];
export type Scores = Readonly<Record<Dimension, number>>;

/** Work for the strongest model whatever its score (requirements MO-02). */
export const alwaysOpus = ["novel_architecture", "security_design", "unclear_requirements", "cross_service"] as const;
export type AlwaysOpus = (typeof alwaysOpus)[number];

/** What a caller gives: scores, or counts for the two that can be counted. */
export interface Complexity extends Readonly<Partial<Record<Dimension, number | undefined>>> {
  readonly touchpoints?: number | undefined;
  readonly files?: number | undefined;
  readonly multi_service?: boolean | undefined;
}

/** 0–2 touchpoints, 3–5, 6 and more. */
export function integrationBand(touchpoints: number): number {
  return touchpoints <= 2 ? 0 : touchpoints <= 5 ? 1 : 2;
}

/** Fewer than 5 files, 5–15, more than 15 or several services (C-32). */
export function scaleBand(files: number, isMultiService = false): number {
  return isMultiService || files > 15 ? 2 : files < 5 ? 0 : 1;
}

/** Throws INVALID_INPUT that names every part that is missing. A count wins over a score: it was counted. */
export function scoresOf(given: Complexity): Scores {
  const integration = given.touchpoints === undefined ? given.integration : integrationBand(given.touchpoints);
  const isCounted = given.files !== undefined || given.multi_service === true;
  const scale = isCounted ? scaleBand(given.files ?? 0, given.multi_service) : given.scale;
  const scores = { ...given, integration, scale };
  const missing = dimensions.filter((name) => scores[name] === undefined);
  if (missing.length > 0) {
    throw new TeamwrightError(
      "INVALID_INPUT",
      `A score has five parts; missing in complexity: ${missing.join(", ")}.`,
      hint("brief_spawn", "takes each from 0 to 2 in complexity, or touchpoints and files as counts"),
    );
  }
  const { ambiguity = 0, novelty = 0, risk = 0 } = given;
  return { ambiguity, integration: integration ?? 0, novelty, risk, scale: scale ?? 0 };
}

export interface ModelChoice {
  readonly score: number;
  readonly model: ModelName;
  /** requirements MO-06: the same under the names of profiles. */
  readonly profile: "fast" | "balanced" | "quality";
  readonly reason: string;
}

const profiles = { haiku: "fast", sonnet: "balanced", opus: "quality" } as const;

/** The model by the table of C-06; the first line that fits decides. */
export function chooseModel(
  scores: Scores,
  always: readonly AlwaysOpus[],
  options: { unclearIsOpus: boolean },
): ModelChoice {
  const score = dimensions.reduce((sum, name) => sum + scores[name], 0);
  const because = (model: ModelName, reason: string) => ({ score, model, profile: profiles[model], reason });
  if (always.length > 0) return because("opus", `always for ${always.join(", ").replaceAll("_", " ")}`);
  if (score >= 7) return because("opus", "score 7 or more");
  const unclear = (["ambiguity", "risk"] as const).filter((name) => scores[name] >= 2);
  if (unclear.length > 0 && (score >= 4 || options.unclearIsOpus))
    return because("opus", `${unclear.join(" and ")} 2 of 2`);
  if (score >= 4) return because("sonnet", "score 4 to 6, neither ambiguity nor risk 2");
  return score >= 2 ? because("sonnet", "score 2 or 3") : because("haiku", "score 0 or 1: mechanical work");
}

/** What a session of that difficulty takes, in tokens; written down from sessions of one task (requirements CS-01). */
function expectedTokens(score: number): { input: number; cacheRead: number; output: number } {
  return { input: 60_000 + 20_000 * score, cacheRead: 600_000 + 200_000 * score, output: 8_000 + 4_000 * score };
}

const MILLION = 1_000_000;

/** Micro-USD, rounded up: an estimate, never a bill. */
export function estimateCost(score: number, price: Price): number {
  const { input, cacheRead, output } = expectedTokens(score);
  const product = BigInt(input) * BigInt(price.input) + BigInt(cacheRead) * BigInt(price.cache_read);
  const total = product + BigInt(output) * BigInt(price.output);
  return Number((total + BigInt(MILLION - 1)) / BigInt(MILLION));
}

/** `$0.08` from micro-USD; never `$0.00` for something that costs. */
export function dollars(microUsd: number): string {
  const cents = Math.ceil(microUsd / 10_000);
  return `$${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

/** The line a coordinator logs for each spawn (requirements MO-03, CS-02). */
export function spawnLine(spawn: { agent: string; model: string; score: number; cost: number }): string {
  return `[coordinator] Spawning ${spawn.agent} with ${spawn.model} (score: ${spawn.score}, cost: ~${dollars(spawn.cost)})`;
}
