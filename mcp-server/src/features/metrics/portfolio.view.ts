import type { RenderView } from "../../kernel/operation.ts";
import { bar, duration, percent, shortNumber, sparkline } from "./bars.view.ts";
import { explained, type Formula } from "./formulas.rules.ts";
import type { GroupResult, LoanEffect } from "./portfolio.rules.ts";

const BAR = 12;
/** Sprints of a sparkline: one cell each. */
const TREND = 20;

export interface ShownTeam {
  readonly team: string;
  readonly team_type: string | null;
  readonly size: number | null;
  readonly sprints: number;
  readonly velocity: number | null;
  readonly velocity_per_capita: number | null;
  readonly velocity_trend: readonly number[];
  readonly done: number;
  readonly blocked_seconds: number;
  readonly depends_on_teams: number;
}

export interface ShownPortfolio {
  readonly teams: readonly ShownTeam[];
  readonly by_size: readonly GroupResult[];
  readonly by_type: readonly GroupResult[];
  readonly overhead_share: number | null;
  readonly overhead_seconds: number;
  readonly sprint_seconds: number;
  readonly loans: readonly LoanEffect[];
  readonly formulas?: readonly Formula[] | undefined;
}

/** Tables with small bars; trends of all teams have one scale, so that they can be compared. */
export function renderPortfolio(shown: ShownPortfolio, view: RenderView): string {
  const { overhead_share: part, overhead_seconds: spent, sprint_seconds: time } = shown;
  const overhead = `Coordination took ${duration(spent)} of ${duration(time)} of sprint time`;
  return [
    teamTable(shown.teams, view),
    ...groupTable("size", "agents", shown.by_size, view),
    ...groupTable("type", "team type", shown.by_type, view),
    ...loanTable(shown.loans, view),
    "",
    part === null ? "No sprint has ended yet." : `${overhead}: ${view.paint("bold", percent(part))}.`,
    ...(shown.formulas ? explained(shown.formulas) : []),
  ].join("\n");
}

function teamTable(teams: readonly ShownTeam[], view: RenderView): string {
  const most = Math.max(0, ...teams.map((team) => team.velocity_per_capita ?? 0));
  const peak = Math.max(0, ...teams.flatMap((team) => team.velocity_trend.slice(-TREND)));
  return view.table(
    ["team", "type", "agents", "velocity", "trend", "per capita", "", "done", "blocked", "needs"],
    teams.map((team) => [
      view.paint("cyan", team.team),
      team.team_type ?? "",
      shortNumber(team.size),
      shortNumber(team.velocity),
      view.paint("blue", sparkline(team.velocity_trend.slice(-TREND), peak)),
      shortNumber(team.velocity_per_capita),
      view.paint("green", bar(team.velocity_per_capita ?? 0, most, BAR)),
      String(team.done),
      team.blocked_seconds > 0 ? view.paint("red", duration(team.blocked_seconds)) : "0",
      String(team.depends_on_teams),
    ]),
  );
}

function groupTable(title: string, head: string, groups: readonly GroupResult[], view: RenderView): string[] {
  if (groups.length === 0) return [];
  const most = Math.max(0, ...groups.map((group) => group.velocity_per_capita ?? 0));
  return [
    "",
    view.paint("bold", `Velocity per capita by ${title}`),
    view.table(
      [head, "teams", "agent sprints", "per capita", ""],
      groups.map((group) => [
        group.group,
        String(group.teams),
        String(group.agent_sprints),
        shortNumber(group.velocity_per_capita),
        view.paint("green", bar(group.velocity_per_capita ?? 0, most, BAR)),
      ]),
    ),
  ];
}

function loanTable(loans: readonly LoanEffect[], view: RenderView): string[] {
  if (loans.length === 0) return [];
  return [
    "",
    view.paint("bold", "Velocity in sprints with loans"),
    view.table(
      ["team", "as", "sprints", "velocity", "otherwise", "change"],
      loans.map(({ team, role, sprints, velocity, otherwise }) => [
        view.paint("cyan", team),
        role,
        String(sprints),
        shortNumber(velocity),
        shortNumber(otherwise),
        otherwise === null ? "–" : change(velocity - otherwise, view),
      ]),
    ),
  ];
}

function change(by: number, view: RenderView): string {
  const text = `${by > 0 ? "+" : ""}${shortNumber(by)}`;
  return by === 0 ? text : view.paint(by > 0 ? "green" : "red", text);
}
