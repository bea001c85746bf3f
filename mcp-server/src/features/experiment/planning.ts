import { isNeeded, type OpenCard, openCards, type StoryFacts, storyFacts } from "./experiment.store.ts";
import { develops } from "./people.rules.ts";
import { change, type SprintPlay, type TeamPlay, whoSpeaks } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { lead } from "./stage.ts";
import { type Card, estimate, surprise } from "./work.rules.ts";

type Kind = Card["kind"];

/** A card's facts for the simulation, from its story or, where it has none, from itself. */
export function newCard(
  play: SprintPlay,
  team: string,
  task: { key: string; title: string; points: number | null },
  facts: { kind: Kind; domain?: string | undefined; resolves?: string; story?: string | undefined },
): Card {
  // by the story and not by its card: variants with the same seed have the same surprises
  const random = randomStream(play.state.seed, "story", facts.story ?? task.title);
  const points = task.points ?? estimate(random);
  const effort = points * surprise(random);
  const workers = play.teams.find(({ id }) => id === team)?.workers ?? [];
  const fields = workers.flatMap(({ member }) => (develops(member) ? [member.primary] : []));
  const domain = facts.domain ?? (fields.length > 0 ? random.pick(fields) : "backend");
  const card: Card = {
    key: task.key,
    team,
    title: task.title,
    kind: facts.kind,
    domain,
    points,
    left: effort,
    rejections: 0,
    fixes: 0,
    coverage: 0,
    branches: 0,
    complexity: 0,
    risk: 0,
    ...(facts.resolves === undefined ? {} : { resolves: facts.resolves }),
    ...(facts.story === undefined ? {} : { story: facts.story }),
  };
  play.state.cards[task.key] = card;
  return card;
}

/** A card that came to the board by itself, such as one that a person has added. */
export async function adopt(
  play: SprintPlay,
  team: string,
  task: { id: string; title: string; points?: number },
): Promise<Card> {
  return newCard(play, team, { key: task.id, title: task.title, points: task.points ?? null }, { kind: "story" });
}

/** The team looks at its board: sizes are given, what waits for others is marked, what others wait for becomes a card. */
export async function planTeam(play: SprintPlay, team: TeamPlay): Promise<void> {
  const { db } = play.stage.runtime.store;
  const stories = await storyFacts(db, team.id);
  const cards = await openCards(db, team.id);
  for (const row of cards) {
    if (!play.state.cards[row.key]) await size(play, team, row, stories.get(row.key));
    await markWaiting(play, team, row);
  }
  team.tally.planned = plannedPoints(play, team, cards);
  await provideForOthers(play, team);
}

async function size(play: SprintPlay, team: TeamPlay, row: OpenCard, story: StoryFacts | undefined): Promise<void> {
  const card = newCard(play, team.id, row, { kind: "story", domain: story?.domain ?? undefined, story: story?.story });
  if (row.points === null) await play.stage.must(whoSpeaks(team), "task_update", { id: row.key, points: card.points });
}

/** Cards that wait for another team carry the flag, so that the time they wait is recorded (requirement DE-05). */
async function markWaiting(play: SprintPlay, team: TeamPlay, row: OpenCard): Promise<void> {
  const waits = row.openBlockers > 0;
  if (waits) team.tally.dependencyCards += 1;
  if (waits || row.blockedSince !== null) team.blocked.add(row.key);
  if (waits) team.waiting.add(row.key);
  const isMarked = row.blockedReason?.startsWith(WAITS) === true;
  if (waits === isMarked || (waits && row.blockedSince !== null)) return;
  await play.stage.may(
    lead,
    "task_update",
    waits ? { id: row.key, block: `${WAITS} another team` } : { id: row.key, unblock: true },
  );
}

const WAITS = "Waits for";

/** Takes the flag off what waits no longer. */
export async function endWaiting(play: SprintPlay, team: TeamPlay): Promise<void> {
  if (team.waiting.size === 0) return;
  for (const row of await openCards(play.stage.runtime.store.db, team.id)) {
    if (row.openBlockers > 0 || !team.waiting.delete(row.key)) continue;
    if (row.blockedReason?.startsWith(WAITS)) await play.stage.may(lead, "task_update", { id: row.key, unblock: true });
  }
}

/** What is begun first, up to the team's capacity: planning stops at the first card beyond (AG-01). */
function plannedPoints(play: SprintPlay, team: TeamPlay, cards: readonly OpenCard[]): number {
  const { points_per_developer, max_candidates } = play.config.sprint;
  const capacity = team.workers.filter((one) => develops(one.member)).length * points_per_developer;
  let planned = 0;
  for (const row of cards.filter((one) => one.openBlockers === 0).slice(0, max_candidates)) {
    const points = play.state.cards[row.key]?.points ?? 0;
    if (planned + points > capacity) break;
    planned += points;
  }
  return planned;
}

/** Sizes of what one team builds for another. */
const PROVIDE_POINTS = { shared_component: 1, needs_api: 2, blocks: 2 } as const;

/**
 * What other teams wait for becomes a card of this team's board. By itself a team puts its own stories first; what the
 * coordinators call urgent comes before them (requirement DE-04).
 */
export async function provideForOthers(play: SprintPlay, team: TeamPlay): Promise<void> {
  const { stage, state } = play;
  if (!(await isNeeded(stage.runtime.store.db, team.id))) return;
  const speaker = whoSpeaks(team);
  const answer = await stage.must(speaker, "dependency_list", { team: team.id, status: "open", limit: 50 });
  for (const need of answer.dependencies as { id: string; needs_team: string; team: string; type: string }[]) {
    if (need.needs_team !== team.id) continue;
    const isUrgent = play.urgent.has(need.id);
    const known = Object.values(state.cards).find((card) => card.resolves === need.id);
    if (known) {
      if (isUrgent) await stage.may(speaker, "task_update", { id: known.key, priority: URGENT });
      continue;
    }
    const points = PROVIDE_POINTS[need.type as keyof typeof PROVIDE_POINTS] ?? 2;
    const title = `Provide what ${need.team} waits for (${need.id})`;
    const made = await stage.must(speaker, "task_create", {
      title,
      team: team.id,
      acceptance: `${need.team} can go on: dependency ${need.id} is resolved.`,
      priority: isUrgent ? URGENT : LATER,
      points,
      labels: ["dependency"],
    });
    newCard(play, team.id, { key: made.task.id, title, points }, { kind: "provide", resolves: need.id });
  }
}

const URGENT = 1;
const LATER = 3;

/** A card that nobody planned: on the board of the team it struck (requirement KB-09). */
export async function surpriseCard(
  play: SprintPlay,
  team: TeamPlay,
  draft: { title: string; points: number; priority: number; label: string; kind: Kind; domain?: string },
): Promise<Card> {
  const made = await play.stage.must(whoSpeaks(team), "task_create", {
    title: draft.title,
    team: team.id,
    acceptance: "Nobody is troubled by it any more.",
    priority: draft.priority,
    points: draft.points,
    kind: draft.kind === "hotfix" ? "bug" : "task",
    labels: [draft.label],
  });
  const card = newCard(play, team.id, { key: made.task.id, title: draft.title, points: draft.points }, draft);
  return change(play, card.key, { risk: draft.kind === "hotfix" ? 0.05 : 0 });
}
