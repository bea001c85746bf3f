import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isMap, parseDocument, stringify } from "yaml";
import { hint, TeamwrightError } from "../../../kernel/errors.ts";
import { isRecord } from "../../../kernel/records.ts";
import { git } from "./git.ts";
import { markOfRun } from "./place.ts";
import { restoreSettings } from "./settings.ts";

export interface ProjectRequest {
  readonly folder: string;
  /** Repository whose HEAD is worked on, in a clone; an empty one without it. */
  readonly source?: string | undefined;
  /** Text of its teamwright.yaml. */
  readonly settings: string;
}

/**
 * The repository that all sessions of a run work in. What it is made of stays untouched: its source is cloned, and the
 * clone has no remote to push to. It is made beside its place, so that it is whole or not there. Called again for a run
 * that goes on, it brings the settings up to date. Throws CONFLICT where something else is in its place, the clone of
 * another repository too.
 */
export async function prepareProject({ folder, source, settings }: ProjectRequest): Promise<void> {
  if (existsSync(markOfRun(folder))) checkSource(folder, source);
  else {
    checkNothingIs(folder);
    const draft = join(dirname(folder), `.${basename(folder)}-draft`);
    rmSync(draft, { recursive: true, force: true });
    await make(draft, source);
    rmSync(folder, { recursive: true, force: true }); // empty, and not every system renames onto a folder
    renameSync(draft, folder);
  }
  await restoreSettings(folder, settings);
}

function checkNothingIs(folder: string): void {
  if (!existsSync(folder) || isEmpty(folder)) return;
  throw new TeamwrightError(
    "CONFLICT",
    `${folder} is there already and was not made for an experiment: the sessions would work in it.`,
    hint("experiment_run", "with another output"),
  );
}

/** A run that goes on needs no source; one that is named all the same is the one it has a clone of. */
function checkSource(folder: string, source: string | undefined): void {
  const cloned = readFileSync(markOfRun(folder), "utf8");
  if (source === undefined || sourceName(source) === cloned) return;
  throw new TeamwrightError(
    "CONFLICT",
    cloned === ""
      ? `The run in ${dirname(folder)} was begun with an empty project.`
      : `The run in ${dirname(folder)} works on a clone of another repository.`,
    hint("experiment_run", "without project goes on there"),
  );
}

/** Of a repository's path, whichever way it is told: the sessions are not to learn where it is. */
function sourceName(source: string): string {
  const path = existsSync(source) ? realpathSync(source) : resolve(source);
  return createHash("sha256").update(path).digest("hex");
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false; // a file
  }
}

async function make(folder: string, source: string | undefined): Promise<void> {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  if (source === undefined) await git(parent, "init", "-q", "-b", "main", "--", folder);
  else {
    await git(parent, "clone", "-q", "--", resolve(source), folder);
    await git(folder, "remote", "remove", "origin");
  }
  mkdirSync(join(folder, ".git", "info"), { recursive: true });
  appendFileSync(join(folder, ".git", "info", "exclude"), "\n.teamwright/\n");
  const known = await git(folder, "config", "user.email").catch(() => "");
  if (known.trim() === "") {
    await git(folder, "config", "user.name", "Teamwright experiment");
    await git(folder, "config", "user.email", "experiment@teamwright.invalid");
  }
  writeFileSync(markOfRun(folder), source === undefined ? "" : sourceName(source));
}

/**
 * A configuration as a run of sessions keeps it: they can read what it keeps. Without what may hold passwords, which is
 * where a store of the caller's is, whom a simulation asks, and remarks.
 */
export function withoutSecrets(config: string): string {
  const value: unknown = parseDocument(config, { merge: true }).toJS();
  if (!isRecord(value)) return config;
  const { storage: _, stakeholder_review: review, ...kept } = value;
  if (!isRecord(review)) return stringify(kept);
  const { webhook_url: _url, feedback: _feedback, ...rest } = review;
  return stringify({ ...kept, stakeholder_review: rest });
}

/** The sessions' settings are the experiment's; its length is the run's. */
export function projectConfig(config: string, sprints: number): string {
  const document = parseDocument(config, { merge: true });
  if (!isMap(document.contents)) return config;
  document.setIn(["experiment", "sprints"], sprints);
  return document.toString();
}
