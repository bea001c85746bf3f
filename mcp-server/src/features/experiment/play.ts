import type { ProjectConfig } from "../../config/config.schema.ts";
import { practiceOn } from "../../config/practices.rules.ts";
import type { Principal } from "../../kernel/principal.ts";
import { type Blast, blastOf, type Disturbance } from "./disturbance.rules.ts";
import { develops, type Member } from "./people.rules.ts";
import { type Random, randomStream } from "./random.rules.ts";
import { lead, type Stage } from "./stage.ts";
import type {
  EscalationRecord,
  Learning,
  PairSession,
  PlanningRecord,
  RunState,
  StandupRecord,
  Swap,
  TeamRecord,
} from "./state.rules.ts";
import { type Card, contextSwitch, type Pace, speedOf } from "./work.rules.ts";

/** Half a day: cards are looked at, claimed and worked on twice a day. */
export const TICKS_PER_DAY = 2;

/** An agent in the team it works in now. */
export interface Worker {
  /** Another when a specialist has trained the agent. */
  member: Member;
  readonly principal: Principal;
  /** Days it has worked in a team that is not its own; undefined at home. */
  readonly daysAway: number | undefined;
  /** What the driver's card is, this tick. */
  driving?: string | undefined;
  busy: boolean;
}

export interface Tally {
  wipRefusals: number;
  reviews: number;
  rejections: number;
  gateFailures: number;
  idleTicks: number;
  planned: number;
  dependencyCards: number;
  readonly coverage: number[];
  readonly branches: number[];
}

/** A team in a sprint that is being played. */
export interface TeamPlay {
  readonly id: string;
  readonly workers: Worker[];
  readonly random: Random;
  readonly disturbances: readonly Disturbance[];
  blast: Blast;
  /** Points of work that bring no card further, to be worked off first. */
  debt: number;
  /** Coverage that disturbances have cost. */
  regression: number;
  readonly sessions: PairSession[];
  /** Started and not yet handed in, by task. */
  readonly pairing: Map<string, { navigator: string; since: number }>;
  readonly swaps: Swap[];
  readonly specialists: TeamRecord["specialists"][number][];
  readonly departures: TeamRecord["departure_events"][number][];
  readonly backfills: TeamRecord["backfill_events"][number][];
  readonly tally: Tally;
  /** Cards that were blocked at some time of the sprint. */
  readonly blocked: Set<string>;
  /** Cards that wait for another team. */
  readonly waiting: Set<string>;
  /** What planning has taken on, in the board's order. */
  readonly planned: string[];
  plan?: PlanningRecord;
  readonly standups: StandupRecord[];
  readonly escalations: EscalationRecord[];
  /** Closed in this sprint; what the team shows in its review. */
  readonly finished: { readonly id: string; readonly title: string; readonly points: number; readonly by: string }[];
  /** Decisions that have got a number. */
  decided: number;
}

export interface SprintPlay {
  readonly stage: Stage;
  readonly config: ProjectConfig;
  readonly state: RunState;
  readonly n: number;
  readonly startedAt: number;
  readonly dayMs: number;
  readonly teams: TeamPlay[];
  readonly learnings: Learning[];
  /** Dependencies that the coordinators want done first, by id. */
  readonly urgent: Set<string>;
}

export function teamPlay(
  config: ProjectConfig,
  seed: number,
  n: number,
  team: { id: string; workers: Worker[]; disturbances: readonly Disturbance[] },
): TeamPlay {
  const capacity = team.workers.filter((one) => develops(one.member)).length * config.sprint.points_per_developer;
  return {
    ...team,
    random: randomStream(seed, "work", team.id, n),
    blast: blastOf(config, capacity),
    debt: 0,
    regression: 0,
    sessions: [],
    pairing: new Map(),
    swaps: [],
    specialists: [],
    departures: [],
    backfills: [],
    blocked: new Set(),
    waiting: new Set(),
    planned: [],
    standups: [],
    escalations: [],
    finished: [],
    decided: 0,
    tally: {
      wipRefusals: 0,
      reviews: 0,
      rejections: 0,
      gateFailures: 0,
      idleTicks: 0,
      planned: 0,
      dependencyCards: 0,
      coverage: [],
      branches: [],
    },
  };
}

export function cardOf(play: SprintPlay, key: string): Card {
  const card = play.state.cards[key];
  if (!card) throw new Error(`no card ${key} in the run's state`);
  return card;
}

export function change(play: SprintPlay, key: string, patch: Partial<Card>): Card {
  const card = { ...cardOf(play, key), ...patch };
  play.state.cards[key] = card;
  return card;
}

/** How fast an agent is now: new (AG-09), away from home (BO-08), with what it has learned (AG-06), in which profile. */
export function paceOf(play: SprintPlay, team: TeamPlay, worker: Worker, card: Card): Pace {
  const { config, state, n } = play;
  const { member } = worker;
  const isNew =
    member.joined > 1 && n - member.joined < config.onboarding.sprints && practiceOn(config, team.id, "onboarding");
  const learned = practiceOn(config, member.home, "meta_learning")
    ? Math.min(config.meta_learning.max_gain, (state.learned[member.id] ?? 0) * config.meta_learning.gain_per_learning)
    : 0;
  const away = worker.daysAway === undefined ? 1 : contextSwitch(worker.daysAway + dayOf(play));
  const swap = state.swaps.find((one) => one.agent === member.id && one.to === card.domain);
  return {
    factor: (isNew ? config.onboarding.velocity_factor : 1) * (1 + learned) * away,
    ...(swap ? { swapped: swap.proficiency / config.profile_swapping.slowdown } : {}),
  };
}

export function speedOn(play: SprintPlay, team: TeamPlay, worker: Worker, card: Card): number {
  return speedOf(worker.member, card.domain, paceOf(play, team, worker, card));
}

/** The day of the sprint, from 0, with its part. */
export function dayOf(play: SprintPlay): number {
  return (play.stage.clock.now - play.startedAt) / play.dayMs;
}

export function isoAt(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whoever speaks for the team: its lead, else its product owner, else anybody; where nobody is left, the lead of all. */
export function whoSpeaks(team: TeamPlay): Worker["principal"] {
  const roles = ["dev_lead", "product_owner", "qa_lead"] as const;
  for (const role of roles) {
    const found = team.workers.find((worker) => worker.member.role === role);
    if (found) return found.principal;
  }
  return team.workers[0]?.principal ?? lead;
}
