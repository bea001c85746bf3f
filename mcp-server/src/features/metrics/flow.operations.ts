import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { readCounts } from "../board/board.store.ts";
import { teamInView } from "../team/team.rules.ts";
import {
  conflictCounts,
  finishedCounts,
  finishedDurations,
  type Group,
  type Quantiles,
  workAges,
} from "./flow.store.ts";
import { renderFlow } from "./flow.view.ts";
import { flowFormulas } from "./formulas.rules.ts";
import {
  explain,
  type FlowNow,
  type FlowOfTime,
  formulas,
  from,
  shownWindow,
  teamFlow,
  to,
  windowShape,
} from "./metrics.schema.ts";
import { type Period, periodOf, periods, periodsOf, type TimeWindow } from "./window.rules.ts";
import { agentsByTeam } from "./work.store.ts";

const seconds = (ms: number) => Math.round(ms) / 1000;

export const metricsFlow = defineOperation({
  name: "metrics_flow",
  description:
    "Flow and use of teams by day or week: throughput, lead and cycle time (median, 85th percentile), age of work in progress, queue, utilisation, conflict rate.",
  details: "Days and weeks are UTC, weeks begin on Monday; the last one is not over yet.",
  kind: "read",
  mcp: "none",
  positional: ["team"],
  input: z.strictObject({
    team: z.string().min(1).optional().describe("Team id; all teams."),
    period: z.enum(periods).optional().describe("Length of a row: day, the last 7; or week, the last 8."),
    from: from.describe("Date in the first period."),
    to: to.describe("Date in the last period; now."),
    explain,
  }),
  output: z.object({ period: z.enum(periods), ...windowShape, teams: z.array(teamFlow), formulas }),
  async run(ctx, { period = "day", ...input }) {
    const asked = teamInView(ctx.config, ctx.principal, input.team);
    const starts = periodsOf(period, input, ctx.now);
    const window = { from: starts[0] ?? 0, to: (starts.at(-1) ?? 0) + periodOf(period).ms - 1 };
    const each = await ofTime(ctx.db, window, period);
    const total = await ofTime(ctx.db, window);
    const now = await ofNow(ctx.db, ctx.now);
    const teams = ctx.config.teams.filter(({ id }) => asked === undefined || id === asked);
    return {
      period,
      ...shownWindow(window),
      teams: teams.map(({ id }) => ({
        team: id,
        now: now(id),
        total: total(id, 0),
        periods: starts.map((start) => ({ start: new Date(start).toISOString().slice(0, 10), ...each(id, start) })),
      })),
      ...(input.explain ? { formulas: [...flowFormulas] } : {}),
    };
  },
  render: renderFlow,
});

type Db = Parameters<typeof workAges>[0];

async function ofTime(
  db: Db,
  window: TimeWindow,
  period?: Period,
): Promise<(team: string, start: number) => FlowOfTime> {
  const lead = byGroup(await finishedDurations(db, "lead", window, period));
  const cycle = byGroup(await finishedDurations(db, "cycle", window, period));
  const done = byGroup(await finishedCounts(db, window, period));
  const conflicts = byGroup(await conflictCounts(db, window, period));
  return (team, start) => {
    const throughput = done(team, start)?.n ?? 0;
    const met = conflicts(team, start)?.n ?? 0;
    return {
      throughput,
      lead: shown(lead(team, start)),
      cycle: shown(cycle(team, start)),
      conflicts: met,
      conflict_rate: throughput === 0 ? null : met / throughput,
    };
  };
}

async function ofNow(db: Db, now: number): Promise<(team: string) => FlowNow> {
  const columns = await readCounts(db);
  const ages = byGroup(await workAges(db, now));
  const agents = await agentsByTeam(db);
  return (team) => {
    const counts = columns.get(team) ?? {};
    const age = ages(team, 0);
    const { live = 0, busy = 0 } = agents.find((row) => row.team === team) ?? {};
    return {
      queue: counts.ready ?? 0,
      wip: (counts.in_progress ?? 0) + (counts.review ?? 0),
      age: { ...shown(age), oldest: age ? seconds(age.most) : null },
      agents: live,
      busy,
      utilisation: live === 0 ? null : busy / live,
    };
  };
}

function byGroup<T extends Group>(rows: readonly T[]): (team: string, start: number) => T | undefined {
  const found = new Map(rows.map((row) => [`${row.start} ${row.team}`, row]));
  return (team, start) => found.get(`${start} ${team}`);
}

function shown(found: Quantiles | undefined) {
  return found ? { median: seconds(found.median), p85: seconds(found.p85) } : { median: null, p85: null };
}
