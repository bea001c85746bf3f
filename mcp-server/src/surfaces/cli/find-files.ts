import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { TeamwrightError } from "../../kernel/errors.ts";
import type { FindOptions } from "../../kernel/operation.ts";

/** Never walked into: their files are nobody's own. */
const SKIPPED = new Set([".git", "node_modules", ".teamwright"]);
const MAX_COUNTED_BYTES = 20_000_000;

/**
 * Files behind names, folders and globs, sorted, each once, relative to `cwd` where they lie below it. Throws
 * INVALID_INPUT with every name that stands for nothing.
 */
export async function findFiles(cwd: string, names: readonly string[], options: FindOptions): Promise<string[]> {
  const found = new Map<string, string>();
  const problems: string[] = [];
  const isIgnored = await matcher(options.ignore);
  for (const name of names) {
    const paths = name === "-" ? ["-"] : await expand(cwd, name, options.within);
    if (paths === undefined) {
      if (!options.mayBeEmpty) problems.push(`${name} is no file or folder, and no file matches it`);
      continue;
    }
    for (const path of paths) {
      if (path !== "-" && isIgnored(path)) continue;
      found.set(path === "-" ? path : resolve(cwd, path), path);
    }
  }
  if (problems.length > 0)
    throw new TeamwrightError("INVALID_INPUT", "Some names stand for no file.", undefined, problems.slice(0, 20));
  return [...found.values()].sort();
}

/** Undefined when nothing is there under the name. */
async function expand(cwd: string, name: string, within: string): Promise<string[] | undefined> {
  const there = await stat(resolve(cwd, name)).catch(() => undefined);
  if (there?.isDirectory()) {
    const matches = await matcher([within]);
    return walk(cwd, resolve(cwd, name), (path) => matches(slashes(relative(name, path))));
  }
  if (there) return [shown(cwd, resolve(cwd, name))];
  const { default: picomatch } = await import("picomatch");
  const { isGlob, base } = picomatch.scan(slashes(name));
  if (!isGlob) return undefined;
  const folder = resolve(cwd, base);
  const matches = picomatch(slashes(isAbsolute(name) ? shown(cwd, name) : name).replace(/^\.\//, ""), { dot: true });
  const paths = await walk(cwd, folder, matches);
  return paths.length > 0 ? paths : undefined;
}

export async function matcher(globs: readonly string[]): Promise<(path: string) => boolean> {
  if (globs.length === 0) return () => false;
  const { default: picomatch } = await import("picomatch");
  return picomatch(
    globs.map((glob) => glob.replace(/^\.\//, "")),
    { dot: true },
  );
}

/** Regular files below a folder; links to folders are not followed, so that no circle has an end to be found. */
async function walk(cwd: string, folder: string, accepts: (path: string) => boolean): Promise<string[]> {
  const paths: string[] = [];
  const folders = [folder];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    for (const entry of await readdir(current, { withFileTypes: true }).catch((): Dirent[] => [])) {
      const path = join(current, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) folders.push(path);
      } else if (accepts(shown(cwd, path)) && (await isRegular(entry, path))) paths.push(shown(cwd, path));
    }
  }
  return paths;
}

async function isRegular(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

function shown(cwd: string, path: string): string {
  const inside = relative(cwd, path);
  return slashes(inside === "" || inside.startsWith("..") || isAbsolute(inside) ? path : inside);
}

function slashes(path: string): string {
  return sep === "\\" ? path.replaceAll("\\", "/") : path;
}

/** Lines of a file below one of the roots; undefined for what is no regular file there, or lies outside. */
export async function countLines(roots: readonly string[], path: string): Promise<number | undefined> {
  if (isAbsolute(path) || path.includes("\0")) return undefined;
  for (const root of roots) {
    const file = resolve(root, path);
    if (!file.startsWith(root + sep)) continue;
    const there = await stat(file).catch(() => undefined);
    if (!there?.isFile()) continue;
    if (there.size > MAX_COUNTED_BYTES) return Number.MAX_SAFE_INTEGER;
    const content = await readFile(file).catch(() => undefined);
    if (content) return linesIn(content);
  }
  return undefined;
}

function linesIn(content: Buffer): number {
  let lines = content.length > 0 && content.at(-1) !== 10 ? 1 : 0;
  for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) lines += 1;
  return lines;
}
