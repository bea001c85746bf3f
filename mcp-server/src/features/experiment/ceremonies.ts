import { jsonText, type Output, sprintFolder } from "./output.ts";
import { type SprintPlay, type TeamPlay, whoSpeaks } from "./play.ts";
import type { SprintRecord, TeamRecord } from "./state.rules.ts";

/** What teams have said and decided in their meetings: planning, standups, disagreements, the review (AG-01, AG-08). */
export function writeCeremonies(play: SprintPlay, record: SprintRecord, output: Output): void {
  for (const team of play.teams) {
    const numbers = record.teams[team.id];
    const folder = `${team.id}/${sprintFolder(play.n)}`;
    const write = (name: string, value: unknown) => output.write(`${folder}/${name}`, jsonText(value));
    if (team.plan && numbers) write("planning.json", { ...team.plan, review: reviewOf(play, team, numbers) });
    if (team.standups.length > 0) write("standup.json", team.standups);
    if (team.escalations.length > 0) write("escalations.json", team.escalations);
  }
}

/** Who has left at the end of a sprint; only where somebody did (AG-09). */
export function writeDepartures(play: SprintPlay, record: SprintRecord, output: Output): void {
  for (const { id } of play.teams) {
    const { departure_events: departures = [], backfill_events: backfills = [] } = record.teams[id] ?? {};
    if (departures.length > 0)
      output.write(`${id}/${sprintFolder(play.n)}/departure_report.json`, jsonText({ departures, backfills }));
  }
}

/** The sprint review: what has become of the plan, what is shown and accepted, and what goes on (AG-01). */
function reviewOf(play: SprintPlay, team: TeamPlay, { velocity }: TeamRecord) {
  const planned = new Set(team.planned);
  const done = team.finished.filter(({ id }) => planned.has(id)).length;
  const owner = team.workers.find(({ member }) => member.role === "product_owner");
  return {
    accepted_by: owner?.member.id ?? whoSpeaks(team).name,
    velocity,
    planned_stories: planned.size,
    planned_stories_done: done,
    shown: team.finished.map((card) => ({ ...card, planned: planned.has(card.id) })),
    carried_over: team.planned
      .flatMap((id) => play.state.cards[id] ?? [])
      .map(({ key, title, points }) => ({ id: key, title, points })),
  };
}
