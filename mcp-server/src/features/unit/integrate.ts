import type { Git } from "../../kernel/git.ts";

/**
 * Merges one unit's commit into the project's branch and runs the gates on the result. Nothing stays of it unless they
 * pass: a merge that breaks the tree would be everybody's (requirements WT-02, FP-12).
 */
export async function integrate(
  project: Git,
  commit: string,
  message: string,
  gates: () => Promise<string | undefined>,
): Promise<{ merged: string } | { conflicts: string[] } | { fault: string }> {
  const before = await project.head();
  const merged = await project.merge(commit, message);
  if ("conflicts" in merged) return merged;
  const fault = await gates();
  if (fault === undefined) return merged;
  await project.undoMerge(before);
  return { fault };
}
