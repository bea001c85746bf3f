import { practiceOn } from "../../config/practices.rules.ts";
import type { Runtime } from "../../kernel/execute.ts";
import { doneBetween, openCards } from "./experiment.store.ts";
import { jsonText, type Output, sprintFolder } from "./output.ts";
import type { SprintPlay, TeamPlay } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { learningsOf, renderRetro, voicesOf } from "./retro.rules.ts";
import type { SprintRecord, TeamRecord } from "./state.rules.ts";
import type { Card } from "./work.rules.ts";

/** Boards, pairing logs and retrospectives of a sprint (requirements OU-01, KB-07, AG-06, AG-07). */
export async function writeSprint(play: SprintPlay, record: SprintRecord, output: Output): Promise<void> {
  for (const team of play.teams) {
    const numbers = record.teams[team.id];
    if (!numbers) continue;
    const folder = `${team.id}/${sprintFolder(play.n)}`;
    output.write(`${folder}/kanban.json`, jsonText(await boardOf(play, team)));
    if (practiceOn(play.config, team.id, "pairing"))
      output.write(`${folder}/pairing_log.json`, jsonText(team.sessions));
  }
}

/** What a board is drawn from, whoever has worked in the sprint. */
export interface BoardFacts extends Pick<SprintPlay, "n" | "startedAt"> {
  readonly stage: { readonly runtime: Pick<Runtime, "store">; readonly clock: { readonly now: number } };
  readonly state: { readonly cards: Readonly<Record<string, Pick<Card, "domain" | "tasks">>> };
}

/** The board at the end of a sprint: what is open, and what this sprint has closed; earlier ones tell the rest. */
export async function boardOf(play: BoardFacts, team: Pick<TeamPlay, "id">) {
  const { db } = play.stage.runtime.store;
  const open = await openCards(db, team.id);
  const done = await doneBetween(db, team.id, play.startedAt, play.stage.clock.now + 1);
  const shown = (card: { key: string; title: string; points: number | null }) => ({
    id: card.key,
    title: card.title,
    points: card.points,
    domain: play.state.cards[card.key]?.domain,
    tasks: play.state.cards[card.key]?.tasks?.map(({ id, hours, owner }) => ({ id, hours, owner })),
  });
  const column = (fits: (card: (typeof open)[number]) => boolean) =>
    open.filter(fits).map((card) => ({
      ...shown(card),
      ...(card.blockedSince === null ? {} : { blocked: card.blockedReason }),
    }));
  const waits = (card: (typeof open)[number]) => card.openBlockers > 0 || card.status === "deferred";
  return {
    team_id: team.id,
    sprint: play.n,
    columns: {
      backlog: column((card) => card.status !== "in_progress" && card.status !== "in_review" && waits(card)),
      ready: column((card) => card.status === "open" && !waits(card)),
      in_progress: column((card) => card.status === "in_progress"),
      review: column((card) => card.status === "in_review"),
      done: done.map((card) => ({ ...shown(card), done_by: card.closedBy })),
    },
  };
}

/** The team looks back; what its agents write down they apply from the next sprint on, where that is switched on. */
export function holdRetro(play: SprintPlay, team: TeamPlay, record: TeamRecord, output: Output): void {
  const { config, state, n } = play;
  if (!practiceOn(config, team.id, "retro")) return;
  const members = team.workers.map(({ member }) => member);
  const voices = voicesOf(record, members, (member) => randomStream(state.seed, "retro", member.id, n));
  const applies = practiceOn(config, team.id, "meta_learning");
  output.write(`${team.id}/${sprintFolder(n)}/retro.md`, renderRetro(team.id, record, voices));
  const learnings = learningsOf(n, voices, applies);
  play.learnings.push(...learnings);
  for (const learning of learnings)
    if (learning.applied) state.learned[learning.agent_id] = (state.learned[learning.agent_id] ?? 0) + 1;
}
