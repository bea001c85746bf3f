import { join } from "node:path";
import { hint, TeamwrightError } from "../../kernel/errors.ts";
import type { FolderAsked, FolderOutcome } from "./folder-run.ts";
import { findInputs, type Known, readInputs } from "./inputs.ts";
import { type Played, type PlayOptions, playAll } from "./players.ts";
import { hasSeeds, seedsIn } from "./seed-folders.ts";

export interface SeedsAsked extends FolderAsked {
  /** So many runs; those that are there, when it goes on with a folder of them. */
  readonly seeds?: number | undefined;
}

/**
 * The same experiment with several seeds, each in a folder `seed-N` that can go on by itself. `continue` takes up every
 * seed where it is and plays them all to the same sprint: so many more than the furthest of them has. Throws
 * INVALID_INPUT for what cannot be read, and what all of them were refused for.
 */
export async function runSeeds(asked: SeedsAsked, options: PlayOptions) {
  const { folder } = asked;
  if (await findInputs(folder))
    throw conflict(`${folder} holds a single run: several take another folder.`, "with another output");
  const runs = await runsOf(asked);
  const results = await playAll(
    runs.map((run) => run.asked),
    options,
  );
  const outcomes = results.flatMap((result) => (result.kind === "played" ? [result.outcome] : []));
  const last = outcomes.at(-1);
  if (!last) throw refusedFor(results);
  const { resumed_after: _, cancelled: __, waits_for: ___, ...rest } = last;
  const waiting = outcomes.find(({ waits_for }) => waits_for !== undefined)?.waits_for;
  const isStopped = outcomes.some(({ cancelled }) => cancelled) || results.some(({ kind }) => kind === "left");
  const complete = outcomes.filter(({ ok }) => ok).length;
  return {
    ...rest,
    ok: complete === runs.length,
    seeds: runs.length,
    folder,
    report: folder,
    sprints_done: outcomes.length < runs.length ? 0 : Math.min(...outcomes.map(({ sprints_done }) => sprints_done)),
    ...(isStopped ? { cancelled: true } : {}),
    ...(waiting === undefined ? {} : { waits_for: waiting }),
    summary: `${complete} of ${runs.length} seeds are complete`,
    lines: ["", ...results.map((result, index) => `seed ${runs[index]?.seed}: ${toldOf(result)}`)],
  };
}

function toldOf(result: Played): string {
  if (result.kind === "left") return "not gone on with";
  if (result.kind === "refused") return `${result.refusal.code}: ${result.refusal.message}`;
  const { outcome } = result;
  const { sprints_done: done, sprints_wanted: wanted } = outcome;
  return done < wanted ? `${outcome.summary} in ${done} of ${wanted} sprints` : outcome.summary;
}

/** The first refusal, as if there were one run only; without any, nothing was begun. */
function refusedFor(results: readonly Played[]): TeamwrightError {
  const refused = results.find((result) => result.kind === "refused");
  if (refused?.kind !== "refused")
    return new TeamwrightError("UNAVAILABLE", "Stopped before a run was begun; the same command begins.");
  const { code, message, hint: next, problems } = refused.refusal;
  return new TeamwrightError(code, message, next, problems);
}

interface SeedRun {
  readonly seed: number;
  readonly asked: FolderAsked;
}

async function runsOf({ seeds, continue: more, ...asked }: SeedsAsked): Promise<SeedRun[]> {
  const there = seedsIn(asked.folder);
  const numbers = seedNumbers(asked, seeds, there);
  const at = (seed: number) => join(asked.folder, `seed-${seed}`);
  if (more === undefined) return numbers.map((seed) => ({ seed, asked: { ...asked, seed, folder: at(seed) } }));
  if (asked.sprints !== undefined) readInputs({ ...asked, continue: more, known: undefined }); // refuses both at once
  const known = new Map<number, Known>();
  for (const seed of numbers) {
    const found = await findInputs(at(seed));
    if (found) known.set(seed, found);
  }
  const [model] = known.values();
  if (!model)
    throw new TeamwrightError(
      "INVALID_INPUT",
      `There is no run to go on with in ${asked.folder}.`,
      hint("experiment_run", "with config and sprints begins one"),
    );
  const sprints = Math.max(...[...known.values()].map(({ done }) => done)) + more;
  return numbers.map((seed) => {
    const like = known.has(seed) || asked.config !== undefined ? {} : { like: model.stored };
    return { seed, asked: { ...asked, ...like, seed, sprints, folder: at(seed) } };
  });
}

/** Checks the files, where any are named, before a process is begun for them. */
function seedNumbers(asked: FolderAsked, seeds: number | undefined, there: readonly number[]): number[] {
  const own = asked.config === undefined ? undefined : readInputs({ ...asked, known: undefined }).seed;
  if (seeds === undefined) {
    if (asked.seed !== undefined && asked.seed !== there[0])
      throw conflict(
        `${asked.folder} holds runs of ${there.length} seeds, which go on together: one goes on by its own folder.`,
        ONE_OF_THEM,
      );
    return [...there];
  }
  const first = asked.seed ?? own ?? there[0] ?? 1;
  return Array.from({ length: seeds }, (_, index) => first + index);
}

const ONE_OF_THEM = "with the folder of one of them as output";

/** One run in a folder of its own. Throws what it is refused for. */
export async function runOne(asked: FolderAsked, progress: PlayOptions["progress"]): Promise<FolderOutcome> {
  if (hasSeeds(asked.folder))
    throw conflict(
      `${asked.folder} holds runs of several seeds: say how many, or name another folder.`,
      "with seeds, or another output",
    );
  const results = await playAll([asked], { jobs: 1, progress });
  const [result] = results;
  if (result?.kind === "played") return result.outcome;
  throw refusedFor(results);
}

function conflict(message: string, next: string): TeamwrightError {
  return new TeamwrightError("CONFLICT", message, hint("experiment_run", next));
}
