import { heldCards } from "./experiment.store.ts";
import { finish } from "./hand-in.ts";
import { develops, reviews } from "./people.rules.ts";
import { cardOf, change, type SprintPlay, type TeamPlay, type Worker } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { lead } from "./stage.ts";
import { rejectionChance, reworkPoints } from "./work.rules.ts";

/** Reviews one agent manages in half a day. */
const REVIEWS_PER_TICK = 2;

/** Cards in review are approved and closed, or sent back with a reason (AG-01: QA review). */
export async function reviewAll(play: SprintPlay, team: TeamPlay): Promise<void> {
  const waiting = await heldCards(play.stage.runtime.store.db, team.id, "in_review");
  const done = new Map<Worker, number>();
  for (const row of waiting) {
    const reviewer = reviewerFor(team, row.holder, done);
    if (!reviewer) return;
    done.set(reviewer, (done.get(reviewer) ?? 0) + 1);
    await reviewOne(play, team, { key: row.key, holder: row.holder }, reviewer);
  }
}

/** Testers first; where there are none, or they have done their share, a developer who has not written it. */
function reviewerFor(team: TeamPlay, holder: string | null, done: Map<Worker, number>): Worker | undefined {
  const hasTime = (worker: Worker) =>
    (done.get(worker) ?? 0) < REVIEWS_PER_TICK && worker.principal.key !== holder && worker.daysAway === undefined;
  return (
    team.workers.find((worker) => reviews(worker.member) && hasTime(worker)) ??
    team.workers.find((worker) => develops(worker.member) && hasTime(worker))
  );
}

async function reviewOne(
  play: SprintPlay,
  team: TeamPlay,
  { key, holder }: { key: string; holder: string | null },
  reviewer: Worker,
): Promise<void> {
  const { stage, state } = play;
  const card = cardOf(play, key);
  const driver = team.workers.find((worker) => worker.principal.key === holder);
  const session = team.sessions.findLast((one) => one.task_id === key);
  const navigator = session && team.workers.find((worker) => worker.member.id === session.navigator_id)?.member;
  const judge = driver?.member ?? reviewer.member;
  const random = randomStream(state.seed, "review", key, card.rejections);
  team.tally.reviews += 1;
  if (random.chance(rejectionChance(judge, navigator, card))) {
    const reason = random.pick(findings);
    await stage.may(reviewer.principal, "task_update", { id: key, comment: `Reviewed, not yet: ${reason}` });
    // who has judged it does not take it from its holder: the lead does
    const back = await stage.may(lead, "board_move", { id: key, to: "in_progress", reason });
    if (!back) return; // work in progress is full: it waits in review
    team.tally.rejections += 1;
    change(play, key, { left: reworkPoints(card), rejections: card.rejections + 1, coverage: 0 });
    return;
  }
  await stage.may(reviewer.principal, "task_update", { id: key, comment: "Reviewed: passes." });
  // whoever handed it in closes it; has that agent gone, its lead does
  await finish(play, team, key, driver?.principal ?? lead);
}

const findings = [
  "An edge case of the acceptance criteria is not handled.",
  "The error path has no test.",
  "The name of the interface is not the one that was agreed on.",
  "Works for one user at a time only.",
] as const;
