import * as z from "zod";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation, type OperationContext } from "../../kernel/operation.ts";
import { directsWork } from "../../kernel/principal.ts";
import { parseDirectives } from "../coordination/directives.rules.ts";
import { timeContext } from "../overhead/overhead.rules.ts";
import { beginStep, runningStep } from "../overhead/overhead.store.ts";
import { lastSprint, sprintForLoans } from "../sprint/sprint.store.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { checkTeam } from "../team/team.rules.ts";
import { distribute } from "./distribute.store.ts";
import { assigned } from "./portfolio.schema.ts";
import { listStories, PORTFOLIO, storyCounts } from "./story.store.ts";
import { triagePrompt } from "./triage.rules.ts";
import { triageFacts } from "./triage.store.ts";

export const portfolioDistribute = defineOperation({
  name: "portfolio_distribute",
  description:
    "Distribute portfolio stories to teams as tasks, as far as teams have room. With strategy coordinator it first returns a prompt for the coordinator; its answer is triage.",
  kind: "write",
  mcp: "all",
  input: z.strictObject({
    triage: z.string().min(1).max(200_000).optional().describe("The coordinator's answer, ASSIGN lines."),
  }),
  output: z.object({
    sprint: z.number(),
    strategy: z.string(),
    assigned: z.array(assigned),
    ignored: z.array(z.object({ story: z.string(), why: z.string() })).optional(),
    pending: z.number().optional(),
    timed_out: z.boolean().optional(),
    prompt: z.string().optional(),
    deadline: z.string().optional(),
    next: z.array(z.string()),
  }),
  async run(ctx, input) {
    if (!directsWork(ctx.principal))
      throw new TeamwrightError(
        "FORBIDDEN",
        "Stories are given out by the lead or a person.",
        hint("task_ready", "shows what your team can take"),
      );
    const sprint = await sprintOfNext(ctx);
    const { strategy } = ctx.config.portfolio;
    const question = strategy === "coordinator" && input.triage === undefined && (await askCoordinator(ctx, sprint));
    if (question) return question;
    const { assignments, unread } = read(input.triage ?? "");
    const outcome = await distribute(ctx, {
      sprint,
      strategy: input.triage === undefined ? strategy : "coordinator",
      assignments,
      unread,
    });
    return compact({
      ...outcome,
      ignored: outcome.ignored.length > 0 ? outcome.ignored : undefined,
      next: ["board_show", "dependency_list"],
    });
  },
  render(output, view) {
    if (output.prompt !== undefined)
      return `Ask a coordinator, and give its answer as triage${output.deadline ? ` until ${output.deadline}` : ""}:\n\n${output.prompt}`;
    const late = output.timed_out ? ` ${view.paint("yellow", "Out of time: by the heuristic.")}` : "";
    return [
      `${output.sprint === 0 ? "Before the first sprint" : `Sprint ${output.sprint}`}: ${output.assigned.length} stories given out, ${output.pending ?? 0} wait.${late}`,
      ...output.assigned.map(
        (each) =>
          `${view.paint("cyan", each.task)}  ${each.story} → ${each.team}: ${plainLine(each.title, 60)} (${plainLine(each.why, 60)})`,
      ),
      ...(output.ignored ?? []).map(({ story, why }) =>
        view.paint("yellow", `! ${plainLine(story, 64)}: ${plainLine(why, 200)}`),
      ),
      view.next(output.next),
    ].join("\n");
  },
});

/** 0 before the first sprint; in its review and between sprints the next one. */
async function sprintOfNext(ctx: OperationContext): Promise<number> {
  return (await lastSprint(ctx.db)) ? sprintForLoans(ctx.db) : 0;
}

function read(triage: string) {
  const { directives, unread } = parseDirectives(triage);
  return {
    assignments: directives.flatMap((each) =>
      each.kind === "assign" ? [{ story: each.story, to: each.to, reason: plainLine(each.reason, 500) }] : [],
    ),
    unread: unread.map(({ line, why }) => ({ story: `line ${line}`, why })),
  };
}

