import type { MetricFamily, MetricType, Sample } from "./prometheus.rules.ts";

/** What is known of a metric before there is a sample of it. */
export interface MetricSpec {
  readonly type: MetricType;
  readonly help: string;
  /** Labels that its samples may have, besides `le` of a histogram. */
  readonly labels: readonly string[];
}

/**
 * Every metric that is exported (requirements ME-01, ME-04, C-09). Names end in their unit by Prometheus' conventions,
 * counters in `_total`; `sprint_velocity` is the seed's own. What belongs to a team says so with `team_id`.
 */
export const metricCatalogue = {
  sprint_velocity: {
    type: "gauge",
    help: "Story points of the cards a team closed as done in the sprint that ended last.",
    labels: ["team_id"],
  },
  teamwright_velocity_points_total: {
    type: "counter",
    help: "Story points of the cards a team closed as done in all sprints that have ended.",
    labels: ["team_id"],
  },
  teamwright_velocity_tasks_total: {
    type: "counter",
    help: "Cards a team closed as done in all sprints that have ended, those without points too.",
    labels: ["team_id"],
  },
  teamwright_sprint_number: { type: "gauge", help: "The sprint that runs, or ran last.", labels: [] },
  teamwright_sprint_remaining_seconds: {
    type: "gauge",
    help: "Time left of the sprint that runs; 0 past its end.",
    labels: [],
  },
  teamwright_tasks: {
    type: "gauge",
    help: "Tasks of a team by board column; in_progress and review are its work in progress, ready is its queue.",
    labels: ["team_id", "column"],
  },
  teamwright_work_in_progress_age_seconds: {
    type: "gauge",
    help: "How long ago the oldest card in progress or in review was begun.",
    labels: ["team_id"],
  },
  teamwright_blocked_tasks: {
    type: "gauge",
    help: "Tasks that carry the blocked flag now.",
    labels: ["team_id"],
  },
  teamwright_blocked_seconds_total: {
    type: "counter",
    help: "Time that tasks have been blocked, that of those still blocked included.",
    labels: ["team_id"],
  },
  teamwright_tasks_closed_total: {
    type: "counter",
    help: "How often a task was closed, whatever its outcome; one that is opened again and closed again counts twice.",
    labels: ["team_id"],
  },
  teamwright_tasks_reopened_total: {
    type: "counter",
    help: "How often a closed task was opened again.",
    labels: ["team_id"],
  },
  teamwright_tasks_returned_total: {
    type: "counter",
    help: "How often work that was handed in was sent back.",
    labels: ["team_id"],
  },
  teamwright_task_cycle_time_seconds: {
    type: "histogram",
    help: "Time from the first claim to the end of tasks, each time they are closed as done; epics left out.",
    labels: ["team_id"],
  },
  teamwright_task_lead_time_seconds: {
    type: "histogram",
    help: "Time from the creation to the end of tasks, each time they are closed as done; epics left out.",
    labels: ["team_id"],
  },
  teamwright_conflicts_total: {
    type: "counter",
    help: "Writes refused because the file is another's, and merges that met a conflict.",
    labels: ["team_id", "kind"],
  },
  teamwright_dependencies: {
    type: "gauge",
    help: "What a team needs of another, by state.",
    labels: ["team_id", "needs_team_id", "status"],
  },
  teamwright_agents: {
    type: "gauge",
    help: "Agents that have started and not ended, by whether they hold a task in progress.",
    labels: ["team_id", "state"],
  },
  teamwright_loans: {
    type: "gauge",
    help: "Loans of agents from a team to another, by state.",
    labels: ["team_id", "to_team_id", "status"],
  },
  teamwright_overhead_seconds_total: {
    type: "counter",
    help: "Time spent on coordination, by step; a step of one team says which.",
    labels: ["step", "team_id"],
  },
  teamwright_overhead_steps_total: {
    type: "counter",
    help: "Steps of coordination that have ended.",
    labels: ["step", "team_id"],
  },
  teamwright_overhead_timeouts_total: {
    type: "counter",
    help: "Steps that ran into their deadline.",
    labels: ["step", "team_id"],
  },
  teamwright_overhead_budget_seconds: {
    type: "gauge",
    help: "Time that may go into coordination in all sprints together.",
    labels: [],
  },
  teamwright_units: {
    type: "gauge",
    help: "Work units by phase of their loop.",
    labels: ["team_id", "phase"],
  },
  teamwright_reviews_total: {
    type: "counter",
    help: "Adversarial reviews that ended, by verdict; void means without one.",
    labels: ["team_id", "verdict"],
  },
  teamwright_gate_runs_total: {
    type: "counter",
    help: "Gates the server has run, by result.",
    labels: ["team_id", "gate", "result"],
  },
  teamwright_gate_seconds_total: {
    type: "counter",
    help: "Time those gates took.",
    labels: ["team_id", "gate", "result"],
  },
  teamwright_escalations_open: {
    type: "gauge",
    help: "Escalations nobody has resolved, by who they wait for; the team is that of the task, where there is one.",
    labels: ["team_id", "level"],
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricCatalogue;

/** A family of the catalogue with what was counted. */
export function familyOf(name: MetricName, samples: readonly Sample[]): MetricFamily {
  const { type, help } = metricCatalogue[name];
  return { name, type, help, samples };
}

/** Only the labels that have a value: Prometheus takes an empty one for none. */
export function labelled(labels: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== ""),
  );
}
