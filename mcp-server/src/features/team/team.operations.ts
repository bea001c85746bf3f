import * as z from "zod";
import { teamTypes } from "../../config/config.schema.ts";
import { plainLine } from "../../kernel/fence.ts";
import { defineOperation } from "../../kernel/operation.ts";
import { liveAgents } from "../agent/agent.store.ts";
import { membersOf } from "../agent/placement.rules.ts";
import { activeLoans } from "../agent/placement.store.ts";
import { readCounts } from "../board/board.store.ts";
import { shownCircle, shownNeed } from "../dependency/dependency.schema.ts";
import { listDependencies } from "../dependency/dependency.store.ts";
import { describeNeed, renderCircles, toShownNeed } from "../dependency/dependency.view.ts";
import { circlesNow } from "../dependency/wait-circle.store.ts";
import { type Health, healthOf } from "../sprint/health.store.ts";
import { shownSprint } from "../sprint/sprint.schema.ts";
import { currentSprint } from "../sprint/sprint.store.ts";
import { renderSprint, toShownSprint } from "../sprint/sprint.view.ts";
import * as fields from "../task/task.schema.ts";
import { compact } from "../task/task.view.ts";
import { teamInView } from "./team.rules.ts";

const lent = z.array(z.object({ agent: z.string(), team: z.string(), due_sprint: z.number() }));

export const teamList = defineOperation({
  name: "team_list",
  description:
    "Teams of the project with their agents, types and board totals, as declared in teamwright.yaml, and who is on loan.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({}),
  output: z.object({
    teams: z.array(
      z.object({
        id: z.string(),
        name: z.string().optional(),
        team_type: z.enum(teamTypes).optional(),
        agents: z.array(z.string()),
        live: z.array(z.string()),
        /** Who works here now, loans counted; absent while nobody is lent. */
        members: z.array(z.string()).optional(),
        /** Guests with their home, and own agents with their host. */
        borrowed_in: lent.optional(),
        borrowed_out: lent.optional(),
        columns: z.record(z.string(), z.number()),
      }),
    ),
  }),
  async run(ctx) {
    const counts = await readCounts(ctx.db);
    const loans = await activeLoans(ctx.db, ctx.config);
    const places = loans.map((loan) => ({ agent: loan.agent, to: loan.to_team }));
    const teams = [];
    for (const team of ctx.config.teams) {
      if (ctx.principal.team !== undefined && ctx.principal.team !== team.id) continue;
      const live = (await liveAgents(ctx.db, team.id)).map((row) => row.name ?? row.agent_id);
      const guests = loans.filter((loan) => loan.to_team === team.id);
      const away = loans.filter((loan) => loan.home_team === team.id);
      const isTouched = guests.length + away.length > 0;
      teams.push(
        compact({
          id: team.id,
          name: team.name,
          team_type: team.team_type,
          agents: team.agents,
          live,
          members: isTouched ? membersOf(ctx.config.teams, places, team.id) : undefined,
          borrowed_in: guests.length > 0 ? guests.map((loan) => toLent(loan, loan.home_team)) : undefined,
          borrowed_out: away.length > 0 ? away.map((loan) => toLent(loan, loan.to_team)) : undefined,
          columns: counts.get(team.id) ?? {},
        }),
      );
    }
    return { teams };
  },
  render: (output, view) => {
    const isLending = output.teams.some((team) => team.members !== undefined);
    const loans = (list: readonly z.infer<typeof lent>[number][] | undefined, word: string) =>
      (list ?? []).map((loan) => `${word} ${plainLine(loan.agent, 40)} (${loan.team}, until ${loan.due_sprint})`);
    return view.table(
      ["team", "type", "agents", "live", "ready", "in progress", "done", ...(isLending ? ["on loan"] : [])],
      output.teams.map((team) => [
        view.paint("cyan", team.id),
        team.team_type ?? "",
        team.agents.join(", "),
        team.live.join(", "),
        String(team.columns.ready ?? 0),
        String(team.columns.in_progress ?? 0),
        String(team.columns.done ?? 0),
        ...(isLending
          ? [view.paint("yellow", [...loans(team.borrowed_in, "in"), ...loans(team.borrowed_out, "out")].join(", "))]
          : []),
      ]),
    );
  },
});

