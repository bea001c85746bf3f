import { isCoordinated, isFullLoopDue } from "../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { FilePort } from "../../kernel/operation.ts";
import { coordinatorsOf, rolesOfParts } from "../coordination/coordination.rules.ts";
import { getRound, seenOf } from "../coordination/round.store.ts";
import { beginStep } from "../overhead/overhead.store.ts";
import {
  checkinText,
  evaluationText,
  type Load,
  type OpenNeed,
  orientationText,
  planText,
  type Snapshot,
} from "./coordinators.rules.ts";
import { develops, type Member } from "./people.rules.ts";
import type { SprintPlay } from "./play.ts";
import { randomStream } from "./random.rules.ts";
import { roundRecord } from "./round-record.ts";
import { type Answer, coordinator, lead, type Stage } from "./stage.ts";
import type { CoordinationRecord, RunState } from "./state.rules.ts";
import { fitOf, OUTSIDE } from "./work.rules.ts";

type Round = Omit<CoordinationRecord, "checkin">;

/** A coordinator thinks for so long: longer with more teams, and now and then much longer. Seconds. */
function thinkingSeconds(state: RunState, what: string, n: number, teams: number): number {
  const random = randomStream(state.seed, "thinking", what, n);
  const usual = 6 + 3 * teams + random.between(0, 10);
  return random.chance(0.03) ? usual * 8 : usual;
}

/** Loads a backlog through the portfolio's own operation. Throws INVALID_INPUT when a story cannot be taken. */
export async function loadBacklog(stage: Stage, text: string, name: string, team?: string): Promise<void> {
  const files: FilePort = { read: async () => text, write: async () => {} };
  const input = { file: name, ...(team === undefined ? {} : { team }) };
  const { rejected, rows } = await stage.must(lead, "portfolio_load", input, files);
  if (rejected === 0) return;
  const problems = (rows as { verdict: string; line: number; id?: string; reason: string }[])
    .filter(({ verdict }) => verdict === "rejected")
    .map(({ line, id = "", reason }) => `${name}:${line} ${id} ${reason}`);
  throw new TeamwrightError(
    "INVALID_INPUT",
    `${rejected} stories of ${name} cannot be taken.`,
    hint("portfolio_load", "with dry_run looks at a backlog"),
    problems.slice(0, 20),
  );
}

/** Iteration 0: the coordinators find their way, and the portfolio is given out (requirement OH-04). */
export async function iterationZero(stage: Stage, state: RunState): Promise<void> {
  if (isCoordinated(stage.config)) await orient(stage, state);
  else await distribute(stage, state, 0);
}

/** The orientation, which ends in giving the stories out; one that takes too long leaves them to the heuristic (OH-06). */
async function orient(stage: Stage, state: RunState): Promise<void> {
  const { config } = stage;
  const begun = await stage.must(lead, "coordination_begin", { kind: "orientation" });
  const { evaluator } = coordinatorsOf(config);
  if (evaluator === undefined) return;
  const { setup } = seenOf(await getRound(stage.runtime.store.db, begun.round));
  const text = [
    orientationText(begun.teams as Snapshot[], config.teams),
    ...(setup?.assigns ? [triageText(setup.text, stage)] : []),
  ].join("\n");
  stage.clock.now += thinkingSeconds(state, "iteration_zero", 0, config.teams.length) * 1000;
  const who = coordinator(evaluator, rolesOfParts.evaluation);
  await stage.may(who, "coordination_record", { round: begun.round, evaluation: text });
}

/** Opens the box of time of a distribution, where teams are coordinated, and lets the time go by that it takes. */
async function boxed(stage: Stage, sprint: number): Promise<void> {
  if (!isCoordinated(stage.config)) return;
  await stage.inside((ctx) => beginStep(ctx, "distribution", sprint));
  stage.clock.now += 2000;
}

/** With the coordinator's triage the portfolio is given out before the sprint; else the sprint's start does it. */
async function distribute(stage: Stage, state: RunState, sprint: number): Promise<void> {
  if (stage.config.portfolio.strategy !== "coordinator") {
    if (sprint === 0) await stage.must(lead, "portfolio_distribute");
    return;
  }
  const asked = await stage.must(lead, "portfolio_distribute");
  stage.clock.now += thinkingSeconds(state, "triage", sprint, stage.config.teams.length) * 1000;
  await stage.must(lead, "portfolio_distribute", { triage: triageText(asked.prompt ?? "", stage) });
}

/** The mock coordinator gives each story to the team whose name or field it mentions, and leaves the rest. */
function triageText(prompt: string, stage: Stage): string {
  const stories = [...prompt.matchAll(/^[-*]?\s*([A-Za-z0-9][\w.-]*):? (.*)$/gm)];
  const lines = stories.flatMap(([, id, words = ""]) => {
    const team = stage.config.teams.find((one) =>
      words.toLowerCase().includes((one.team_type ?? one.id).split(/[_-]/)[0] ?? one.id),
    );
    return team && id ? [`ASSIGN: ${id} to ${team.id} because its words name the team's field`] : [];
  });
  return lines.length > 0 ? lines.join("\n") : "Nothing stands out.";
}

