import type { ProjectConfig } from "../../config/config.schema.ts";
import { type DisturbanceKind, disturbanceKinds } from "../../config/experiment.schema.ts";
import { practiceOn } from "../../config/practices.rules.ts";
import type { Member } from "./people.rules.ts";
import { randomStream } from "./random.rules.ts";

/** One disturbance of a team's sprint; `day` is when it strikes. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  /** From 0. */
  readonly day: number;
}

/** Rolled per team, each kind from a stream of its own, so that another chance shifts no other roll (AG-02, EX-06). */
export function rollDisturbances(
  config: ProjectConfig,
  seed: number,
  team: string,
  sprint: number,
  members: readonly Member[],
): Disturbance[] {
  if (!practiceOn(config, team, "disturbances")) return [];
  return disturbanceKinds.flatMap((kind) => {
    const random = randomStream(seed, "disturbance", kind, team, sprint);
    const strikes = random.chance(config.disturbances.frequencies[kind]);
    const day = random.between(0, config.sprint.days - 1);
    if (!strikes) return [];
    if (kind === "junior_misunderstanding" && !members.some((one) => one.seniority === "junior")) return [];
    return [{ kind, day }];
  });
}

/** What disturbances may still cost a team in a sprint: points of effort, and coverage (blast radius, AG-02). */
export interface Blast {
  readonly points: number;
  readonly quality: number;
}

export function blastOf(config: ProjectConfig, capacity: number): Blast {
  const { max_velocity_impact, max_quality_regression } = config.disturbances.blast_radius;
  return { points: capacity * max_velocity_impact, quality: max_quality_regression };
}

/** Takes as much of the wish as is left; the rest of the radius goes on. */
export function spend(blast: Blast, wish: Partial<Blast>): { cost: Blast; left: Blast } {
  const cost = {
    points: Math.min(blast.points, wish.points ?? 0),
    quality: Math.min(blast.quality, wish.quality ?? 0),
  };
  return { cost, left: { points: blast.points - cost.points, quality: blast.quality - cost.quality } };
}

/** What each kind costs by itself, in points and coverage; hotfix and scope creep come as cards. */
export const wishes: Readonly<Record<DisturbanceKind, Partial<Blast>>> = {
  dependency_breaks: { points: 1 },
  production_incident: { points: 0.5, quality: 0.02 },
  flaky_test: { points: 0.8, quality: 0.05 },
  scope_creep: {},
  junior_misunderstanding: { points: 1, quality: 0.02 },
  architectural_debt: { points: 1.5, quality: 0.05 },
  merge_conflict: { points: 0.6 },
};
