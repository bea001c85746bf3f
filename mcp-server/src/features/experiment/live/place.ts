import { existsSync } from "node:fs";
import { join } from "node:path";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { hasSeeds } from "../seed-folders.ts";

/** Where the sessions of a run in this folder work. */
export function projectOf(folder: string): string {
  return join(folder, "project");
}

/** Says of a repository that it was made for a run, and is nobody's own that is called alike. */
export function markOfRun(project: string): string {
  return join(project, ".git", "teamwright-experiment");
}

/** Whether the folder's run is one of real sessions. */
function isLive(folder: string): boolean {
  return existsSync(markOfRun(projectOf(folder)));
}

interface Wanted {
  readonly agents?: "mock" | "claude" | undefined;
  readonly seeds?: number | undefined;
  readonly project?: string | undefined;
}

/**
 * Whether real sessions are to work; a run that goes on keeps who works in it. Throws INVALID_INPUT for what only one of
 * the two kinds can do, CONFLICT where the folder holds a run of the other.
 */
export function wantsSessions({ agents, seeds, project }: Wanted, folder: string): boolean {
  const isOfSessions = isLive(folder);
  if ((agents ?? (isOfSessions ? "claude" : "mock")) === "mock") {
    if (isOfSessions) throw taken(folder, "real sessions");
    if (project === undefined) return false;
    throw refused("Simulated teams work in no repository.", "takes project with agents claude");
  }
  if (seeds !== undefined)
    throw refused(
      "Seeds are the chances of a simulation; real sessions have their own.",
      "with agents claude takes one seed, which pairs the run in comparisons",
    );
  if (existsSync(join(folder, ".teamwright", "state.db")) || hasSeeds(folder)) throw taken(folder, "simulated teams");
  return true;
}

function refused(message: string, next: string): TeamwrightError {
  return new TeamwrightError("INVALID_INPUT", message, hint("experiment_run", next));
}

function taken(folder: string, whose: string): TeamwrightError {
  return new TeamwrightError(
    "CONFLICT",
    `${folder} holds a run of ${whose}.`,
    hint("experiment_run", "with another output"),
  );
}
