import type { Member } from "./people.rules.ts";
import type { Random } from "./random.rules.ts";
import { clamp, fitOf, type TechTask } from "./work.rules.ts";

/** What planning has decided: the stories that were looked at, and those of them the team takes on. */
export interface Commitment<T> {
  readonly looked: readonly T[];
  readonly taken: readonly T[];
  readonly points: number;
  /** The first story beyond the capacity, where planning has stopped. */
  readonly stoppedAt?: T;
}

/** Stories in the board's order up to the capacity in points: the first one beyond it ends planning (AG-01). */
export function commit<T extends { readonly points: number }>(
  stories: readonly T[],
  { capacity, candidates }: { readonly capacity: number; readonly candidates: number },
): Commitment<T> {
  const looked = stories.slice(0, candidates);
  let points = 0;
  for (const [index, story] of looked.entries()) {
    if (points + story.points > capacity)
      return { looked: looked.slice(0, index + 1), taken: looked.slice(0, index), points, stoppedAt: story };
    points += story.points;
  }
  return { looked, taken: looked, points };
}

export interface Question {
  readonly by: string;
  readonly text: string;
}

/** How often somebody has a question. */
const ASKS = 0.35;

/** Each of at most `most` agents asks one question about a story that is presented (AG-01). */
export function questionsAbout(members: readonly Member[], most: number, random: Random): Question[] {
  const asking = random.shuffled(members.filter(({ role }) => role !== "product_owner"));
  return asking
    .filter(() => random.chance(ASKS))
    .slice(0, most)
    .map(({ id }) => ({ by: id, text: random.pick(questions) }));
}

const questions = [
  "Who will use it first?",
  "What happens when it fails half-way?",
  "How many at once does it have to bear?",
  "What is left out on purpose?",
  "Which number shows that it works?",
  "Does anything that is there already change for users?",
] as const;

/** Effort of one point in hours: a mid-level developer's day. */
const HOURS_PER_POINT = 8;

export interface StoryToCut {
  readonly key: string;
  readonly title: string;
  readonly points: number;
  readonly domain: string;
}

export interface CutSettings {
  readonly min_tasks: number;
  readonly max_tasks: number;
  readonly hours: readonly number[];
}

const parts = ["Build the thin slice", "Cover it with tests", "Handle what goes wrong", "Join it to what is there"];

/**
 * Technical planning (AG-01): each story becomes tasks T-SS-NNN with one of the allowed sizes in hours, an owner by
 * specialisation and a navigator who brings what the owner lacks. Nobody gets more than `hoursEach` while others have
 * room. Without developers there are no tasks.
 */
export function cutStories(
  stories: readonly StoryToCut[],
  developers: readonly Member[],
  { n, settings, hoursEach }: { readonly n: number; readonly settings: CutSettings; readonly hoursEach: number },
): Map<string, TechTask[]> {
  const load = new Map<string, number>();
  const beside = new Map<string, number>();
  const tasks = new Map<string, TechTask[]>();
  let number = 0;
  for (const story of developers.length === 0 ? [] : stories) {
    const count = tasksOf(story.points, settings);
    const hours = nearest((story.points * HOURS_PER_POINT) / count, settings.hours);
    const cut = Array.from({ length: count }, (_, index): TechTask => {
      number += 1;
      const owner = ownerOf(developers, story.domain, (id) => (load.get(id) ?? 0) + hours > hoursEach, load);
      load.set(owner.id, (load.get(owner.id) ?? 0) + hours);
      const navigator = navigatorOf(developers, owner, (id) => (load.get(id) ?? 0) + (beside.get(id) ?? 0));
      if (navigator) beside.set(navigator.id, (beside.get(navigator.id) ?? 0) + hours);
      return {
        id: `T-${String(n).padStart(2, "0")}-${String(number).padStart(3, "0")}`,
        title: `${parts[index] ?? `Part ${index + 1}`}: ${story.title}`,
        hours,
        owner: owner.id,
        navigator: navigator?.id ?? null,
      };
    });
    tasks.set(story.key, cut);
  }
  return tasks;
}

function tasksOf(points: number, { min_tasks, max_tasks }: CutSettings): number {
  return clamp(points <= 2 ? 2 : points <= 5 ? 3 : 4, min_tasks, Math.max(min_tasks, max_tasks));
}

function nearest(wish: number, sizes: readonly number[]): number {
  return [...sizes].sort((a, b) => Math.abs(a - wish) - Math.abs(b - wish) || a - b)[0] ?? wish;
}

type Load = ReadonlyMap<string, number>;

function ownerOf(developers: readonly Member[], domain: string, isFull: (id: string) => boolean, load: Load): Member {
  return best(developers, (one) => [isFull(one.id) ? 1 : 0, -fitOf(one, domain), load.get(one.id) ?? 0]);
}

/** Another field first, then another seniority, then who has least to do. */
function navigatorOf(
  developers: readonly Member[],
  owner: Member,
  hoursOf: (id: string) => number,
): Member | undefined {
  const others = developers.filter(({ id }) => id !== owner.id);
  if (others.length === 0) return undefined;
  return best(others, (one) => [
    one.primary === owner.primary ? 1 : 0,
    one.seniority === owner.seniority ? 1 : 0,
    hoursOf(one.id),
  ]);
}

/** The one whose numbers come first; equals by id. `list` is not empty. */
function best(list: readonly Member[], rank: (member: Member) => readonly number[]): Member {
  const ranked = list.map((member) => ({ member, numbers: rank(member) }));
  ranked.sort((a, b) => {
    const differing = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
    if (differing === -1) return a.member.id < b.member.id ? -1 : 1;
    return (a.numbers[differing] ?? 0) - (b.numbers[differing] ?? 0);
  });
  return (ranked[0] as (typeof ranked)[number]).member;
}
