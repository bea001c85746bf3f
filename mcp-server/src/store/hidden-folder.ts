import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A new folder of ours hides itself from git: using Teamwright must not show in a repository's status. */
export function makeHiddenFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true }) !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
}
