import * as z from "zod";
import { type SprintPhase, sprintPhases } from "../../config/coordination.schema.ts";
import { isCoordinated, isFullLoopDue } from "../../config/practices.rules.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { systemPrincipal } from "../../kernel/principal.ts";
import { shownLoan } from "../borrow/borrow.schema.ts";
import { renderLoan, toShownLoan } from "../borrow/borrow.view.ts";
import { returnDueLoans } from "../borrow/loan.store.ts";
import { lockRounds } from "../coordination/round.store.ts";
import { endOrientation, endOverdueRounds } from "../coordination/round-end.store.ts";
import { insertMessage } from "../message/message.store.ts";
import { distribute } from "../portfolio/distribute.store.ts";
import { assigned } from "../portfolio/portfolio.schema.ts";
import { checkKeepsTime, checkPhase, MINUTE_MS, startWish } from "./sprint.rules.ts";
import { shownSprint, teamResult } from "./sprint.schema.ts";
import * as store from "./sprint.store.ts";
import { renderResults, renderSprint, toShownSprint, toTeamResult } from "./sprint.view.ts";

const NEXT = ["task_ready", "board_show"];
const ended = z.object({ sprint: shownSprint, teams: z.array(teamResult) });

export const sprintStart = defineOperation({
  name: "sprint_start",
  description:
    "Start the next sprint: ends the running one, sends agents on loan home, gives out stories, opens a time box.",
  kind: "write",
  mcp: "all",
  details:
    "Asked twice, by two leads or again, it is one sprint: with `sprint` the running sprint of that number is answered as it is, and without it so is a sprint that is still being planned and has used less than a tenth of its time. `sprint` with the next number ends even that one.",
  listedFields: ["minutes"],
  input: z.strictObject({
    minutes: z.number().min(1).max(100_000).optional().describe("Length; default as configured."),
    sprint: z.number().int().min(1).optional().describe("Number of the sprint that is meant."),
  }),
  output: z.object({
    sprint: shownSprint,
    /** It runs already: nothing was changed. */
    already: z.boolean().optional(),
    ended: ended.optional(),
    returned: z.array(shownLoan),
    stories: z.array(assigned),
    next: z.array(z.string()),
  }),
  async run(ctx, { minutes = ctx.config.sprint.minutes, sprint: wanted }) {
    checkKeepsTime(ctx.principal);
    await store.lockSprints(ctx);
    const last = await store.lastSprint(ctx.db);
    const current = last && last.ended_at === null ? last : undefined;
    const box = current && store.timeBoxOf(current);
    const wish = startWish({ now: ctx.now, last: last?.n ?? 0, running: box }, wanted);
    if (wish.kind === "running" && current)
      return { sprint: toShownSprint(current, ctx.now), already: true, returned: [], stories: [], next: NEXT };
    const n = (last?.n ?? 0) + 1;
    const isUnoriented = await checkLoop(ctx, n);
    const results = current ? await end(ctx, current) : undefined;
    const returned = await returnDueLoans(ctx, n);
    const row = await store.openSprint(ctx, n, minutes * MINUTE_MS);
    const strategy = isUnoriented ? "heuristic" : ctx.config.portfolio.strategy;
    const { assigned: stories } = await distribute(ctx, { sprint: n, strategy, isStart: true });
    const sprint = toShownSprint(row, ctx.now);
    await tellAll(ctx, `Sprint ${n} has started: ${minutes} minutes, until ${sprint.ends_at.slice(0, 16)}Z.`);
    return {
      sprint,
      ...(results ? { ended: results } : {}),
      returned: returned.map(toShownLoan),
      stories: [...stories],
      next: NEXT,
    };
  },
  render: ({ sprint, already, ended: before, returned, stories, next }, view) =>
    [
      ...(already ? [`Running already; sprint ${sprint.n + 1} starts when it is named.`] : []),
      ...(before ? [renderSprint(before.sprint, view), renderResults(before.teams, view)] : []),
      ...returned.map((loan) => renderLoan(loan, view)),
      ...stories.map(
        ({ task, story, team, title }) => `${view.paint("cyan", task)} ${story} for ${team}: ${plainLine(title, 100)}`,
      ),
      renderSprint(sprint, view),
      view.next(next),
    ].join("\n"),
});

