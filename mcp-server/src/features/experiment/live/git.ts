import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { childEnvironment } from "../../../kernel/child-environment.ts";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { plainLine } from "../../../kernel/fence.ts";

const run = promisify(execFile);

/** What sessions have left in a repository is not run by us: its hooks, or a program that watches files. */
const OWN_WORD_ONLY = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgsign=false"];

/** Runs git on the project of a run. Throws UNAVAILABLE with git's own words. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  try {
    const options = { cwd: folder, env: childEnvironment(), maxBuffer: 10_000_000 };
    const { stdout } = await run("git", [...OWN_WORD_ONLY, ...args], options);
    return stdout;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new TeamwrightError(
      "UNAVAILABLE",
      isMissing
        ? "The project of the run cannot be made: git is not on the PATH."
        : `The project of the run cannot be made: git ${args[0]}: ${plainLine(said, 300)}`,
      hint("experiment_run", "with project names the top folder of a git repository"),
    );
  }
}