/** Opens the time box and says what to ask; nothing is given out yet. Undefined where nothing can be decided. */
async function askCoordinator(ctx: OperationContext, sprint: number) {
  const { teams, stories } = await triageFacts(ctx, sprint);
  if (stories.length === 0 || teams.every(({ capacity }) => capacity === 0)) return undefined;
  const kind = sprint === 0 ? "iteration_zero" : "distribution";
  const running = await runningStep(ctx.db, kind); // asking again does not begin anew
  const isOpen = running?.sprint === sprint && running.deadline >= ctx.now;
  const step = isOpen ? running : await beginStep(ctx, kind, sprint);
  return compact({
    sprint,
    strategy: "coordinator",
    assigned: [],
    prompt: triagePrompt(teams, stories, timeContext(step?.deadline, ctx.now)),
    deadline: step && new Date(step.deadline).toISOString(),
    next: ["portfolio_distribute"],
  });
}

export const portfolioShow = defineOperation({
  name: "portfolio_show",
  description: "Portfolio stories and teams' own backlogs: how many wait, which team has which, and their tasks.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    team: fields.teamId.optional().describe("Stories of this team's backlog, and those it was given."),
    status: z.enum(["pending", "assigned"]).optional(),
    limit: z.number().int().min(1).max(10_000).optional().describe("Most stories shown; 100 by default."),
  }),
  output: z.object({
    backlogs: z.array(
      z.object({
        team: z.string().optional(),
        pending: z.number(),
        assigned: z.record(z.string(), z.number()),
        points: z.number(),
      }),
    ),
    stories: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        status: z.string(),
        priority: z.number(),
        points: z.number().optional(),
        backlog: z.string().optional(),
        team: z.string().optional(),
        task: z.string().optional(),
        task_state: z.string().optional(),
        sprint: z.number().optional(),
        why: z.string().optional(),
      }),
    ),
  }),
  async run(ctx, input) {
    if (input.team !== undefined) checkTeam(ctx.config, input.team);
    const rows = await listStories(ctx.db, { team: input.team, status: input.status, limit: input.limit ?? 100 });
    return {
      backlogs: await backlogs(ctx),
      stories: rows.map((row) =>
        compact({
          id: row.key,
          title: row.title,
          status: row.status,
          priority: row.priority,
          points: row.points ?? undefined,
          backlog: row.owner === PORTFOLIO ? undefined : row.owner,
          team: row.team ?? undefined,
          task: row.task_key ?? undefined,
          task_state: row.task_status ?? undefined,
          sprint: row.assigned_sprint ?? undefined,
          why: row.assigned_why ?? undefined,
        }),
      ),
    };
  },
  render(output, view) {
    const totals = output.backlogs.map(({ team, pending, assigned: given, points }) => {
      const parts = Object.entries(given).map(([who, n]) => `${who} ${n}`);
      return `${team === undefined ? "Portfolio" : `Backlog of ${team}`}: ${pending} wait, ${parts.length > 0 ? `given out: ${parts.join(", ")}` : "none given out"} (${points} points).`;
    });
    if (output.stories.length === 0)
      return [...totals, "No stories; load some.", view.next(["portfolio_load"])].join("\n");
    const rows = output.stories.map((story) => [
      view.paint("cyan", story.id),
      plainLine(story.title, 50),
      String(story.priority),
      story.points === undefined ? "" : String(story.points),
      story.team ?? "",
      story.task ?? "",
      story.task_state ?? story.status,
    ]);
    return [...totals, view.table(["story", "title", "prio", "points", "team", "task", "state"], rows)].join("\n");
  },
});

async function backlogs(ctx: OperationContext) {
  const byOwner = new Map<string, { pending: number; assigned: Record<string, number>; points: number }>();
  for (const { owner, status, team, n, points } of await storyCounts(ctx.db)) {
    const entry = byOwner.get(owner) ?? { pending: 0, assigned: {}, points: 0 };
    if (status === "pending") entry.pending += n;
    else entry.assigned[team ?? ""] = n;
    entry.points += points;
    byOwner.set(owner, entry);
  }
  return [...byOwner].map(([owner, entry]) => compact({ team: owner === PORTFOLIO ? undefined : owner, ...entry }));
}
