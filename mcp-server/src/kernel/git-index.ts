import { copyFile, stat, utimes } from "node:fs/promises";

const PATHS_AT_ONCE = 200;

/** Commands that make the index look at these files again. git obeys the first such option of a command alone. */
export function lookAgain(paths: readonly string[]): string[][] {
  return ["--no-assume-unchanged", "--no-skip-worktree"].flatMap((option) =>
    Array.from({ length: Math.ceil(paths.length / PATHS_AT_ONCE) }, (_, n) => {
      const some = paths.slice(n * PATHS_AT_ONCE, (n + 1) * PATHS_AT_ONCE);
      return ["update-index", option, "--", ...some];
    }),
  );
}

/**
 * Copies an index, which knows the files that are unchanged: for a fresh one git would read them all. With its time: a
 * file that was written in the second in which its index was counts as unsure to git, and is read; beside an index that
 * looks younger it would pass for unchanged. Does nothing where there is no index yet.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const before = await stat(from).catch(() => undefined);
  if (before === undefined) return;
  await copyFile(from, to);
  await utimes(to, before.atime, Math.floor(before.mtimeMs / 1000));
}
