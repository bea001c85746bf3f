/** A team as coordinators are shown it; what is measured comes from the server (requirement CO-06). Times are ms. */
export interface TeamFacts {
  readonly team: string;
  /** Points of the last sprint that has ended. */
  readonly velocity: number;
  /** The same of the last sprints, oldest first. */
  readonly velocity_trend: readonly number[];
  readonly wip: number;
  readonly oldest_wip_ms: number;
  readonly blocked: number;
  readonly blocked_ms: number;
  readonly agents: number;
  readonly borrowed_in: readonly string[];
  readonly borrowed_out: readonly string[];
  /** Sprints lent less sprints borrowed (requirement BO-07). */
  readonly debt: number;
  /** Agents the team could lend now, by their ids (CO-08). */
  readonly lendable: readonly string[];
  /** Teams that agents have worked in on earlier loans, by id; of those with none nothing is said (BO-12). */
  readonly worked_in?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** A dependency between two teams (requirements DE-01, DE-02). */
export interface Need {
  readonly id: string;
  readonly task: string;
  readonly team: string;
  readonly needs_team: string;
  readonly type: string;
  readonly status: string;
  /** The task that delivers it, where one is named. */
  readonly needed_task?: string | undefined;
  /** How long it has been open, or was. */
  readonly open_ms: number;
  /** Since the round before: declared, resolved, or still open as it was. */
  readonly change: "new" | "resolved" | "open";
}

export interface LastSprint {
  readonly n: number;
  readonly teams: readonly { readonly team: string; readonly velocity: number; readonly done: number }[];
}

/** What a round has seen; its prompts are made of nothing else. */
export interface Facts {
  readonly sprint: number;
  readonly teams: readonly TeamFacts[];
  /** Undefined where nobody looks (`dependency_tracking: false`, requirement DE-03). */
  readonly needs: readonly Need[] | undefined;
  readonly last: LastSprint | undefined;
  readonly max_borrows: number;
  readonly duration_sprints: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** `40 min`, `2.5 h`, `3.0 d` */
export function span(ms: number): string {
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  return ms < 48 * HOUR ? `${(ms / HOUR).toFixed(1)} h` : `${(ms / HOUR / 24).toFixed(1)} d`;
}

/** One line of a team's health. */
export function teamLine(facts: TeamFacts): string {
  const { team, velocity, velocity_trend, wip, oldest_wip_ms, blocked, blocked_ms, agents } = facts;
  const before = velocity_trend.slice(0, -1);
  return [
    `- ${team}: velocity ${velocity}${before.length > 0 ? ` (before: ${before.join(", ")})` : ""}`,
    `WIP ${wip}${wip > 0 ? ` (the oldest for ${span(oldest_wip_ms)})` : ""}`,
    `blocked ${blocked}${blocked > 0 ? ` (${span(blocked_ms)} in all)` : ""}`,
    `${agents} ${agents === 1 ? "agent" : "agents"}`,
    `borrowed in: ${listed(facts.borrowed_in)}`,
    `borrowed out: ${listed(facts.borrowed_out)}`,
  ].join(", ");
}

/** `- tw-1: alpha → beta (needs_api, open), for 3.0 h, waits for tw-9` */
export function needLine(need: Need): string {
  const { task, team, needs_team, type, status, needed_task, open_ms, change } = need;
  const waits = needed_task === undefined || status !== "open" ? "" : `, waits for ${needed_task}`;
  const news = change === "new" ? ", new" : "";
  return `- ${task}: ${team} → ${needs_team} (${type}, ${status})${news}, ${status === "open" ? "" : "was open "}for ${span(open_ms)}${waits}`;
}

export function listed(words: readonly string[]): string {
  return words.length === 0 ? "none" : words.join(", ");
}

/**
 * The evaluation where nobody evaluates (requirement CO-09): the teams looked at, who has blocked work, how many needs
 * are open, and one recommendation per thing that stands out.
 */
export function plainEvaluation(facts: Facts): string {
  const names = facts.teams.map(({ team }) => team);
  const blocked = facts.teams.filter((team) => team.blocked > 0);
  const open = (facts.needs ?? []).filter((need) => need.status === "open");
  const advice = [
    ...blocked.map((team) => `RECOMMEND: ${unblock(team)}`),
    ...open.map(
      (need) => `RECOMMEND: ${need.needs_team} takes up first what ${need.team} needs for ${need.task} (${need.type})`,
    ),
  ];
  return [
    `Looked at ${names.length} teams: ${names.join(", ")}.`,
    `Teams with blocked work: ${listed(blocked.map(({ team }) => team))}.`,
    facts.needs ? `Open needs between teams: ${open.length}.` : "Needs between teams are not tracked.",
    ...(advice.length > 0 ? advice.slice(0, MOST_ADVICE) : ["RECOMMEND: keep watching the health of the teams"]),
  ].join("\n");
}

const MOST_ADVICE = 10;

/** The check-in where nobody is asked (requirement CO-09). */
export function plainCheckin(facts: Facts): string {
  const blocked = facts.teams.filter((team) => team.blocked > 0);
  if (blocked.length === 0) return "RECOMMEND: no team has blocked work; go on as planned";
  return blocked.map((team) => `RECOMMEND: ${unblock(team)}`).join("\n");
}

/** The orientation where nobody is asked (requirement CO-09). */
export function plainOrientation(facts: Facts): string {
  return `${facts.teams.length} teams begin: ${facts.teams.map(({ team, agents }) => `${team} (${agents} ${agents === 1 ? "agent" : "agents"})`).join(", ")}.`;
}

function unblock({ team, blocked, blocked_ms }: TeamFacts): string {
  return `${team} has ${blocked} blocked ${blocked === 1 ? "task" : "tasks"} (${span(blocked_ms)} in all): find out what holds ${blocked === 1 ? "it" : "them"}`;
}
