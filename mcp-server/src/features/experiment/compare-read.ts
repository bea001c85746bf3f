import { basename, dirname, join } from "node:path";
import { TeamwrightError } from "../../kernel/errors.ts";
import { plainLine } from "../../kernel/fence.ts";
import type { FilePort } from "../../kernel/operation.ts";
import type { Run, Variant } from "./compare-metrics.rules.ts";
import { readableReport } from "./report.schema.ts";

const REPORT = "final_report.json";
/** A report of seven teams and 10,000 sprints stays below. */
const MAX_BYTES = 64_000_000;
/** Files read side by side. */
const BATCH = 16;

export interface ReadVariants {
  readonly variants: readonly Variant[];
  /** What could not be read, a sentence each. */
  readonly problems: string[];
}

/**
 * Reads what was named: a run's output folder, a folder of `seed-*` runs, a report itself, each as `label=path` if it is
 * to have a name of its own. A report that cannot be read takes none of the others with it.
 */
export async function readVariants(
  files: FilePort,
  names: readonly string[],
  progress: (done: number, total: number) => void,
): Promise<ReadVariants> {
  const variants: Variant[] = [];
  const problems: string[] = [];
  const labels = new Set<string>();
  for (const name of names) {
    const { label, path } = splitLabel(name);
    const runs: Run[] = [];
    try {
      const paths = await reportsUnder(files, path);
      for (let start = 0; start < paths.length; start += BATCH) {
        const batch = paths.slice(start, start + BATCH);
        for (const read of await Promise.all(batch.map((place) => readRun(files, place))))
          if (typeof read === "string") problems.push(read);
          else runs.push(read);
        if (paths.length > BATCH) progress(Math.min(start + BATCH, paths.length), paths.length);
      }
    } catch (error) {
      problems.push(sentenceOf(path, error));
    }
    if (runs.length > 0) variants.push({ label: uniqueLabel(label ?? labelOf(path, runs), labels), runs });
  }
  return { variants, problems };
}

/** A path with `=` in its first part is written `./a=b`. */
export function splitLabel(name: string): { label?: string; path: string } {
  const [, label, path] = /^([^/\\=]+)=(.+)$/s.exec(name) ?? [];
  return label === undefined || path === undefined ? { path: name } : { label, path };
}

/** The variant its reports name, when they agree; else the folder's name. */
function labelOf(path: string, runs: readonly Run[]): string {
  const named = new Set(runs.map(({ report }) => report.variant));
  const [only] = named;
  return named.size === 1 && only ? only : basename(path.endsWith(".json") ? dirname(join(path)) : join(path));
}

function uniqueLabel(wanted: string, taken: Set<string>): string {
  const clean = plainLine(wanted, 60) || "unnamed";
  let label = clean;
  for (let n = 2; taken.has(label); n += 1) label = `${clean} (${n})`;
  taken.add(label);
  return label;
}

/** Throws INVALID_INPUT or NOT_FOUND when there is none. */
async function reportsUnder(files: FilePort, path: string): Promise<string[]> {
  if (path.endsWith(".json")) return [path];
  const own = join(path, REPORT);
  const isThere = await files.read(own, 1).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TeamwrightError && error.code === "NOT_FOUND") return false;
      throw error;
    },
  );
  if (isThere) return [own];
  const seeds = await find(files, path, `seed-*/${REPORT}`);
  if (seeds.length > 0) return seeds.sort((one, two) => (seedOf(one) ?? 0) - (seedOf(two) ?? 0));
  const deeper = await find(files, path, `**/${REPORT}`);
  const folders = [...new Set(deeper.map((place) => variantFolder(dirname(place))))];
  const outer = folders.filter((one) => !folders.some((other) => one.startsWith(join(other, "/")))).slice(0, 3);
  const near = outer.length > 0 ? `; there are reports in ${outer.join(", ")}` : "";
  throw new TeamwrightError("NOT_FOUND", `no ${REPORT} is in it, and no seed-*/${REPORT}${near}`);
}

async function find(files: FilePort, folder: string, within: string): Promise<string[]> {
  return (await files.tree?.find([folder], { within, ignore: [] })) ?? [];
}

/** The part of the path before `seed-*`. */
function variantFolder(folder: string): string {
  return folder.replace(/[/\\]seed-[^/\\]*(?:[/\\].*)?$/, "");
}

async function readRun(files: FilePort, path: string): Promise<Run | string> {
  try {
    const parsed = readableReport.safeParse(JSON.parse(stripMark(await files.read(path, MAX_BYTES))));
    if (!parsed.success) {
      const [first] = parsed.error.issues;
      return `${path} is no final report of several teams: ${first?.path.join(".") || "the whole"}: ${first?.message ?? "unknown"}.`;
    }
    return { path, seed: parsed.data.seed ?? seedOf(path), report: parsed.data };
  } catch (error) {
    return sentenceOf(path, error);
  }
}

/** From the folder's name when the report does not say. */
function seedOf(path: string): number | undefined {
  const digits = /^seed-(\d{1,15})$/.exec(basename(dirname(path)))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function stripMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function sentenceOf(path: string, error: unknown): string {
  if (error instanceof SyntaxError) return `${path} is no JSON: ${plainLine(error.message, 120)}.`;
  if (!(error instanceof TeamwrightError)) throw error;
  const message = [error.message, ...error.problems].join(" ").replace(/\.$/, "");
  return `${path}: ${message}.`;
}
