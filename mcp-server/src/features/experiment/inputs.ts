import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseConfig, type Source } from "../../config/config.load.ts";
import { type ProjectConfig, withDefaults } from "../../config/config.schema.ts";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { openStore } from "../../store/open.ts";
import type { Backlog } from "./backlog.rules.ts";
import { loadInputs, loadState, type StoredInputs } from "./experiment.store.ts";
import { laidOver } from "./overlay.rules.ts";

/** What a run is made of, read and checked. */
export interface Inputs {
  readonly config: ProjectConfig;
  readonly backlogs: readonly Backlog[];
  readonly seed: number;
  readonly variant: string;
  /** In all. */
  readonly sprints: number;
  /** Sprints that are complete already. */
  readonly done: number;
  /** As they are kept with the run, so that it can go on without its files. */
  readonly stored: StoredInputs;
}

export interface Known {
  readonly stored: StoredInputs;
  readonly done: number;
}

export interface Asked {
  readonly here: string;
  readonly folder: string;
  readonly known: Known | undefined;
  readonly config?: string | undefined;
  readonly backlog?: string | undefined;
  readonly sprints?: number | undefined;
  readonly continue?: number | undefined;
  readonly seed?: number | undefined;
  readonly variant?: string | undefined;
  /** What of a configuration's text the run keeps and works by; all of it unless given. */
  readonly kept?: (config: string) => string;
  /** Inputs of a run beside it, which it has too but for its seed, when it has none of its own. */
  readonly like?: StoredInputs;
}

/** What a folder's run was made of; undefined for a folder without one. */
export async function findInputs(folder: string): Promise<Known | undefined> {
  const path = join(folder, ".teamwright", "state.db");
  if (!existsSync(path)) return undefined;
  const store = await openStore({ path, synchronous: "normal" });
  try {
    const stored = await loadInputs(store.db);
    return stored && { stored, done: (await loadState(store.db))?.sprint ?? 0 };
  } finally {
    await store.close();
  }
}

/** Throws INVALID_INPUT for what cannot be read, CONFLICT where the folder's run is of other inputs (requirement EX-01). */
export function readInputs(asked: Asked): Inputs {
  if (asked.sprints !== undefined && asked.continue !== undefined)
    throw refused("Give either the sprints in all or how many more.", "takes sprints or continue");
  const { known } = asked;
  if (!known && asked.continue !== undefined)
    throw refused(`There is no run to go on with in ${asked.folder}.`, "with config and sprints begins one");
  const stored = asked.config === undefined ? storedOf(asked) : readFiles({ ...asked, config: asked.config });
  if (!stored) throw refused("Say what to run: a configuration of teams.", "with config and backlog");
  const before = known?.stored ?? (asked.like && { ...asked.like, seed: stored.seed });
  if (before) checkSame(asked.folder, before, stored);
  const config = configOf(stored);
  const done = known?.done ?? 0;
  const sprints = asked.continue === undefined ? (asked.sprints ?? config.experiment.sprints) : done + asked.continue;
  if (sprints < done) throw refused(`${done} sprints are done already.`, "with continue goes on");
  return { config, backlogs: stored.backlogs, seed: stored.seed, variant: stored.variant, sprints, done, stored };
}

/** The inputs a run has already, and what is named beside them, so that nothing of it goes unheard. */
function storedOf({ here, known, like, seed, variant, backlog }: Asked): StoredInputs | undefined {
  const stored = known?.stored ?? like;
  if (!stored) return undefined;
  if (isPolicyFile(variant)) throw refused("A policy is laid over a configuration, and none is named.", "with config");
  const [shared, own] = [false, true].map((isOwn) =>
    stored.backlogs.filter(({ team }) => (team !== undefined) === isOwn),
  );
  const named = backlog === undefined ? undefined : resolve(here, backlog);
  const portfolio = named === undefined ? shared : [{ name: basename(named), text: text(named) }];
  return {
    ...stored,
    backlogs: [...(portfolio ?? []), ...(own ?? [])],
    seed: seed ?? stored.seed,
    variant: variant ?? stored.variant,
  };
}

