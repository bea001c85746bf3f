import * as z from "zod";
import { isCoordinated } from "../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { fenceText } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import type { Principal } from "../../kernel/principal.ts";
import { returnDueLoans } from "../borrow/loan.store.ts";
import { beginStep, runningStep } from "../overhead/overhead.store.ts";
import { lockPortfolio } from "../portfolio/story.store.ts";
import { isJustBegun } from "../sprint/sprint.rules.ts";
import { endSprint, lastSprint, lockSprints, timeBoxOf } from "../sprint/sprint.store.ts";
import { compact, isoTime } from "../task/task.view.ts";
import { checkDirects } from "../unit/lead.rules.ts";
import { checkRecords, coordinatorsOf, type Part, type RoundKind, sprintOfRound } from "./coordination.rules.ts";
import * as shapes from "./coordination.schema.ts";
import { awaited, renderRound, renderSpawn, spawnFor, toShownRound } from "./coordination.view.ts";
import { needLine, teamLine } from "./facts.rules.ts";
import { gatherFacts } from "./facts.store.ts";
import { setUp } from "./orientation.store.ts";
import type { Homecoming } from "./outcome.rules.ts";
import * as store from "./round.store.ts";
import { endOverdueRounds, recordPart, speakForNobody, stepOf } from "./round-end.store.ts";

const answer = shapes.shownRound.extend({
  teams: z.array(shapes.shownTeam),
  dependencies: z.array(z.string()).optional(),
  spawn: shapes.shownSpawn.optional(),
  outcome: shapes.shownOutcome.optional(),
  next: z.array(z.string()),
});

export const coordinationBegin = defineOperation({
  name: "coordination_begin",
  description:
    "Coordinate the teams: ends the sprint, sends loans home, measures health and dependencies, says which coordinator to start. checkin: a look in mid-sprint.",
  kind: "write",
  mcp: "all",
  positional: ["kind"],
  input: z.strictObject({
    kind: shapes.roundKind.optional().describe("Default: full; orientation before the first sprint."),
  }),
  output: answer,
  async run(ctx, { kind: asked }) {
    checkDirects(ctx.principal, "begins a round of coordination");
    await lockSprints(ctx); // before the rounds, as sprint_start does
    await store.lockRounds(ctx);
    await endOverdueRounds(ctx);
    const isFirst = isCoordinated(ctx.config) && (await lastSprint(ctx.db)) === undefined;
    const kind = asked ?? (isFirst ? "orientation" : "full");
    const sprint = (await justHeld(ctx, kind)) ?? (await dueSprint(ctx, kind));
    const earlier = await store.roundOf(ctx.db, kind, sprint);
    const row = earlier ? await takeOver(ctx, earlier) : await begin(ctx, kind, sprint);
    // its lead reads the outcome here, and need not be told once more
    if (row.ended_at !== null && row.told_at === null && row.session === (ctx.principal.session ?? null))
      await store.changeRound(ctx, row, { told_at: ctx.now });
    return answerOf(row, ctx.principal);
  },
  render: (output, view) =>
    [
      ...renderRound(output, output.outcome, view),
      ...output.teams.map(teamLine),
      ...(output.dependencies ?? []),
      ...(output.spawn ? [renderSpawn(output.spawn)] : []),
      view.next(output.next),
    ].join("\n"),
});

/** Whoever goes on with a round that is open hears what comes of it, also after the session that began it. */
async function takeOver(ctx: OperationContext, row: store.RoundRow): Promise<store.RoundRow> {
  const { session } = ctx.principal;
  if (row.ended_at !== null || session === undefined || row.session === session) return row;
  return store.changeRound(ctx, row, { session });
}

/**
 * The sprint that another lead has just started, after a round of its own: a lead who comes late means that round, and
 * does not end a sprint in which nothing could be done yet. Undefined else.
 */
async function justHeld(ctx: OperationContext, kind: RoundKind): Promise<number | undefined> {
  if (kind !== "full" || ctx.principal.kind !== "lead") return undefined;
  const last = await lastSprint(ctx.db);
  if (!last || last.ended_at !== null || !isJustBegun(timeBoxOf(last), ctx.now)) return undefined;
  const held = await store.roundOf(ctx.db, "full", last.n);
  return held && held.session !== (ctx.principal.session ?? null) ? last.n : undefined;
}

