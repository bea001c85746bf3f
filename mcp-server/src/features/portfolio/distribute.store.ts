import type { ProjectConfig, TeamConfig } from "../../config/config.schema.ts";
import type { DistributionStrategy } from "../../config/coordination.schema.ts";
import type { OperationContext } from "../../kernel/operation.ts";
import { beginStep, finishStep } from "../overhead/overhead.store.ts";
import { createTask } from "../task/new-task.store.ts";
import { tellDistribution } from "./broadcast.store.ts";
import { linkStoryNeeds, needOf, orderOwnStories } from "./need.store.ts";
import { type Assignment, capacityOf, planDistribution, type TeamPlace } from "./portfolio.rules.ts";
import type { Assigned, Distribution } from "./portfolio.schema.ts";
import {
  countPending,
  givenByTeam,
  lockPortfolio,
  PORTFOLIO,
  pendingNamed,
  pendingStories,
  productOf,
  type StoryRow,
  toPending,
  unstartedByTeam,
} from "./story.store.ts";

export interface DistributionRequest {
  /** Sprint the stories are for; 0 before the first, as the set-up (requirement OH-04). */
  readonly sprint: number;
  readonly strategy: DistributionStrategy;
  /** A coordinator's, from its ASSIGN lines; what they leave goes by the heuristic. */
  readonly assignments?: readonly Assignment[];
  /** Lines of the coordinator's that are no assignment: told with those that are not possible. */
  readonly unread?: Distribution["ignored"];
  /** True where a sprint starts: what stays is then news even when nothing is given out. */
  readonly isStart?: boolean;
}

/**
 * Gives stories to teams, each as a task on the team's board, in the caller's transaction: all of it happens or none.
 * Additive: what teams have they keep, and more is given only where there is room (requirements PF-01, PF-02, PF-05,
 * PF-06, PF-08; C-08). A box of time that is over, where there is one, takes the assignments' place by the heuristic.
 * All teams are told on the channel portfolio (MB-01, MB-03).
 */
export async function distribute(ctx: OperationContext, request: DistributionRequest): Promise<Distribution> {
  await lockPortfolio(ctx);
  const { sprint } = request;
  const isLate = await closeTimeBox(ctx, sprint);
  const strategy = isLate ? "heuristic" : request.strategy;
  const places = await teamPlaces(ctx);
  const into = { sprint, needs: [] as string[] };
  const own = await giveOwn(ctx, places, into);
  const drawing = portfolioTeams(ctx.config).map(({ id }) => id);
  const teams = drawing.flatMap((id) => places.get(id) ?? []);
  const assignments = isLate ? [] : (request.assignments ?? []);
  const shared = await giveShared(ctx, teams, { strategy, assignments, into });
  const assigned = [...own, ...shared.assigned];
  if (assigned.length > 0) {
    await linkStoryNeeds(ctx);
    await orderOwnStories(ctx, new Set(assigned.map(({ task }) => task)));
  }
  const outcome = {
    sprint,
    strategy,
    assigned,
    ignored: [...shared.ignored, ...(request.unread ?? [])],
    pending: await countPending(ctx.db),
    ...(isLate ? { timed_out: true } : {}),
  };
  await tellDistribution(ctx, outcome, { needs: into.needs, drawing, isStart: request.isStart ?? false });
  return outcome;
}

interface Into {
  readonly sprint: number;
  /** Keys of the needs that come along are added here. */
  readonly needs: string[];
}

/** Of teams whose file the configuration does not name, too: what was loaded for them waits for nobody else. */
async function giveOwn(ctx: OperationContext, places: Map<string, TeamPlace>, into: Into): Promise<Assigned[]> {
  const assigned: Assigned[] = [];
  for (const place of places.values()) {
    const rows = await pendingStories(ctx.db, place.id, Math.max(1, into.sprint), place.capacity);
    for (const row of rows) assigned.push(await give(ctx, row, { ...into, team: place.id, why: "own backlog" }));
    places.set(place.id, { ...place, capacity: place.capacity - rows.length });
  }
  return assigned;
}

