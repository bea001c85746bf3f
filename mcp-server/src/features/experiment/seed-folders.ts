import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Whether a folder holds runs of seeds, and is none itself. */
export function hasSeeds(folder: string): boolean {
  return !existsSync(join(folder, ".teamwright")) && seedsIn(folder).length > 0;
}

/** Numbers of the seeds that a folder has runs of, in order. */
export function seedsIn(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => /^seed-(\d{1,10})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