/** Between two sprints: the full loop where it is due, then the next sprint with its stories (CO-02, CO-03). */
export async function beginSprint(stage: Stage, state: RunState, n: number): Promise<Round | null> {
  const round = isFullLoopDue(stage.config, n) ? await fullLoop(stage, state, n) : null;
  if (n > 1) await distributeFor(stage, state, n);
  await stage.must(lead, "sprint_start", {}); // which gives out the stories
  return round ?? (isCoordinated(stage.config) ? { loop: false, borrows: [], refused: [], recommendations: [] } : null);
}

async function distributeFor(stage: Stage, state: RunState, n: number): Promise<void> {
  if (stage.config.portfolio.strategy === "coordinator") await distribute(stage, state, n);
  else await boxed(stage, n);
}

/** Steps 1 to 7 by the operations live coordinators use, with the words of the mock ones. */
async function fullLoop(stage: Stage, state: RunState, n: number): Promise<Round> {
  const begun = await stage.must(lead, "coordination_begin", {});
  const { evaluator, planner } = coordinatorsOf(stage.config);
  const needs = await openNeeds(stage);
  const snapshots = begun.teams as (Snapshot & { debt: number; lendable: string[] })[];
  const loads = loadsOf(state, snapshots);
  const evaluation = evaluationText(snapshots, needs, loads);
  const plan = planText(needs, loads, stage.config.coordination.max_borrows_per_sprint);
  let answer: Answer = begun;
  if (evaluator !== undefined)
    answer =
      (await say(stage, state, n, { round: begun.round, part: "evaluation", id: evaluator, text: evaluation })) ??
      answer;
  if (planner !== undefined && evaluator !== undefined)
    answer = (await say(stage, state, n, { round: begun.round, part: "plan", id: planner, text: plan })) ?? answer;
  const [shown] = (await stage.must(lead, "coordination_show", { round: begun.round })).rounds;
  return roundRecord({ outcome: shown?.outcome ?? answer.outcome, evaluation, plan });
}

interface Word {
  readonly round: string;
  readonly part: "evaluation" | "plan";
  readonly id: string;
  readonly text: string;
}

/** One coordinator speaks after the time it takes; undefined when that was too long. */
async function say(
  stage: Stage,
  state: RunState,
  n: number,
  { round, part, id, text }: Word,
): Promise<Answer | undefined> {
  stage.clock.now += thinkingSeconds(state, part, n, stage.config.teams.length) * 1000;
  return stage.may(coordinator(id, rolesOfParts[part]), "coordination_record", { round, [part]: text });
}

async function openNeeds(stage: Stage): Promise<OpenNeed[]> {
  if (!stage.config.coordination.dependency_tracking) return [];
  const answer = await stage.must(lead, "dependency_list", { status: "open", limit: 20 });
  return answer.dependencies;
}

/** What waits on each team's board, and who could be spared there. */
function loadsOf(
  state: RunState,
  snapshots: readonly { team: string; debt: number; lendable: readonly string[] }[],
): Load[] {
  return snapshots.map(({ team, debt, lendable }) => {
    const cards = Object.values(state.cards).filter((card) => card.team === team && card.kind !== "provide");
    const people = state.members.filter((member) => member.home === team);
    const counts = new Map<string, number>();
    for (const card of cards) counts.set(card.domain, (counts.get(card.domain) ?? 0) + 1);
    const domains = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([domain]) => domain);
    const able = (id: string): Member[] => people.filter((member) => member.id === id && member.role === "developer");
    return {
      team,
      debt,
      open: cards.reduce((sum, card) => sum + Math.max(0, card.left), 0),
      developers: people.filter(develops).length,
      lendable: lendable.flatMap(able),
      domains,
      missing: domains.filter((domain) => !people.some((member) => fitOf(member, domain) > OUTSIDE)),
    };
  });
}

/** The look in the middle of a sprint; what it asks for is done first from the next day on (requirement CO-04). */
export async function checkIn(play: SprintPlay): Promise<string[]> {
  const { stage, config, state, n } = play;
  if (!isCoordinated(config) || !config.coordination.mid_sprint_checkin) return [];
  const begun = await stage.must(lead, "coordination_begin", { kind: "checkin" });
  const { evaluator } = coordinatorsOf(config);
  if (evaluator === undefined) return begun.outcome?.recommendations ?? [];
  const needs = await openNeeds(stage);
  const text = checkinText(begun.teams as Snapshot[], needs);
  const seconds = Math.round(thinkingSeconds(state, "checkin", n, config.teams.length) / 2);
  stage.clock.now += seconds * 1000;
  const who = coordinator(evaluator, rolesOfParts.evaluation);
  const answer = await stage.may(who, "coordination_record", { round: begun.round, evaluation: text });
  const told: string[] = answer?.outcome?.recommendations ?? [];
  heed(play, told);
  return told;
}

/** What coordinators recommend has an effect where it names a dependency: the team asked does that first. */
export function heed(play: SprintPlay, recommendations: readonly string[]): void {
  for (const text of recommendations) for (const [id] of text.matchAll(/\bdep-[0-9a-z]+/g)) play.urgent.add(id);
}
