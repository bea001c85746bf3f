import { basename, extname, join, resolve } from "node:path";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import { splitLabel } from "./compare-read.ts";
import type { FolderAsked } from "./folder-run.ts";
import { readInputs } from "./inputs.ts";
import { type PlayOptions, playAll } from "./players.ts";

/** What policies are run with, before they are compared. */
export interface VariantsAsked {
  readonly here: string;
  /** Folder of all of them; each has one of its own in there, with one for each seed. */
  readonly folder: string;
  readonly config?: string | undefined;
  readonly backlog?: string | undefined;
  readonly sprints?: number | undefined;
  /** The first one. */
  readonly seed?: number | undefined;
  readonly seeds: number;
}

/**
 * Plays what is named by a policy's file: laid over the configuration, or the configuration itself, once for each seed.
 * Gives the names to read, in the order they came, and a sentence for each run that was refused (requirements EX-02 to
 * EX-04, ME-05). What is complete already is played no second time. Throws INVALID_INPUT for what cannot be read.
 */
export async function playVariants(names: readonly string[], asked: VariantsAsked, options: PlayOptions) {
  const variants = names.map((name) => variantOf(name, asked));
  const played = variants.filter((variant) => variant.policy !== undefined);
  checkNames(played.map(({ label }) => label));
  const runs = played.flatMap((variant) => runsOf(variant, asked));
  const results = await playAll(
    runs.map((run) => run.asked),
    options,
  );
  if (results.some((result) => result.kind === "left" || (result.kind === "played" && result.outcome.cancelled)))
    throw new TeamwrightError("UNAVAILABLE", "Stopped; the same command takes up every run where it is.");
  const problems = results.flatMap((result, index) =>
    result.kind === "refused" ? [problemOf(runs[index]?.asked.folder ?? "", result.refusal.message)] : [],
  );
  return { names: variants.map((variant) => variant.read), problems };
}

/** A sentence that says which run it is about, once. */
function problemOf(folder: string, message: string): string {
  const sentence = `${message.replace(/\.$/, "")}.`;
  return sentence.startsWith(`${folder} `) ? sentence : `${folder}: ${sentence}`;
}

interface VariantToRead {
  readonly label: string;
  /** What is read when all is played: `label=folder`, or the name as it was given. */
  readonly read: string;
  /** The file, where it is to be played. */
  readonly policy: string | undefined;
}

function variantOf(name: string, { folder }: VariantsAsked): VariantToRead {
  const { label: given, path } = splitLabel(name);
  const label = given ?? basename(path, extname(path));
  if (!/\.ya?ml$/.test(path)) return { label, read: name, policy: undefined };
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$/u.test(label))
    throw refused(`${label} cannot be the name of a variant and its folder.`, "takes names of letters and digits");
  return { label, read: `${label}=${join(folder, label)}`, policy: path };
}

function checkNames(labels: readonly string[]): void {
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) throw refused(`Two variants are called ${twice}.`, "takes name=policy.yaml");
}

/** One run for each seed; the first is checked here, so that a mistake is told before a process is begun. */
function runsOf({ label, policy }: VariantToRead, asked: VariantsAsked): { asked: FolderAsked }[] {
  const { here, folder, config, backlog, sprints, seed } = asked;
  if (config === undefined || policy === undefined)
    throw refused("Policies are laid over a configuration, and none is named.", "with config");
  const isWhole = resolve(here, policy) === resolve(here, config);
  const common = { here, config, backlog, sprints, ...(isWhole ? {} : { variant: policy }) };
  const first = readInputs({ ...common, folder, seed, known: undefined }).seed;
  return Array.from({ length: asked.seeds }, (_, index) => {
    const own = first + index;
    return { asked: { ...common, seed: own, folder: join(folder, label, `seed-${own}`) } };
  });
}

function refused(message: string, next: string): TeamwrightError {
  return new TeamwrightError("INVALID_INPUT", message, hint("experiment_compare", next));
}
