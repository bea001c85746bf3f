import type { ProjectConfig } from "./config.schema.ts";
import type { PracticeName } from "./experiment.schema.ts";

/** Whether a team has a practice on: its own word in `practices`, else the section's (requirement EX-06). */
export function practiceOn(config: ProjectConfig, teamId: string, practice: PracticeName): boolean {
  const own = config.teams.find(({ id }) => id === teamId)?.practices?.[practice];
  if (own !== undefined) return own;
  return practice === "profile_swapping" ? config.profile_swapping.mode !== "none" : config[practice].enabled;
}

/** Whether teams are coordinated: switched on, and there is more than one (requirement CO-05). */
export function isCoordinated(config: ProjectConfig): boolean {
  return config.coordination.enabled && config.teams.length > 1;
}

/** The full loop comes before sprints 2, 2 + cadence, 2 + 2 × cadence … (requirements CO-02, C-17). */
export function isLoopDue(n: number, cadence: number): boolean {
  return n >= 2 && (n - 2) % cadence === 0;
}

/** Whether it comes before this sprint here. */
export function isFullLoopDue(config: ProjectConfig, sprint: number): boolean {
  return isCoordinated(config) && isLoopDue(sprint, config.coordination.full_loop_cadence);
}