/** The sprint the round is for. */
async function dueSprint(ctx: OperationContext, kind: RoundKind): Promise<number> {
  const { coordination, teams } = ctx.config;
  const last = await lastSprint(ctx.db);
  const isRunning = last !== undefined && last.ended_at === null;
  return sprintOfRound(kind, {
    enabled: coordination.enabled,
    teams: teams.length,
    cadence: coordination.full_loop_cadence,
    midSprint: coordination.mid_sprint_checkin,
    running: isRunning
      ? { n: last.n, phase: last.phase, isHalfOver: ctx.now - Number(last.started_at) >= Number(last.planned_ms) / 2 }
      : undefined,
    last: last?.n ?? 0,
  });
}

/** Steps 1 to 3, and the time box for those behind them (requirement CO-03). */
async function begin(ctx: OperationContext, kind: RoundKind, sprint: number): Promise<store.RoundRow> {
  const step = await openBox(ctx, kind, sprint);
  const returned = kind === "full" ? await sendHome(ctx, sprint) : [];
  const facts = await gatherFacts(ctx, { sprint, before: await store.lastSeen(ctx.db, kind) });
  const seen = { ...facts, returned, ...(kind === "orientation" ? { setup: await setUp(ctx) } : {}) };
  const row = await store.insertRound(ctx, { kind, sprint, stepId: step?.id, deadline: step?.deadline, seen });
  return coordinatorsOf(ctx.config).evaluator === undefined ? speakForNobody(ctx, row) : row;
}

/** Iteration 0 has one box, which a coordinator that was asked for its triage may have opened. */
async function openBox(ctx: OperationContext, kind: RoundKind, sprint: number) {
  if (kind !== "orientation") return beginStep(ctx, stepOf(kind), sprint);
  await lockPortfolio(ctx); // before the box, as distributions do
  const open = await runningStep(ctx.db, "iteration_zero");
  return open && open.deadline >= ctx.now ? open : beginStep(ctx, "iteration_zero", 0);
}

async function sendHome(ctx: OperationContext, sprint: number): Promise<Homecoming[]> {
  const last = await lastSprint(ctx.db);
  if (last && last.ended_at === null) await endSprint(ctx, last);
  const loans = await returnDueLoans(ctx, sprint);
  return loans.map((loan) => ({ agent: loan.agent, from: loan.to_team, to: loan.home_team }));
}

function answerOf(row: store.RoundRow, caller: Principal): z.infer<typeof answer> {
  const seen = store.seenOf(row);
  return compact({
    ...toShownRound(row),
    teams: seen.teams,
    dependencies: seen.needs?.map(needLine),
    spawn: spawnFor(row),
    outcome: store.outcomeOf(row),
    next: nextFor(row, caller),
  }) as z.infer<typeof answer>;
}

/** People may speak for a coordinator; a lead starts it. */
function nextFor(row: store.RoundRow, caller: Principal): string[] {
  if (awaited(row) !== undefined)
    return [...(caller.kind === "human" ? ["coordination_record"] : []), "coordination_begin"];
  return row.kind === "checkin" ? ["message_inbox"] : ["sprint_start"];
}

const MAX_TEXT = 200_000;
const recorded = shapes.shownRound.extend({ outcome: shapes.shownOutcome.optional(), next: z.array(z.string()) });

export const coordinationRecord = defineOperation({
  name: "coordination_record",
  description:
    "Coordinators: record your evaluation or plan; a plan's lines are carried out at once. Your last message does the same.",
  kind: "batch",
  mcp: "all",
  positional: ["round"],
  input: z.strictObject({
    round: shapes.roundRef.describe("Its id."),
    evaluation: z.string().min(1).max(MAX_TEXT).optional().describe("By staff-engineer."),
    plan: z.string().min(1).max(MAX_TEXT).optional().describe("By enablement-lead."),
  }),
  output: recorded,
  async run(ctx, { round, evaluation, plan }) {
    const text = evaluation ?? plan;
    if (text === undefined || (evaluation !== undefined && plan !== undefined))
      throw new TeamwrightError(
        "INVALID_INPUT",
        "Give either the evaluation or the plan.",
        hint("coordination_record", "takes round with one of the two"),
      );
    const part: Part = plan === undefined ? "evaluation" : "plan";
    // what is overdue ends in a transaction of its own, so that the refusal behind it does not undo that
    await ctx.transaction(async (trx) => {
      await store.lockRounds(trx);
      await endOverdueRounds(trx);
    });
    const row = await ctx.transaction(async (trx) => {
      await store.lockRounds(trx);
      return record(trx, await store.getRound(trx.db, round), part, text);
    });
    return compact({
      ...toShownRound(row),
      outcome: store.outcomeOf(row),
      next: nextFor(row, ctx.principal),
    }) as z.infer<typeof recorded>;
  },
  render: (output, view) => [...renderRound(output, output.outcome, view), view.next(output.next)].join("\n"),
});

