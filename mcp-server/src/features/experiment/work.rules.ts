import type { Seniority } from "../../config/people.schema.ts";
import { develops, type Member } from "./people.rules.ts";
import type { Random } from "./random.rules.ts";

/** Points of work a developer gets done in a day, alone and in its own field. */
const POINTS_PER_DAY: Readonly<Record<Seniority, number>> = { junior: 0.6, mid: 1, senior: 1.4 };
/** Beside leading there is half a day left for code. */
const LEAD_SHARE = 0.5;
/** How much of the second one's speed a pair gains. */
const PAIR_GAIN = 0.5;
/** How well somebody works in a field that is not theirs. */
export const OUTSIDE = 0.5;
const MATCH = { primary: 1, auxiliary: 0.85, none: OUTSIDE } as const;

/** A part of a story, written down when the team plans (requirement AG-01); the board's unit stays the story. */
export interface TechTask {
  /** `T-SS-NNN`: the sprint, and a number within it and the team. */
  readonly id: string;
  readonly title: string;
  readonly hours: number;
  readonly owner: string;
  /** Null in a team of one. */
  readonly navigator: string | null;
}

/** What a card asks for and how far it is; kept between sprints. Efforts are points. */
export interface Card {
  readonly key: string;
  readonly team: string;
  readonly title: string;
  /** Id in the backlog; absent for what came by itself. */
  readonly story?: string;
  readonly kind: "story" | "hotfix" | "scope_creep" | "provide" | "infra" | "rework";
  readonly domain: string;
  readonly points: number;
  readonly left: number;
  readonly rejections: number;
  /** Rounds of mending tests that were needed. */
  readonly fixes: number;
  /** What its tests reached when it was handed in last. */
  readonly coverage: number;
  readonly branches: number;
  readonly complexity: number;
  /** Added to the chance that a review finds something. */
  readonly risk: number;
  /** Simulated time in ms when a block is over; absent when nothing blocks it. */
  readonly blockedUntil?: number;
  readonly firstClaimed?: number;
  /** The cross-team dependency that a `provide` card will resolve. */
  readonly resolves?: string;
  /** The sprint in which the team has been told of it first. */
  readonly presented?: number;
  readonly tasks?: readonly TechTask[];
}

/** How the domain of a card fits an agent; `swapped` is the proficiency of a profile taken on for now (AG-03). */
export function fitOf(member: Member, domain: string, swapped?: number): number {
  if (member.primary === domain) return MATCH.primary;
  if (member.auxiliary.includes(domain)) return MATCH.auxiliary;
  return Math.max(MATCH.none, swapped ?? 0);
}

export interface Pace {
  /** 0..1 while somebody is new (AG-09), and for what meta-learning has given above 1 (AG-06). */
  readonly factor: number;
  /** Proficiency divided by slowdown, when the agent works in another's profile (AG-03). */
  readonly swapped?: number;
}

export function speedOf(member: Member, domain: string, pace: Pace): number {
  const share = member.role === "dev_lead" ? LEAD_SHARE : develops(member) ? 1 : 0;
  return POINTS_PER_DAY[member.seniority] * share * fitOf(member, domain, pace.swapped) * pace.factor;
}

/** Two together get less done than apart, and let fewer faults through. */
export function pairSpeed(first: number, second: number): number {
  return Math.max(first, second) + PAIR_GAIN * Math.min(first, second);
}

/** Borrowed agents find their way: half speed on the first day, three quarters on the second (requirement BO-08). */
export function contextSwitch(daysInTeam: number): number {
  return daysInTeam < 1 ? 0.5 : daysInTeam < 2 ? 0.75 : 1;
}

const MISS: Readonly<Record<Seniority, number>> = { junior: 0.32, mid: 0.2, senior: 0.1 };

/** The chance that a review finds something; a second pair of eyes halves it, each round before lowers it. */
export function rejectionChance(driver: Member, navigator: Member | undefined, card: Card): number {
  const alone = MISS[driver.seniority] + (driver.primary === card.domain ? 0 : 0.06) + card.risk;
  const seen = navigator ? alone * 0.5 + MISS[navigator.seniority] * 0.1 : alone;
  return clamp(seen / (1 + card.rejections), 0.02, 0.9);
}

/** What sending a card back costs. */
export function reworkPoints(card: Card): number {
  return Math.max(0.25, card.points * 0.2);
}

export interface Quality {
  readonly coverage: number;
  readonly branches: number;
  readonly complexity: number;
}

/** Coverage of lines and branches (0..1) and complexity that a change arrives with; `regression` lowers coverage. */
export function measure(random: Random, driver: Member, isPair: boolean, regression: number): Quality {
  const base = { junior: 0.84, mid: 0.87, senior: 0.9 }[driver.seniority] + (isPair ? 0.02 : 0) - regression;
  const spread = () => (random.float() + random.float() - 1) * 0.06;
  const coverage = clamp(base + spread(), 0, 1);
  return {
    coverage: round(coverage, 3),
    branches: round(clamp(coverage - 0.03 + spread() / 2, 0, 1), 3),
    complexity: random.between(4, driver.seniority === "junior" ? 12 : 10),
  };
}

/** One round of mending: more tests, and one function cut in two. */
export function mend(quality: Quality): Quality {
  return {
    coverage: round(clamp(quality.coverage + 0.03, 0, 1), 3),
    branches: round(clamp(quality.branches + 0.035, 0, 1), 3),
    complexity: Math.max(4, quality.complexity - 2),
  };
}

/** Sizes the lead gives where the backlog has none (requirement AG-01). */
export const storySizes = [1, 2, 3, 5, 8, 13] as const;

export function estimate(random: Random): number {
  return random.pick([1, 2, 2, 2, 3, 3, 3, 3, 5, 5, 5, 8, 8, 13] satisfies (typeof storySizes)[number][]);
}

/** What a card takes, in parts of its estimate: more often more than less. */
export function surprise(random: Random): number {
  return 0.7 + 0.4 * (random.float() + random.float());
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Rounded half up, so that sums print alike everywhere. */
export function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round((value + Number.EPSILON) * scale) / scale;
}
