import { practiceOn } from "../../config/practices.rules.ts";
import { type HeldCard, heldCards } from "./experiment.store.ts";
import { develops } from "./people.rules.ts";
import { change, dayOf, isoAt, type SprintPlay, type TeamPlay } from "./play.ts";
import { speedOf } from "./work.rules.ts";

const MINUTES_PER_DAY = 480;

/**
 * The morning's meeting from the second day on (AG-01): who has what, what is blocked, and what is done about it. What
 * stands still for the team's own reasons gets a second pair of hands and goes on half a day sooner; it costs everybody
 * its minutes.
 */
export async function holdStandup(play: SprintPlay, team: TeamPlay): Promise<void> {
  const { config, stage } = play;
  const day = Math.round(dayOf(play)) + 1;
  const { from_day, minutes } = config.standup;
  if (!practiceOn(config, team.id, "standup") || day < from_day || team.workers.length === 0) return;
  const held = await heldCards(stage.runtime.store.db, team.id, "in_progress");
  const stuck = held.filter(({ key }) => play.state.cards[key]?.blockedUntil !== undefined);
  const decisions = stuck.map((card) => helpWith(play, team, card));
  const waiting = [...team.waiting];
  team.debt += team.workers.reduce((sum, worker) => sum + paceOf(worker.member), 0) * (minutes / MINUTES_PER_DAY);
  team.standups.push({
    day,
    at: isoAt(stage.clock.now),
    present: team.workers.map(({ member }) => member.id),
    working_on: held.flatMap(({ key, holder }) => {
      const worker = team.workers.find(({ principal }) => principal.key === holder);
      return worker ? [{ agent: worker.member.id, card: key }] : [];
    }),
    blocked: [
      ...stuck.map(({ key }) => ({ card: key, because: "what it builds on is broken" })),
      ...waiting.map((key) => ({ card: key, because: "waits for another team" })),
    ],
    decisions: [...decisions, ...waiting.map((key) => `${key} is asked for again.`)],
  });
}

function paceOf(member: TeamPlay["workers"][number]["member"]): number {
  return speedOf(member, member.primary, { factor: 1 });
}

function helpWith(play: SprintPlay, team: TeamPlay, { key, holder }: HeldCard): string {
  const { now } = play.stage.clock;
  const until = play.state.cards[key]?.blockedUntil ?? now;
  change(play, key, { blockedUntil: Math.round(now + (until - now) / 2) });
  const helper = team.workers.find(
    ({ member, principal, driving }) => develops(member) && principal.key !== holder && driving === undefined,
  );
  return `${helper?.member.name ?? "The team"} helps with ${key}.`;
}