async function record(ctx: OperationContext, row: store.RoundRow, part: Part, text: string): Promise<store.RoundRow> {
  const { principal } = ctx;
  const { agentId } = principal;
  const bound = agentId === undefined ? undefined : await store.roundOfAgent(ctx.db, agentId);
  const coordinators = coordinatorsOf(ctx.config);
  checkRecords(
    part,
    {
      principal,
      isBound: bound?.row.key === row.key && bound.part === part,
      isSpawned: agentId !== undefined && (await store.wasSpawned(ctx.db, agentId)),
    },
    coordinators,
  );
  checkAwaited(row, part);
  const id = part === "plan" ? coordinators.planner : coordinators.evaluator;
  return recordPart(ctx, row, part, text, {
    principal,
    name: principal.kind === "agent" ? (id ?? principal.name) : principal.name,
  });
}

/** Throws for a part that is there already, or comes before or after its time. */
function checkAwaited(row: store.RoundRow, part: Part): void {
  if (awaited(row) === part) return;
  if (row.status === "fell_back")
    throw new TeamwrightError(
      "RULE_VIOLATED",
      `${row.key} ended without it when its time was over; nothing of this is carried out.`,
      hint("coordination_begin", "shows what it ended with; message_send brings a late thought to the lead"),
    );
  if (row[part] !== null)
    throw new TeamwrightError(
      "CONFLICT",
      `${row.key} has its ${part}; the first one counts.`,
      hint("coordination_begin", "shows how it stands"),
    );
  throw new TeamwrightError(
    "RULE_VIOLATED",
    awaited(row) === undefined
      ? `${row.key} is done, without a plan.`
      : `${row.key} waits for its ${awaited(row)} first.`,
    hint("coordination_begin", "says which coordinator is next"),
  );
}

const shownWhole = shapes.shownRound.extend({
  began_at: z.string(),
  ended_at: z.string().optional(),
  evaluation_by: z.string().optional(),
  evaluation: z.string().optional(),
  plan_by: z.string().optional(),
  plan: z.string().optional(),
  outcome: shapes.shownOutcome.optional(),
});

export const coordinationShow = defineOperation({
  name: "coordination_show",
  description:
    "Rounds of coordination, newest first, with what was lent, refused and recommended; one round with its evaluation and plan.",
  kind: "read",
  mcp: "none",
  positional: ["round"],
  input: z.strictObject({
    round: shapes.roundRef.optional().describe("Shows this round whole."),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  output: z.object({ rounds: z.array(shownWhole) }),
  async run(ctx, { round, limit = 10 }) {
    const rows = round === undefined ? await store.listRounds(ctx.db, limit) : [await store.getRound(ctx.db, round)];
    return { rounds: rows.map((row) => toWhole(row, round !== undefined)) };
  },
  render({ rounds }, view) {
    if (rounds.length === 0) return "Teams have not been coordinated yet.";
    return rounds
      .map((shown) =>
        [
          ...renderRound(shown, shown.outcome, view),
          ...(shown.evaluation ? [fenceText(`evaluation by ${shown.evaluation_by}`, shown.evaluation)] : []),
          ...(shown.plan ? [fenceText(`plan by ${shown.plan_by}`, shown.plan)] : []),
        ].join("\n"),
      )
      .join("\n\n");
  },
});

function toWhole(row: store.RoundRow, withTexts: boolean): z.infer<typeof shownWhole> {
  return compact({
    ...toShownRound(row),
    began_at: isoTime(row.opened_at),
    ended_at: isoTime(row.ended_at),
    evaluation_by: row.evaluation_by ?? undefined,
    evaluation: withTexts ? (row.evaluation ?? undefined) : undefined,
    plan_by: row.plan_by ?? undefined,
    plan: withTexts ? (row.plan ?? undefined) : undefined,
    outcome: store.outcomeOf(row),
  }) as z.infer<typeof shownWhole>;
}