async function giveShared(
  ctx: OperationContext,
  teams: readonly TeamPlace[],
  { strategy, assignments, into }: { strategy: DistributionStrategy; assignments: readonly Assignment[]; into: Into },
): Promise<Pick<Distribution, "assigned" | "ignored">> {
  const room = teams.reduce((sum, { capacity }) => sum + capacity, 0);
  const named = await pendingNamed(
    ctx.db,
    assignments.map(({ story }) => story),
  );
  const next = await pendingStories(ctx.db, PORTFOLIO, Math.max(1, into.sprint), room);
  const rows = new Map([...next, ...named].map((row) => [row.key, row]));
  const plan = planDistribution({
    stories: [...rows.values()].map(toPending),
    teams,
    strategy,
    assignments,
    isBrownfield: (await productOf(ctx.db))?.repository?.type === "brownfield",
  });
  const assigned: Assigned[] = [];
  for (const { key, team, why } of plan.placements) {
    const row = rows.get(key);
    if (row) assigned.push(await give(ctx, row, { ...into, team, why }));
  }
  return { assigned, ignored: [...plan.ignored] };
}

/** Ends the box that was opened for this distribution; without one it is done in no time. True when time was over. */
async function closeTimeBox(ctx: OperationContext, sprint: number): Promise<boolean> {
  const step = sprint === 0 ? "iteration_zero" : "distribution";
  const open = await finishStep(ctx, step, sprint);
  if (open) return open.timedOut;
  await beginStep(ctx, step, sprint);
  await finishStep(ctx, step, sprint);
  return false;
}

function hasOwnBacklog(team: TeamConfig): boolean {
  return team.backlog !== undefined;
}

/** Teams with a backlog of their own get nothing of the portfolio (requirement PF-01, C-08). */
export function portfolioTeams(config: ProjectConfig): TeamConfig[] {
  return config.teams.filter((team) => !hasOwnBacklog(team));
}

/** Every team with its room, by its id. */
export async function teamPlaces(ctx: Pick<OperationContext, "db" | "config">): Promise<Map<string, TeamPlace>> {
  const [holding, given] = [await unstartedByTeam(ctx.db), await givenByTeam(ctx.db)];
  const people = ctx.config.models.agents ?? {};
  return new Map(
    ctx.config.teams.map((team) => {
      const holds = holding.get(team.id) ?? 0;
      const place: TeamPlace = {
        id: team.id,
        name: team.name,
        type: team.team_type,
        capacity: capacityOf(ctx.config.portfolio.stories_per_team, holds),
        had: given.get(team.id) ?? 0,
        holds,
        specialists: team.agents.map((agent) => specialisations(people[agent])),
      };
      return [team.id, place];
    }),
  );
}

function specialisations(person: NonNullable<ProjectConfig["models"]["agents"]>[string] | undefined): string[] {
  const named = [person?.primary_specialization, ...(person?.auxiliary_specializations ?? [])];
  return named.flatMap((each) =>
    each === undefined
      ? []
      : [
          each
            .trim()
            .toLowerCase()
            .replaceAll(/[\s-]+/g, "_"),
        ],
  );
}

/** A story becomes a task of the team, with what it needs of another team, whose key goes into `needs`. */
async function give(
  ctx: OperationContext,
  row: StoryRow,
  { team, why, sprint, needs }: Into & { readonly team: string; readonly why: string },
): Promise<Assigned> {
  const criteria = JSON.parse(row.acceptance) as string[];
  const task = await createTask(ctx, {
    team,
    title: row.title,
    kind: "story",
    description: row.description ?? undefined,
    acceptance: criteria.length > 0 ? criteria.map((each) => `- ${each}`).join("\n") : undefined,
    priority: Math.min(row.priority, 4),
    points: row.points ?? undefined,
    labels: JSON.parse(row.tags) as string[],
    externalRef: row.key,
  });
  const change = await ctx.db
    .updateTable("story")
    .set({
      status: "assigned",
      team,
      task_id: task.id,
      assigned_sprint: sprint,
      assigned_why: why,
      assigned_at: ctx.now,
    })
    .where("id", "=", row.id)
    .where("status", "=", "pending")
    .executeTakeFirst();
  if (Number(change.numUpdatedRows) !== 1) throw new Error(`story ${row.key} was given out twice`); // the lock is held
  ctx.record({ type: "story.assigned", subject: row.key, team, after: { task: task.key, sprint, why } });
  const need = await needOf(ctx, row, task);
  if (need !== undefined) needs.push(need);
  return {
    story: row.key,
    team,
    task: task.key,
    title: row.title,
    ...(row.points === null ? {} : { points: row.points }),
    why,
  };
}
