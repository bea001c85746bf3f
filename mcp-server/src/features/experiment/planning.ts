import { practiceOn } from "../../config/practices.rules.ts";
import { isNeeded, type OpenCard, openCards, type StoryFacts, storyFacts } from "./experiment.store.ts";
import { develops } from "./people.rules.ts";
import { commit, cutStories, questionsAbout } from "./planning.rules.ts";
import { cardOf, change, type SprintPlay, type TeamPlay, type Worker, whoSpeaks } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { lead } from "./stage.ts";
import type { PlannedStory } from "./state.rules.ts";
import { type Card, estimate, storySizes, surprise } from "./work.rules.ts";

type Kind = Card["kind"];

/** A card's facts for the simulation, from its story or, where it has none, from itself. */
function newCard(
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

/**
 * Planning and technical planning (AG-01): sizes are given, what waits for others is marked, stories are presented and
 * taken on, and cut into tasks; what others wait for becomes a card.
 */
export async function planTeam(play: SprintPlay, team: TeamPlay): Promise<void> {
  const { db } = play.stage.runtime.store;
  const stories = await storyFacts(db, team.id);
  const cards = await openCards(db, team.id);
  const sized = new Set<string>();
  for (const row of cards) {
    if (row.points === null) sized.add(row.key);
    if (!play.state.cards[row.key]) await size(play, team, row, stories.get(row.key));
    await markWaiting(play, team, row);
  }
  present(play, team, cards, sized);
  cutIntoTasks(play, team);
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

/** The product owner presents what is begun first, agents ask, and the team takes on what it has room for. */
function present(play: SprintPlay, team: TeamPlay, cards: readonly OpenCard[], sized: ReadonlySet<string>): void {
  const { max_candidates, points_per_developer } = play.config.sprint;
  const developers = team.workers.filter((one) => develops(one.member)).length;
  const capacity = developers * points_per_developer;
  const ready = cards
    .filter(({ openBlockers }) => openBlockers === 0)
    .map((row) => ({ row, points: play.state.cards[row.key]?.points ?? 0 }));
  const { looked, taken, points, stoppedAt } = commit(ready, { capacity, candidates: max_candidates });
  const owner = team.workers.find(({ member }) => member.role === "product_owner");
  team.tally.planned = points;
  team.planned.push(...taken.map(({ row }) => row.key));
  team.plan = {
    sprint: play.n,
    team_id: team.id,
    presented_by: owner?.member.id ?? whoSpeaks(team).name,
    estimated_by: whoSpeaks(team).name,
    scale: storySizes,
    developers,
    capacity,
    candidates: looked.map((one, index) =>
      candidate(play, team, one.row, sized.has(one.row.key), index < taken.length),
    ),
    planned_points: points,
    stopped_at: stoppedAt?.row.key ?? null,
    tasks: [],
  };
}

/** A story that is presented for the first time is asked about; what is answered then no review finds later. */
function candidate(play: SprintPlay, team: TeamPlay, row: OpenCard, sized: boolean, planned: boolean): PlannedStory {
  const card = cardOf(play, row.key);
  const isNew = card.presented === undefined;
  const random = randomStream(play.state.seed, "questions", team.id, card.story ?? card.title);
  const members = isNew ? team.workers.map(({ member }) => member) : [];
  const questions = questionsAbout(members, play.config.sprint.max_questions, random);
  if (isNew) change(play, row.key, { presented: play.n, risk: card.risk - ANSWERED * questions.length });
  const { title, domain, points } = card;
  return {
    id: row.key,
    title,
    domain,
    points,
    estimated: sized,
    carried_over: row.status !== "open" || !isNew,
    questions,
    planned,
  };
}

/** How much an answered question lowers the chance that a review finds something. */
const ANSWERED = 0.01;
const HOURS_PER_DAY = 8;

/** Each story that is taken on becomes tasks, once; the card stays the unit of boards, limits and velocity. */
function cutIntoTasks(play: SprintPlay, team: TeamPlay): void {
  const { config, n } = play;
  if (!practiceOn(config, team.id, "technical_planning")) return;
  const developers = team.workers.flatMap(({ member }) => (develops(member) ? [member] : []));
  const stories = team.planned.map((key) => cardOf(play, key)).filter(({ tasks }) => tasks === undefined);
  const hoursEach = config.sprint.days * HOURS_PER_DAY;
  const cut = cutStories(stories, developers, { n, settings: config.technical_planning, hoursEach });
  for (const [key, tasks] of cut) {
    change(play, key, { tasks });
    team.plan?.tasks.push(...tasks.map((task) => ({ ...task, story: key })));
  }
}

/**
 * The story whose first task the agent owns and which nobody has begun: it takes that one first. What is on fire or what
 * the coordinators call urgent goes before anybody's own.
 */
export function ownStory(play: SprintPlay, team: TeamPlay, worker: Worker): string | undefined {
  if (!practiceOn(play.config, team.id, "technical_planning")) return undefined;
  const isNew = (card: Card) => card.team === team.id && card.firstClaimed === undefined;
  const isUrgent = (card: Card) => card.kind === "hotfix" || play.urgent.has(card.resolves ?? "");
  if (Object.values(play.state.cards).some((card) => isNew(card) && isUrgent(card))) return undefined;
  return team.planned.find((key) => {
    const card = play.state.cards[key];
    return card !== undefined && isNew(card) && !team.waiting.has(key) && card.tasks?.[0]?.owner === worker.member.id;
  });
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
