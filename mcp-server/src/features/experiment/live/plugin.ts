import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { isRecord } from "../../../kernel/records.ts";

const MANIFEST = join(".claude-plugin", "plugin.json");
const NAME = "teamwright";

/** The plugin this program is part of: the sessions load the same one. Throws UNAVAILABLE where there is none. */
export function pluginFolder(start: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = start; dirname(folder) !== folder; folder = dirname(folder)) if (isOurs(folder)) return folder;
  throw new TeamwrightError(
    "UNAVAILABLE",
    "The plugin's folder is not where this program runs from, so sessions could not load it.",
    hint("experiment_run", "from the plugin's own bin/teamwright"),
  );
}

/** A project that has this program among its dependencies may be a plugin itself. */
function isOurs(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8"));
    return isRecord(manifest) && manifest.name === NAME;
  } catch {
    return false;
  }
}
