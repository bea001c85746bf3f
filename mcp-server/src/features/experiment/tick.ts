import { practiceOn } from "../../config/practices.rules.ts";
import { renewLeases } from "../task/claim.store.ts";
import { type HeldCard, heldCards } from "./experiment.store.ts";
import { handIn } from "./hand-in.ts";
import { noteSwap } from "./learn.ts";
import { develops } from "./people.rules.ts";
import { adopt, ownStory } from "./planning.ts";
import { cardOf, change, type SprintPlay, speedOn, type TeamPlay, TICKS_PER_DAY, type Worker } from "./play.ts";
import { reviewAll } from "./reviewing.ts";
import { lead } from "./stage.ts";
import { pairSpeed } from "./work.rules.ts";

export interface TickOptions {
  /** Nothing new is begun: QA is going on. */
  readonly finishing?: boolean;
}

/** Half a day of one team: what was handed in is reviewed, free hands take cards, everybody works. */
export async function playTick(play: SprintPlay, team: TeamPlay, options: TickOptions = {}): Promise<void> {
  for (const worker of team.workers) {
    worker.busy = false;
    worker.driving = undefined;
  }
  await endBlocks(play, team);
  await reviewAll(play, team);
  const mine = await cardsInHand(play, team);
  if (!options.finishing) await claimMore(play, team, mine);
  pairUp(play, team, mine);
  const finished = await work(play, team, mine);
  for (const worker of team.workers) if (develops(worker.member) && !worker.busy) team.tally.idleTicks += 1;
  for (const { card, driver } of finished) await handIn(play, team, card, driver);
}

interface InHand {
  readonly key: string;
  readonly driver: Worker;
}

/** The cards in progress with those who have them; a sign of life keeps their leases. */
async function cardsInHand(play: SprintPlay, team: TeamPlay): Promise<InHand[]> {
  const rows = await heldCards(play.stage.runtime.store.db, team.id, "in_progress");
  await keepLeases(play, rows);
  return rows.flatMap((row) => {
    const driver = team.workers.find((worker) => worker.principal.key === row.holder);
    if (!driver) return [];
    driver.driving = row.key;
    return [{ key: row.key, driver }];
  });
}

async function keepLeases(play: SprintPlay, rows: readonly HeldCard[]): Promise<void> {
  const { stage, config } = play;
  const half = stage.clock.now + config.claims.lease_seconds * 500;
  const due = rows.filter((row) => row.holder !== null && row.leaseExpiresAt !== null && row.leaseExpiresAt < half);
  if (due.length === 0) return;
  await stage.inside(async (ctx) => {
    for (const row of due) if (row.holder !== null) await renewLeases(ctx, row.holder);
  });
}

/** A block is over when what it waited for has come. */
async function endBlocks(play: SprintPlay, team: TeamPlay): Promise<void> {
  for (const card of Object.values(play.state.cards)) {
    if (card.team !== team.id || card.blockedUntil === undefined || card.blockedUntil > play.stage.clock.now) continue;
    const { blockedUntil: _, ...free } = card;
    play.state.cards[card.key] = free;
    await play.stage.may(lead, "task_update", { id: card.key, unblock: true });
  }
}

/** With pairs, half of the developers take cards, the others sit beside them (AG-07). */
async function claimMore(play: SprintPlay, team: TeamPlay, mine: InHand[]): Promise<void> {
  const developers = team.workers.filter((worker) => develops(worker.member));
  const wanted = practiceOn(play.config, team.id, "pairing") ? Math.ceil(developers.length / 2) : developers.length;
  const free = team.random.shuffled(developers.filter((worker) => worker.driving === undefined));
  for (const worker of free) {
    if (mine.length >= wanted) return;
    const key = await claimOne(play, team, worker);
    if (key === undefined) continue;
    worker.driving = key;
    mine.push({ key, driver: worker });
  }
}

