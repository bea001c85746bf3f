import type { Kysely } from "kysely";
import type { TeamConfig } from "../../../config/config.schema.ts";
import { type SprintPhase, sprintPhases } from "../../../config/coordination.schema.ts";
import { isCoordinated, isFullLoopDue, practiceOn } from "../../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { fenceText, plainLine } from "../../../kernel/fence.ts";
import type { Database } from "../../../store/database.ts";
import { homeOf, membersOf } from "../../agent/placement.rules.ts";
import { placements } from "../../agent/placement.store.ts";
import { outcomeOf, roundOf } from "../../coordination/round.store.ts";
import { lastSprint } from "../../sprint/sprint.store.ts";
import { loadSprints, openCards } from "../experiment.store.ts";
import type { Inputs } from "../inputs.ts";
import type { SprintRecord } from "../state.rules.ts";
import { sessionEnds } from "./live.store.ts";
import { closeLiveSprint } from "./live-record.ts";
import type { LiveRun } from "./live-run.ts";
import { CARDS_SHOWN, type PromptAgent, teamPrompt } from "./prompt.rules.ts";
import { giveOut, holdRound, prepareFirst } from "./rounds.ts";
import { inAll, type SessionEnd } from "./session.rules.ts";
import { watchBoards } from "./watch.ts";

/** A team's session, and why it had none. */
export type TeamSessions = ReadonlyMap<string, SessionEnd>;

/**
 * One sprint of real sessions: the round before it where one is due, all teams at the same time, the check-in in the
 * middle. A sprint that was begun and not ended goes on. Undefined when the run is stopped (CO-02, CO-04, CO-12).
 */
export async function playLiveSprint(live: LiveRun, inputs: Inputs, n: number): Promise<SprintRecord | undefined> {
  const { desk, signal } = live;
  const { db } = desk.runtime.store;
  const last = await lastSprint(db);
  if (last === undefined || last.n < n) {
    if (n === 1) await prepareFirst(live);
    if (isFullLoopDue(desk.config, n)) await holdRound(live, "full", n);
    if (n > 1 && !signal.aborted) await giveOut(live, n);
    if (signal.aborted) return undefined;
    await desk.must("sprint_start");
  }
  const row = await lastSprint(db);
  if (!row || row.ended_at !== null) return closeLiveSprint(live, n, await sessionsOf(db, n));
  await reach(live, row.phase as SprintPhase, "development"); // of a running one, so no other word stands there
  const sessions = await work(live, inputs, n);
  if (signal.aborted) return undefined;
  checkSomebodyWorked(sessions, n);
  const now = await lastSprint(db);
  if (now && now.ended_at === null) {
    await reach(live, now.phase as SprintPhase, "review");
    await desk.must("sprint_end");
  }
  return closeLiveSprint(live, n, new Map([...sessions, ...(await sessionsOf(db, n))]));
}

/** With those of before the run was stopped, or killed, in the sprint. */
async function sessionsOf(db: Kysely<Database>, n: number): Promise<TeamSessions> {
  const teams = Map.groupBy(await sessionEnds(db, n), ([team]) => team);
  const found = [...teams].map(([team, ends]) => [team, inAll(ends.map(([, end]) => end))] as const);
  return new Map(found.flatMap(([team, end]) => (end === undefined ? [] : [[team, end] as const])));
}

/** Throws UNAVAILABLE when no session could work: without an account, say, no later sprint would go better. */
function checkSomebodyWorked(sessions: TeamSessions, n: number): void {
  const started = [...sessions].filter(([, { state }]) => state !== "idle");
  const failed = started.filter(([, { state }]) => state === "failed" || state === "not_started");
  const [first] = failed;
  if (first === undefined || failed.length < started.length) return;
  throw new TeamwrightError(
    "UNAVAILABLE",
    `No team's session could work in sprint ${n}: ${first[1].why ?? "no reason was given"}.`,
    hint("experiment_run", "with the same output goes on with that sprint"),
    failed.map(([team, { why = "" }]) => `${team}: ${why}`),
  );
}

async function reach({ desk }: LiveRun, from: SprintPhase, to: SprintPhase): Promise<void> {
  if (sprintPhases.indexOf(from) < sprintPhases.indexOf(to)) await desk.must("sprint_phase", { phase: to });
}

/** The teams' sessions side by side; one that dies or hangs is no other's matter. */
async function work(live: LiveRun, inputs: Inputs, n: number): Promise<TeamSessions> {
  const { desk, signal } = live;
  const { claude } = desk.config.experiment;
  const boxMs = (claude.time_box_seconds ?? desk.config.sprint.minutes * 60) * 1000;
  const sessions = new Map<string, SessionEnd>();
  const waiting = [...desk.config.teams];
  const next = async (): Promise<void> => {
    for (let team = waiting.shift(); team !== undefined && !signal.aborted; team = waiting.shift()) {
      sessions.set(team.id, await teamSession(live, inputs, team, n, boxMs));
    }
  };
  const teams = Promise.all(Array.from({ length: Math.min(claude.concurrency, waiting.length) }, next));
  const endWatch = watchBoards(live, n);
  const isHalfOver = await half(teams, boxMs / 2);
  const looksIn = isCoordinated(desk.config) && desk.config.coordination.mid_sprint_checkin;
  if (isHalfOver && looksIn && !signal.aborted) {
    await holdRound(live, "checkin", n).catch((error: unknown) =>
      live.tell(`check-in in sprint ${n}: ${plainLine(error instanceof Error ? error.message : String(error), 200)}`),
    );
  }
  await teams.finally(endWatch);
  return sessions;
}