/** A run goes on as it was begun. */
function checkSame(folder: string, before: StoredInputs, now: StoredInputs): void {
  const isOther = (key: keyof StoredInputs) => JSON.stringify(before[key]) !== JSON.stringify(now[key]);
  const others = [
    ...(isOther("seed") ? [`another seed (${before.seed})`] : []),
    ...(isOther("variant") ? [`another variant (${before.variant})`] : []),
    ...(isOther("config") || isOther("configName") ? [`another configuration (${before.configName})`] : []),
    ...(isOther("backlogs") ? ["other stories"] : []),
  ];
  if (others.length === 0) return;
  throw new TeamwrightError(
    "CONFLICT",
    `${folder} holds a run with ${others.join(", ")}: it goes on with its own, and this one takes another folder.`,
    hint("experiment_run", "with another output"),
  );
}

function readFiles(asked: Asked & { config: string }): StoredInputs {
  const file = resolve(asked.here, asked.config);
  const { config, configName, variant, writtenIn } = policyOf(asked, file);
  const parsed = configOf({ config, configName }, writtenIn);
  const beside = (name: string) => resolve(dirname(file), name);
  const portfolio =
    asked.backlog !== undefined
      ? resolve(asked.here, asked.backlog)
      : parsed.portfolio.backlog === undefined
        ? undefined
        : beside(parsed.portfolio.backlog);
  const backlogs: Backlog[] = [
    ...(portfolio === undefined ? [] : [{ name: basename(portfolio), text: text(portfolio) }]),
    ...parsed.teams.flatMap(({ id, backlog }) =>
      backlog === undefined ? [] : [{ name: backlog, text: text(beside(backlog)), team: id }],
    ),
  ];
  if (backlogs.length === 0) throw refused("No backlog is named.", "with backlog");
  const nobody = parsed.teams.find(({ agents }) => agents.length === 0);
  if (nobody) throw refused(`Nobody is in team ${nobody.id}.`, "with a configuration whose teams have agents");
  return {
    config: asked.kept?.(config) ?? config,
    configName,
    backlogs,
    seed: asked.seed ?? parsed.experiment.seed,
    variant: variant ?? parsed.experiment.name,
  };
}

/** A variant is a name, or a file of settings laid over the configuration and called after it (requirement EX-02). */
function policyOf({ here, variant }: Asked, file: string) {
  const configName = basename(file);
  if (variant === undefined || !isPolicyFile(variant))
    return { config: text(file), configName, variant, writtenIn: [] };
  const over = resolve(here, variant);
  const writtenIn = [file, over].map((path) => ({ file: path, text: text(path) }));
  const config = laidOver(text(file), text(over), { baseFile: file, file: over });
  const name = basename(over).replace(/\.ya?ml$/, "");
  return { config, configName: `${configName}+${basename(over)}`, variant: name, writtenIn };
}

function isPolicyFile(variant: string | undefined): boolean {
  return variant !== undefined && /\.ya?ml$/.test(variant);
}

/** Throws INVALID_INPUT with every problem. */
export function configOf(
  { config, configName }: Pick<StoredInputs, "config" | "configName">,
  writtenIn: readonly Source[] = [],
): ProjectConfig {
  const { config: file, problems } = parseConfig(config, configName, { forExperiment: true }, writtenIn);
  if (file) return withDefaults(file, "/");
  throw new TeamwrightError(
    "INVALID_INPUT",
    `${configName} has ${problems.length} problem${problems.length === 1 ? "" : "s"}.`,
    undefined,
    problems,
  );
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new TeamwrightError("NOT_FOUND", `The file ${path} cannot be read.`);
  }
}

function refused(message: string, next: string): TeamwrightError {
  return new TeamwrightError("INVALID_INPUT", message, hint("experiment_run", next));
}