async function claimOne(play: SprintPlay, team: TeamPlay, worker: Worker): Promise<string | undefined> {
  const { stage } = play;
  const small = await smallFor(play, team, worker);
  if (small === "none") return undefined;
  const wished = small ?? ownStory(play, team, worker);
  const claim = (id?: string) => stage.may(worker.principal, "task_claim", id === undefined ? {} : { id });
  let answer = await claim(wished);
  const isFull = answer === undefined && stage.lastRefusal()?.code === "OVER_LIMIT";
  // an own story that cannot be taken leaves the board's next card
  if (answer === undefined && !isFull && wished !== small) answer = await claim();
  if (answer === undefined) {
    if (stage.lastRefusal()?.code === "OVER_LIMIT") team.tally.wipRefusals += 1;
    return undefined;
  }
  if (!answer.task) return undefined;
  const { id } = answer.task;
  if (!play.state.cards[id]) await adopt(play, team.id, answer.task);
  const card = change(play, id, { firstClaimed: cardOf(play, id).firstClaimed ?? stage.clock.now });
  noteSwap(play, team, worker, card);
  return id;
}

/** A newcomer takes small cards only in its first sprint (AG-09): the id of one, or none; undefined for everybody else. */
async function smallFor(play: SprintPlay, team: TeamPlay, worker: Worker): Promise<string | "none" | undefined> {
  const { config, n } = play;
  const isNew = worker.member.joined === n && n > 1 && practiceOn(config, team.id, "onboarding");
  if (!isNew) return undefined;
  const ready = await play.stage.must(worker.principal, "task_ready", { limit: 10 });
  const small = ready.tasks.find(
    (task: { id: string; points?: number }) =>
      (play.state.cards[task.id]?.points ?? task.points ?? 0) <= config.onboarding.first_sprint_points,
  );
  return small ? small.id : "none";
}

/** Free hands sit down beside those who drive, least paired first; who fits the card better wins a tie. */
function pairUp(play: SprintPlay, team: TeamPlay, mine: readonly InHand[]): void {
  if (!practiceOn(play.config, team.id, "pairing")) return;
  for (const { key, driver } of mine) {
    const card = cardOf(play, key);
    const free = team.workers.filter(
      (worker) => develops(worker.member) && worker.driving === undefined && !worker.busy && worker !== driver,
    );
    const current = team.pairing.get(key);
    const [chosen] = free
      .map((worker) => ({
        worker,
        stays: current?.navigator === worker.member.id ? 0 : 1,
        times: play.state.pairs[pairKey(driver.member.id, worker.member.id)] ?? 0,
        speed: speedOn(play, team, worker, card),
      }))
      .sort((a, b) => a.stays - b.stays || a.times - b.times || b.speed - a.speed || compare(a.worker, b.worker));
    if (!chosen) continue;
    chosen.worker.busy = true;
    if (current?.navigator === chosen.worker.member.id) continue;
    team.pairing.set(key, { navigator: chosen.worker.member.id, since: play.stage.clock.now });
    const pair = pairKey(driver.member.id, chosen.worker.member.id);
    play.state.pairs[pair] = (play.state.pairs[pair] ?? 0) + 1;
  }
}

function compare(a: Worker, b: Worker): number {
  return a.member.id < b.member.id ? -1 : 1;
}

function pairKey(a: string, b: string): string {
  return a < b ? `${a}+${b}` : `${b}+${a}`;
}

/** Half a day's work on each card that is not blocked; gives those that are ready to be handed in. */
async function work(play: SprintPlay, team: TeamPlay, mine: readonly InHand[]) {
  const finished: { card: string; driver: Worker }[] = [];
  for (const { key, driver } of mine) {
    driver.busy = true;
    const card = cardOf(play, key);
    if (card.blockedUntil !== undefined) continue;
    const navigator = team.workers.find(
      (worker) => worker.busy && worker !== driver && team.pairing.get(key)?.navigator === worker.member.id,
    );
    const alone = speedOn(play, team, driver, card);
    const speed = navigator ? pairSpeed(alone, speedOn(play, team, navigator, card)) : alone;
    let effort = speed / TICKS_PER_DAY;
    const paid = Math.min(team.debt, effort);
    team.debt -= paid;
    effort -= paid;
    const left = card.left - effort;
    change(play, key, { left });
    if (left <= 1e-9) finished.push({ card: key, driver });
  }
  return finished;
}