/** True when the time is over before the work is. */
async function half(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), Math.min(ms, 2 ** 31 - 1));
  });
  return Promise.race([work.then(() => false), time]).finally(() => clearTimeout(timer));
}

async function teamSession(
  live: LiveRun,
  inputs: Inputs,
  team: TeamConfig,
  n: number,
  boxMs: number,
): Promise<SessionEnd> {
  const what = `sprint ${n}, ${team.id}`;
  try {
    const prompt = await promptOf(live, inputs, team, n, boxMs);
    if (prompt === undefined) {
      live.tell(`${what}: nothing is on its board`);
      return { state: "idle", seconds: 0 };
    }
    live.tell(`${what}: works, at most ${Math.round(boxMs / 1000)} s`);
    return await live.session({
      purpose: "team",
      what,
      file: "session",
      sprint: n,
      team: team.id,
      prompt,
      timeoutMs: boxMs,
    });
  } catch (error) {
    const why = plainLine(error instanceof Error ? error.message : String(error), 300);
    live.tell(`${what}: ${why}`);
    return { state: "failed", seconds: 0, why };
  }
}

/** Undefined for a team that has nothing to do. */
async function promptOf(
  { desk }: LiveRun,
  { sprints }: Inputs,
  team: TeamConfig,
  n: number,
  boxMs: number,
): Promise<string | undefined> {
  const { config, runtime } = desk;
  const { db } = runtime.store;
  const cards = await openCards(db, team.id);
  if (cards.length === 0) return undefined;
  const loans = await placements(db, config);
  const here = membersOf(config.teams, loans, team.id);
  const shown = cards.slice(0, CARDS_SHOWN).map((card) => {
    const state =
      card.blockedSince !== null
        ? `blocked: ${card.blockedReason ?? ""}`
        : card.openBlockers > 0
          ? "waits"
          : card.status;
    return `${card.key} ${plainLine(card.title, 120)} (${card.points ?? "no"} points, ${plainLine(state, 120)})`;
  });
  return teamPrompt({
    experiment: config.experiment.name,
    sprint: n,
    sprints,
    team: { id: team.id, name: team.name ?? team.id },
    agents: here.map((id): PromptAgent => {
      const home = homeOf(config.teams, id);
      return { id, about: aboutAgent(config.models.agents?.[id]), ...(home === team.id ? {} : { from: home }) };
    }),
    lent: team.agents.filter((id) => !here.includes(id)),
    board: fenceText(`board of ${team.id}`, shown.join("\n")),
    more: cards.length - shown.length,
    learned: practiceOn(config, team.id, "meta_learning")
      ? await learned(desk.runtime.store.db, team.id, n)
      : undefined,
    recommended: await recommended(desk.runtime.store.db, n),
    minutes: boxMs / 60_000,
    until: `${new Date(Date.now() + boxMs).toISOString().slice(0, 19)}Z`,
    instructions: config.experiment.claude.instructions,
  });
}

type Person = Readonly<{
  role_archetype?: string | undefined;
  seniority: string;
  primary_specialization?: string | undefined;
  model?: string | undefined;
}>;

function aboutAgent(person: Person | undefined): string {
  if (!person) return "";
  const { role_archetype: role, seniority, primary_specialization: field, model } = person;
  return [role, seniority, field, model && `model ${model}`].filter(Boolean).join(", ");
}

/** What the round before this sprint has recommended to all teams (requirement DE-04). */
async function recommended(db: Kysely<Database>, n: number): Promise<string | undefined> {
  const row = await roundOf(db, n === 1 ? "orientation" : "full", n);
  const lines = row ? (outcomeOf(row)?.recommendations ?? []) : [];
  return lines.length === 0 ? undefined : fenceText("recommendations", lines.join("\n"));
}

const MOST_LEARNED = 12;

/** What the team has written down in sprints before, newest last (requirement AG-06). */
async function learned(db: Kysely<Database>, team: string, n: number): Promise<string | undefined> {
  const lines = (await loadSprints(db, n - 1))
    .flatMap(({ learnings }) => learnings)
    .filter((one) => one.applied && one.agent_id === `lead:${team}`)
    .map((one) => `${one.learning_type.toUpperCase()}: ${one.content.text}`);
  return lines.length === 0 ? undefined : fenceText(`learnings of ${team}`, lines.slice(-MOST_LEARNED).join("\n"));
}
