import type { SprintRecord } from "./state.rules.ts";

/** What the console tells of a run (requirement OU-03). */
export interface ConsoleFacts {
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly teams: readonly { readonly id: string; readonly name: string; readonly agents: number }[];
  readonly coordinators: readonly string[];
}

const RULE = "=".repeat(60);
const MOST_TOLD = 3;

export function openingLines({ agents, teams, coordinators }: ConsoleFacts): string[] {
  return [
    `Loaded ${agents.length} agents:`,
    ...agents.map(({ id, name }) => `  - ${id}: ${name}`),
    "",
    `Multi-team mode: ${teams.length} teams`,
    ...teams.map(({ id, name, agents: count }) => `  - ${id}: ${name} (${count} agents)`),
    ...(coordinators.length > 0 ? [`  Coordinators: [${coordinators.map((id) => `'${id}'`).join(", ")}]`] : []),
  ];
}

/** One sprint between its rules; the time is the simulation's. */
export function sprintLines(record: SprintRecord): string[] {
  const { coordination, review } = record;
  return [
    "",
    RULE,
    `SPRINT ${record.sprint}  [${record.started_at.slice(11, 19)}]`,
    RULE,
    ...(coordination?.loop ? ["  Running cross-team coordination loop..."] : []),
    ...(coordination?.recommendations ?? []).slice(0, MOST_TOLD).map((text) => `  [COORD] ${text}`),
    ...(coordination?.borrows ?? []).map(({ agent, from, to }) => `  [BORROW] ${agent}: ${from} → ${to}`),
    ...(coordination?.refused ?? []).map(
      ({ agent, from, to, code }) => `  [REFUSED] ${agent}: ${from} → ${to} (${code})`,
    ),
    ...(coordination?.fallback === undefined ? [] : [`  [COORD] Nobody was heard: ${coordination.fallback}`]),
    ...(coordination?.checkin ?? []).slice(0, MOST_TOLD).map((text) => `  [MID-SPRINT] ${text}`),
    ...Object.entries(record.teams).flatMap(([team, { disturbances }]) =>
      disturbances.length > 0 ? [`  [${team}] disturbed by ${disturbances.map(({ kind }) => kind).join(", ")}`] : [],
    ),
    ...Object.entries(record.teams).map(
      ([team, { velocity, features_completed }]) => `  [${team}] velocity=${velocity}pts done=${features_completed}`,
    ),
    ...(review ? [`  [REVIEW] ${review.decision} (${review.by}): ${review.note}`] : []),
  ];
}
