import type { DistributionStrategy } from "../../config/coordination.schema.ts";
import { type Classification, type Classified, classify, type TeamType } from "./classify.rules.ts";

export interface PendingStory extends Classified {
  readonly key: string;
}

export interface TeamPlace {
  readonly id: string;
  readonly name?: string | undefined;
  readonly type?: TeamType | undefined;
  /** Stories it can still take. */
  readonly capacity: number;
  /** Stories it has had so far: who had fewer is first in turn. */
  readonly had: number;
  /** Stories it holds and has not begun. */
  readonly holds: number;
  /** What each of its agents can, primary and auxiliary. */
  readonly specialists: readonly (readonly string[])[];
}

export interface Assignment {
  readonly story: string;
  readonly to: string;
  readonly reason: string;
}

export interface Placement {
  readonly key: string;
  readonly team: string;
  readonly why: string;
}

export interface Plan {
  readonly placements: readonly Placement[];
  readonly ignored: readonly { readonly story: string; readonly why: string }[];
}

export interface PlanFacts {
  /** In the order they are to be given out; those that are named by assignments are among them. */
  readonly stories: readonly PendingStory[];
  /** Those that draw from the portfolio. */
  readonly teams: readonly TeamPlace[];
  readonly strategy: DistributionStrategy;
  readonly isBrownfield: boolean;
  readonly assignments: readonly Assignment[];
}

/** Stories a team may still be given: so many per sprint, less those it holds and has not begun. */
export function capacityOf(storiesPerTeam: number, holdsUnstarted: number): number {
  return Math.max(0, storiesPerTeam - holdsUnstarted);
}

/**
 * Who gets what (requirements PF-02, PF-03, PF-05, PF-08). A story goes to one team at most, no team gets more than its
 * capacity, and what finds no place stays where it is. A coordinator's assignments come first, the rest by the heuristic.
 */
export function planDistribution(facts: PlanFacts): Plan {
  const state = new State(facts.teams);
  const ignored: { story: string; why: string }[] = [];
  const open = new Map(facts.stories.map((story) => [story.key, story]));
  for (const assignment of facts.assignments) {
    const why = assign(state, open, assignment);
    if (why !== undefined) ignored.push({ story: assignment.story, why });
  }
  const left = [...open.values()];
  if (facts.strategy === "round_robin" && facts.assignments.length === 0) inTurn(state, left);
  else byScore(state, left, facts.isBrownfield);
  return { placements: state.placements, ignored };
}

class State {
  readonly placements: Placement[] = [];
  readonly teams: readonly TeamPlace[];
  private readonly given = new Map<string, number>();

  constructor(teams: readonly TeamPlace[]) {
    this.teams = teams;
  }

  taken(team: TeamPlace): number {
    return this.given.get(team.id) ?? 0;
  }

  hasRoom(team: TeamPlace): boolean {
    return this.taken(team) < team.capacity;
  }

  place(story: PendingStory, team: TeamPlace, why: string): void {
    this.placements.push({ key: story.key, team: team.id, why });
    this.given.set(team.id, this.taken(team) + 1);
  }
}

/** Undefined when it was done, else why not. */
function assign(state: State, open: Map<string, PendingStory>, { story: key, to, reason }: Assignment) {
  const story = open.get(key) ?? onlyAlike([...open.values()], key);
  if (!story) return "no story of this id is waiting, or it was assigned by an earlier line";
  const team = teamNamed(state.teams, to);
  if (!team)
    return `${to} is no team that draws from the portfolio; those are ${state.teams.map(({ id }) => id).join(", ")}`;
  if (!state.hasRoom(team)) return `${team.id} has no room for another story`;
  open.delete(story.key);
  state.place(story, team, reason);
  return undefined;
}

function onlyAlike(stories: readonly PendingStory[], key: string): PendingStory | undefined {
  const alike = stories.filter((story) => story.key.toLowerCase() === key.toLowerCase());
  return alike.length === 1 ? alike[0] : undefined;
}

function teamNamed(teams: readonly TeamPlace[], word: string): TeamPlace | undefined {
  const exact = teams.find(({ id }) => id === word);
  if (exact) return exact;
  const alike = teams.filter(({ id, name }) => [id, name].some((known) => known?.toLowerCase() === word.toLowerCase()));
  return alike.length === 1 ? alike[0] : undefined;
}

/** One each, and again; who had fewest so far begins. Shares differ by one at most where there is room (PF-02). */
function inTurn(state: State, stories: readonly PendingStory[]): void {
  const queue = [...stories];
  const order = state.teams.toSorted((a, b) => a.had - b.had); // stable: else the order of the configuration
  while (queue.length > 0) {
    const before = queue.length;
    for (const team of order) {
      const next = state.hasRoom(team) ? queue.shift() : undefined;
      if (next) state.place(next, team, "in turn");
    }
    if (queue.length === before) return;
  }
}

function byScore(state: State, stories: readonly PendingStory[], isBrownfield: boolean): void {
  for (const story of stories) {
    const about = classify(story);
    let best: { team: TeamPlace; score: number } | undefined;
    for (const team of state.teams) {
      if (!state.hasRoom(team)) continue;
      const score = scoreOf(about, team, team.holds + state.taken(team), isBrownfield);
      if (best === undefined || score > best.score) best = { team, score }; // a tie is the first team's
    }
    if (!best) return;
    state.place(story, best.team, `${about.type}, score ${best.score}`);
  }
}

/** requirement PF-03 */
export function scoreOf(about: Classification, team: TeamPlace, holds: number, isBrownfield: boolean): number {
  let score = 0;
  if (team.type === about.type) score += isBrownfield ? 15 : 10;
  if (team.type === undefined && about.type === "stream_aligned") score += 2;
  if (about.confidence < 0.5 && team.type === "stream_aligned") score += 2;
  const fitting = team.specialists.filter((specialist) => specialist.some((each) => about.domains.includes(each)));
  return score + Math.min(9, 3 * fitting.length) - holds;
}
