import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isMap, parseDocument } from "yaml";
import { CONFIG_FILE } from "../../../config/project-root.ts";
import { childEnvironment } from "../../../kernel/child-environment.ts";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { plainLine } from "../../../kernel/fence.ts";

const run = promisify(execFile);

export interface ProjectRequest {
  readonly folder: string;
  /** Repository whose HEAD is worked on, in a clone; an empty one without it. */
  readonly source?: string | undefined;
  /** The experiment's configuration, as text. */
  readonly config: string;
  readonly sprints: number;
}

/**
 * The repository that all sessions of a run work in. What it is made of stays untouched: its source is cloned, and the
 * clone has no remote to push to. Called again for a run that goes on, it brings the settings up to date.
 */
export async function prepareProject({ folder, source, config, sprints }: ProjectRequest): Promise<void> {
  if (!existsSync(join(folder, ".git"))) {
    mkdirSync(dirname(folder), { recursive: true });
    if (source === undefined) await git(dirname(folder), "init", "-q", "-b", "main", "--", folder);
    else {
      await git(dirname(folder), "clone", "-q", "--", resolve(source), folder);
      await git(folder, "remote", "remove", "origin");
    }
    mkdirSync(join(folder, ".git", "info"), { recursive: true });
    appendFileSync(join(folder, ".git", "info", "exclude"), "\n.teamwright/\n");
    const known = await git(folder, "config", "user.email").catch(() => "");
    if (known.trim() === "") {
      await git(folder, "config", "user.name", "Teamwright experiment");
      await git(folder, "config", "user.email", "experiment@teamwright.invalid");
    }
  }
  const file = join(folder, CONFIG_FILE);
  const text = projectConfig(config, sprints);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  writeFileSync(file, text);
  await git(folder, "add", "-f", "--", CONFIG_FILE);
  const staged = await git(folder, "diff", "--cached", "--name-only", "--", CONFIG_FILE);
  if (staged.trim() !== "")
    await git(
      folder,
      "-c",
      "commit.gpgsign=false",
      "commit",
      "-q",
      "--no-verify",
      "-m",
      "Settings of the experiment",
      "--",
      CONFIG_FILE,
    );
}

/** The sessions' settings are the experiment's: its length is the run's, and its store the folder's own. */
export function projectConfig(config: string, sprints: number): string {
  const document = parseDocument(config);
  if (!isMap(document.contents)) return config;
  document.setIn(["experiment", "sprints"], sprints);
  document.delete("storage");
  return document.toString();
}

async function git(folder: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run("git", args, { cwd: folder, env: childEnvironment(), maxBuffer: 10_000_000 });
    return stdout;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new TeamwrightError(
      "UNAVAILABLE",
      `The project of the run cannot be made: git ${args[0] === "-c" ? "commit" : args[0]}: ${plainLine(said, 300)}`,
      hint("experiment_run", "with project names a git repository"),
    );
  }
}

const MANIFEST = join(".claude-plugin", "plugin.json");

/** The plugin this program is part of: the sessions load the same one. Throws UNAVAILABLE where there is none. */
export function pluginFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (; dirname(folder) !== folder; folder = dirname(folder)) if (existsSync(join(folder, MANIFEST))) return folder;
  throw new TeamwrightError(
    "UNAVAILABLE",
    "The plugin's folder is not where this program runs from, so sessions could not load it.",
    hint("experiment_run", "from the plugin's own bin/teamwright"),
  );
}
