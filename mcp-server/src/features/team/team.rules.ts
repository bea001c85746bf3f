import type { ProjectConfig } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";

/** Throws NOT_FOUND with the teams there are. */
export function checkTeam(config: ProjectConfig, team: string): string {
  if (config.teams.some((candidate) => candidate.id === team)) return team;
  throw new TeamwrightError(
    "NOT_FOUND",
    `There is no such team; the teams are ${config.teams.map((candidate) => candidate.id).join(", ")}.`,
    hint("team_list", "shows the teams"),
  );
}

/**
 * The team a query is about: the one asked for, else the caller's, else undefined for all. An agent of a team sees
 * its own board only (requirements KB-01).
 */
export function teamInView(config: ProjectConfig, principal: Principal, asked?: string): string | undefined {
  if (asked !== undefined) {
    checkTeam(config, asked);
    checkOwnTeam(principal, asked);
    return asked;
  }
  return principal.team;
}

/** The team a new task goes to; with several teams somebody has to say which. */
export function teamForNew(config: ProjectConfig, principal: Principal, asked?: string): string {
  const team = teamInView(config, principal, asked);
  if (team !== undefined) return team;
  const [only, ...others] = config.teams;
  if (only && others.length === 0) return only.id;
  throw new TeamwrightError(
    "INVALID_INPUT",
    `Say which team: ${config.teams.map((candidate) => candidate.id).join(", ")}.`,
    hint("task_create", "with team"),
  );
}

/** Throws FORBIDDEN when an agent of one team reaches for another's. */
export function checkOwnTeam(principal: Principal, team: string): void {
  if (principal.team === undefined || principal.team === team) return;
  throw new TeamwrightError(
    "FORBIDDEN",
    `That belongs to team ${team}; you are in team ${principal.team}.`,
    hint("dependency_declare", "asks another team for something"),
  );
}
