import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ProjectConfig } from "../../config/config.schema.ts";
import { childEnvironment } from "../../kernel/child-environment.ts";
import { Git } from "../../kernel/git.ts";
import type { UnitRow } from "./unit.store.ts";

const run = promisify(execFile);
const GH_TIMEOUT_MS = 30_000;

/** What keeps a stage from beginning, one sentence per unit before it; empty when nothing does (requirements FP-07, C-19). */
export async function stageObstacles(
  config: ProjectConfig,
  phaseGate: string,
  earlier: readonly UnitRow[],
  approvedAt: () => Promise<number | undefined>,
): Promise<string[]> {
  const unfinished = earlier.filter((unit) => unit.phase !== "done" && unit.phase !== "abandoned");
  if (unfinished.length > 0)
    return unfinished.map((unit) => `${unit.key} of stage ${unit.stage} is in phase ${unit.phase}`);
  if (earlier.length === 0) return []; // the first stage waits for nobody
  const commits = earlier.flatMap((unit) => (unit.commit_sha === null ? [] : [unit]));
  if (phaseGate === "manual") {
    const at = await approvedAt();
    if (at === undefined) return ["no person has approved the stage before: a checkpoint of kind gate asks one"];
    const isEarly = earlier.some((unit) => Number(unit.updated_at) > at); // a word about work that was not there yet
    return isEarly ? ["a person has approved the stage before when it was not done yet: ask again"] : [];
  }
  if (commits.length === 0) return [];
  if (phaseGate === "merged_local") {
    const git = await Git.at(config.root);
    const head = await git.head();
    const reached = await Promise.all(commits.map((unit) => git.isReachable(unit.commit_sha ?? "", head)));
    return commits
      .filter((_, index) => !reached[index])
      .map((unit) => `the commit of ${unit.key} is not on this branch`);
  }
  const merged = await Promise.all(commits.map((unit) => isPullRequestMerged(config.root, unit.commit_sha ?? "")));
  return commits.flatMap((unit, index) => {
    const found = merged[index];
    if (found === "merged") return [];
    return [
      found === "no gh"
        ? "pull requests cannot be looked up: gh is not there"
        : `the pull request of ${unit.key} is not merged`,
    ];
  });
}

async function isPullRequestMerged(folder: string, commit: string): Promise<"merged" | "open" | "no gh"> {
  try {
    const args = ["pr", "list", "--state", "merged", "--search", commit, "--json", "number"];
    const { stdout } = await run("gh", args, { cwd: folder, timeout: GH_TIMEOUT_MS, env: childEnvironment() });
    const list: unknown = JSON.parse(stdout);
    return Array.isArray(list) && list.length > 0 ? "merged" : "open";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "no gh" : "open";
  }
}
