import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import { checkOwnTeam } from "../team/team.rules.ts";

/** Links by which a task waits for another; in one team only, for between teams both are to see it. */
export const waitingLinkTypes: readonly string[] = ["blocks", "conditional-blocks", "waits-for"];

/** What of a task a link's rules look at. */
export interface LinkEnd {
  readonly key: string;
  readonly team: string;
}

/** Throws when the link reaches into another team: its agents never do, and waiting there is to be seen by both (DE-06). */
export function checkLinkTeams(principal: Principal, source: LinkEnd, target: LinkEnd, type: string): void {
  checkOwnTeam(principal, target.team);
  if (source.team === target.team || !waitingLinkTypes.includes(type)) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${source.key} is of team ${source.team} and ${target.key} of team ${target.team}: waiting for another team is a dependency.`,
    hint("dependency_declare", "says so to both teams"),
  );
}

/** Throws for a link of a task to itself, whatever it means. */
export function checkNotItself(source: LinkEnd, target: LinkEnd): void {
  if (source.key !== target.key) return;
  throw new TeamwrightError(
    "RULE_VIOLATED",
    `${source.key} cannot be linked to itself.`,
    hint("task_show", "shows its links"),
  );
}
