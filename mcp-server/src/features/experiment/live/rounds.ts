import { isCoordinated } from "../../../config/practices.rules.ts";
import { coordinatorsOf, type RoundKind } from "../../coordination/coordination.rules.ts";
import { getRound, lockRounds } from "../../coordination/round.store.ts";
import { fallBack } from "../../coordination/round-end.store.ts";
import type { Answer } from "../stage.ts";
import type { LiveRun } from "./live-run.ts";
import { roundPrompt, triagePrompt } from "./prompt.rules.ts";
import type { SessionEnd } from "./session.rules.ts";

/** Where no box of time is set for a step, a session of it ends after so long. */
const LONGEST_STEP_MS = 1_800_000;
/** The session ends in good order after the last word of a round. */
const AFTER_DEADLINE_MS = 10_000;

/**
 * A round, held by a session of its own that starts the coordinators. The runner begins it, so that it is measured and
 * its time runs whatever becomes of the session; what the session leaves open falls back (requirements CO-03, OH-06).
 */
export async function holdRound(live: LiveRun, kind: RoundKind, n: number): Promise<Answer> {
  const { desk } = live;
  const begun = await desk.must("coordination_begin", { kind });
  if (begun.outcome !== undefined || coordinatorsOf(desk.config).evaluator === undefined)
    return shown(live, begun.round);
  const left = begun.deadline === undefined ? LONGEST_STEP_MS : Date.parse(begun.deadline) - Date.now();
  const { claude, name } = desk.config.experiment;
  const prompt = roundPrompt({
    experiment: name,
    round: begun.round,
    kind,
    seconds: Math.max(0, left) / 1000,
    instructions: claude.instructions,
  });
  const ended = await live.session({
    purpose: "coordination",
    what: `${names[kind]} sprint ${n}`,
    file: kind === "full" ? "coordination" : kind,
    sprint: n,
    prompt,
    timeoutMs: Math.max(0, left) + AFTER_DEADLINE_MS,
  });
  if (ended.state !== "cancelled") await endOpen(live, begun.round, ended);
  return shown(live, begun.round);
}

const names: Readonly<Record<RoundKind, string>> = {
  orientation: "orientation before",
  full: "coordination before",
  checkin: "check-in in",
};

/** Iteration 0, which ends in giving the stories out (requirement OH-04). Asked again, it is not held again. */
export async function prepareFirst(live: LiveRun): Promise<void> {
  if (isCoordinated(live.desk.config)) await holdRound(live, "orientation", 1);
  else await giveOut(live, 0);
}

/** Nobody is left who could speak in it. */
async function endOpen({ desk }: LiveRun, key: string, ended: SessionEnd): Promise<void> {
  await desk.inside(async (ctx) => {
    await lockRounds(ctx);
    const row = await getRound(ctx.db, key);
    if (row.ended_at !== null) return;
    await fallBack(
      ctx,
      row,
      `The session that held the round has ${ended.state.replace("_", " ")} before it was over.`,
    );
  });
}

async function shown({ desk }: LiveRun, round: string): Promise<Answer> {
  return (await desk.must("coordination_show", { round })).rounds[0];
}

/** With the coordinator's triage a session says who gets which story; without an answer the heuristic does. */
export async function giveOut(live: LiveRun, n: number): Promise<void> {
  const { desk } = live;
  if (desk.config.portfolio.strategy !== "coordinator") {
    if (n === 0) await desk.must("portfolio_distribute");
    return;
  }
  const asked = await desk.must("portfolio_distribute");
  const left = asked.deadline === undefined ? LONGEST_STEP_MS : Date.parse(asked.deadline) - Date.now();
  const said = await live.session({
    purpose: "triage",
    what: `stories for sprint ${Math.max(1, n)}`,
    file: "triage",
    sprint: n,
    prompt: triagePrompt(asked.prompt ?? "", desk.config.experiment.claude.instructions),
    timeoutMs: Math.max(1000, left),
  });
  const triage = said.state === "ended" && said.text ? said.text : "Nobody has answered.";
  if (said.state !== "cancelled") await desk.must("portfolio_distribute", { triage });
}