/**
 * Throws RULE_VIOLATED while the full loop that comes before this sprint has not been held (requirement CO-02). True when
 * an orientation was open, for which the first sprint does not wait.
 */
async function checkLoop(ctx: OperationContext, n: number): Promise<boolean> {
  if (!isCoordinated(ctx.config)) return false;
  await lockRounds(ctx);
  await endOverdueRounds(ctx); // one whose coordinators have been silent for too long is held, too
  if (n === 1) return endOrientation(ctx);
  if (!isFullLoopDue(ctx.config, n) || (await store.isLoopDone(ctx.db, n))) return false;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `Before sprint ${n} the teams are coordinated, and that has not been done.`,
    hint("coordination_begin", "begins the round"),
  );
}

async function end(ctx: OperationContext, row: store.SprintRow) {
  const teams = await store.endSprint(ctx, row);
  const sprint = toShownSprint({ ...row, phase: "ended", ended_at: ctx.now }, ctx.now);
  return { sprint, teams: teams.map(toTeamResult) };
}

/** From the server itself, so that the lead who keeps the time reads it with the others. */
async function tellAll(ctx: OperationContext, text: string): Promise<void> {
  await insertMessage(ctx, { kind: "INFO", sender: systemPrincipal, channel: "portfolio", text });
}

/** The sprint that runs; throws RULE_VIOLATED between sprints. */
async function running(ctx: OperationContext): Promise<store.SprintRow> {
  await store.lockSprints(ctx);
  const row = await store.currentSprint(ctx.db);
  if (row) return row;
  throw new TeamwrightError("RULE_VIOLATED", "No sprint is running.", hint("sprint_start", "starts the next"));
}

export const sprintPhase = defineOperation({
  name: "sprint_phase",
  description: "Move the running sprint to a later phase: planning, development, qa, review. Phases may be left out.",
  kind: "write",
  mcp: "none",
  positional: ["phase"],
  input: z.strictObject({ phase: z.enum(sprintPhases) }),
  output: z.object({ sprint: shownSprint }),
  async run(ctx, { phase }) {
    checkKeepsTime(ctx.principal);
    const row = await running(ctx);
    checkPhase(row.phase as SprintPhase, phase); // of a running sprint, and written by this slice only
    const moved = await store.setPhase(ctx, row, phase);
    await tellAll(ctx, `Sprint ${row.n} is in ${phase}.`);
    return { sprint: toShownSprint(moved, ctx.now) };
  },
  render: ({ sprint }, view) => renderSprint(sprint, view),
});

export const sprintEnd = defineOperation({
  name: "sprint_end",
  description: "End the running sprint and write down what each team did in it; loans last until the next one starts.",
  kind: "write",
  mcp: "none",
  input: z.strictObject({}),
  output: ended,
  async run(ctx) {
    checkKeepsTime(ctx.principal);
    return end(ctx, await running(ctx));
  },
  render: ({ sprint, teams }, view) => [renderSprint(sprint, view), renderResults(teams, view)].join("\n"),
});

export const sprintShow = defineOperation({
  name: "sprint_show",
  description: "The running sprint with the time left and what each team has done so far, and the ones before it.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({ limit: z.number().int().min(1).max(200).optional().describe("Sprints; 5 by default.") }),
  output: z.object({ sprints: z.array(ended) }),
  async run(ctx, { limit = 5 }) {
    const sprints = [];
    for (const row of await store.listSprints(ctx.db, limit)) {
      const teams = await store.teamsOfSprint(ctx.db, row.id);
      const shown = row.ended_at === null ? await soFar(ctx, row, teams) : teams;
      sprints.push({ sprint: toShownSprint(row, ctx.now), teams: shown.map(toTeamResult) });
    }
    return { sprints };
  },
  render: ({ sprints }, view) =>
    sprints.length === 0
      ? "No sprint has been started."
      : sprints.map(({ sprint, teams }) => `${renderSprint(sprint, view)}\n${renderResults(teams, view)}`).join("\n\n"),
});

async function soFar(ctx: OperationContext, row: store.SprintRow, teams: readonly store.SprintTeamRow[]) {
  const found = [];
  for (const { team, blocked_before_ms } of teams)
    found.push({ team, ...(await store.resultOf(ctx, row, team, Number(blocked_before_ms))) });
  return found;
}
