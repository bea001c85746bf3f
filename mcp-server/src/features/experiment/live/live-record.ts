import { practiceOn } from "../../../config/practices.rules.ts";
import { homeOf, membersOf } from "../../agent/placement.rules.ts";
import { placements } from "../../agent/placement.store.ts";
import { roundOf } from "../../coordination/round.store.ts";
import type { TeamResult } from "../../sprint/sprint.schema.ts";
import { lastSprint, teamsOfSprint } from "../../sprint/sprint.store.ts";
import { toTeamResult } from "../../sprint/sprint.view.ts";
import { boardOf } from "../artifacts.ts";
import { doneBetween, storyFacts } from "../experiment.store.ts";
import { jsonText, sprintFolder } from "../output.ts";
import { isoAt } from "../play.ts";
import { roundRecord } from "../round-record.ts";
import type { CoordinationRecord, Learning, SprintRecord, TeamRecord } from "../state.rules.ts";
import { round } from "../work.rules.ts";
import { blockedSince, waitedSince } from "./live.store.ts";
import type { LiveRun } from "./live-run.ts";
import type { TeamSessions } from "./live-sprint.ts";
import { howItEnded } from "./session.rules.ts";
import { liveLearnings, renderLiveRetro, retroWords } from "./words.rules.ts";

/** Writes what an ended sprint leaves in the folder, and gives its record (requirements OU-01, C-23). */
export async function closeLiveSprint(live: LiveRun, n: number, sessions: TeamSessions): Promise<SprintRecord> {
  const { desk, output } = live;
  const { config, runtime } = desk;
  const { db } = runtime.store;
  const row = await lastSprint(db);
  if (!row || row.n !== n) throw new Error(`sprint ${n} is not the last one`);
  const [startedAt, endedAt] = [Number(row.started_at), Number(row.ended_at ?? Date.now())];
  const results = (await teamsOfSprint(db, row.id)).map(toTeamResult);
  const teams: Record<string, TeamRecord> = {};
  const learnings: Learning[] = [];
  for (const { id } of config.teams) {
    const result = results.find(({ team }) => team === id);
    if (!result) continue;
    const numbers = await teamNumbers(live, result, { n, startedAt, endedAt });
    const session = sessions.get(id);
    teams[id] = { ...numbers, session: session ? shownSession(session) : null } as unknown as TeamRecord; // without what only a simulation knows
    const domains = await storyFacts(db, id);
    const cards = Object.fromEntries([...domains].map(([task, { domain }]) => [task, { domain: domain ?? "" }]));
    const facts = { n, startedAt, stage: { runtime, clock: { now: endedAt } }, state: { cards } };
    const folder = `${id}/${sprintFolder(n)}`;
    output.write(`${folder}/kanban.json`, jsonText(await boardOf(facts, { id })));
    output.write(`${folder}/pairing_log.json`, jsonText([]));
    if (!practiceOn(config, id, "retro")) continue;
    const words = retroWords(session?.text ?? "");
    const said = session === undefined ? "" : `Its session: ${howItEnded(session)}.`;
    const retro = { team: id, sprint: n, velocity: result.velocity, done: result.done, session: said };
    output.write(`${folder}/retro.md`, renderLiveRetro(retro, words));
    learnings.push(...liveLearnings(id, n, words, practiceOn(config, id, "meta_learning")));
  }
  return {
    sprint: n,
    started_at: isoAt(startedAt),
    ended_at: isoAt(endedAt),
    teams,
    coordination: await coordinationOf(live, n),
    learnings,
    review: null,
  };
}

interface Span {
  readonly n: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What a sprint of real sessions can be asked for. What only a simulation knows is not there. */
async function teamNumbers({ desk }: LiveRun, result: TeamResult, { n, startedAt, endedAt }: Span) {
  const { config, runtime } = desk;
  const { db } = runtime.store;
  const { team } = result;
  const done = await doneBetween(db, team, startedAt, endedAt + 1);
  const dayMs = (config.sprint.minutes * 60_000) / config.sprint.days;
  const cycles = done.flatMap((card) => (card.startedAt === null ? [] : [(card.closedAt - card.startedAt) / dayMs]));
  const here = membersOf(config.teams, await placements(db, config), team);
  return {
    sprint: n,
    velocity: result.velocity,
    features_completed: result.done,
    agents: result.agents,
    test_coverage: null,
    branch_coverage: null,
    cycle_time_avg: cycles.length === 0 ? null : round(cycles.reduce((sum, one) => sum + one, 0) / cycles.length, 2),
    blocked_count: result.blocked,
    cards_blocked: await blockedSince(db, team, startedAt),
    blocked_minutes: round(result.blocked_seconds / 60, 2),
    wip: result.wip,
    dependency_cards: await waitedSince(db, team, startedAt),
    borrowed_in: here.filter((id) => homeOf(config.teams, id) !== team),
    borrowed_out: (config.teams.find(({ id }) => id === team)?.agents ?? []).filter((id) => !here.includes(id)),
    disturbances: [],
    swaps: [],
    specialists: [],
    departure_events: [],
    backfill_events: [],
  };
}

function shownSession({ state, seconds, turns, costUsd, why }: NonNullable<ReturnType<TeamSessions["get"]>>) {
  return { state, seconds, turns: turns ?? null, cost_usd: costUsd ?? null, ...(why === undefined ? {} : { why }) };
}

/** From the rounds themselves, so that a sprint that was gone on with has them, too. */
async function coordinationOf({ desk }: LiveRun, n: number): Promise<CoordinationRecord | null> {
  const { db } = desk.runtime.store;
  const [full, checkin] = [await roundOf(db, "full", n), await roundOf(db, "checkin", n)];
  if (!desk.config.coordination.enabled || desk.config.teams.length < 2) return null;
  const shown = async (key: string) => (await desk.must("coordination_show", { round: key })).rounds[0];
  return {
    ...(full ? roundRecord(await shown(full.key)) : { loop: false, borrows: [], refused: [], recommendations: [] }),
    checkin: checkin ? ((await shown(checkin.key)).outcome?.recommendations ?? []) : [],
  };
}
