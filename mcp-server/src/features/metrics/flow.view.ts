import type { RenderView } from "../../kernel/operation.ts";
import { bar, duration, percent, shortNumber, sparkline } from "./bars.view.ts";
import { explained, type Formula } from "./formulas.rules.ts";
import type { FlowOfTime, TeamFlow } from "./metrics.schema.ts";

const BAR = 12;

export interface ShownFlow {
  readonly period: string;
  readonly teams: readonly TeamFlow[];
  readonly formulas?: readonly Formula[] | undefined;
}

/** For each team what is now, a row per day or week, and the whole below. */
export function renderFlow({ period, teams, formulas }: ShownFlow, view: RenderView): string {
  const shown = teams.map((team) => renderTeam(team, period, view)).join("\n\n");
  return [shown, ...(formulas ? explained(formulas) : [])].join("\n");
}

function renderTeam({ team, now, total, periods }: TeamFlow, period: string, view: RenderView): string {
  const most = Math.max(0, ...periods.map(({ throughput }) => throughput));
  const trend = sparkline(periods.map(({ throughput }) => throughput));
  const age = now.age.oldest === null ? "" : `, oldest ${duration(now.age.oldest)}, median ${duration(now.age.median)}`;
  const used =
    now.utilisation === null ? "no agents" : `${now.busy} of ${now.agents} agents busy (${percent(now.utilisation)})`;
  return [
    `${view.paint("bold", team)}  ${view.paint("green", trend)}  queue ${now.queue}, in progress ${now.wip}${age}; ${used}`,
    view.table(
      [period, "done", "", "lead median", "p85", "cycle median", "p85", "conflicts", "per task"],
      [
        ...periods.map((row) => [
          view.paint("cyan", row.start),
          String(row.throughput),
          view.paint("green", bar(row.throughput, most, BAR)),
          ...cells(row, view),
        ]),
        [view.paint("bold", "all"), view.paint("bold", String(total.throughput)), "", ...cells(total, view)],
      ],
    ),
  ].join("\n");
}

function cells({ lead, cycle, conflicts, conflict_rate: rate }: FlowOfTime, view: RenderView): string[] {
  return [
    duration(lead.median),
    duration(lead.p85),
    duration(cycle.median),
    duration(cycle.p85),
    conflicts > 0 ? view.paint("red", String(conflicts)) : "0",
    shortNumber(rate),
  ];
}
