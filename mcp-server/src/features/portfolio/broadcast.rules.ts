import { holdsTaskBack } from "../dependency/dependency.rules.ts";
import type { Assigned } from "./portfolio.schema.ts";

/** A need of another team that a story has brought along. */
export interface BroughtNeed {
  readonly id: string;
  readonly task: string;
  readonly team: string;
  readonly needs_team: string;
  readonly type: string;
  readonly needed_task?: string | undefined;
}

/** Stories of one backlog that stay where they are. */
export interface Waiting {
  /** Undefined for the portfolio. */
  readonly team?: string | undefined;
  readonly count: number;
  /** The first of them, each with the reason. */
  readonly first: readonly { readonly story: string; readonly why: string }[];
}

export interface DistributionNews {
  readonly sprint: number;
  readonly assigned: readonly Assigned[];
  readonly ignored: readonly { readonly story: string; readonly why: string }[];
  readonly waiting: readonly Waiting[];
  readonly needs: readonly BroughtNeed[];
  readonly timedOut: boolean;
}

const MOST_PER_TEAM = 10;
const MOST_LINES = 10;

/** Which stories went where, which stay and why, and what has to wait, in the three parts a message has (MB-03, MB-07). */
export function distributionText(news: DistributionNews): string {
  const { assigned, ignored, waiting, needs } = news;
  const held = needs.filter(({ type }) => holdsTaskBack(type));
  const left = waiting.reduce((sum, { count }) => sum + count, 0);
  const teams = [...new Set(assigned.map(({ team }) => team))];
  const details = [
    ...(news.timedOut ? ["Out of time: stories went to teams by type, domain and specialisation."] : []),
    ...teams.map((team) => givenLine(team, assigned)),
    ...someOf(ignored, ({ story, why }) => `NOT AS ASKED: ${story}, ${why}`),
    ...waiting.flatMap(waitingLines),
    ...someOf(
      held,
      (need) =>
        `HELD BACK: ${need.task} of ${need.team} needs ${need.needed_task ?? "something"} of ${need.needs_team} (${need.id}, ${need.type})`,
    ),
  ];
  const when = news.sprint === 0 ? "before the first sprint" : `for sprint ${news.sprint}`;
  const counts = [
    `${assigned.length} given out`,
    `${left} wait`,
    ...(held.length > 0 ? [`${held.length} held back`] : []),
  ];
  return [
    `[WHAT] Stories ${when}: ${counts.join(", ")}.`,
    ...(details.length > 0 ? ["[DETAIL]", ...details] : []),
    `[ACTION] ${action(
      teams,
      held.some((need) => need.needed_task === undefined),
      left > 0,
    )}`,
  ].join("\n");
}

function givenLine(team: string, assigned: readonly Assigned[]): string {
  const own = assigned.filter((one) => one.team === team);
  const shown = own.slice(0, MOST_PER_TEAM).map(({ story, task, why }) => `${story} as ${task} (${why})`);
  const more = own.length - shown.length;
  return `GIVEN to ${team}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function waitingLines({ team, count, first }: Waiting): string[] {
  const whose = team === undefined ? "" : ` in ${team}'s own backlog`;
  const more = count - first.length;
  return [
    ...first.map(({ story, why }) => `STAYS${whose}: ${story}, ${why}`),
    ...(more > 0 ? [`and ${more} more${whose}`] : []),
  ];
}

function someOf<T>(items: readonly T[], line: (item: T) => string): string[] {
  const more = items.length - MOST_LINES;
  return [...items.slice(0, MOST_LINES).map(line), ...(more > 0 ? [`and ${more} more`] : [])];
}

function action(teams: readonly string[], isUnnamed: boolean, isLeft: boolean): string {
  if (teams.length > 0)
    return `Teams take theirs with task_ready.${isUnnamed ? " Teams that are needed name the task that delivers with dependency_declare." : ""}`;
  return isLeft ? "Teams finish what they have; what stays is given out as they do." : "None.";
}
