import type { ProjectConfig } from "../../config/config.schema.ts";
import { coordinatorRoles } from "../../config/people.schema.ts";

/** Beyond it the talk grows faster than the work (requirements TC-12, TZ-01). */
const MOST_IN_TEAM = 5;

/** What is allowed and probably not meant, one sentence each. */
export function notesOn(config: ProjectConfig): string[] {
  const { coordination, teams } = config;
  const people = config.models.agents ?? {};
  const notes: string[] = [];
  if (coordination.enabled && teams.length < 2)
    notes.push("coordination is on, but no teams are named: it does nothing until there are two.");
  if (coordination.enabled) notes.push(...coordinatorNotes(config));
  if (!coordination.enabled && coordination.coordinators.length > 0)
    notes.push("coordinators are named, but coordination is off: they are never asked.");
  const busy = new Set([...teams.flatMap(({ agents }) => agents), ...coordination.coordinators]);
  const idle = Object.keys(people).filter((id) => !busy.has(id));
  if (idle.length > 0) notes.push(`In no team and no coordinators: ${idle.join(", ")}.`);
  const small = teams.filter(({ agents }) => agents.length > 0 && agents.length <= coordination.min_team_size);
  if (coordination.enabled && coordination.max_borrows_per_sprint > 0 && small.length > 0)
    notes.push(
      `Cannot lend anybody, because min_team_size is ${coordination.min_team_size}: ${small.map(({ id }) => id).join(", ")}.`,
    );
  const large = teams.filter(({ agents }) => agents.length > MOST_IN_TEAM);
  if (large.length > 0)
    notes.push(
      `More than ${MOST_IN_TEAM} agents: ${large.map(({ id }) => id).join(", ")}. Start with three and add two at a time, or split the team.`,
    );
  if (config.portfolio.strategy === "coordinator" && coordination.coordinators.length === 0)
    notes.push("portfolio.strategy is coordinator, but there is none: stories go by the heuristic.");
  return notes;
}

/** Steps that nobody is there for fall back to fixed texts (requirements CA-03, CO-09). */
function coordinatorNotes({ coordination, models }: ProjectConfig): string[] {
  const roles = coordination.coordinators.map((id) => models.agents?.[id]?.role_archetype);
  if (roles.length === 0) return ["coordination is on without coordinators: it looks, and nobody is borrowed."];
  if (roles.length === 1) return ["there is one coordinator: nobody plans, and nobody is borrowed."];
  if (models.agents === undefined) return [];
  return Object.entries(coordinatorRoles)
    .filter(([, role]) => !roles.includes(role))
    .map(([step, role]) => `no coordinator has the role_archetype ${role}, who ${step}s.`);
}
