import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { Git } from "../../kernel/git.ts";
import type { Hold } from "./busy.ts";

/**
 * Merges one unit's commit into the project's branch and runs the gates on the result. Nothing stays of it unless they
 * pass: a merge that breaks the tree would be everybody's (requirements WT-02, FP-12).
 */
export async function integrate(
  project: Git,
  commit: string,
  message: string,
  hold: Hold,
  gates: () => Promise<string | undefined>,
): Promise<{ merged: string } | { conflicts: string[] } | { fault: string }> {
  const head = await project.head();
  const isThere = await project.isReachable(commit, head); // a crash came between the merge and its record
  if (!isThere) await hold();
  const merged = isThere ? { merged: head } : await project.merge(commit, message);
  if ("conflicts" in merged) return merged;
  const fault = await gates();
  await hold(); // gates take minutes: who has stood still for that long may have been taken over
  if (fault === undefined) return merged;
  const before = isThere ? await project.parent(head) : head;
  if (isThere && (await project.isReachable(commit, before))) {
    throw new TeamwrightError(
      "CONFLICT",
      `It was merged before a crash, and what came after it fails: ${fault}. A person mends the branch.`,
      hint("unit_commit", "afterwards"),
    );
  }
  // what somebody has committed upon the merge meanwhile is not ours to throw away
  if ((await project.head()) !== merged.merged)
    throw new TeamwrightError(
      "CONFLICT",
      `Something was committed upon the merge while its gates ran, and they have failed: ${fault}. A person mends the branch.`,
      hint("unit_commit", "afterwards"),
    );
  await hold();
  await project.undoMerge(before);
  return { fault };
}
