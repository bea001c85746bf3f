import * as z from "zod";
import type { ReviewRecord, SprintRecord, TeamRecord } from "./state.rules.ts";

/** A stakeholder's word, as a file or a webhook's answer gives it (requirement AG-04). */
export const feedback = z.object({
  decision: z.enum(["approved", "rejected", "approved_with_changes"]),
  feedback_text: z.string().max(20_000).default(""),
  priority_changes: z
    .array(
      z.object({
        story_id: z.string().min(1).max(255),
        action: z.string().min(1).max(64),
        reason: z.string().max(2000).default(""),
      }),
    )
    .max(200)
    .default([]),
  new_stories: z
    .array(
      z.looseObject({ title: z.string().min(1).max(400), story_points: z.number().int().min(0).max(100).optional() }),
    )
    .max(200)
    .default([]),
  respondent: z.string().max(200).default("stakeholder"),
});
export type Feedback = z.infer<typeof feedback>;

/** What the stakeholder is shown. */
export interface ReviewRequest {
  readonly experiment_name: string;
  readonly sprint: number;
  readonly velocity_trend: readonly number[];
  readonly total_features: number;
  readonly avg_coverage: number | null;
  readonly avg_cycle_time: number | null;
  readonly disturbances: readonly string[];
  readonly completed_stories: readonly string[];
  readonly po_assessment: string;
  /** Where the answer is read from. */
  readonly feedback_target: string;
}

export function reviewRequest(
  name: string,
  records: readonly SprintRecord[],
  completed: readonly string[],
  target: string,
): ReviewRequest {
  const played = records.filter(({ sprint }) => sprint > 0);
  const trend = played.map((record) => sum(Object.values(record.teams).map((team) => team.velocity)));
  const teams = played.flatMap((record) => Object.values(record.teams));
  const last = played.at(-1);
  return {
    experiment_name: name,
    sprint: last?.sprint ?? 0,
    velocity_trend: trend,
    total_features: sum(teams.map((team) => team.features_completed)),
    avg_coverage: mean(teams.map((team) => team.test_coverage)),
    avg_cycle_time: mean(teams.map((team) => team.cycle_time_avg)),
    disturbances: Object.values(last?.teams ?? {}).flatMap((team) => team.disturbances.map(({ kind }) => kind)),
    completed_stories: completed,
    po_assessment: assessment(trend),
    feedback_target: target,
  };
}

function assessment(trend: readonly number[]): string {
  const [before, now] = [trend.at(-2), trend.at(-1) ?? 0];
  if (before === undefined) return `The first ${now} points are done.`;
  return now >= before ? `Going well: ${now} points after ${before}.` : `Slower: ${now} points after ${before}.`;
}

/** What the product owner decides in the stakeholder's place: work that came back often is taken with changes. */
export function proxyDecision(teams: readonly TeamRecord[]): ReviewRecord {
  const rejections = sum(teams.map((team) => team.rejections));
  const reviews = Math.max(1, sum(teams.map((team) => team.reviews)));
  const isShaky = rejections / reviews > 0.34;
  return {
    decision: isShaky ? "approved_with_changes" : "approved",
    by: "po_proxy",
    note: `${rejections} of ${reviews} reviews sent work back`,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.round((sum(known) / known.length) * 1000) / 1000;
}