function toLent(loan: { agent: string; due_sprint: number }, team: string) {
  return { agent: loan.agent, team, due_sprint: loan.due_sprint };
}

const health = z.object({
  team: z.string(),
  velocity: z.number(),
  velocity_trend: z.array(z.number()),
  sprint_points: z.number(),
  sprint_done: z.number(),
  wip: z.number(),
  oldest_wip_ms: z.number(),
  blocked: z.number(),
  blocked_ms: z.number(),
  agents: z.number(),
  borrowed_in: z.array(z.string()),
  borrowed_out: z.array(z.string()),
});

export const teamStatus = defineOperation({
  name: "team_status",
  description:
    "Health of a team or of all: velocity of the last sprints, points so far, work in progress and its age, what is blocked and for how long, agents, loans, and who waits for whom.",
  kind: "read",
  mcp: "none",
  positional: ["team"],
  input: z.strictObject({ team: fields.teamId.optional() }),
  output: z.object({
    sprint: shownSprint.optional(),
    teams: z.array(health),
    /** Open ones, the oldest first. */
    dependencies: z.array(shownNeed).optional(),
    dependencies_total: z.number(),
    circles: z.array(shownCircle).optional(),
  }),
  async run(ctx, input) {
    const asked = teamInView(ctx.config, ctx.principal, input.team);
    const sprint = await currentSprint(ctx.db);
    const teams = [];
    for (const { id } of ctx.config.teams) {
      if (asked !== undefined && asked !== id) continue;
      const found = await healthOf(ctx, id);
      const lists = {
        velocity_trend: [...found.velocity_trend],
        borrowed_in: [...found.borrowed_in],
        borrowed_out: [...found.borrowed_out],
      };
      teams.push({ ...found, ...lists });
    }
    const needs = await listDependencies(ctx.db, { team: asked, status: "open", limit: MOST_NEEDS });
    const circles = await circlesNow(ctx);
    return compact({
      sprint: sprint && toShownSprint(sprint, ctx.now),
      teams,
      dependencies: needs.total > 0 ? needs.rows.map(toShownNeed) : undefined,
      dependencies_total: needs.total,
      circles: circles.length > 0 ? circles : undefined,
    });
  },
  render: ({ sprint, teams, dependencies = [], dependencies_total: total, circles }, view) =>
    [
      ...(sprint ? [renderSprint(sprint, view)] : []),
      view.table(
        ["team", "velocity", "trend", "this sprint", "in work", "oldest", "blocked", "for", "agents", "in", "out"],
        teams.map((team) => [
          view.paint("cyan", team.team),
          String(team.velocity),
          trendWords(team),
          `${team.sprint_points} points, ${team.sprint_done} done`,
          String(team.wip),
          age(team.oldest_wip_ms),
          team.blocked > 0 ? view.paint("red", String(team.blocked)) : view.paint("green", "0"),
          age(team.blocked_ms),
          String(team.agents),
          view.paint("green", team.borrowed_in.map((name) => plainLine(name, 40)).join(", ")),
          view.paint("yellow", team.borrowed_out.map((name) => plainLine(name, 40)).join(", ")),
        ]),
      ),
      ...dependencies.map((need) => describeNeed(need, view)),
      ...(total > dependencies.length ? [`… and ${total - dependencies.length} more: dependency_list shows them`] : []),
      ...renderCircles(circles, view),
    ].join("\n"),
});

/** Dependencies shown beside the health of teams. */
const MOST_NEEDS = 20;

/** `3 5 8 up`: from the last sprint but one to the last. */
function trendWords({ velocity_trend: trend }: Pick<Health, "velocity_trend">): string {
  const [before, last] = trend.slice(-2);
  const word =
    before === undefined || last === undefined ? "" : last > before ? "up" : last < before ? "down" : "level";
  return [...trend.map(String), word].filter((part) => part !== "").join(" ");
}

/** `2d`, `3h`, `5m`; nothing for less than a minute. */
function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "";
  if (minutes < 120) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1440)}d`;
}
