/** What a number of a report means; measures of a team have their formulas where they are computed. */
export interface Formula {
  readonly name: string;
  readonly unit: string;
  readonly formula: string;
}

/** Requirement ME-04. Percentiles are by nearest rank: a value that occurred, and no mean of two. */
export const flowFormulas: readonly Formula[] = [
  { name: "throughput", unit: "tasks", formula: "tasks closed as done in the period, epics left out" },
  { name: "lead", unit: "seconds", formula: "closed − created, of those tasks; median and 85th percentile" },
  {
    name: "cycle",
    unit: "seconds",
    formula: "closed − first claimed, of those that were claimed; median and 85th percentile",
  },
  {
    name: "conflicts",
    unit: "events",
    formula: "writes refused because the file is another's + merges that met a conflict",
  },
  { name: "conflict_rate", unit: "conflicts per task", formula: "conflicts ÷ throughput; null without throughput" },
  { name: "queue", unit: "tasks", formula: "tasks that are ready now" },
  { name: "wip", unit: "tasks", formula: "tasks in progress or in review now" },
  { name: "age", unit: "seconds", formula: "now − first claimed, of those; median, 85th percentile, oldest" },
  {
    name: "utilisation",
    unit: "share, 0 to 1",
    formula: "agents with a task in progress ÷ agents that run; null without agents",
  },
];

/** Requirements ME-05, BO-08. */
export const portfolioFormulas: readonly Formula[] = [
  {
    name: "size",
    unit: "agents",
    formula: "mean of the team's agents at the end of each sprint, rounded; loans count where the work was done",
  },
  {
    name: "velocity",
    unit: "story points per sprint",
    formula: "points of the sprints that ended in the window ÷ their number",
  },
  {
    name: "velocity_per_capita",
    unit: "story points per agent and sprint",
    formula: "points ÷ agents of each of those sprints, added up",
  },
  {
    name: "blocked_seconds",
    unit: "seconds",
    formula: "time the team's tasks were blocked in those sprints, added up",
  },
  { name: "depends_on_teams", unit: "needs", formula: "needs of other teams declared in the window" },
  {
    name: "blocked_seconds_per_need",
    unit: "seconds per need",
    formula: "blocked_seconds ÷ depends_on_teams; null without needs",
  },
  {
    name: "overhead_share",
    unit: "share",
    formula: "time of the steps of coordination ÷ time of those sprints; iteration 0 belongs to the first",
  },
  {
    name: "loans",
    unit: "story points per sprint",
    formula:
      "velocity in sprints in which the team lent, or borrowed, beside that in its others; a comparison, no proof of a cause",
  },
];

/** Below a report that was asked to explain itself. */
export function explained(formulas: readonly Formula[]): string[] {
  return ["", ...formulas.map(({ name, unit, formula }) => `${name} (${unit}): ${formula}`)];
}
