import { hint, TeamwrightError } from "./errors.ts";
import type { ChangedFile } from "./git.ts";

/** Settings of the repository by which git would believe others, or a time, about what has changed. */
export const LOOKS_ITSELF = [
  "core.fsmonitor=false",
  "core.trustctime=true",
  "core.checkStat=default",
  "core.ignoreStat=false",
];

/** What `--name-status -z` prints. */
export function pairs(text: string): ChangedFile[] {
  const parts = text.split("\0");
  const files: ChangedFile[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [status = "", path = ""] = [parts[index], parts[index + 1]];
    files.push({ path, status: status.slice(0, 1) });
  }
  return files;
}

/** git's own words; nothing of ours is broken when it refuses. */
export function gitFailure(command: string, error: unknown): TeamwrightError {
  const said = (error instanceof Error ? error.message : String(error)).trim().slice(0, 600);
  return new TeamwrightError(
    "UNAVAILABLE",
    `git ${command} did not succeed: ${said}`,
    hint("unit_show", "shows where the unit stands; try again when the cause is gone"),
  );
}

/**
 * Why there is no repository to work in: UNAVAILABLE, or FORBIDDEN with git's own remedy, which names the repository
 * and is the same in every language, where git does not trust the one there is.
 */
export function noRepository(error: unknown): TeamwrightError {
  const way = /git config --global --add safe\.directory .+/.exec(String(error))?.[0];
  return way === undefined
    ? new TeamwrightError("UNAVAILABLE", "Work units need a git repository, and there is none here.")
    : new TeamwrightError("FORBIDDEN", `git trusts no repository of another user: \`${way}\` lets it.`);
}
